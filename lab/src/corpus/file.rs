//! The corpus file (docs/model-interface.md, section 4).

use std::io::{self, Write};

use antiphon_engine::codec::BarFields;
use antiphon_engine::codec::vocabulary::{CHORD_TONES, COLUMN_TABLE, DURATIONS, Field, VOCABULARY_VERSION};
use antiphon_engine::music::analysis::Chord;
use safetensors::Dtype;
use serde_json::{Value, json};

use super::piece::Piece;
use super::split::Split;
use crate::tensors::{self, Array};

/// Version of the file's layout.
const CORPUS_VERSION: &str = "1";

/// Values of a note in the file: its seven classes and its part.
pub(super) const NOTE_VALUES: usize = 8;

/// Values of a bar in the file: its conditioning.
const BAR_VALUES: usize = 9;

/// All pieces, in the arrays of the file.
#[derive(Default)]
pub(crate) struct Corpus {
    notes: Vec<[u8; NOTE_VALUES]>,
    bar_notes: Vec<u64>,
    bars: Vec<[u8; BAR_VALUES]>,
    chords: Vec<[[u8; CHORD_TONES]; 2]>,
    bar_ticks: Vec<u16>,
    piece_bars: Vec<u64>,
    piece_source: Vec<u8>,
    piece_split: Vec<u8>,
    piece_flags: Vec<u8>,
    sources: Vec<String>,
    paths: Vec<String>,
}

impl Corpus {
    /// A corpus of these sources, without pieces.
    pub(crate) fn new(sources: Vec<String>) -> Self {
        Self { bar_notes: vec![0], piece_bars: vec![0], sources, ..Self::default() }
    }

    /// Adds a piece; `source` is an index into the sources.
    pub(crate) fn push(&mut self, piece: &Piece, path: String, source: u8, split: Split) {
        let mut parts = piece.parts.iter();
        for bar in &piece.bars {
            for note in &bar.notes {
                let part = parts.next().copied().unwrap_or_default();
                self.notes.push([note.beat, note.sub, note.role, note.pitch, note.duration, note.velocity, note.offset, part]);
            }
            let BarFields { metre, tempo, key, density, register, span, voices, mood, repeats, chords } = bar.fields;
            self.bars.push([metre, tempo, key, density, register, span, voices, mood, repeats]);
            self.chords.push(chords.map(tone_values));
            self.bar_ticks.push(bar.ticks);
            self.bar_notes.push(count(&self.notes));
        }
        self.piece_bars.push(count(&self.bars));
        self.piece_source.push(source);
        self.piece_split.push(split as u8);
        self.piece_flags.push(piece.flags());
        self.paths.push(path);
    }

    /// Whether it has no pieces.
    pub(crate) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Writes the safetensors file. Deterministic. Returns the number of bytes.
    pub(crate) fn write(&self, to: impl Write) -> io::Result<usize> {
        let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let bar_ticks: Vec<u8> = self.bar_ticks.iter().flat_map(|ticks| ticks.to_le_bytes()).collect();
        let array = |name: &str, dtype, shape, data| Array { name: name.into(), dtype, shape, data };
        // Widest element type first, so that each array is aligned.
        let arrays = [
            array("bar_notes", Dtype::U64, vec![self.bar_notes.len()], words(&self.bar_notes).into()),
            array("piece_bars", Dtype::U64, vec![self.piece_bars.len()], words(&self.piece_bars).into()),
            array("bar_ticks", Dtype::U16, vec![self.bar_ticks.len()], bar_ticks.into()),
            array("bars", Dtype::U8, vec![self.bars.len(), BAR_VALUES], self.bars.as_flattened().into()),
            array("chords", Dtype::U8, vec![self.chords.len(), 2, CHORD_TONES], self.chords.as_flattened().as_flattened().into()),
            array("notes", Dtype::U8, vec![self.notes.len(), NOTE_VALUES], self.notes.as_flattened().into()),
            array("piece_flags", Dtype::U8, vec![self.piece_flags.len()], (&self.piece_flags[..]).into()),
            array("piece_source", Dtype::U8, vec![self.piece_source.len()], (&self.piece_source[..]).into()),
            array("piece_split", Dtype::U8, vec![self.piece_split.len()], (&self.piece_split[..]).into()),
        ];
        tensors::write(to, self.metadata(), &arrays)
    }

