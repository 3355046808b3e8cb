//! Transport changes: edits of the map from the unwrapped clock to the host's song position.

use super::{MusicalTime, SongBar, SongPosition};

/// Why the clock's place in the song changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The transport started.
    Start,
    /// The transport stopped. The clock only listens.
    Stop,
    /// The song went on elsewhere.
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
    /// Why.
    pub cause: Cause,
    /// When, on the clock.
    pub at: MusicalTime,
    /// Tick of the song that the clock's tick stands for from now on.
    pub song: SongPosition,
    /// A bar line of the song, and the metre from there on.
    pub bar: SongBar,
}
