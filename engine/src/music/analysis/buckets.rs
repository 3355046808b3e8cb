//! Buckets of features, for conditioning and requested controls: values 1 to 8, and 0 if there is no note to measure.
//!
//! Edges are round numbers near the octiles of the training music, its sources weighted as in training; outer steps are wider apart so that a
//! single line and a full orchestra have steps of their own. Every step holds between 2 and 31 % of its bars.

use super::BarFeatures;
use crate::music::{Note, Tempo, Tick};

/// Notes per quarter note at which density steps up.
pub const DENSITY_EDGES: [f64; 7] = [1.25, 2.25, 3.5, 5.0, 7.0, 10.0, 15.0];

/// Mean MIDI keys at which register steps up: D3, G3, B3, D4, F4, G#4, C5, where C4 is 60.
pub const REGISTER_EDGES: [f64; 7] = [50.0, 55.0, 59.0, 62.0, 65.0, 68.0, 72.0];

/// Semitones at which span steps up.
pub const SPAN_EDGES: [f64; 7] = [5.0, 12.0, 19.0, 24.0, 31.0, 38.0, 48.0];

/// Quarter notes per minute at which tempo steps up: about largo, adagio, andante, andantino, moderato, allegretto, allegro, presto.
pub const TEMPO_EDGES: [f64; 7] = [60.0, 72.0, 84.0, 96.0, 108.0, 126.0, 152.0];

/// The last step of voices: so many or more.
pub const MOST_VOICES: u8 = 8;

/// The features of a bar in steps: values of the model's columns of the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BarBuckets {
    /// By [`DENSITY_EDGES`]; 0 without notes.
    pub density: u8,
    /// By [`REGISTER_EDGES`]; 0 without notes other than drums.
    pub register: u8,
    /// By [`SPAN_EDGES`]; 0 without notes other than drums.
    pub span: u8,
    /// The voices themselves, [`MOST_VOICES`] at most; 0 without notes other than drums.
    pub voices: u8,
}

impl BarBuckets {
    /// Measures a bar of this length from the notes that start in it.
    #[must_use]
    pub fn measure(length: Tick, notes: &[Note]) -> Self {
        BarFeatures::new(length, notes).as_ref().map(Self::from).unwrap_or_default()
    }
}

impl From<&BarFeatures> for BarBuckets {
    fn from(features: &BarFeatures) -> Self {
        let density = bucket(features.notes_per_quarter, &DENSITY_EDGES);
        let Some(pitched) = features.pitched else {
            return Self { density, ..Self::default() };
        };
        Self {
            density,
            register: bucket(pitched.mean_pitch, &REGISTER_EDGES),
            span: bucket(f64::from(pitched.span), &SPAN_EDGES),
            voices: u8::try_from(pitched.max_voices).unwrap_or(MOST_VOICES).clamp(1, MOST_VOICES),
        }
    }
}

/// The step of a tempo, 1 to 8.
#[must_use]
pub fn tempo_bucket(tempo: Tempo) -> u8 {
    // Files count whole microseconds, so 84 a minute comes back as 83.99997: a tenth is near enough.
    bucket((tempo.bpm() * 10.0).round() / 10.0, &TEMPO_EDGES)
}

/// One more than the edges that are reached: 1 below the first, 8 from the last on.
fn bucket(value: f64, edges: &[f64; 7]) -> u8 {
    edges.iter().fold(1, |step, &edge| step + u8::from(value >= edge))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    #[test]
    fn edges_belong_to_the_step_above() {
        for edges in [DENSITY_EDGES, REGISTER_EDGES, SPAN_EDGES, TEMPO_EDGES] {
            assert!(edges.is_sorted());
            assert_eq!(bucket(0.0, &edges), 1);
            for (step, edge) in (1u8..).zip(edges) {
                assert_eq!((bucket(edge - 0.01, &edges), bucket(edge, &edges)), (step, step + 1));
            }
            assert_eq!(bucket(1e9, &edges), 8);
        }
    }

    #[test]
    fn bar_is_measured_in_steps() {
        let note = |pitch, role| Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch, velocity: 80, role };
        let chord: Vec<_> = (0..10).map(|index| note(48 + 2 * index, Role::Strings)).collect();
        let bar = Tick::quarters(4);
        assert_eq!(BarBuckets::measure(bar, &chord), BarBuckets { density: 3, register: 3, span: 3, voices: 8 });
        let drums = BarBuckets { density: 1, ..BarBuckets::default() };
        assert_eq!(BarBuckets::measure(bar, &[note(36, Role::Drums)]), drums);
        assert_eq!(BarBuckets::measure(bar, &[]), BarBuckets::default());
    }

    #[test]
    fn tempi_step_up() {
        let steps = [20.0, 60.0, 83.9, 84.0, 100.0, 120.0, 151.0, 152.0].map(|bpm| tempo_bucket(Tempo::from_bpm(bpm).unwrap()));
        assert_eq!(steps, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
