//! Keys: which one music is in.

use std::fmt;
use std::ops::AddAssign;

use crate::music::{Note, Role, TICKS_PER_QUARTER, pitch_class_name};

/// Longest share of one note in a [`PitchProfile`]: a whole note. A pedal point of ten bars is no stronger sign of a key.
const LONGEST_SHARE: i64 = 4 * TICKS_PER_QUARTER;

/// Bars before and after a bar that count for its key ([`windows_of_bars`]).
pub const KEY_WINDOW_BARS: usize = 4;

/// Major or minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScaleMode {
    /// Major.
    Major,
    /// Minor.
    Minor,
}

/// A key, for instance A minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeySignature {
    /// Pitch class, 0 (C) to 11 (B).
    tonic: u8,
    mode: ScaleMode,
}

impl KeySignature {
    /// A key on this pitch class; `None` above 11.
    #[must_use]
    pub const fn new(tonic: u8, mode: ScaleMode) -> Option<Self> {
        if tonic < 12 { Some(Self { tonic, mode }) } else { None }
    }

    /// Its tonic's pitch class, 0 (C) to 11 (B).
    #[must_use]
    pub const fn tonic(self) -> u8 {
        self.tonic
    }

    /// Major or minor.
    #[must_use]
    pub const fn mode(self) -> ScaleMode {
        self.mode
    }

    /// Its value in the model's key column: 1 to 12 for C to B major, 13 to 24 for C to B minor.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self.mode {
            ScaleMode::Major => 1 + self.tonic,
            ScaleMode::Minor => 13 + self.tonic,
        }
    }

    /// How well a pitch class, 0 to 11, or a MIDI key fits it: the probe tone rating of Krumhansl and Kessler, 2.23 to 6.35.
    #[must_use]
    pub fn rating(self, pitch: u8) -> f64 {
        self.profile()[usize::from((pitch % 12 + 12 - self.tonic) % 12)]
    }

    /// Ratings from its tonic upwards.
    const fn profile(self) -> &'static [f64; 12] {
        match self.mode {
            ScaleMode::Major => &MAJOR_PROFILE,
            ScaleMode::Minor => &MINOR_PROFILE,
        }
    }

    /// The key with this value; `None` for 0 (unset) and above 24.
    #[must_use]
    pub const fn from_value(value: u8) -> Option<Self> {
        match value {
            1..=12 => Self::new(value - 1, ScaleMode::Major),
            13..=24 => Self::new(value - 13, ScaleMode::Minor),
            _ => None,
        }
    }

    /// All keys in order of their values.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=24).filter_map(Self::from_value)
    }
}

impl fmt::Display for KeySignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            ScaleMode::Major => "major",
            ScaleMode::Minor => "minor",
        };
        write!(f, "{} {mode}", pitch_class_name(self.tonic))
    }
}

/// How well each pitch class fits a major key on C, and a minor one: the probe tone ratings of C. Krumhansl and E. Kessler, "Tracing the dynamic
/// changes in perceived tonal organization in a spatial representation of musical keys", Psychological Review 89 (1982).
const MAJOR_PROFILE: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR_PROFILE: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];

/// How long each pitch class sounds, in ticks. Drums have no share in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PitchProfile {
    ticks: [u64; 12],
}

impl PitchProfile {
    /// The profile of these notes, each with at most a whole note's length.
    #[must_use]
    pub fn new<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Self {
        let mut profile = Self::default();
        for note in notes.into_iter().filter(|note| note.role != Role::Drums) {
            profile.ticks[usize::from(note.pitch % 12)] += note.duration.0.clamp(1, LONGEST_SHARE).unsigned_abs();
        }
        profile
    }

    /// The key whose profile it correlates with best (Krumhansl and Schmuckler's algorithm; C. Krumhansl, "Cognitive Foundations of Musical
    /// Pitch", 1990, chapter 4). `None` for fewer than three pitch classes, which fit many keys equally.
    #[must_use]
    pub fn key(&self) -> Option<KeySignature> {
        self.best(KeySignature::all()).map(|(_, key)| key)
    }

    /// Clarity of major against minor: fit of the best major key less that of the best minor one, as a difference of correlations,
    /// about -0.4 to 0.4. `None` for fewer than three pitch classes. Transposition leaves it as it is.
    #[must_use]
    pub fn mode_clarity(&self) -> Option<f64> {
        let best = |mode| self.best(KeySignature::all().filter(move |key| key.mode == mode));
        Some(best(ScaleMode::Major)?.0 - best(ScaleMode::Minor)?.0)
    }

