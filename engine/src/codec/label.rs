//! Conditioning of known bars, measured on their notes: the labels of training.

use super::encode::decode;
use super::row::{BarFields, BarRows};
use super::vocabulary::DURATIONS;
use crate::music::analysis::{
    BarBuckets, BarFeatures, BarPattern, KEY_WINDOW_BARS, KeySignature, Mood, PitchProfile, chords_of_bar, repeats_of_bars, tempo_bucket,
    velocities_are_flat, windows_of_bars,
};
use crate::music::{Bar, Metre, TempoMap, Tick};

/// Sets tempo, key, density, register, span, voices, mood and repeats of each bar; the metre stays as it is. The first bar starts at `start`.
///
/// They are measured on the notes as decoded from their classes, so generated notes are measured in the same way. A field without anything to
/// measure is unset.
pub fn label(bars: &mut [BarRows], start: Tick, tempos: &TempoMap) {
    let mut measured = Vec::with_capacity(bars.len());
    let mut start = start;
    for bar in bars.iter_mut() {
        bar.fields.tempo = tempo_bucket(tempos.at(start));
        measured.push(Measured::of(bar));
        start += Tick(bar.ticks.into());
    }
    let labels = labels(&bars.iter().zip(&measured).collect::<Vec<_>>());
    bars.iter_mut().zip(labels).for_each(|(bar, fields)| bar.fields = fields);
}

/// Sets the chords of consecutive bars, by the rule of [`chords_of_bar`]. For training alone: at run time a chord is requested or unset.
pub fn label_chords(bars: &mut [BarRows]) {
    let notes = decode(bars, Tick::ZERO);
    let longest = Tick(DURATIONS[DURATIONS.len() - 1].into());
    let mut start = Tick::ZERO;
    for rows in bars {
        // The rule asks for start and length only.
        let bar = Bar { index: rows.index, start, length: Tick(rows.ticks.into()), metre: Metre::COMMON };
        let sounding = notes.partition_point(|note| note.onset < start - longest)..notes.partition_point(|note| note.onset < bar.end());
        rows.fields.chords = match chords_of_bar(&notes[sounding], &bar)[..] {
            [] => [None; 2],
            [(_, whole)] => [Some(whole); 2],
            [(_, first), (_, second), ..] => [Some(first), Some(second)],
        };
        start = bar.end();
    }
}

/// Fields of consecutive bars from their measurements; metre and tempo stay as they are.
#[must_use]
pub fn labels(bars: &[(&BarRows, &Measured)]) -> Vec<BarFields> {
    let flat = velocities_are_flat(bars.iter().flat_map(|(bar, _)| &bar.notes).map(|note| note.velocity));
    let profiles: Vec<_> = bars.iter().map(|(_, measured)| measured.profile).collect();
    let patterns: Vec<_> = bars.iter().map(|(_, measured)| &measured.pattern).collect();
    let around = windows_of_bars(&profiles).into_iter().zip(repeats_of_bars(&patterns));
    let label = |((bar, measured), (profile, repeats)): (&(&BarRows, &Measured), (PitchProfile, u8))| {
        let BarBuckets { density, register, span, voices } = measured.features.as_ref().map(BarBuckets::from).unwrap_or_default();
        let mood = measured.features.and_then(|features| Mood::measure(&features, profile.mode_clarity(), flat));
        let (key, mood) = (profile.key().map_or(0, KeySignature::value), mood.map_or(0, Mood::value));
        BarFields { density, register, span, voices, key, mood, repeats, ..bar.fields }
    };
    bars.iter().zip(around).map(label).collect()
}

/// Pitch profile around the last of consecutive bars, from which its key was found when it ended; `None` without bars.
#[must_use]
pub fn profile_at_end<'a>(bars: impl DoubleEndedIterator<Item = &'a Measured>) -> Option<PitchProfile> {
    let mut profiles: Vec<PitchProfile> = bars.rev().take(KEY_WINDOW_BARS + 1).map(|bar| bar.profile).collect();
    profiles.reverse();
    windows_of_bars(&profiles).last().copied()
}

/// Measurements of a bar, from which its fields follow; made once, when its notes are known.
#[derive(Debug, Clone)]
pub struct Measured {
    features: Option<BarFeatures>,
    profile: PitchProfile,
    pattern: BarPattern,
}

