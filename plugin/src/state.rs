//! What the project keeps besides the parameters.
//!
//! nice-plug writes one chunk of JSON: the parameters by id, and [`Saved`] under `antiphon`. It refuses a chunk that is no JSON whole;
//! [`admit`] refuses one whose `antiphon` is damaged, before anything of it is taken. What a newer version wrote and this one does not know
//! is kept, and written back.

use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::PluginState;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The key of [`Saved`] in the chunk.
const FIELD: &str = "antiphon";

/// The layout this version writes.
pub const VERSION: u32 = 1;

/// What is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The layout: [`VERSION`] when written by this version, larger when by a newer one.
    pub version: u32,
    /// What this version does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Default for Saved {
    fn default() -> Self {
        Self { version: VERSION, unknown: Map::new() }
    }
}

/// The saved object, and how often one was loaded.
///
/// Loading calls neither `activate` nor `reset`, so `process()` compares [`generation`](Self::generation) with the one it last saw.
#[derive(Debug, Default)]
pub struct State {
    saved: Mutex<Saved>,
    generation: AtomicU32,
}

impl State {
    /// How often a state was loaded. Read on the audio thread.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether a newer version wrote what was loaded last: some of it is kept without being understood.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.saved.lock().version > VERSION
    }
}

impl PersistentField<'_, Saved> for State {
    fn set(&self, new_value: Saved) {
        *self.saved.lock() = new_value;
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Saved) -> R,
    {
        f(&self.saved.lock())
    }
}

/// Empties a chunk whose saved object is damaged, so that loading it changes nothing. One without the object is a preset: controls only.
pub fn admit(chunk: &mut PluginState) {
    let damaged = chunk.fields.get(FIELD).is_some_and(|field| serde_json::from_str::<Saved>(field).is_err());
    if damaged {
        chunk.params.clear();
        chunk.fields.clear();
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::params::Params;
    use nice_plug::plugin::ParamValue;

    use super::*;
    use crate::params::AntiphonParams;

    fn chunk(field: &str) -> PluginState {
        PluginState {
            version: "0.1.0".into(),
            params: [("horizon".to_owned(), ParamValue::I32(7))].into(),
            fields: [(FIELD.to_owned(), field.to_owned())].into(),
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_counted() {
        let (from, to) = (AntiphonParams::new(true), AntiphonParams::new(true));
        to.deserialize_fields(&from.serialize_fields());
        assert_eq!(to.state.generation(), 1);
        assert!(!to.state.is_newer());
    }

    #[test]
    fn what_a_newer_version_wrote_is_written_back() {
        let params = AntiphonParams::new(true);
        let newer = r#"{"version":2,"dreams":["flying"]}"#;
        params.deserialize_fields(&chunk(newer).fields);
        assert!(params.state.is_newer());
        let written: Value = serde_json::from_str(&params.serialize_fields()[FIELD]).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(newer).unwrap());
    }

    #[test]
    fn damage_empties_the_chunk() {
        for damaged in ["", "{", "{}", "[]", r#"{"version":-1}"#, r#"{"version":"one"}"#, "\u{0}"] {
            let mut chunk = chunk(damaged);
            admit(&mut chunk);
            assert!(chunk.params.is_empty() && chunk.fields.is_empty(), "{damaged:?}");
        }
        let mut sound = chunk(r#"{"version":1}"#);
        admit(&mut sound);
        assert_eq!((sound.params.len(), sound.fields.len()), (1, 1));
    }

    #[test]
    fn a_preset_holds_controls_only() {
        let mut preset = chunk("");
        preset.fields.clear();
        admit(&mut preset);
        assert_eq!(preset.params.len(), 1);
    }
}
