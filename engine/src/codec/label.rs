//! The controls of bars, read off their notes: what training tells the model of music that is known.

use super::encode::decode;
use super::row::BarRows;
use crate::music::analysis::{BarBuckets, Key, PitchProfile, keys_of_bars, tempo_bucket};
use crate::music::{TempoMap, Tick};

/// Sets tempo, key, density, register, span and voices of each bar; the metre stays as it is. The first bar starts at `start`.
///
/// They are measured on the notes as the classes tell them, so what the model writes can be measured alike. Where there is nothing to
/// measure a field is unset.
pub fn label(bars: &mut [BarRows], start: Tick, tempos: &TempoMap) {
    let mut profiles = Vec::with_capacity(bars.len());
    let mut start = start;
    for bar in bars.iter_mut() {
        let notes = decode(std::slice::from_ref(bar), start);
        let length = Tick(bar.ticks.into());
        let BarBuckets { density, register, span, voices } = BarBuckets::measure(length, &notes);
        let tempo = tempo_bucket(tempos.at(start));
        bar.fields = super::BarFields { tempo, density, register, span, voices, ..bar.fields };
        profiles.push(PitchProfile::new(&notes));
        start += length;
    }
    for (bar, key) in bars.iter_mut().zip(keys_of_bars(&profiles)) {
        bar.fields.key = key.map_or(0, Key::value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encode;
    use crate::music::{Bar, Metre, Note, Role, Tempo};

    #[test]
    fn bars_are_labelled_with_what_their_notes_are() {
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
    }
}
