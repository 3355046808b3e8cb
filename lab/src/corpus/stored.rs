//! Reader of corpus files: notes and bars, without conditioning.

use std::path::Path;

use antiphon_engine::codec::{BarFields, BarRows, NoteClasses};
use anyhow::{Context, Result, ensure};
use safetensors::{Dtype, SafeTensors};

use super::file::NOTE_VALUES;
use super::piece::Piece;
use super::split::Split;

/// The pieces of a corpus file.
pub(crate) struct StoredCorpus {
    notes: Vec<u8>,
    bar_notes: Vec<usize>,
    bar_ticks: Vec<u16>,
    piece_bars: Vec<usize>,
    piece_split: Vec<u8>,
    paths: Vec<String>,
}

impl StoredCorpus {
    /// Reads a file written by `antiphon-lab corpus`.
    ///
    /// # Errors
    /// If it cannot be read or is not a corpus file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let read = || Self::from_bytes(&std::fs::read(path)?);
        read().with_context(|| format!("{}: cannot be used as a corpus; write it again with `antiphon-lab corpus`", path.display()))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes).context("it is not a whole safetensors file")?;
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let paths = header.metadata().as_ref().and_then(|metadata| metadata.get("paths")).context("its metadata names no pieces")?;
        let array = |name: &str, dtype: Dtype| -> Result<&[u8]> {
            let tensor = file.tensor(name).with_context(|| format!("it has no array {name}"))?;
            ensure!(tensor.dtype() == dtype, "its array {name} is of another type");
            Ok(tensor.data())
        };
        let counts = |name: &str| -> Result<Vec<usize>> {
            let words = array(name, Dtype::U64)?.as_chunks::<8>().0.iter();
            words.map(|word| usize::try_from(u64::from_le_bytes(*word)).context("a number in it is too large")).collect()
        };
        let corpus = Self {
            notes: array("notes", Dtype::U8)?.to_vec(),
            bar_notes: counts("bar_notes")?,
            bar_ticks: array("bar_ticks", Dtype::U16)?.as_chunks::<2>().0.iter().map(|ticks| u16::from_le_bytes(*ticks)).collect(),
            piece_bars: counts("piece_bars")?,
            piece_split: array("piece_split", Dtype::U8)?.to_vec(),
            paths: serde_json::from_str(paths).context("its list of pieces is damaged")?,
        };
        corpus.check()?;
        Ok(corpus)
    }

    /// Checks that the arrays are consistent, so that indexing cannot panic.
    fn check(&self) -> Result<()> {
        let rises_to = |counts: &[usize], of: usize, to: usize| {
            counts.len() == of + 1 && counts.is_sorted() && counts.first() == Some(&0) && counts.last() == Some(&to)
        };
        ensure!(rises_to(&self.bar_notes, self.bar_ticks.len(), self.notes.len() / NOTE_VALUES), "its bars do not fit its notes");
        ensure!(rises_to(&self.piece_bars, self.paths.len(), self.bar_ticks.len()), "its pieces do not fit its bars");
        ensure!(self.piece_split.len() == self.paths.len(), "its splits do not fit its pieces");
        Ok(())
    }

    /// Path of a piece in the folder of sources.
    pub(crate) fn path(&self, piece: usize) -> &str {
        &self.paths[piece]
    }

    /// Indices of the pieces of one split.
    pub(crate) fn pieces(&self, split: Split) -> Vec<usize> {
        (0..self.paths.len()).filter(|piece| self.piece_split[*piece] == split as u8).collect()
    }

    /// Notes and bars of a piece. Conditioning is unset.
    pub(crate) fn piece(&self, piece: usize) -> Piece {
        let (first, end) = (self.piece_bars[piece], self.piece_bars[piece + 1]);
        let notes = |from: usize, to: usize| self.notes.as_chunks::<NOTE_VALUES>().0[from..to].iter();
        let bar = |(bar, index): (usize, u32)| BarRows {
            index,
            ticks: self.bar_ticks[bar],
            fields: BarFields::default(),
            notes: notes(self.bar_notes[bar], self.bar_notes[bar + 1]).map(note).collect(),
        };
        let parts = notes(self.bar_notes[first], self.bar_notes[end]).map(|note| note[NOTE_VALUES - 1]);
        Piece { bars: (first..end).zip(0..).map(bar).collect(), parts: parts.collect(), ..Piece::default() }
    }
}

fn note(&[beat, sub, role, pitch, duration, velocity, offset, _]: &[u8; NOTE_VALUES]) -> NoteClasses {
    NoteClasses { beat, sub, role, pitch, duration, velocity, offset }
}

#[cfg(test)]
mod tests {
    use super::super::file::Corpus;
    use super::*;

    fn piece(pitches: &[&[u8]]) -> Piece {
        let note = |&pitch: &u8| NoteClasses { beat: 1, sub: 2, role: 3, pitch, duration: 5, velocity: 6, offset: 7 };
        let bar =
            |(notes, index): (&&[u8], u32)| BarRows { index, ticks: 300, notes: notes.iter().map(note).collect(), ..BarRows::default() };
        let bars: Vec<_> = pitches.iter().zip(0..).map(bar).collect();
        let parts = pitches.concat().iter().map(|pitch| pitch - 130).collect();
        Piece { bars, parts, ..Piece::default() }
    }

    fn bytes() -> Vec<u8> {
        let mut corpus = Corpus::new(vec!["a".into()]);
        corpus.push(&piece(&[&[140, 141], &[]]), "a/1.mid".into(), 0, Split::Train);
        corpus.push(&piece(&[&[150]]), "a/2.mid".into(), 0, Split::Valid);
        let mut bytes = Vec::new();
        corpus.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn written_corpus_reads_back_the_same() {
        let corpus = StoredCorpus::from_bytes(&bytes()).unwrap();
        assert_eq!((corpus.pieces(Split::Train), corpus.pieces(Split::Valid), corpus.path(1)), (vec![0], vec![1], "a/2.mid"));
        for (index, wanted) in [(0, piece(&[&[140, 141], &[]])), (1, piece(&[&[150]]))] {
            let read = corpus.piece(index);
            assert_eq!((read.bars, read.parts), (wanted.bars, wanted.parts));
        }
    }

    #[test]
    fn damaged_file_is_refused_with_its_name_and_the_cure() {
        let sound = bytes();
        let file = tempfile::NamedTempFile::new().unwrap();
        for damaged in [&sound[..sound.len() - 1], b"", b"MThd and so on"] {
            std::fs::write(file.path(), damaged).unwrap();
            let message = format!("{:#}", StoredCorpus::open(file.path()).err().unwrap());
            assert!(message.contains(&file.path().display().to_string()) && message.contains("antiphon-lab corpus"), "{message}");
        }
        // The first array is `bar_notes`; its second element now exceeds the number of notes.
        let mut torn = sound.clone();
        let header = usize::try_from(u64::from_le_bytes(sound[..8].try_into().unwrap())).unwrap();
        torn[8 + header + 8] = 77;
        assert!(format!("{:#}", StoredCorpus::from_bytes(&torn).err().unwrap()).contains("bars do not fit"));
    }
}
