//! Antiphon's state in a saved Ardour session.

use std::fs;
use std::path::Path;

use antiphon_engine::plan::{Entry, Reason};
use antiphon_plugin::state::Saved;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nice_plug::prelude::PluginState;

/// The saved state.
pub(crate) struct Project {
    pub(crate) saved: Saved,
}

impl Project {
    /// Reads the state of the session's first VST3 plug-in.
    pub(crate) fn read(session: &Path) -> Self {
        let text = fs::read_to_string(file(session)).unwrap();
        let (_, rest) = text.split_once("<chunk>").expect("the session holds no state of a VST3");
        let (chunk, _) = rest.split_once("</chunk>").unwrap();
        let bytes = STANDARD.decode(chunk).unwrap();
        // A VST3 preset: a header, then our JSON, then a list of chunks.
        let start = bytes.iter().position(|&byte| byte == b'{').expect("no JSON in the state");
        let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<PluginState>();
        let state = values.next().unwrap().expect("the state is damaged");
        let saved = serde_json::from_str(&state.fields["antiphon"]).unwrap();
        Self { saved }
    }

    /// The last suggestion that was played.
    pub(crate) fn played(&self) -> Option<&Entry> {
        self.saved.history.entries().iter().rev().find(|entry| entry.reason() == Reason::Played)
    }
}

/// Adds a loop, in ticks, to a saved session: Ardour's scripts cannot.
pub(crate) fn add_loop(session: &Path, start: i64, end: i64) {
    let path = file(session);
    let text = fs::read_to_string(&path).unwrap();
    let range = format!(
        "<Locations>\n    <Location id=\"900001\" name=\"Loop\" start=\"b{start}\" end=\"b{end}\" flags=\"IsAutoLoop\" locked=\"0\" timestamp=\"1\" cue=\"0\"/>"
    );
    assert!(text.contains("<Locations>"), "the session has no list of locations");
    fs::write(path, text.replacen("<Locations>", &range, 1)).unwrap();
}

fn file(session: &Path) -> std::path::PathBuf {
    session.join("session.ardour")
}
