//! Features of a bar: density, register, span, voices.

use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};

/// Measures of the notes that start in a bar. The model is conditioned on these, and the bars that it generates are measured by the
/// same code. A bar without notes has none: see [`BarFeatures::new`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarFeatures {
    /// Notes of all roles per quarter note, above 0.
    pub notes_per_quarter: f64,
    /// Features of the pitched notes; `None` without any.
    pub pitched: Option<PitchFeatures>,
}

/// The part of [`BarFeatures`] that drums have no share in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PitchFeatures {
    /// Mean MIDI key.
    pub mean_pitch: f64,
    /// Mean MIDI velocity.
    pub mean_velocity: f64,
    /// Semitones from the lowest note to the highest.
    pub span: u8,
    /// Most notes that sound at once, at least 1.
    pub max_voices: u32,
}

impl BarFeatures {
    /// The features of a bar of this length, from the notes that start in it, in any order; `None` if there are none.
    #[must_use]
    pub fn new(length: Tick, notes: &[Note]) -> Option<Self> {
        if notes.is_empty() {
            return None;
        }
        let ticks = u32::try_from(length.0.max(1)).unwrap_or(u32::MAX);
        let quarter = u32::try_from(TICKS_PER_QUARTER).unwrap_or(u32::MAX);
        let notes_per_quarter = f64::from(count(notes.len())) * f64::from(quarter) / f64::from(ticks);
        Some(Self { notes_per_quarter, pitched: PitchFeatures::new(notes) })
    }
}

impl PitchFeatures {
    fn new(notes: &[Note]) -> Option<Self> {
        let pitched: Vec<_> = notes.iter().filter(|note| note.role != Role::Drums).collect();
        let pitches = || pitched.iter().map(|note| note.pitch);
        let (lowest, highest) = pitches().min().zip(pitches().max())?;
        let mean = |values: u32| f64::from(values) / f64::from(count(pitched.len()));
        let mean_pitch = mean(pitches().map(u32::from).sum());
        let mean_velocity = mean(pitched.iter().map(|note| u32::from(note.velocity)).sum());
        Some(Self { mean_pitch, mean_velocity, span: highest - lowest, max_voices: most_at_once(&pitched) })
    }
}

/// The most notes that sound in the same tick. One that ends where another starts makes room for it.
fn most_at_once(notes: &[&Note]) -> u32 {
    let starts = notes.iter().map(|note| (note.onset, 1));
    let ends = notes.iter().map(|note| (note.end(), -1));
    let mut steps: Vec<(Tick, i64)> = starts.chain(ends).collect();
    steps.sort_unstable();
    let mut sounding = 0;
    let sounding_after = steps.into_iter().map(|(_, step)| {
        sounding += step;
        sounding
    });
    u32::try_from(sounding_after.max().unwrap_or(0)).unwrap_or(u32::MAX)
}

fn count(notes: usize) -> u32 {
    u32::try_from(notes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
    }

    #[test]
    fn bar_is_measured_by_the_notes_that_start_in_it() {
        let drums = (0..4).map(|beat| note(beat * 24, 6, 36, Role::Drums));
        let chord = [60, 64, 70].map(|pitch| note(0, 48, pitch, Role::Keys));
        let after = note(48, 48, 62, Role::Melody);
        let notes: Vec<_> = drums.chain(chord).chain([after]).collect();
        let features = BarFeatures::new(Tick::quarters(4), &notes).unwrap();
        assert_eq!(features.notes_per_quarter, 2.0);
        assert_eq!(features.pitched, Some(PitchFeatures { mean_pitch: 64.0, mean_velocity: 80.0, span: 10, max_voices: 3 }));
    }

    #[test]
    fn drums_have_density_alone_and_an_empty_bar_has_nothing() {
        let features = BarFeatures::new(Tick::quarters(3), &[note(0, 6, 36, Role::Drums)]).unwrap();
        assert_eq!(features.pitched, None);
        assert_eq!(BarFeatures::new(Tick::quarters(4), &[]), None);
    }

    #[test]
    fn held_notes_sound_together() {
        let held = [60, 61, 62].map(|pitch| Note { duration: Tick::MAX, ..note(i64::from(pitch), 1, pitch, Role::Keys) });
        assert_eq!(BarFeatures::new(Tick::quarters(4), &held).unwrap().pitched.unwrap().max_voices, 3);
    }
}