    /// The best fitting of these keys, and how well it fits. `None` for fewer than three pitch classes.
    fn best(&self, keys: impl Iterator<Item = KeySignature>) -> Option<(f64, KeySignature)> {
        // Of equally good keys the first is chosen: `max_by` would take the last.
        keys.filter_map(|key| Some((self.fit(key)?, key))).reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// How well a key fits: the correlation with its profile, -1 to 1. `None` for fewer than three pitch classes.
    pub(super) fn fit(&self, key: KeySignature) -> Option<f64> {
        if self.ticks.iter().filter(|&&ticks| ticks > 0).count() < 3 {
            return None;
        }
        let on_tonic: [f64; 12] = std::array::from_fn(|degree| {
            let ticks = self.ticks[(degree + usize::from(key.tonic)) % 12];
            f64::from(u32::try_from(ticks).unwrap_or(u32::MAX))
        });
        Some(correlation(key.profile(), &on_tonic))
    }
}

impl AddAssign for PitchProfile {
    fn add_assign(&mut self, other: Self) {
        for (sum, ticks) in self.ticks.iter_mut().zip(other.ticks) {
            *sum += ticks;
        }
    }
}

/// Pearson's correlation; 0 where one of them does not vary.
fn correlation(a: &[f64; 12], b: &[f64; 12]) -> f64 {
    let deviations = |values: &[f64; 12]| {
        let mean = values.iter().sum::<f64>() / 12.0;
        values.map(|value| value - mean)
    };
    let dot = |a: &[f64; 12], b: &[f64; 12]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let (a, b) = (deviations(a), deviations(b));
    let spread = (dot(&a, &a) * dot(&b, &b)).sqrt();
    if spread > 0.0 { dot(&a, &b) / spread } else { 0.0 }
}

/// The key of these notes; `None` if they have fewer than three pitch classes.
#[must_use]
pub fn detect_key(notes: &[Note]) -> Option<KeySignature> {
    PitchProfile::new(notes).key()
}

/// The profile around each bar: its own notes and those of [`KEY_WINDOW_BARS`] bars before and after it, so that its key follows a modulation but not
/// each chord.
#[must_use]
pub fn windows_of_bars(bars: &[PitchProfile]) -> Vec<PitchProfile> {
    let window = |bar: usize| {
        let last = (bar + KEY_WINDOW_BARS + 1).min(bars.len());
        let mut sum = PitchProfile::default();
        bars[bar.saturating_sub(KEY_WINDOW_BARS)..last].iter().for_each(|&profile| sum += profile);
        sum
    };
    (0..bars.len()).map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Tick;

    fn melody(pitches: &[u8]) -> Vec<Note> {
        let note = |pitch| Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Melody };
        pitches.iter().map(|&pitch| note(pitch)).collect()
    }

    /// A cadence: tonic, subdominant, dominant seventh, tonic.
    const CADENCE: [u8; 13] = [60, 64, 67, 65, 69, 72, 67, 71, 74, 77, 60, 64, 67];

    #[test]
    fn key_is_found_in_its_cadence() {
        for tonic in 0..12 {
            let major = melody(&CADENCE.map(|pitch| pitch + tonic));
            assert_eq!(detect_key(&major), KeySignature::new(tonic, ScaleMode::Major));
            let minor = melody(&[60, 63, 67, 65, 68, 72, 67, 71, 74, 60, 63, 67].map(|pitch| pitch + tonic));
            assert_eq!(detect_key(&minor), KeySignature::new(tonic, ScaleMode::Minor));
        }
    }

    #[test]
    fn too_few_pitch_classes_have_no_key_and_drums_do_not_count() {
        assert_eq!(detect_key(&melody(&[60, 67, 72])), None);
        let mut notes = melody(&CADENCE);
        notes.extend(melody(&[37; 200]).into_iter().map(|note| Note { role: Role::Drums, ..note }));
        assert_eq!(detect_key(&notes), KeySignature::new(0, ScaleMode::Major));
    }

    #[test]
    fn held_note_counts_as_a_whole_note() {
        let mut notes = melody(&CADENCE.repeat(2));
        notes[0].duration = Tick::MAX;
        assert_eq!(detect_key(&notes), KeySignature::new(0, ScaleMode::Major));
    }

    #[test]
    fn keys_follow_a_modulation() {
        let bar = |transposed: u8| PitchProfile::new(&melody(&CADENCE.map(|pitch| pitch + transposed)));
        let bars: Vec<_> = (0..24).map(|index| bar(if index < 12 { 0 } else { 3 })).collect();
        let keys: Vec<_> = windows_of_bars(&bars).iter().map(PitchProfile::key).collect();
        assert_eq!(keys.len(), 24);
        assert!(keys[..10].iter().all(|&key| key == KeySignature::new(0, ScaleMode::Major)));
        assert!(keys[14..].iter().all(|&key| key == KeySignature::new(3, ScaleMode::Major)));
        assert!(windows_of_bars(&[]).is_empty());
    }

    #[test]
    fn mode_is_as_clear_in_every_key() {
        let clarity = |pitches: &[u8], up: u8| {
            PitchProfile::new(&melody(pitches).iter().map(|note| Note { pitch: note.pitch + up, ..*note }).collect::<Vec<_>>())
                .mode_clarity()
        };
        let (major, minor) = (clarity(&CADENCE, 0).unwrap(), clarity(&[60, 63, 67, 65, 68, 72, 67, 71, 74], 0).unwrap());
        assert!(major > 0.1 && minor < -0.1, "{major} {minor}");
        assert!((clarity(&CADENCE, 5).unwrap() - major).abs() < 1e-12);
        assert_eq!(clarity(&[60, 67], 0), None);
    }

    #[test]
    fn values_count_the_keys() {
        assert!(KeySignature::all().map(KeySignature::value).eq(1..=24));
        assert_eq!(KeySignature::new(12, ScaleMode::Major), None);
        assert_eq!(KeySignature::from_value(0), None);
        assert_eq!(KeySignature::from_value(25), None);
        assert_eq!(KeySignature::from_value(22).map(|key| key.to_string()), Some("A minor".into()));
    }
}