impl Measured {
    /// Measures the notes of a bar.
    #[must_use]
    pub fn of(bar: &BarRows) -> Self {
        let notes = decode(std::slice::from_ref(bar), Tick::ZERO);
        Self {
            features: BarFeatures::new(Tick(bar.ticks.into()), &notes),
            profile: PitchProfile::new(&notes),
            pattern: BarPattern::new(Tick::ZERO, &notes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encode;
    use crate::music::{Bar, Metre, Note, Role, Tempo};

    #[test]
    fn label_sets_the_fields_measured_on_the_notes() {
        let scale = [60, 62, 64, 65, 67, 69, 71, 72];
        let note = |index: usize, pitch: u8| Note {
            onset: Tick(192 + 12 * i64::try_from(index).unwrap()),
            offset: 0,
            duration: Tick(12),
            pitch,
            velocity: 80,
            role: Role::Melody,
        };
        let notes: Vec<Note> = scale.iter().enumerate().map(|(index, &pitch)| note(index, pitch)).collect();
        let bar = |index: u32| Bar { index, start: Tick(96 * i64::from(index)), length: Tick(96), metre: Metre::COMMON };
        let tempos = TempoMap::new([(Tick::ZERO, Tempo::from_bpm(50.0).unwrap()), (Tick(288), Tempo::from_bpm(200.0).unwrap())]);

        let mut bars = encode(&notes, &[bar(2), bar(3)], None).bars;
        label(&mut bars, Tick(192), &tempos);
        let (scale, empty) = (bars[0].fields, bars[1].fields);
        // C major, two notes a quarter, around F sharp above middle C, an octave wide, one voice.
        assert_eq!((scale.metre, scale.tempo, scale.key), (1, 1, 1));
        assert_eq!((scale.density, scale.register, scale.span, scale.voices), (2, 6, 3, 1));
        assert_eq!((empty.metre, empty.tempo), (1, 8));
        assert_eq!((empty.density, empty.register, empty.span, empty.voices), (0, 0, 0, 0));
        // A bare scale is not clearly major, and of few notes; like no bar before.
        assert_eq!((scale.mood, scale.repeats), (1 + 3, 1));
        assert_eq!((empty.mood, empty.repeats), (0, 0));
    }

    #[test]
    fn chords_of_bars_are_those_that_sound_also_from_the_bar_before() {
        let note = |onset: i64, length: i64, pitch: u8| Note {
            onset: Tick(onset),
            offset: 0,
            duration: Tick(length),
            pitch,
            velocity: 80,
            role: Role::Keys,
        };
        let chord = |onset, length, pitches: [u8; 3]| pitches.map(|pitch| note(onset, length, pitch));
        let notes = [chord(0, 192, [60, 64, 67]), chord(192, 48, [57, 60, 64]), chord(240, 48, [53, 57, 60])].concat();
        let bar = |index: u32| Bar { index, start: Tick(96 * i64::from(index)), length: Tick(96), metre: Metre::COMMON };
        let mut bars = encode(&notes, &(0..4).map(bar).collect::<Vec<_>>(), None).bars;
        label_chords(&mut bars);
        let names: Vec<String> = bars
            .iter()
            .map(|bar| bar.fields.chords.map(|chord| chord.map_or_else(|| "-".to_owned(), |chord| chord.to_string())).join(" "))
            .collect();
        assert_eq!(names, ["C C", "C C", "Am F", "- -"]);
    }

    #[test]
    fn repeated_bar_is_labelled_with_its_distance() {
        let note =
            |onset: i64, pitch: u8| Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        let bar = |index: u32| Bar { index, start: Tick(96 * i64::from(index)), length: Tick(96), metre: Metre::COMMON };
        let notes: Vec<Note> = [60, 62, 64, 60, 60, 62].iter().zip(0..).map(|(&pitch, index)| note(96 * index, pitch)).collect();
        let mut bars = encode(&notes, &(0..6).map(bar).collect::<Vec<_>>(), None).bars;
        label(&mut bars, Tick::ZERO, &TempoMap::default());
        // The fourth is like the first, but a repeat from three bars back is not searched for.
        assert_eq!(bars.iter().map(|bar| bar.fields.repeats).collect::<Vec<_>>(), [1, 1, 1, 1, 2, 4]);
    }
}
