//! Notes of a bar so far against a target rate.

use crate::decode::control::row::RowContext;
use crate::music::TICKS_PER_QUARTER;

/// Cost in nats of each note beyond the slack, and of its square beside.
const NOTE_OFF: f64 = 0.5;
const SQUARE_OFF: f64 = 0.1;

/// Number of notes of a bar against a rate.
pub(super) struct NoteRate {
    /// Target number of notes of the whole bar.
    wanted: f64,
    /// Notes so far, the target included.
    notes: f64,
    /// Slack: notes ahead or behind at no cost.
    slack: f64,
    /// Length of the bar in ticks.
    ticks: f64,
}

impl NoteRate {
    /// `notes` so far where `density` notes a quarter are wanted.
    pub(super) fn new(density: f64, slack: f64, notes: usize, row: &RowContext<'_>) -> Self {
        let ticks = f64::from(row.ticks);
        Self { wanted: density * ticks / TICKS_PER_QUARTER as f64, notes: notes as f64, slack, ticks }
    }

    /// Notes that the bar is behind the rate at this tick; negative if it is ahead.
    pub(super) fn behind(&self, tick: i64) -> f64 {
        self.wanted * tick as f64 / self.ticks - self.notes
    }

    /// Notes that the bar still lacks in all.
    pub(super) fn missing(&self) -> f64 {
        (self.wanted - self.notes).max(0.0)
    }

    /// Cost of being so many notes off.
    pub(super) fn cost(&self, off: f64) -> f64 {
        let beyond = (off - self.slack).max(0.0);
        NOTE_OFF * beyond + SQUARE_OFF * beyond * beyond
    }
}
