//! Harmony of a bar, with the confidence of each finding.

use super::chords::{Chord, chords_and_shares};
use super::key::{KeySignature, PitchProfile};
use crate::music::{Bar, Note, Tick};

/// Difference of two keys' correlations at which one is e times as likely as the other.
const SHARPNESS: f64 = 0.05;

/// A key, with its confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundKey {
    /// The key that fits best.
    pub key: KeySignature,
    /// Its share of all 24 keys, weighted by how well they fit, 0 to 1.
    pub confidence: f64,
}

/// A chord, with its confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundChord {
    /// Ticks from the bar line.
    pub at: Tick,
    /// The chord.
    pub chord: Chord,
    /// Share of its tones in all that sounds, 0 to 1.
    pub confidence: f64,
}

/// Key and chords of a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarHarmony {
    /// Bar line.
    pub start: Tick,
    /// Key of the bar and those around it; `None` for fewer than three pitch classes.
    pub key: Option<FoundKey>,
    /// Its chord, or those of its halves; `None` where there is no chord of a known kind.
    pub chords: [Option<FoundChord>; 2],
}

impl BarHarmony {
    /// Harmony of a bar from the notes that sound in it, and the pitch profile around it.
    #[must_use]
    pub fn measure(bar: &Bar, notes: &[Note], around: &PitchProfile) -> Self {
        let found = chords_and_shares(notes, bar).into_iter();
        let mut chords = found.map(|(at, (chord, confidence))| FoundChord { at, chord, confidence });
        Self { start: bar.start, key: found_key(around), chords: [chords.next(), chords.next()] }
    }
}

fn found_key(profile: &PitchProfile) -> Option<FoundKey> {
    let key = profile.key()?;
    let best = profile.fit(key)?;
    let weights: f64 = KeySignature::all().filter_map(|other| profile.fit(other)).map(|fit| ((fit - best) / SHARPNESS).exp()).sum();
    Some(FoundKey { key, confidence: 1.0 / weights })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Metre, Role};

    fn notes(pitches: &[u8], start: i64, length: i64) -> Vec<Note> {
        let note = |pitch| Note { onset: Tick(start), offset: 0, duration: Tick(length), pitch, velocity: 80, role: Role::Keys };
        pitches.iter().map(|&pitch| note(pitch)).collect()
    }

    fn harmony(notes: &[Note]) -> BarHarmony {
        let bar = Bar { index: 0, start: Tick(96), length: Tick(96), metre: Metre::COMMON };
        BarHarmony::measure(&bar, notes, &PitchProfile::new(notes))
    }

    #[test]
    fn clear_key_is_more_certain_than_an_ambiguous_one() {
        let confidence = |pitches: &[u8]| harmony(&notes(pitches, 96, 96)).key.unwrap().confidence;
        let clear = confidence(&[60, 64, 67, 65, 69, 72, 67, 71, 74, 77, 60, 64, 67]);
        let chromatic = confidence(&[60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71]);
        assert!(clear > 0.5 && chromatic < 0.1, "{clear} {chromatic}");
        assert_eq!(harmony(&notes(&[60, 67], 96, 96)).key, None);
    }

    #[test]
    fn halves_have_their_chords_and_passing_notes_cost_confidence() {
        let mut two = notes(&[60, 64, 67], 96, 48);
        two.extend(notes(&[57, 60, 64], 144, 48));
        let names = |harmony: BarHarmony| harmony.chords.map(|found| found.map(|found| (found.at.0, found.chord.to_string())));
        assert_eq!(names(harmony(&two)), [Some((0, "C".into())), Some((48, "Am".into()))]);
        assert_eq!(harmony(&two).chords[0].unwrap().confidence, 1.0);
        let mut passing = notes(&[60, 64, 67], 96, 96);
        passing.extend(notes(&[62], 96, 48));
        let found = harmony(&passing).chords[0].unwrap();
        assert!(found.chord.to_string() == "C" && (0.7..0.9).contains(&found.confidence), "{found:?}");
    }

    #[test]
    fn chord_that_was_struck_earlier_and_sounds_on_counts() {
        assert_eq!(harmony(&notes(&[62, 65, 69], 0, 400)).chords[0].map(|found| found.chord.to_string()), Some("Dm".into()));
        assert_eq!(harmony(&[]).chords, [None; 2]);
    }
}
