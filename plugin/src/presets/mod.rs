//! Presets: settings of the musical parameters under a name. Those of the house are compiled in, those of the user are files.
//!
//! A setting is the text of a value, as the host and the window show it, so that a file can be read and written by hand.

mod comparison;
mod library;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use comparison::{Comparison, Slot};
pub use library::{Existing, Library, PresetError};
pub use values::{Missing, Values, settings};

/// Parameters that every preset sets: those that it does not list get their defaults. What belongs to the song (key, chord, bars of Infill) and
/// to the set-up (input role, channels, offset, Thru, sound, take, other instances) stays as it is unless the preset lists it.
pub const SCOPE: [&str; 21] = [
    "mode",
    "horizon",
    "adventurousness",
    "density",
    "register_low",
    "register_high",
    "span",
    "voices",
    "note_length",
    "repetition",
    "phrase_length",
    "scale_lock",
    "feel",
    "player_swing",
    "loudness_follow",
    "memory",
    "answer_after",
    "trade_bars",
    "output_role",
    "output_role_2",
    "output_role_3",
];

/// Parameter ids, each with the text of its value.
pub type Settings = BTreeMap<String, String>;

/// A preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// Name.
    pub name: String,
    /// What it does, in a sentence; empty if nothing was written.
    #[serde(default)]
    pub about: String,
    /// Its settings.
    pub settings: Settings,
}

/// The presets of the house, in the order of the menu. A test reads the compiled-in file.
#[must_use]
pub fn factory() -> Vec<Preset> {
    serde_json::from_str(include_str!("../../../assets/presets/factory.json")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::params::AntiphonParams;

    /// Parameters that no preset of the house may change: they belong to the set-up.
    const SET_UP: [&str; 10] =
        ["output_channel", "channel_per_role", "drum_channel", "latency_ms", "thru", "preview", "bypass", "take", "input_role", "seed"];

    #[test]
    fn factory_presets_set_known_values_and_leave_the_set_up_alone() {
        let params = AntiphonParams::new(true);
        let presets = factory();
        assert!(presets.len() >= 12, "{}", presets.len());
        for preset in &presets {
            assert!(preset.about.ends_with('.') && preset.name.len() <= 26, "{}", preset.name);
            for (id, text) in &preset.settings {
                let param = params.find(id).unwrap_or_else(|| panic!("{}: {id}", preset.name));
                let value = params.read(id, text).unwrap_or_else(|| panic!("{}: {id} is no {text}", preset.name));
                // SAFETY: the pointer lives as long as `params`.
                let written = unsafe { param.normalized_value_to_string(value, true) };
                assert_eq!(&written, text, "{}: {id}, as the parameter writes it", preset.name);
                assert!(!SET_UP.contains(&id.as_str()), "{}: {id}", preset.name);
            }
        }
        assert!(SCOPE.iter().all(|id| params.find(id).is_some() && !SET_UP.contains(id)));
    }

    #[test]
    fn factory_presets_differ_from_each_other_in_at_least_three_settings() {
        let presets = factory();
        let names: BTreeSet<_> = presets.iter().map(|preset| &preset.name).collect();
        assert_eq!(names.len(), presets.len());
        for (place, one) in presets.iter().enumerate() {
            for other in &presets[..place] {
                let ids: BTreeSet<_> = one.settings.keys().chain(other.settings.keys()).collect();
                let different = ids.into_iter().filter(|id| one.settings.get(*id) != other.settings.get(*id)).count();
                assert!(different >= 3, "{} and {}", one.name, other.name);
            }
        }
    }
}
