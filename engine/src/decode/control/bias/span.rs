//! Requested span: raises pitches that widen the bar's range to the step, and lowers those that exceed it.

use super::cost::PitchBias;
use super::step::range;
use crate::decode::control::row::RowContext;
use crate::music::analysis::SPAN_EDGES;

/// Cost of a semitone beyond the span, and gain of one within while it is wanted.
const BEYOND: f64 = 0.35;
const WITHIN: f64 = 0.08;
/// Semitones where the outer steps end.
const ENDS: [f64; 2] = [0.0, 60.0];

/// Bias towards a span.
pub(super) struct Span {
    /// Semitones of the step; the upper edge is the next step's.
    wanted: [f64; 2],
    /// Lowest and highest pitch so far.
    lowest: u8,
    highest: u8,
}

impl Span {
    /// Bias of a step, 1 to 8; `None` before the first pitch.
    pub(super) fn new(step: u8, row: &RowContext<'_>) -> Option<Self> {
        let pitches = row.pitched_notes().map(|note| note.pitch);
        Some(Self { wanted: range(step, &SPAN_EDGES, ENDS), lowest: pitches.clone().min()?, highest: pitches.max()? })
    }
}

impl PitchBias for Span {
    fn cost(&self, pitch: u8) -> f64 {
        let span = f64::from(self.highest.max(pitch) - self.lowest.min(pitch));
        let [low, high] = self.wanted;
        BEYOND * (span - high + 1.0).max(0.0) - WITHIN * span.min(low)
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestedControls;
    use super::super::tables::{Tables, note};

    #[test]
    fn requested_span_is_filled_and_not_exceeded() {
        let wide = RequestedControls { span: Some(4), ..RequestedControls::default() };
        let tables = Tables::with(wide, &[note(0, 60, 23)], Some(24));
        assert!(tables.pitch[60] < tables.pitch[79] && tables.pitch[79] > tables.pitch[100]);
        assert_eq!(tables.pitch[41], tables.pitch[79]);
    }
}
