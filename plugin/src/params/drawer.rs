//! Parameters by id, as the window's drawer lists them.

use nice_plug::params::internals::ParamPtr;
use nice_plug::params::{Param, Params};

use super::{AntiphonParams, ladder, text, tips};

/// Groups of the drawer, with the ids of their parameters. Those that the window shows elsewhere are not among them.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Notes",
        &[
            "density",
            "register_low",
            "register_high",
            "span",
            "voices",
            "note_length",
            "repetition",
            "phrase_length",
            "lock_rhythm",
            "lock_pitches",
        ],
    ),
    ("Harmony", &["key", "scale", "scale_lock", "chord", "chord_kind"]),
    (
        "Playing",
        &[
            "feel",
            "player_swing",
            "loudness_follow",
            "latency_ms",
            "memory",
            "answer_after",
            "trade_bars",
            "infill_from",
            "infill_bars",
            "take",
            "seed",
            "thru",
        ],
    ),
    (
        "Roles and channels",
        &["input_role", "output_role", "output_role_2", "output_role_3", "output_channel", "channel_per_role", "drum_channel"],
    ),
    ("Other instances", &["hears", "hears_whom"]),
    ("Window", &["look", "window_scale"]),
];

/// Number of parameters of [`AntiphonParams::front`] that a narrow window has in front, too.
pub(crate) const ALWAYS_IN_FRONT: usize = 2;
/// Steps of a parameter without steps of its own.
const PERCENT: usize = 100;

/// A parameter as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownParameter {
    /// Id for the host.
    pub id: &'static str,
    /// Name.
    pub name: String,
    /// Text of its value.
    pub text: String,
    /// Normalised value, 0 to 1.
    pub value: f32,
    /// Normalised default.
    pub default: f32,
    /// Steps between the ends of its range.
    pub steps: usize,
    /// Whether it is on or off.
    pub is_switch: bool,
    /// What it does, in a sentence.
    pub tip: &'static str,
    /// Names of the bands of its range, each with the first percentage that belongs to it; empty for most.
    pub bands: &'static [(&'static str, f32)],
}

impl ShownParameter {
    /// Whether its value is no value of its own but that of the music or of another parameter.
    pub(crate) fn is_left_to_others(&self) -> bool {
        [text::AUTO, text::AS_INPUT, text::AS_HORIZON].contains(&self.text.as_str())
    }
}

impl AntiphonParams {
    /// The parameter with this id.
    pub(crate) fn find(&self, id: &str) -> Option<ParamPtr> {
        self.param_map().into_iter().find(|(other, ..)| other == id).map(|(_, param, _)| param)
    }

    /// The parameters that the window shows beside its buttons; a narrow one has only the first two there, and the others in the drawer.
    #[must_use]
    pub fn front(&self) -> [ShownParameter; 4] {
        [
            self.shown("adventurousness", self.adventurousness.as_ptr()),
            self.shown("horizon", self.horizon.as_ptr()),
            self.shown("density", self.music.density.as_ptr()),
            self.shown("register_low", self.music.register_low.as_ptr()),
        ]
    }

    /// All parameters that the window sets, each once: the mode, those in front, and those of the drawer.
    #[must_use]
    pub fn settable(&self) -> Vec<ShownParameter> {
        let front = self.front().into_iter().take(ALWAYS_IN_FRONT);
        let drawer = self.drawer().into_iter().flat_map(|(_, parameters)| parameters);
        std::iter::once(self.shown("mode", self.mode.as_ptr())).chain(front).chain(drawer).collect()
    }

    /// The normalised value that a text stands for, as one types it; `None` if the parameter does not know it.
    #[must_use]
    pub fn read(&self, id: &str, text: &str) -> Option<f32> {
        // Enumerations know their present names alone.
        let text = if text::is_auto(text) && id == "output_role" { text::AUTO } else { text };
        // SAFETY: the pointer is that of a parameter of `self`, which outlives this call.
        unsafe { self.find(id)?.string_to_normalized_value(text) }
    }