    /// The header's `__metadata__`: strings, some of them JSON lists.
    fn metadata(&self) -> Value {
        let columns: Vec<_> = COLUMN_TABLE.iter().map(|(name, size)| json!([name, size])).collect();
        let fields: Vec<_> = Field::ALL.iter().map(|field| json!([field.name(), field.classes()])).collect();
        json!({
            "antiphon.corpus": CORPUS_VERSION,
            "vocabulary": VOCABULARY_VERSION.to_string(),
            "sources": json!(self.sources).to_string(),
            "paths": json!(self.paths).to_string(),
            "columns": json!(columns).to_string(),
            "fields": json!(fields).to_string(),
            "durations": json!(DURATIONS.as_slice()).to_string(),
        })
    }
}

/// A chord's tones as column values; 0 where it has none.
fn tone_values(chord: Option<Chord>) -> [u8; CHORD_TONES] {
    let mut values = [0; CHORD_TONES];
    let tones = chord.into_iter().flat_map(Chord::tones);
    values.iter_mut().zip(tones).for_each(|(value, tone)| *value = tone + 1);
    values
}

/// A length as the file stores it.
fn count<T>(of: &[T]) -> u64 {
    // `usize` is at most 64 bits wide.
    u64::try_from(of.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::codec::{BarRows, NoteClasses};
    use safetensors::SafeTensors;

    use super::*;

    fn corpus() -> Corpus {
        let note = NoteClasses { beat: 1, sub: 2, role: 3, pitch: 164, duration: 5, velocity: 6, offset: 7 };
        let fields = BarFields {
            metre: 1,
            tempo: 2,
            key: 3,
            density: 4,
            register: 5,
            span: 6,
            voices: 7,
            mood: 8,
            repeats: 9,
            chords: [Chord::named("Am"), None],
        };
        let full = BarRows { index: 0, ticks: 384, fields, notes: vec![note, note] };
        let empty = BarRows { index: 1, ticks: 72, fields, notes: Vec::new() };
        let mut corpus = Corpus::new(vec!["a".into(), "b".into()]);
        let piece = |bars: Vec<BarRows>, parts: Vec<u8>| Piece { bars, parts, ..Piece::default() };
        corpus.push(&piece(vec![full.clone(), empty], vec![8, 9]), "a/1.mid".into(), 0, Split::Train);
        corpus.push(&piece(vec![full], vec![0, 1]), "b/1.mid".into(), 1, Split::Valid);
        corpus
    }

    #[test]
    fn written_file_has_every_array_for_a_safetensors_reader() {
        let mut bytes = Vec::new();
        let written = corpus().write(&mut bytes).unwrap();
        assert_eq!(written, bytes.len());

        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = header.metadata().clone().unwrap();
        assert_eq!((metadata["antiphon.corpus"].as_str(), metadata["vocabulary"].as_str()), ("1", VOCABULARY_VERSION.to_string().as_str()));
        assert_eq!(metadata["paths"], r#"["a/1.mid","b/1.mid"]"#);
        let durations: Vec<u16> = serde_json::from_str(&metadata["durations"]).unwrap();
        assert_eq!(durations, DURATIONS);

        let file = SafeTensors::deserialize(&bytes).unwrap();
        let words = |name: &str| -> Vec<u64> {
            let data = file.tensor(name).unwrap().data().to_vec();
            data.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
        };
        assert_eq!(words("bar_notes"), [0, 2, 2, 4]);
        assert_eq!(words("piece_bars"), [0, 2, 3]);
        let notes = file.tensor("notes").unwrap();
        assert_eq!((notes.dtype(), notes.shape()), (Dtype::U8, [4, 8].as_slice()));
        assert_eq!(notes.data()[..16], [1, 2, 3, 164, 5, 6, 7, 8, 1, 2, 3, 164, 5, 6, 7, 9]);
        let bars = file.tensor("bars").unwrap();
        assert_eq!((bars.shape(), &bars.data()[..9]), ([3, 9].as_slice(), [1, 2, 3, 4, 5, 6, 7, 8, 9].as_slice()));
        let chords = file.tensor("chords").unwrap();
        assert_eq!((chords.shape(), &chords.data()[..8]), ([3, 2, 4].as_slice(), [10, 1, 5, 0, 0, 0, 0, 0].as_slice()));
        assert_eq!(file.tensor("bar_ticks").unwrap().data(), [128, 1, 72, 0, 128, 1]);
        assert_eq!(file.tensor("piece_source").unwrap().data(), [0, 1]);
        assert_eq!(file.tensor("piece_split").unwrap().data(), [0, 1]);
    }

    #[test]
    fn same_pieces_make_the_same_bytes() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        corpus().write(&mut one).unwrap();
        corpus().write(&mut other).unwrap();
        assert_eq!(one, other);
    }
}
