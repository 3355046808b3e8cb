//! Musical time.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};

/// Ticks of the grid per quarter note: divisible by 2, 3, 4, 6, 8 and 12, so straight, triplet and dotted values all fall on it.
pub const TICKS_PER_QUARTER: i64 = 24;

/// Steps of performed timing per tick (see [`Note::offset`](crate::music::Note::offset)).
pub const OFFSETS_PER_TICK: i64 = 8;

/// A position on the grid, or a length, in ticks of 1/24 quarter note. Never seconds or samples: those exist in the plug-in only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub i64);

impl Tick {
    /// The start of a clip.
    pub const ZERO: Self = Self(0);
    /// Later than any note: the end of a note that is still held.
    pub const MAX: Self = Self(i64::MAX);

    /// `n` quarter notes.
    #[must_use]
    pub const fn quarters(n: i64) -> Self {
        Self(n * TICKS_PER_QUARTER)
    }

    /// `self + length`, staying at [`Tick::MAX`] for a note without an end.
    #[must_use]
    pub const fn saturating_add(self, length: Self) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl Add for Tick {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Tick {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Tick {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Tick {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
