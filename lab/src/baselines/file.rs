//! File format of the baselines: one [safetensors](https://github.com/huggingface/safetensors) file of packed tables and weights.
//!
//! | array | type | shape | |
//! |---|---|---|---|
//! | `SYMBOL.unigram` | u64 | `[classes]` | counts without context |
//! | `SYMBOL.ORDER` | u8 | `[bytes]` | a packed [`Table`] |
//! | `FIELD.ngram_weights` | f64 | `[1, 4]` | Witten-Bell and absolute discount, of the field and of the interval |
//! | `FIELD.copy_weights` | f64 | `[256, 5]` | by the lags' states: the n-gram, then bars b-1, b-2, b-4, b-8 |
//!
//! Symbols are the eight fields and `interval`. The metadata has one entry, `antiphon.baselines`: a JSON object with [`FORMAT`], the vocabulary
//! version, and what the baselines were fitted on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use antiphon_engine::codec::vocabulary::{Field, VOCABULARY_VERSION, VOCABULARY_WITHOUT_OWN_ROLES};
use anyhow::{Context as _, Result, bail, ensure};
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Baselines;
use super::context::{ORDERS, Symbol};
use super::copying::BUCKETS;
use super::fit::{Counts, Fitted, Weights};
use super::mixture::Mixture;
use super::table::Table;
use crate::tensors::{self, Array};

/// Version of the layout and of the definition of contexts; files of another version are refused.
const FORMAT: u32 = 1;

/// Key of the one metadata entry.
const DESCRIPTION: &str = "antiphon.baselines";

/// Longest header that is read; 82 arrays take a hundredth of it.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// The JSON object of the metadata.
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    format: u32,
    vocabulary: u32,
    end_of_piece: f64,
    #[serde(flatten)]
    fitted: Fitted,
}

fn f64_bytes<const K: usize>(mixture: &Mixture<K>) -> Vec<u8> {
    mixture.weights().iter().flatten().flat_map(|weight| weight.to_le_bytes()).collect()
}

impl Baselines {
    /// Writes the file. Deterministic. Returns the number of bytes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, to: impl Write) -> io::Result<usize> {
        let mut arrays = Vec::new();
        let mut weights = |name: String, sets: usize, values: Vec<u8>| {
            let shape = vec![sets, values.len() / size_of::<f64>() / sets];
            arrays.push(Array { name, dtype: Dtype::F64, shape, data: values.into() });
        };
        for (field, Weights { ngram, copy }) in Field::ALL.iter().zip(&self.weights) {
            weights(format!("{}.ngram_weights", field.name()), ngram.weights().len(), f64_bytes(ngram));
            weights(format!("{}.copy_weights", field.name()), copy.weights().len(), f64_bytes(copy));
        }
        for (symbol, counts) in Symbol::ALL.iter().zip(&self.counts) {
            let unigram: Vec<u8> = counts.unigram.iter().flat_map(|count| count.to_le_bytes()).collect();
            let (name, shape) = (format!("{}.unigram", symbol.name()), vec![counts.unigram.len()]);
            arrays.push(Array { name, dtype: Dtype::U64, shape, data: unigram.into() });
        }
        for (symbol, counts) in Symbol::ALL.iter().zip(&self.counts) {
            for (order, table) in counts.orders.iter().enumerate() {
                let (name, data) = (format!("{}.{order}", symbol.name()), table.as_bytes());
                arrays.push(Array { name, dtype: Dtype::U8, shape: vec![data.len()], data: data.into() });
            }
        }
        let description =
            Description { format: FORMAT, vocabulary: VOCABULARY_VERSION, end_of_piece: self.end_of_piece, fitted: self.fitted.clone() };
        tensors::write(to, json!({ DESCRIPTION: serde_json::to_string(&description)? }), &arrays)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or was fitted for another vocabulary.
    pub(crate) fn from_file(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> { Arrays::open(path)?.baselines() };
        read().with_context(|| {
            format!("cannot use the baselines in {}; write them again with `antiphon-lab corpus --baselines-out`", path.display())
        })
    }
}

/// An open file, its header read.
struct Arrays {
    file: File,
    metadata: Metadata,
    /// Byte offset of the first array.
    start: u64,
}

