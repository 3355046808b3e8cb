//! A block on the clock: samples to moments and back.

use super::Moment;
use antiphon_engine::plan::whole;

/// A moment this small part of a sample after a sample belongs to it: whole numbers do not survive arithmetic exactly.
pub(super) const SAMPLE_SLACK: f64 = 1e-3;

/// A block on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The first sample's moment.
    pub(super) start: f64,
    /// Nothing in the block lies before it.
    pub(super) earliest: f64,
    /// Ticks per sample; 0 while the clock stands.
    pub(super) rate: f64,
    /// Samples.
    pub(super) frames: u32,
}

impl Span {
    /// The moment of a sample.
    #[must_use]
    pub fn moment(&self, sample: u32) -> Moment {
        Moment((self.start + f64::from(sample) * self.rate).max(self.earliest))
    }

    /// The moment after its last sample.
    #[must_use]
    pub fn end(&self) -> Moment {
        self.moment(self.frames)
    }

    /// The first sample at or after a moment: negative if it is over before the block, at least `frames` if it comes after the block. While
    /// the clock stands, what is not over is never.
    #[must_use]
    pub fn sample(&self, moment: Moment) -> i64 {
        let ahead = moment.0 - self.start;
        if self.rate > 0.0 {
            whole((ahead / self.rate - SAMPLE_SLACK).ceil())
        } else if ahead < 0.0 {
            -1
        } else {
            i64::MAX
        }
    }

    /// Samples in it.
    #[must_use]
    pub const fn frames(&self) -> u32 {
        self.frames
    }
}
