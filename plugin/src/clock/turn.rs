//! Changes of the map from clock to song.

use antiphon_engine::plan::{SongBar, SongPosition};

use super::Moment;

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
pub struct Turn {
    /// Why.
    pub cause: Cause,
    /// When, in samples from the start of the block.
    pub sample: u32,
    /// When, on the clock.
    pub at: Moment,
    /// The tick of the song that the clock's tick stands for from now on.
    pub song: SongPosition,
    /// A bar line of the song, and the metre.
    pub bar: SongBar,
}

/// The turns of a block: one at its first sample, one within.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Turns {
    /// At the first sample.
    pub first: Option<Turn>,
    /// Later: the song's loop wraps around.
    pub within: Option<Turn>,
}
