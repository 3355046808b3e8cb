//! Mood: how bright a bar is, and how lively.
//!
//! A rule, not a judgement, in the two dimensions of J. Russell, "A circumplex model of affect", Journal of Personality and Social Psychology 39
//! (1980): **valence** follows the mode, **arousal** density, register and dynamics, as in studies of what listeners report (A. Gabrielsson and
//! E. Lindström, "The role of structure in the musical expression of emotions", in "Handbook of Music and Emotion", 2010). Tempo has a column of its own.
//!
//! * valence is the [clarity of the mode](super::PitchProfile::mode_clarity) of the bar and its neighbours: minor, undecided, major. Music without a
//!   clear mode is in the middle. Transposition leaves it as it is.
//! * arousal is the sum of three terms, each 0 for ordinary music and 1 for twice as many notes, for two octaves, and for 32 MIDI velocities more:
//!   log2(notes per quarter / 5) + (mean key - 63) / 24 + (mean velocity - 78) / 32. Where [velocities are flat](velocities_are_flat) the
//!   last is 0.
//!
//! The edges are near the thirds of the training music, its sources weighted as in training: every class holds between 9 and 14 % of its bars.

use std::collections::HashMap;
use std::hash::Hash;

use super::BarFeatures;

/// Mode clarities at which valence steps up. Major music reaches higher values than minor, so that they do not lie around zero.
pub const VALENCE_EDGES: [f64; 2] = [-0.05, 0.2];

/// Sums at which arousal steps up.
pub const AROUSAL_EDGES: [f64; 2] = [-0.5, 0.5];

/// Notes per quarter, mean key and mean velocity that add nothing to arousal.
const ORDINARY: (f64, f64, f64) = (5.0, 63.0, 78.0);

/// Semitones and MIDI velocities that add one to arousal.
const STEP: (f64, f64) = (24.0, 32.0);

/// Notes with one velocity on at least this share of them have no dynamics,
const FLAT_SHARE: f64 = 0.95;

/// nor have those with no more velocities than this: an accent is not a dynamic.
const FLAT_VELOCITIES: usize = 2;

/// One of three steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Below the first edge.
    Low = 0,
    /// Between them.
    Middle = 1,
    /// From the second on.
    High = 2,
}

impl Level {
    const ALL: [Self; 3] = [Self::Low, Self::Middle, Self::High];

    fn of(value: f64, edges: &[f64; 2]) -> Self {
        match edges.iter().filter(|&&edge| value >= edge).count() {
            0 => Self::Low,
            1 => Self::Middle,
            _ => Self::High,
        }
    }
}

/// The mood of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mood {
    /// How bright: minor, undecided, major.
    pub valence: Level,
    /// How lively: few low soft notes, or many high loud ones.
    pub arousal: Level,
}

impl Mood {
    /// Measures a bar; `None` without notes other than drums.
    ///
    /// `clarity` is the [clarity of the mode](super::PitchProfile::mode_clarity) around it, `None` where there is none; `flat_velocities`
    /// is whether the velocities of the music it is in [are flat](velocities_are_flat).
    #[must_use]
    pub fn measure(features: &BarFeatures, clarity: Option<f64>, flat_velocities: bool) -> Option<Self> {
        let pitched = features.pitched?;
        let density = (features.notes_per_quarter / ORDINARY.0).log2();
        let register = (pitched.mean_pitch - ORDINARY.1) / STEP.0;
        let dynamics = if flat_velocities { 0.0 } else { (pitched.mean_velocity - ORDINARY.2) / STEP.1 };
        Some(Self {
            valence: clarity.map_or(Level::Middle, |clarity| Level::of(clarity, &VALENCE_EDGES)),
            arousal: Level::of(density + register + dynamics, &AROUSAL_EDGES),
        })
    }

    /// Its value in the model's mood column, 1 to 9: 1 + 3 valence + arousal, each 0 to 2.
    #[must_use]
    pub const fn value(self) -> u8 {
        1 + 3 * self.valence as u8 + self.arousal as u8
    }

    /// The mood with this value; `None` for 0 (unset) and above 9.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        let class = usize::from(value.checked_sub(1)?);
        Some(Self { valence: *Level::ALL.get(class / 3)?, arousal: Level::ALL[class % 3] })
    }
}

