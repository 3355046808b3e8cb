//! Transport changes: edits of the map from the unwrapped clock to the host's song position.

use super::{MusicalTime, SongBar, SongPosition};

/// Cause of a transport change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The transport started.
    Start,
    /// The transport stopped, and the clock with it.
    Stop,
    /// The song position jumped.
    Locate,
    /// The song went back to the start of its loop.
    Loop,
    /// The player played, or pressed Play, with the transport stopped: the clock runs by itself.
    Wake,
    /// The metre or the bar lines changed, without a jump.
    Metre,
}

/// A change of the map from clock to song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransportChange {
    /// Cause.
    pub cause: Cause,
    /// Time of the change, on the clock.
    pub at: MusicalTime,
    /// Song position that `at` maps to from now on.
    pub song: SongPosition,
    /// A bar line of the song, and the metre from there on.
    pub bar: SongBar,
}
