//! Metres, and the bar lines they draw.

use serde::{Deserialize, Serialize};

use super::{TICKS_PER_QUARTER, Tick};

/// A time signature, for instance 6/8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Metre {
    /// Beats in a bar, at least 1.
    numerator: u8,
    /// The beat's note value: 1, 2, 4, 8, 16 or 32.
    denominator: u8,
}

impl Metre {
    /// 4/4, the metre where nothing else is said.
    pub const COMMON: Self = Self { numerator: 4, denominator: 4 };

    /// A metre, if the numerator is at least 1 and the denominator a power of two up to 32: `None` for 0/0, 4/0, 4/3.
    #[must_use]
    pub const fn new(numerator: u8, denominator: u8) -> Option<Self> {
        if numerator == 0 || denominator == 0 || denominator > 32 || !denominator.is_power_of_two() {
            return None;
        }
        Some(Self { numerator, denominator })
    }

    /// Beats in a bar.
    #[must_use]
    pub const fn numerator(self) -> u8 {
        self.numerator
    }

    /// The beat's note value.
    #[must_use]
    pub const fn denominator(self) -> u8 {
        self.denominator
    }

    /// Length of a whole bar in ticks. A bar of an odd number of 64ths would fall between ticks; with denominators up to 32 every bar is whole.
    #[must_use]
    pub fn bar_length(self) -> Tick {
        Tick(i64::from(self.numerator) * TICKS_PER_QUARTER * 4 / i64::from(self.denominator))
    }
}

impl Default for Metre {
    fn default() -> Self {
        Self::COMMON
    }
}

impl std::fmt::Display for Metre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// One bar of a [`MetreMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Counted from 0 at tick 0.
    pub index: u32,
    /// The bar line it starts on.
    pub start: Tick,
    /// Its length: shorter than the metre says where the next metre cuts it.
    pub length: Tick,
    /// The metre it is written in.
    pub metre: Metre,
}

impl Bar {
    /// The bar line it ends on.
    #[must_use]
    pub fn end(&self) -> Tick {
        self.start + self.length
    }
}