/// Whether the velocities of a piece carry no information: at most two of them, or nearly all notes with the same one. MIDI velocities or their classes.
#[must_use]
pub fn velocities_are_flat<T: Eq + Hash>(velocities: impl IntoIterator<Item = T>) -> bool {
    let mut counts: HashMap<T, u32> = HashMap::new();
    for velocity in velocities {
        *counts.entry(velocity).or_default() += 1;
    }
    let (most, all) = (counts.values().max().copied().unwrap_or(0), counts.values().sum::<u32>());
    counts.len() <= FLAT_VELOCITIES || f64::from(most) >= FLAT_SHARE * f64::from(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::analysis::PitchProfile;
    use crate::music::{Note, Role, Tick};

    /// A bar of 4/4 of this many notes with these keys one after the other.
    fn bar(count: i64, keys: &[u8], velocity: u8) -> Vec<Note> {
        let note =
            |(index, &pitch)| Note { onset: Tick(96 * index / count), offset: 0, duration: Tick(12), pitch, velocity, role: Role::Keys };
        (0..count).zip(keys.iter().cycle()).map(note).collect()
    }

    fn mood(notes: &[Note], flat: bool) -> Mood {
        let features = BarFeatures::new(Tick::quarters(4), notes).unwrap();
        Mood::measure(&features, PitchProfile::new(notes).mode_clarity(), flat).unwrap()
    }

    const MAJOR: [u8; 8] = [60, 64, 67, 65, 69, 72, 67, 71];
    const MINOR: [u8; 8] = [60, 63, 67, 65, 68, 72, 67, 71];

    #[test]
    fn major_is_bright_minor_is_dark_in_every_key_and_the_undecided_is_neither() {
        for up in 0..12 {
            assert_eq!(mood(&bar(8, &MAJOR.map(|key| key + up), 80), false).valence, Level::High);
            assert_eq!(mood(&bar(8, &MINOR.map(|key| key + up), 80), false).valence, Level::Low);
        }
        // A fifth belongs to both, a chromatic scale to none.
        assert_eq!(mood(&bar(8, &[60, 67], 80), false).valence, Level::Middle);
        assert_eq!(mood(&bar(12, &std::array::from_fn::<u8, 12, _>(|n| 60 + u8::try_from(n).unwrap()), 80), false).valence, Level::Middle);
    }

    #[test]
    fn density_register_and_dynamics_make_it_lively() {
        let arousal = |count, up: i8, velocity| mood(&bar(count, &MAJOR.map(|key| key.saturating_add_signed(up)), velocity), false).arousal;
        assert_eq!(arousal(20, 0, 78), Level::Middle);
        assert_eq!((arousal(8, 0, 78), arousal(40, 0, 78)), (Level::Low, Level::High));
        assert_eq!((arousal(20, -24, 78), arousal(20, 24, 78)), (Level::Low, Level::High));
        assert_eq!((arousal(20, 0, 40), arousal(20, 0, 116)), (Level::Low, Level::High));
    }

    #[test]
    fn flat_velocities_do_not_change_the_mood() {
        for velocity in [1, 64, 127] {
            assert_eq!(mood(&bar(20, &MAJOR, velocity), true).arousal, Level::Middle);
        }
        assert!(velocities_are_flat([80; 40]));
        assert!(velocities_are_flat((0..40).map(|n| if n % 4 == 0 { 100 } else { 80 })));
        assert!(velocities_are_flat((0..100).map(|n| if n < 95 { 80 } else { n })));
        assert!(!velocities_are_flat((0..100).map(|n| if n < 94 { 80 } else { n })));
        assert!(velocities_are_flat::<u8>([]));
    }

    #[test]
    fn drums_alone_have_no_mood() {
        let drums: Vec<Note> = bar(8, &[36], 80).into_iter().map(|note| Note { role: Role::Drums, ..note }).collect();
        assert_eq!(Mood::measure(&BarFeatures::new(Tick::quarters(4), &drums).unwrap(), None, false), None);
    }

    #[test]
    fn values_count_the_moods() {
        let values: Vec<u8> = (0..=12).filter_map(Mood::from_value).map(Mood::value).collect();
        assert_eq!(values, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(Mood::from_value(3), Some(Mood { valence: Level::Low, arousal: Level::High }));
    }
}
