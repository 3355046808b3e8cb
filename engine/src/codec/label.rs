//! Labelling: conditioning of bars measured on their notes, for training and as context.

use super::encode::decode;
use super::row::{BarFields, BarRows};
use crate::music::analysis::{
    BarBuckets, BarFeatures, BarPattern, Key, Mood, PitchProfile, repeats_of_bars, tempo_bucket, velocities_are_flat, windows_of_bars,
};
use crate::music::{Note, TempoMap, Tick};

/// Sets tempo, key, density, register, span, voices, mood and repeats of each bar; the metre is left as it is. The first bar starts at `start`.
///
/// They are measured on the decoded classes, so that generated bars are labelled in the same way. A field is unset where there is nothing to measure.
pub fn label(bars: &mut [BarRows], start: Tick, tempos: &TempoMap) {
    let mut measured_bars = Vec::with_capacity(bars.len());
    let mut start = start;
    for bar in bars.iter_mut() {
        let notes = decode(std::slice::from_ref(bar), start);
        let measured = Measured::new(start, Tick(bar.ticks.into()), &notes);
        let BarBuckets { density, register, span, voices } = measured.features.as_ref().map(BarBuckets::from).unwrap_or_default();
        let tempo = tempo_bucket(tempos.at(start));
        bar.fields = BarFields { tempo, density, register, span, voices, ..bar.fields };
        measured_bars.push(measured);
        start += Tick(bar.ticks.into());
    }

    // Fields that depend on other bars too.
    let flat = velocities_are_flat(bars.iter().flat_map(|bar| &bar.notes).map(|note| note.velocity));
    let profiles: Vec<_> = measured_bars.iter().map(|bar| bar.profile).collect();
    let (features, patterns): (Vec<_>, Vec<_>) = measured_bars.into_iter().map(|bar| (bar.features, bar.pattern)).unzip();
    let around = windows_of_bars(&profiles).into_iter().zip(repeats_of_bars(&patterns));
    for ((bar, features), (profile, repeats)) in bars.iter_mut().zip(features).zip(around) {
        let mood = features.and_then(|features| Mood::measure(&features, profile.mode_clarity(), flat));
        bar.fields.key = profile.key().map_or(0, Key::value);
        bar.fields.mood = mood.map_or(0, Mood::value);
        bar.fields.repeats = repeats;
    }
}

/// Measurements of one bar.
struct Measured {
    features: Option<BarFeatures>,
    profile: PitchProfile,
    pattern: BarPattern,
}

impl Measured {
    /// Measures the notes of the bar that starts at `start`.
    fn new(start: Tick, length: Tick, notes: &[Note]) -> Self {
        Self { features: BarFeatures::new(length, notes), profile: PitchProfile::new(notes), pattern: BarPattern::new(start, notes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encode;
    use crate::music::{Bar, Metre, Note, Role, Tempo};

    #[test]
    fn labels_are_measured_on_the_notes_of_each_bar() {
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
        // A scale is not clearly major, and its notes are few; it repeats no bar before.
        assert_eq!((scale.mood, scale.repeats), (1 + 3, 1));
        assert_eq!((empty.mood, empty.repeats), (0, 0));
    }

    #[test]
    fn repeated_bar_is_labelled_with_its_distance() {
        let note =
            |onset: i64, pitch: u8| Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        let bar = |index: u32| Bar { index, start: Tick(96 * i64::from(index)), length: Tick(96), metre: Metre::COMMON };
        let notes: Vec<Note> = [60, 62, 64, 60, 60, 62].iter().zip(0..).map(|(&pitch, index)| note(96 * index, pitch)).collect();
        let mut bars = encode(&notes, &(0..6).map(bar).collect::<Vec<_>>(), None).bars;
        label(&mut bars, Tick::ZERO, &TempoMap::default());
        // The fourth repeats the first, but three bars is not one of the distances.
        assert_eq!(bars.iter().map(|bar| bar.fields.repeats).collect::<Vec<_>>(), [1, 1, 1, 1, 2, 4]);
    }
}
