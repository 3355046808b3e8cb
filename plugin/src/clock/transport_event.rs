//! Transport changes with the sample at which they happen.

use antiphon_engine::plan::{Cause, MusicalTime, SongBar, SongPosition, TransportChange};

/// A change of the mapping from clock to song position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransportEvent {
    /// Kind of change.
    pub cause: Cause,
    /// Offset from the start of the block, in samples.
    pub sample: u32,
    /// Clock time.
    pub at: MusicalTime,
    /// Song tick at that clock time, from now on.
    pub song: SongPosition,
    /// A bar line of the song, and the metre.
    pub bar: SongBar,
}

impl TransportEvent {
    /// The change without its sample, as the session receives it.
    #[must_use]
    pub const fn change(self) -> TransportChange {
        let Self { cause, at, song, bar, .. } = self;
        TransportChange { cause, at, song, bar }
    }
}

/// Transport changes of one block: at most one at its start and one within.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TransportEvents {
    /// At the first sample.
    pub first: Option<TransportEvent>,
    /// Within the block: the loop wraps.
    pub within: Option<TransportEvent>,
}
