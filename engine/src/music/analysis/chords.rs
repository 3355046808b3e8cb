//! Chords: what sounds together for half a bar or longer, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Scale;
use crate::music::{Bar, Note, Role, TICKS_PER_QUARTER, Tick, pitch_class_name};

/// A chord by its root and kind. In files it is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Chord {
    /// Pitch class, 0 is C.
    pub root: u8,
    /// Quality of the chord on the root.
    pub kind: ChordKind,
}

/// The kinds of chords that are distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChordKind {
    /// Major triad.
    Major,
    /// Minor triad.
    Minor,
    /// Diminished triad.
    Diminished,
    /// Augmented triad.
    Augmented,
    /// Suspended fourth.
    Suspended,
    /// Dominant seventh.
    Seventh,
    /// Major seventh.
    MajorSeventh,
    /// Minor seventh.
    MinorSeventh,
    /// Half-diminished seventh.
    HalfDiminished,
}

impl Chord {
    /// The pitch classes of its tones: root, third (or fourth), fifth, and the seventh if it has one.
    pub fn tones(self) -> impl Iterator<Item = u8> {
        self.kind.tones().iter().map(move |tone| (self.root + tone) % 12)
    }

    /// The pitch classes of its tones.
    #[must_use]
    pub fn scale(self) -> Scale {
        Scale::new(self.kind.tones().iter().copied()).transposed(self.root)
    }

    /// The chord of this name: `Am`, `F#m7b5`, `Bbmaj7`. Flats, and other spellings of the kinds, are read too.
    ///
    /// ```
    /// use antiphon_engine::music::analysis::Chord;
    ///
    /// assert_eq!(Chord::named("Db"), Chord::named("C#"));
    /// assert_eq!(Chord::named("A#7").map(|chord| chord.to_string()).as_deref(), Some("Bb7"));
    /// assert_eq!(Chord::named("H"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut letters = name.chars();
        let natural = match letters.next()?.to_ascii_uppercase() {
            'C' => 0,
            'D' => 2,
            'E' => 4,
            'F' => 5,
            'G' => 7,
            'A' => 9,
            'B' => 11,
            _ => return None,
        };
        let rest = letters.as_str();
        let (root, suffix) = match rest.chars().next() {
            Some('#') => (natural + 1, &rest[1..]),
            Some('b') => (natural + 11, &rest[1..]),
            _ => (natural, rest),
        };
        let kind = ChordKind::ALL.into_iter().find(|kind| kind.suffix() == suffix || kind.spellings().contains(&suffix))?;
        Some(Self { root: root % 12, kind })
    }
}

impl ChordKind {
    /// Every kind. The order is that of the parameter's steps and never changes.
    pub const ALL: [Self; 9] = [
        Self::Major,
        Self::Minor,
        Self::Diminished,
        Self::Augmented,
        Self::Suspended,
        Self::Seventh,
        Self::MajorSeventh,
        Self::MinorSeventh,
        Self::HalfDiminished,
    ];