    /// A parameter of this instance as it is shown.
    fn shown(&self, id: &'static str, param: ParamPtr) -> ShownParameter {
        // SAFETY: the pointer is that of a parameter of `self`, which outlives this call.
        unsafe {
            let value = param.unmodulated_normalized_value();
            let text = param.normalized_value_to_string(value, true);
            ShownParameter {
                id,
                name: param.name().to_owned(),
                text,
                value,
                default: param.default_normalized_value(),
                steps: param.step_count().unwrap_or(PERCENT),
                is_switch: matches!(param, ParamPtr::BoolParam(_)),
                tip: tips::tip(id),
                bands: if id == "adventurousness" { &ladder::BANDS } else { &[] },
            }
        }
    }

    /// The parameters of the drawer in groups.
    #[must_use]
    pub fn drawer(&self) -> Vec<(&'static str, Vec<ShownParameter>)> {
        let map = self.param_map();
        let shown = |id: &'static str| map.iter().find(|(other, ..)| other == id).map(|(_, param, _)| self.shown(id, *param));
        GROUPS.into_iter().map(|(group, ids)| (group, ids.iter().filter_map(|id| shown(id)).collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_the_drawer_exists_and_is_listed_once() {
        let shown: Vec<_> =
            AntiphonParams::new(true).drawer().into_iter().flat_map(|(_, parameters)| parameters).map(|shown| shown.id).collect();
        let listed: Vec<_> = GROUPS.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        assert_eq!(shown, listed);
        assert_eq!(shown.iter().collect::<std::collections::BTreeSet<_>>().len(), shown.len());
    }

    #[test]
    fn parameter_that_a_narrow_window_has_not_in_front_is_in_its_drawer() {
        let params = AntiphonParams::new(true);
        let drawer: Vec<_> = params.drawer().into_iter().flat_map(|(_, parameters)| parameters).collect();
        for (place, parameter) in params.front().iter().enumerate() {
            assert_eq!(drawer.contains(parameter), place >= ALWAYS_IN_FRONT, "{}", parameter.id);
        }
    }

    #[test]
    fn typed_text_is_read_as_the_host_reads_it() {
        let params = AntiphonParams::new(true);
        for (id, text, value) in [("horizon", "8", 1.0), ("adventurousness", "surprise", 0.835), ("output_role_2", "bass", 3.0 / 16.0)] {
            assert!((params.read(id, text).unwrap() - value).abs() < 1e-3, "{id}");
        }
        assert_eq!((params.read("horizon", "many"), params.read("no such id", "1")), (None, None));
    }

    #[test]
    fn former_words_of_automatic_values_are_read() {
        let params = AntiphonParams::new(true);
        for (id, before) in [
            ("density", "As played"),
            ("register_low", "as played"),
            ("register_high", "As played"),
            ("repetition", "As played"),
            ("chord", "As played"),
            ("key", "Detected"),
            ("output_role", "As input"),
        ] {
            let read = params.read(id, before);
            assert!(read.is_some() && read == params.read(id, "Auto"), "{id}: {read:?}");
            let shown = params.settable().into_iter().chain(params.front()).find(|shown| shown.id == id).unwrap();
            assert_eq!((shown.text.as_str(), Some(shown.value)), ("Auto", read), "{id}");
        }
        assert_eq!(params.read("output_channel", "As input"), Some(0.0), "that is its present word");
    }

    #[test]
    fn parameter_is_shown_with_the_text_of_its_value() {
        let params = AntiphonParams::new(true);
        let voices = params.find("voices").unwrap();
        // SAFETY: the pointer lives as long as `params`.
        unsafe { voices._internal_set_normalized_value(0.25) };
        let shown = params.drawer().into_iter().flat_map(|(_, parameters)| parameters).find(|shown| shown.id == "voices");
        let expected = ShownParameter {
            id: "voices",
            name: "Voices".into(),
            text: "2 voices".into(),
            value: 0.25,
            default: 0.0,
            steps: 8,
            is_switch: false,
            tip: tips::tip("voices"),
            bands: &[],
        };
        assert_eq!(shown, Some(expected));
        assert!(params.find("no such id").is_none());
    }
}
