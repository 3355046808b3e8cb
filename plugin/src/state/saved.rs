//! The object that is saved with the project.

use std::collections::BTreeMap;
use std::sync::Arc;

use antiphon_engine::plan::{ChordChart, History, PlayerMemory, Take};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::presets::Comparison;
use crate::triggers::{Button, Trigger};

/// Format version written by this version of the plug-in.
pub const VERSION: u32 = 1;

/// The saved object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Format version: [`VERSION`], or larger if a newer version of the plug-in wrote it.
    pub version: u32,
    /// The history of suggestions.
    #[serde(default, with = "shared")]
    pub history: Arc<History>,
    /// The take. Projects of earlier versions have none.
    #[serde(default, with = "shared", skip_serializing_if = "has_no_take")]
    pub take: Arc<Take>,
    /// The memory of the player. Projects of earlier versions have none.
    #[serde(default, with = "shared", skip_serializing_if = "has_no_memory")]
    pub memory: Arc<PlayerMemory>,
    /// Learnt triggers. Those in use are in [`State::triggers`](super::State::triggers).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub triggers: BTreeMap<Button, Trigger>,
    /// The slots 1 and 2. Projects of earlier versions have none.
    #[serde(default, skip_serializing_if = "has_no_comparison")]
    pub comparison: Comparison,
    /// Chords chosen for bars of the song. Projects of earlier versions have none.
    #[serde(default, with = "shared", skip_serializing_if = "has_no_chords")]
    pub chart: Arc<ChordChart>,
    /// Size of the window, if it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowSize>,
    /// Why the chunk was rejected: set by [`admit`](super::admit), never saved.
    #[serde(default, skip_serializing)]
    pub refused: Option<String>,
    /// Fields of newer versions.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            version: VERSION,
            history: Arc::default(),
            take: Arc::default(),
            memory: Arc::default(),
            triggers: BTreeMap::new(),
            comparison: Comparison::default(),
            chart: Arc::default(),
            window: None,
            refused: None,
            unknown: Map::new(),
        }
    }
}

/// Size of the window in points. A project of another screen may hold any.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowSize {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// Whether nothing was recorded.
fn has_no_take(take: &Arc<Take>) -> bool {
    take.is_empty()
}

/// Whether nothing is remembered.
fn has_no_memory(memory: &Arc<PlayerMemory>) -> bool {
    memory.is_empty()
}

/// Whether the slots were never used.
fn has_no_comparison(comparison: &Comparison) -> bool {
    *comparison == Comparison::default()
}

/// Whether no chord was chosen.
fn has_no_chords(chart: &Arc<ChordChart>) -> bool {
    chart.is_empty()
}

/// Serialisation of shared values.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(value, serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
        T::deserialize(deserializer).map(Arc::new)
    }
}
