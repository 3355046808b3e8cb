//! Metadata of a model's graph (docs/model-interface.md, "Metadata").

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};

use super::{REMEMBERED, Rotary};
use crate::codec::vocabulary::{
    COLUMN_TABLE, COLUMNS, DURATIONS, Field, VOCABULARY_VERSION, VOCABULARY_WITHOUT_AHEAD, VOCABULARY_WITHOUT_CHORDS,
    VOCABULARY_WITHOUT_OWN_ROLES, column,
};

/// Format of graph and metadata without a memory of the piece.
const FORMAT: &str = "1";

/// Format with a memory of the piece.
const FORMAT_WITH_MEMORY: &str = "2";

/// Largest dimensions accepted: far above any model for one CPU thread, far below overflow.
const MOST: Sizes = Sizes { width: 4096, layers: 64, heads: 64, memory: 512 };

struct Sizes {
    width: usize,
    layers: usize,
    heads: usize,
    memory: usize,
}

/// Storage type of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// 32-bit floats.
    Fp32,
    /// 16-bit floats, widened when the graph is loaded.
    Fp16,
    /// Blocks of 8-bit integers with a scale each.
    Int8,
}

/// Checked metadata of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Name, for display.
    pub name: String,
    /// Number of columns of a row that the model reads: all, or all but those of chords, or those of own roles neither.
    pub columns: usize,
    /// Width of the hidden state; a multiple of `2 * heads`.
    pub width: usize,
    /// Number of attention layers.
    pub layers: usize,
    /// Number of attention heads per layer.
    pub heads: usize,
    /// Storage type of the weights.
    pub weights: Weights,
    /// Width of the memory keys; 0 if the model has no memory of the piece.
    pub memory: usize,
    /// Rotary frequencies; half a head width in total.
    pub rotary: Rotary,
    /// Distances in bars of the fine attention it was trained with, ascending.
    pub fine_bars: Vec<u32>,
    /// Value of the style column, 1 to 15, by source name, as [`prefix_rows`](crate::codec::prefix_rows) takes it.
    pub styles: BTreeMap<String, u8>,
    /// Number of rows seen in training.
    pub trained_rows: u64,
}

/// What is wrong with a model's metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not an Antiphon model.
    #[error("it is not a model for Antiphon (it has no antiphon.format)")]
    Foreign,
    /// An unknown format.
    #[error("its format is {0}; this engine reads formats {FORMAT} and {FORMAT_WITH_MEMORY}: use a model made for it, or a newer Antiphon")]
    Format(String),
    /// Another vocabulary.
    #[error(
        "its vocabulary is {0}; this engine has vocabularies {VOCABULARY_WITHOUT_OWN_ROLES} to {VOCABULARY_VERSION}: use a model made for one of them, or a newer Antiphon"
    )]
    Vocabulary(String),
    /// A key is missing.
    #[error("its metadata lacks {0}: it is damaged or was not exported by this project")]
    Missing(&'static str),
    /// The value of a key is invalid.
    #[error("its metadata is damaged: {key} {problem}")]
    Invalid {
        /// The key.
        key: &'static str,
        /// What is invalid about it.
        problem: String,
    },
}

impl ModelInfo {
    /// Reads and checks metadata. `lookup` returns the value of a key.
    ///
    /// # Errors
    /// [`MetadataError`] names the first key that is missing or wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MetadataError> {
        let metadata = Metadata { lookup };
        let remembers = match (metadata.lookup)("antiphon.format") {
            None => return Err(MetadataError::Foreign),
            Some(format) if format == FORMAT => false,
            Some(format) if format == FORMAT_WITH_MEMORY => true,
            Some(format) => return Err(MetadataError::Format(format)),
        };
        let vocabulary = metadata.text("antiphon.vocabulary")?;
        let columns = match vocabulary.parse() {
            Ok(VOCABULARY_VERSION) => COLUMNS,
            Ok(VOCABULARY_WITHOUT_AHEAD) => column::AHEAD,
            Ok(VOCABULARY_WITHOUT_CHORDS) => column::CHORD,
            Ok(VOCABULARY_WITHOUT_OWN_ROLES) => column::OWN,
            _ => return Err(MetadataError::Vocabulary(vocabulary)),
        };
        metadata.check_tables(columns)?;

