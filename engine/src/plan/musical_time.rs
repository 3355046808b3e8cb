//! Time on the unwrapped clock in fractional ticks, and its rounding to ticks.

use crate::music::{OFFSETS_PER_TICK, Tick};

/// Tolerance in ticks for rounding errors.
pub const EQUAL: f64 = 1e-6;

/// Time on the unwrapped clock, in fractional ticks.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct MusicalTime(pub f64);

impl MusicalTime {
    /// The tick it lies in or on.
    #[must_use]
    pub fn tick(self) -> Tick {
        Tick(tick_of(self.0))
    }

    /// The nearest eighth of a tick, as the nearest tick and an offset of -4 to 3 eighths.
    ///
    /// ```
    /// use antiphon_engine::music::Tick;
    /// use antiphon_engine::plan::MusicalTime;
    ///
    /// assert_eq!(MusicalTime(3.375).nearest(), (Tick(3), 3));
    /// // Half a tick is early for the next one, never late for this one.
    /// assert_eq!(MusicalTime(3.5).nearest(), (Tick(4), -4));
    /// ```
    #[must_use]
    pub fn nearest(self) -> (Tick, i8) {
        let eighths = whole(self.0 * OFFSETS_PER_TICK as f64);
        let onset = (eighths.saturating_add(OFFSETS_PER_TICK / 2)).div_euclid(OFFSETS_PER_TICK);
        (Tick(onset), i8::try_from(eighths.saturating_sub(onset.saturating_mul(OFFSETS_PER_TICK))).unwrap_or(0))
    }
}

impl From<Tick> for MusicalTime {
    /// Exact below 2^53 ticks, six million years at 120 bpm.
    fn from(tick: Tick) -> Self {
        Self(tick.0 as f64)
    }
}

/// Nearest integer, saturating at the limits of `i64`.
#[allow(clippy::cast_possible_truncation, reason = "`as` saturates, and takes NaN for 0")]
pub const fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// The tick that a fractional tick lies in or on.
pub const fn tick_of(ticks: f64) -> i64 {
    whole((ticks + EQUAL).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_rounds_to_the_nearest_tick_and_eighth() {
        let at = |ticks| MusicalTime(ticks).nearest();
        assert_eq!([at(3.0), at(3.375), at(3.5), at(3.99)], [(Tick(3), 0), (Tick(3), 3), (Tick(4), -4), (Tick(4), 0)]);
    }
}