impl Arrays {
    fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).context("the file is too short to have a header")?;
        let header_bytes = u64::from_le_bytes(size);
        ensure!(header_bytes <= MAX_HEADER_BYTES.min(length), "not a safetensors file: the header would be {header_bytes} bytes long");
        let mut header = vec![0; usize::try_from(header_bytes)?];
        file.read_exact(&mut header).context("the file ends inside its header")?;
        let metadata: Metadata = serde_json::from_slice(&header).context("the header is not that of a safetensors file")?;
        let start = 8 + header_bytes;
        let end = start.checked_add(u64::try_from(metadata.data_len())?);
        ensure!(
            end == Some(length),
            "the file is {length} bytes long, but its header says {}: it was cut or added to",
            end.unwrap_or(u64::MAX)
        );
        Ok(Self { file, metadata, start })
    }

    fn read(&mut self, name: &str, dtype: Dtype) -> Result<Vec<u8>> {
        let Some(info) = self.metadata.info(name) else { bail!("it has no array {name}") };
        ensure!(info.dtype == dtype, "the array {name} is of type {:?}, not {dtype:?}", info.dtype);
        let (begin, end) = info.data_offsets;
        // Offsets were checked against each other by safetensors and against the file's length when it was opened.
        let mut bytes = vec![0; end - begin];
        self.file.seek(SeekFrom::Start(self.start + u64::try_from(begin)?))?;
        self.file.read_exact(&mut bytes).with_context(|| format!("the file ends inside the array {name}"))?;
        Ok(bytes)
    }

    fn weights<const K: usize>(&mut self, name: &str, buckets: usize) -> Result<Mixture<K>> {
        let bytes = self.read(name, Dtype::F64)?;
        let numbers: Vec<f64> = bytes.as_chunks().0.iter().copied().map(f64::from_le_bytes).collect();
        let sets: Vec<[f64; K]> = numbers.as_chunks().0.to_vec();
        ensure!(numbers.len() == K * buckets, "the array {name} has {} numbers, not {}", numbers.len(), K * buckets);
        Mixture::from_weights(sets).with_context(|| format!("the array {name} has weights that do not sum to 1"))
    }

    fn counts(&mut self, symbol: Symbol) -> Result<Counts> {
        let name = symbol.name();
        let bytes = self.read(&format!("{name}.unigram"), Dtype::U64)?;
        let unigram: Vec<u64> = bytes.as_chunks().0.iter().copied().map(u64::from_le_bytes).collect();
        ensure!(unigram.len() == usize::from(symbol.classes()), "the array {name}.unigram has {} numbers", unigram.len());
        let mut orders = Vec::new();
        for order in 0..ORDERS {
            orders.push(Table::from_bytes(self.read(&format!("{name}.{order}"), Dtype::U8)?));
        }
        let orders = orders.try_into().map_err(|_| anyhow::anyhow!("the tables of {name} are incomplete"))?;
        Ok(Counts { unigram, orders })
    }

    fn baselines(mut self) -> Result<Baselines> {
        let entry = self.metadata.metadata().as_ref().and_then(|metadata| metadata.get(DESCRIPTION));
        let entry = entry.with_context(|| format!("it has no metadata entry {DESCRIPTION}: this is not a file of baselines"))?;
        let description: Description = serde_json::from_str(entry).with_context(|| format!("the metadata entry {DESCRIPTION}"))?;
        ensure!(description.format == FORMAT, "its format is {}, this program reads {FORMAT}", description.format);
        let vocabulary = description.vocabulary;
        // Notes have the same classes in both.
        let is_known = (VOCABULARY_WITHOUT_OWN_ROLES..=VOCABULARY_VERSION).contains(&vocabulary);
        ensure!(is_known, "its vocabulary is {vocabulary}, this program's is {VOCABULARY_VERSION}");
        ensure!((0.0..=1.0).contains(&description.end_of_piece), "its share of piece ends is {}", description.end_of_piece);
        let counts = Symbol::ALL.into_iter().map(|symbol| self.counts(symbol)).collect::<Result<_>>()?;
        let weights = Field::ALL.iter().map(|field| {
            let ngram = self.weights(&format!("{}.ngram_weights", field.name()), 1)?;
            let copy = self.weights(&format!("{}.copy_weights", field.name()), BUCKETS)?;
            Ok(Weights { ngram, copy })
        });
        let weights = weights.collect::<Result<_>>()?;
        Ok(Baselines { counts, weights, end_of_piece: description.end_of_piece, fitted: description.fitted })
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressBar;

    use super::super::fit::tests::{of_one_source, small, training};
    use super::*;

    #[test]
    fn written_file_is_deterministic_and_reads_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        let (baselines, held_out) = small();
        baselines.write(File::create(&first).unwrap()).unwrap();
        Baselines::fit(&training(), &of_one_source(held_out), &ProgressBar::hidden())
            .unwrap()
            .write(File::create(&second).unwrap())
            .unwrap();
        assert_eq!(&Baselines::from_file(&first).unwrap(), baselines);
        assert_eq!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
    }

    #[test]
    fn damaged_file_is_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baselines");
        small().0.write(File::create(&path).unwrap()).unwrap();
        let sound = std::fs::read(&path).unwrap();
        let reason = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            format!("{:#}", Baselines::from_file(&path).unwrap_err())
        };
        assert!(reason(&sound[..sound.len() / 2]).contains("cut"));
        assert!(reason(&sound[..5]).contains("too short"));
        assert!(reason(b"MThd is what a MIDI file begins with").contains("not a safetensors file"));
        let key = br#"\"vocabulary\":"#;
        let place = sound.windows(key.len()).position(|window| window == key).unwrap() + key.len();
        let mut other = sound.clone();
        other[place] = b'9';
        assert!(reason(&other).contains("vocabulary is 9"), "{}", reason(&other));
        let missing = folder.path().join("missing");
        assert!(format!("{:#}", Baselines::from_file(&missing).unwrap_err()).contains("missing"));
    }
}