        let width = metadata.size("antiphon.width", MOST.width)?;
        let layers = metadata.size("antiphon.layers", MOST.layers)?;
        let heads = metadata.size("antiphon.heads", MOST.heads)?;
        if width % (2 * heads) != 0 {
            return Err(invalid("antiphon.width", format!("is {width}, no multiple of twice the {heads} heads")));
        }
        let memory = if remembers { metadata.memory()? } else { 0 };
        let rotary: Rotary = metadata.json("antiphon.rotary")?;
        if rotary.pairs() != width / heads / 2 {
            let pairs = rotary.pairs();
            return Err(invalid("antiphon.rotary", format!("has {pairs} frequencies, not the {} of half a head", width / heads / 2)));
        }
        let fine_bars: Vec<u32> = metadata.json("antiphon.fine_bars")?;
        let ascending = fine_bars.windows(2).all(|pair| pair[0] < pair[1]) && fine_bars.first().is_some_and(|&first| first > 0);
        if !ascending || fine_bars.last().is_some_and(|&last| last > 256) {
            return Err(invalid("antiphon.fine_bars", "is not a rising list of 1 to 256".to_owned()));
        }
        let styles: BTreeMap<String, u8> = metadata.json("antiphon.styles")?;
        if let Some((style, class)) = styles.iter().find(|(_, class)| !(1..=15).contains(*class)) {
            return Err(invalid("antiphon.styles", format!("gives {style} the value {class}, not 1 to 15")));
        }
        Ok(Self {
            name: metadata.text("antiphon.name")?,
            columns,
            width,
            layers,
            heads,
            weights: metadata.json_text("antiphon.weights")?,
            memory,
            rotary,
            fine_bars,
            styles,
            trained_rows: metadata.json("antiphon.trained_rows")?,
        })
    }

    /// Whether it can be conditioned on the roles to be generated; otherwise it predicts the next note of any role.
    #[must_use]
    pub const fn has_own_roles(&self) -> bool {
        self.columns > column::OWN
    }

    /// Whether it can be conditioned on chords; otherwise chords act as masks alone.
    #[must_use]
    pub const fn has_chords(&self) -> bool {
        self.columns > column::CHORD
    }

    /// Width of one head.
    #[must_use]
    pub const fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// Size in bytes of one row's K and V in all layers.
    #[must_use]
    pub const fn row_bytes(&self) -> usize {
        2 * self.width * self.layers * size_of::<f32>()
    }
}

fn invalid(key: &'static str, problem: String) -> MetadataError {
    MetadataError::Invalid { key, problem }
}

struct Metadata<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Metadata<F> {
    fn text(&self, key: &'static str) -> Result<String, MetadataError> {
        (self.lookup)(key).ok_or(MetadataError::Missing(key))
    }

    fn json<T: DeserializeOwned>(&self, key: &'static str) -> Result<T, MetadataError> {
        serde_json::from_str(&self.text(key)?).map_err(|error| invalid(key, format!("cannot be read: {error}")))
    }

    /// A plain string, deserialised as a JSON string.
    fn json_text<T: DeserializeOwned>(&self, key: &'static str) -> Result<T, MetadataError> {
        let text = self.text(key)?;
        serde_json::from_value(serde_json::Value::String(text)).map_err(|error| invalid(key, format!("cannot be read: {error}")))
    }

    fn size(&self, key: &'static str, most: usize) -> Result<usize, MetadataError> {
        let size: usize = self.json(key)?;
        if size == 0 || size > most {
            return Err(invalid(key, format!("is {size}, not 1 to {most}")));
        }
        Ok(size)
    }

