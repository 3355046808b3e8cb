//! One block on the clock: conversion between samples and clock time.

use super::MusicalTime;
use antiphon_engine::plan::whole;

/// Fraction of a sample by which a time may exceed a sample and still belong to it. Absorbs floating-point rounding.
pub(super) const SAMPLE_SLACK: f64 = 1e-3;

/// One block on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Clock time of the first sample, in ticks.
    pub(super) start: f64,
    /// Lower bound, in ticks, of all times in the block: the clock never runs backwards.
    pub(super) earliest: f64,
    /// Ticks per sample; 0 while the clock is stopped.
    pub(super) rate: f64,
    /// Length in samples.
    pub(super) frames: u32,
}

impl Span {
    /// Clock time of a sample.
    #[must_use]
    pub fn time(&self, sample: u32) -> MusicalTime {
        MusicalTime((self.start + f64::from(sample) * self.rate).max(self.earliest))
    }

    /// Clock time of the block end.
    #[must_use]
    pub fn end(&self) -> MusicalTime {
        self.time(self.frames)
    }

    /// First sample at or after a time: negative if the time lies before the block, at least `frames` if after it. While the clock is
    /// stopped, times from now on are never reached ([`i64::MAX`]).
    #[must_use]
    pub fn sample(&self, time: MusicalTime) -> i64 {
        let ahead = time.0 - self.start;
        if self.rate > 0.0 {
            whole((ahead / self.rate - SAMPLE_SLACK).ceil())
        } else if ahead < 0.0 {
            -1
        } else {
            i64::MAX
        }
    }

    /// As [`sample`](Self::sample), and so many samples later. While the clock is stopped, nothing is reached later.
    #[must_use]
    pub fn sample_after(&self, time: MusicalTime, samples: i64) -> i64 {
        let sample = self.sample(time);
        if self.rate > 0.0 { sample.saturating_add(samples) } else { sample }
    }

    /// Ticks that so many samples last; 0 while the clock is stopped.
    #[must_use]
    pub fn ticks(&self, samples: i64) -> f64 {
        samples as f64 * self.rate
    }

    /// Length in samples.
    #[must_use]
    pub const fn frames(&self) -> u32 {
        self.frames
    }
}