    /// Semitones above the root.
    const fn tones(self) -> &'static [u8] {
        match self {
            Self::Major => &[0, 4, 7],
            Self::Minor => &[0, 3, 7],
            Self::Diminished => &[0, 3, 6],
            Self::Augmented => &[0, 4, 8],
            Self::Suspended => &[0, 5, 7],
            Self::Seventh => &[0, 4, 7, 10],
            Self::MajorSeventh => &[0, 4, 7, 11],
            Self::MinorSeventh => &[0, 3, 7, 10],
            Self::HalfDiminished => &[0, 3, 6, 10],
        }
    }

    /// Name, as musicians write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Major => "Major",
            Self::Minor => "Minor",
            Self::Diminished => "Diminished",
            Self::Augmented => "Augmented",
            Self::Suspended => "Suspended",
            Self::Seventh => "Seventh",
            Self::MajorSeventh => "Major seventh",
            Self::MinorSeventh => "Minor seventh",
            Self::HalfDiminished => "Half-diminished",
        }
    }

    /// Other ways to write the suffix.
    const fn spellings(self) -> &'static [&'static str] {
        match self {
            Self::Major => &["maj", "M"],
            Self::Minor => &["min", "-"],
            Self::Diminished => &["o", "\u{b0}"],
            Self::Augmented => &["+"],
            Self::Suspended => &["sus"],
            Self::Seventh => &["dom7"],
            Self::MajorSeventh => &["M7", "Maj7", "j7"],
            Self::MinorSeventh => &["min7", "-7"],
            Self::HalfDiminished => &["min7b5", "-7b5", "\u{f8}", "\u{f8}7"],
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Major => "",
            Self::Minor => "m",
            Self::Diminished => "dim",
            Self::Augmented => "aug",
            Self::Suspended => "sus4",
            Self::Seventh => "7",
            Self::MajorSeventh => "maj7",
            Self::MinorSeventh => "m7",
            Self::HalfDiminished => "m7b5",
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", pitch_class_name(self.root), self.kind.suffix())
    }
}

/// A text that names no chord.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no chord")]
pub struct NoChord(String);

impl TryFrom<String> for Chord {
    type Error = NoChord;

    fn try_from(name: String) -> Result<Self, NoChord> {
        Self::named(&name).ok_or(NoChord(name))
    }
}

impl From<Chord> for String {
    fn from(chord: Chord) -> Self {
        chord.to_string()
    }
}

/// Least share of the chord in all that sounds, and least share of each of its tones in the chord.
const LEAST_SHARE: f64 = 0.7;
const LEAST_TONE: f64 = 0.06;
/// Bonus of a root in the bass, as a share of all that sounds, and cost of every tone beyond the third: a seventh has to sound long enough.
const BASS: f64 = 0.15;
const FURTHER_TONE: f64 = 0.05;

/// The chord that sounds between two ticks, drums aside; `None` where less than three tones do, or what sounds is none of these kinds.
#[must_use]
pub fn chord_between(notes: &[Note], from: Tick, until: Tick) -> Option<Chord> {
    chord_and_share(notes, from, until).map(|(chord, _)| chord)
}

/// [`chord_between`], and the share of the chord's tones in all that sounds, 0 to 1.
fn chord_and_share(notes: &[Note], from: Tick, until: Tick) -> Option<(Chord, f64)> {
    let sounding = notes.iter().filter(|note| note.role != Role::Drums).filter_map(|note| {
        let length = note.end().min(until) - note.onset.max(from);
        (length > Tick::ZERO).then_some((note.pitch, length.0 as f64))
    });
    let mut weights = [0.0; 12];
    let mut lowest: Option<u8> = None;
    for (pitch, length) in sounding {
        weights[usize::from(pitch % 12)] += length;
        lowest = Some(lowest.map_or(pitch, |lowest| lowest.min(pitch)));
    }
    let all: f64 = weights.iter().sum();
    let bass = lowest? % 12;
    let candidates = (0..12).flat_map(|root| ChordKind::ALL.map(|kind| Chord { root, kind }));
    let judged = candidates.filter_map(|chord| {
        let tones = chord.kind.tones();
        let share = |tone: &u8| weights[usize::from((chord.root + tone) % 12)] / all;
        let covered: f64 = tones.iter().map(share).sum();
        let is_there = covered >= LEAST_SHARE && tones.iter().all(|tone| share(tone) >= LEAST_TONE);
        let further = f64::from(u8::try_from(tones.len() - 3).unwrap_or(0));
        let rooted = if chord.root == bass { BASS } else { 0.0 };
        is_there.then_some((covered + rooted - FURTHER_TONE * further, chord, covered))
    });
    judged.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, chord, covered)| (chord, covered))
}

/// The chords of a bar, each with the beat it starts on: one for the whole bar, or one for each half where the bar has an even number of quarters and its halves
/// differ.
#[must_use]
pub fn chords_of_bar(notes: &[Note], bar: &Bar) -> Vec<(Tick, Chord)> {
    chords_and_shares(notes, bar).into_iter().map(|(at, (chord, _))| (at, chord)).collect()
}

