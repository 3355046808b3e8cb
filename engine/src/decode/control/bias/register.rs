//! Requested register: raises pitches that bring the bar's mean to the middle of the step.

use super::cost::PitchBias;
use super::step::range;
use crate::decode::control::row::RowContext;
use crate::music::analysis::REGISTER_EDGES;

/// Standard deviation in semitones of the bell around the middle: an octave of room on both sides of it.
const BELL: f64 = 9.0;
/// Notes in which a deviation of the mean is to be corrected, and largest offset from the middle requested of one note for it, in semitones.
const CORRECTION_NOTES: f64 = 3.0;
const CORRECTION_REACH: f64 = 12.0;
/// MIDI keys where the outer steps end.
const ENDS: [f64; 2] = [40.0, 82.0];

/// Bias towards a mean pitch.
pub(super) struct RegisterBias {
    /// Centre of the bell, as a MIDI key.
    wanted: f64,
}

impl RegisterBias {
    /// Bias of a step, 1 to 8.
    pub(super) fn new(step: u8, row: &RowContext<'_>) -> Self {
        let [low, high] = range(step, &REGISTER_EDGES, ENDS);
        let middle = f64::midpoint(low, high);
        let (sum, count) = row.pitched_notes().fold((0.0, 0.0), |(sum, count), note| (sum + f64::from(note.pitch), count + 1.0));
        let mean = if count > 0.0 { sum / count } else { middle };
        let correction = ((middle - mean) * count / CORRECTION_NOTES).clamp(-CORRECTION_REACH, CORRECTION_REACH);
        Self { wanted: middle + correction }
    }
}

impl PitchBias for RegisterBias {
    fn cost(&self, pitch: u8) -> f64 {
        let away = (f64::from(pitch) - self.wanted) / BELL;
        away * away / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Tables, note};
    use super::super::{KEYS, RequestedControls};

    #[test]
    fn mean_that_is_off_is_corrected() {
        let high = RequestedControls { register: Some(8), ..RequestedControls::default() };
        assert_eq!(Tables::with(high, &[], Some(0)).likeliest_pitch(), 77);
        let low_so_far = [note(0, 50, 23), note(12, 50, 23), note(24, 50, 23)];
        assert_eq!(Tables::with(high, &low_so_far, Some(36)).likeliest_pitch(), 77 + 12);
        assert!(Tables::with(high, &[], Some(0)).pitch[KEYS..].iter().all(|value| *value == 0.0), "drums have no register");
    }
}
