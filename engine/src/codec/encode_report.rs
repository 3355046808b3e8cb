//! Counts of what encoding changed and left out.

use std::ops::AddAssign;

use serde::Serialize;

/// What encoding kept, changed and left out, as numbers of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct EncodeReport {
    /// Encoded notes.
    pub notes: usize,
    /// Of those, off the grid: performed timing other than 0.
    pub off_grid: usize,
    /// Of those, with a duration that is not a class's.
    pub rounded_durations: usize,
    /// Of those, with an open end ([`OPEN`](super::OPEN)).
    pub open: usize,
    /// Of those, pitch above 127.
    pub clamped_pitches: usize,
    /// Of those, velocity 0 or above 127.
    pub clamped_velocities: usize,
    /// Of those, timing beyond half a tick.
    pub clamped_offsets: usize,
    /// Of those, duration below a tick or above the longest class.
    pub clamped_durations: usize,
    /// Left out: same onset, role and pitch as a longer one.
    pub duplicates: usize,
    /// Left out: outside the bars, or not before the cut.
    pub outside: usize,
}

impl EncodeReport {
    /// Number of clamped values of all kinds.
    #[must_use]
    pub const fn clamped(&self) -> usize {
        self.clamped_pitches + self.clamped_velocities + self.clamped_offsets + self.clamped_durations
    }
}

impl AddAssign for EncodeReport {
    fn add_assign(&mut self, other: Self) {
        self.notes += other.notes;
        self.off_grid += other.off_grid;
        self.rounded_durations += other.rounded_durations;
        self.open += other.open;
        self.clamped_pitches += other.clamped_pitches;
        self.clamped_velocities += other.clamped_velocities;
        self.clamped_offsets += other.clamped_offsets;
        self.clamped_durations += other.clamped_durations;
        self.duplicates += other.duplicates;
        self.outside += other.outside;
    }
}
