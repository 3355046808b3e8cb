//! Changes of the map from clock to song, at their samples.

use antiphon_engine::plan::{Cause, Moment, SongBar, SongPosition, TransportChange};

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

impl Turn {
    /// The change as the session takes it, which knows no samples.
    #[must_use]
    pub const fn change(self) -> TransportChange {
        let Self { cause, at, song, bar, .. } = self;
        TransportChange { cause, at, song, bar }
    }
}

/// The turns of a block: one at its first sample, one within.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Turns {
    /// At the first sample.
    pub first: Option<Turn>,
    /// Later: the song's loop wraps around.
    pub within: Option<Turn>,
}