/// [`chords_of_bar`], each with the share of its tones in all that sounds with it.
pub(super) fn chords_and_shares(notes: &[Note], bar: &Bar) -> Vec<(Tick, (Chord, f64))> {
    let half = Tick(bar.length.0 / 2);
    let whole = chord_and_share(notes, bar.start, bar.end());
    if bar.length.0 % (2 * TICKS_PER_QUARTER) != 0 || bar.length.0 < 4 * TICKS_PER_QUARTER {
        return whole.map(|chord| (Tick::ZERO, chord)).into_iter().collect();
    }
    let halves = [chord_and_share(notes, bar.start, bar.start + half), chord_and_share(notes, bar.start + half, bar.end())];
    match halves {
        [Some(first), Some(second)] if first.0 != second.0 => vec![(Tick::ZERO, first), (half, second)],
        [first, second] => whole.or(first).or(second).map(|chord| (Tick::ZERO, chord)).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Metre;

    fn chord(onset: i64, length: i64, pitches: &[u8]) -> Vec<Note> {
        let note = |&pitch: &u8| Note { onset: Tick(onset), offset: 0, duration: Tick(length), pitch, velocity: 80, role: Role::Keys };
        pitches.iter().map(note).collect()
    }

    fn name(pitches: &[u8]) -> String {
        chord_between(&chord(0, 96, pitches), Tick::ZERO, Tick(96)).map_or("none".into(), |chord| chord.to_string())
    }

    #[test]
    fn chords_are_named_by_root_and_kind() {
        for (pitches, wanted) in [
            (&[60, 64, 67][..], "C"),
            (&[57, 60, 64], "Am"),
            (&[64, 67, 72], "C"),
            (&[55, 59, 62, 65], "G7"),
            (&[53, 57, 60, 64], "Fmaj7"),
            (&[50, 53, 57, 60], "Dm7"),
            (&[59, 62, 65, 69], "Bm7b5"),
            (&[59, 62, 65], "Bdim"),
            (&[60, 64, 68], "Caug"),
            (&[55, 60, 62], "Gsus4"),
            (&[58, 62, 65], "Bb"),
        ] {
            assert_eq!(name(pitches), wanted, "{pitches:?}");
        }
        for none in [&[60][..], &[60, 67], &[60, 61, 62, 63, 64], &[]] {
            assert_eq!(name(none), "none", "{none:?}");
        }
    }

    #[test]
    fn passing_notes_and_drums_do_not_hide_a_chord() {
        let mut notes = [chord(0, 96, &[48, 55, 64]), chord(0, 24, &[74]), chord(24, 12, &[77])].concat();
        notes.extend(chord(0, 96, &[42, 37]).into_iter().map(|note| Note { role: Role::Drums, ..note }));
        assert_eq!(chord_between(&notes, Tick::ZERO, Tick(96)).unwrap().to_string(), "C");
    }

    #[test]
    fn bar_has_a_chord_for_each_half_where_they_differ() {
        let bar = |length| Bar { index: 1, start: Tick(96), length: Tick(length), metre: Metre::COMMON };
        let named = |notes: &[Note], length| {
            chords_of_bar(notes, &bar(length)).iter().map(|(at, chord)| (at.0, chord.to_string())).collect::<Vec<_>>()
        };
        let two = [chord(96, 48, &[60, 64, 67]), chord(144, 48, &[57, 60, 64])].concat();
        assert_eq!(named(&two, 96), [(0, "C".to_owned()), (48, "Am".to_owned())]);
        assert_eq!(named(&chord(90, 200, &[60, 64, 67]), 96), [(0, "C".to_owned())], "what rings from the bar before sounds");
        assert_eq!(named(&chord(96, 72, &[60, 64, 67]), 72), [(0, "C".to_owned())]);
        assert_eq!(named(&[], 96), []);
    }
}