    /// Width of the memory keys. The classes stored with the entries must be those of this engine.
    fn memory(&self) -> Result<usize, MetadataError> {
        let classes: Vec<String> = self.json("antiphon.memory_classes")?;
        if !classes.iter().map(String::as_str).eq(REMEMBERED.map(|field| field.name())) {
            return Err(invalid("antiphon.memory_classes", "is not what this engine stores: use a newer Antiphon".to_owned()));
        }
        self.size("antiphon.memory", MOST.memory)
    }

    /// Checks that the model's tables equal the vocabulary's: otherwise its rows mean something else.
    fn check_tables(&self, count: usize) -> Result<(), MetadataError> {
        let differs = |key| invalid(key, "is not that of its vocabulary".to_owned());
        let pairs = |key| self.json::<Vec<(String, usize)>>(key);
        let columns = pairs("antiphon.columns")?;
        if !columns.iter().map(|(name, size)| (name.as_str(), *size)).eq(COLUMN_TABLE.into_iter().take(count)) {
            return Err(differs("antiphon.columns"));
        }
        let fields = pairs("antiphon.fields")?;
        if !fields.iter().map(|(name, classes)| (name.as_str(), *classes)).eq(Field::ALL.map(|field| (field.name(), field.classes()))) {
            return Err(differs("antiphon.fields"));
        }
        if self.json::<Vec<u16>>("antiphon.durations")? != DURATIONS {
            return Err(differs("antiphon.durations"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn valid_metadata() -> BTreeMap<String, String> {
        let fields = Field::ALL.map(|field| (field.name(), field.classes()));
        [
            ("format", "1".to_owned()),
            ("vocabulary", VOCABULARY_VERSION.to_string()),
            ("name", "test".to_owned()),
            ("width", "64".to_owned()),
            ("layers", "2".to_owned()),
            ("heads", "4".to_owned()),
            ("weights", "int8".to_owned()),
            ("columns", json!(COLUMN_TABLE.as_slice()).to_string()),
            ("fields", json!(fields).to_string()),
            ("durations", json!(DURATIONS.as_slice()).to_string()),
            ("rotary", json!({"bar": [1.0, 0.1, 0.01], "tick": [1.0, 0.1, 0.01], "index": [1.0, 0.1]}).to_string()),
            ("fine_bars", "[1, 2, 4]".to_owned()),
            ("styles", json!({"pop": 3}).to_string()),
            ("trained_rows", "123".to_owned()),
        ]
        .map(|(key, value)| (format!("antiphon.{key}"), value))
        .into()
    }

    fn parse(metadata: &BTreeMap<String, String>) -> Result<ModelInfo, MetadataError> {
        ModelInfo::parse(|key| metadata.get(key).cloned())
    }

    #[test]
    fn valid_metadata_is_read() {
        let info = parse(&valid_metadata()).unwrap();
        assert_eq!((info.width, info.layers, info.heads, info.weights), (64, 2, 4, Weights::Int8));
        assert_eq!((info.head_width(), info.row_bytes(), info.trained_rows), (16, 2 * 64 * 2 * 4, 123));
        assert_eq!((info.fine_bars, info.styles["pop"]), (vec![1, 2, 4], 3));
    }

    #[test]
    fn model_of_an_earlier_vocabulary_lacks_the_columns_that_came_later() {
        let mut metadata = valid_metadata();
        let info = parse(&metadata).unwrap();
        assert_eq!((info.has_own_roles(), info.has_chords()), (true, true));
        for (vocabulary, columns, has_own_roles, has_chords) in [
            (VOCABULARY_WITHOUT_AHEAD, column::AHEAD, true, true),
            (VOCABULARY_WITHOUT_CHORDS, column::CHORD, true, false),
            (VOCABULARY_WITHOUT_OWN_ROLES, column::OWN, false, false),
        ] {
            metadata.insert("antiphon.vocabulary".to_owned(), vocabulary.to_string());
            assert!(parse(&metadata).unwrap_err().to_string().contains("antiphon.columns"), "the columns must be its vocabulary's");
            metadata.insert("antiphon.columns".to_owned(), json!(&COLUMN_TABLE[..columns]).to_string());
            let info = parse(&metadata).unwrap();
            assert_eq!((info.has_own_roles(), info.has_chords(), info.columns), (has_own_roles, has_chords, columns));
        }
        metadata.insert("antiphon.vocabulary".to_owned(), VOCABULARY_VERSION.to_string());
        assert!(parse(&metadata).unwrap_err().to_string().contains("antiphon.columns"));
    }

    #[test]
    fn memory_needs_format_2_and_the_classes_that_the_engine_stores() {
        let mut metadata = valid_metadata();
        assert_eq!(parse(&metadata).unwrap().memory, 0);
        metadata.insert("antiphon.format".to_owned(), "2".to_owned());
        assert!(parse(&metadata).unwrap_err().to_string().contains("antiphon.memory"));
        metadata.insert("antiphon.memory".to_owned(), "64".to_owned());
        metadata.insert("antiphon.memory_classes".to_owned(), json!(REMEMBERED.map(|field| field.name())).to_string());
        assert_eq!(parse(&metadata).unwrap().memory, 64);
        for (key, value) in [("antiphon.memory", "0"), ("antiphon.memory", "100000"), ("antiphon.memory_classes", r#"["pitch", "role"]"#)] {
            let bad = BTreeMap::from_iter(metadata.clone().into_iter().chain([(key.to_owned(), value.to_owned())]));
            assert!(parse(&bad).unwrap_err().to_string().contains(key), "{key} = {value}");
        }
    }

    #[test]
    fn metadata_without_any_one_key_is_refused() {
        for key in valid_metadata().into_keys() {
            let mut metadata = valid_metadata();
            metadata.remove(&key);
            let error = parse(&metadata).unwrap_err();
            assert!(key == "antiphon.format" || error.to_string().contains(&key), "{error}");
        }
    }

    #[test]
    fn invalid_values_are_refused_with_their_key() {
        let bad = [
            ("format", "3"),
            ("vocabulary", "1"),
            ("columns", r#"[["kind", 6]]"#),
            ("fields", "[]"),
            ("durations", "[1, 2]"),
            ("width", "0"),
            ("width", "99999999999999999999"),
            ("width", "60"),
            ("heads", "1000"),
            ("layers", "-1"),
            ("rotary", r#"{"bar": [], "tick": [], "index": []}"#),
            ("rotary", "null"),
            ("fine_bars", "[2, 1]"),
            ("fine_bars", "[0]"),
            ("fine_bars", "[]"),
            ("fine_bars", "[1, 999]"),
            ("styles", r#"{"pop": 16}"#),
            ("weights", "int3"),
            ("trained_rows", "many"),
        ];
        for (key, value) in bad {
            let mut metadata = valid_metadata();
            metadata.insert(format!("antiphon.{key}"), value.to_owned());
            let error = parse(&metadata).unwrap_err();
            assert!(error.to_string().contains(key), "{key} = {value}: {error}");
        }
    }

    proptest! {
        #[test]
        fn damaged_text_never_panics(key in 0_usize..14, cut in 0_usize..400, byte in any::<char>()) {
            let mut metadata = valid_metadata();
            let value = metadata.values_mut().nth(key).unwrap();
            let at = value.char_indices().map(|(at, _)| at).nth(cut % value.chars().count()).unwrap();
            value.insert(at, byte);
            let _ = parse(&metadata);
            metadata.values_mut().nth(key).unwrap().truncate(at);
            let _ = parse(&metadata);
        }
    }
}
