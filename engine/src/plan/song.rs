//! Positions and bars of the host's song.

use serde::{Deserialize, Serialize};

use crate::music::{Metre, Tick};

/// A place in the host's song, in ticks from its start; negative in a count-in. Not a time on the clock: a loop passes it again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SongPosition(pub i64);

impl SongPosition {
    /// The position this much further on.
    #[must_use]
    pub const fn after(self, length: Tick) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// How far it lies beyond another; negative if before it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Tick {
        Tick(self.0.saturating_sub(earlier.0))
    }
}

/// Bar of the song that a position lies in, as the host reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SongBar {
    /// Its bar line.
    pub start: SongPosition,
    /// Its metre.
    pub metre: Metre,
}

impl SongBar {
    /// Ticks from a position to the next bar line, at least 1. If the host names the wrong bar, its line still gives the phase of the
    /// bar lines.
    pub(super) fn left(self, position: SongPosition) -> Tick {
        let length = self.metre.bar_length();
        Tick(length.0 - position.since(self.start).0.rem_euclid(length.0))
    }
}
