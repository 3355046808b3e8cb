//! The parameters. Their ids, ranges and steps must never change: projects and automation store them.

use std::sync::Arc;

use antiphon_engine::music::Role;
use antiphon_engine::plan::{PlayMode, TakeMode};
use antiphon_engine::session::ControlValues;
use nice_plug::prelude::*;

use crate::state::State;

/// Longest horizon, in bars.
const MOST_BARS: i32 = 8;
/// Largest fixed seed; 0 means a free seed.
const LARGEST_SEED: i32 = 999;

/// Parameters and state of one instance.
#[derive(Params)]
pub struct AntiphonParams {
    /// What Antiphon does with its plan.
    #[id = "mode"]
    pub mode: EnumParam<ModeStep>,
    /// Trigger: plays the plan shown, from the next bar.
    #[id = "play"]
    pub play: BoolParam,
    /// Trigger: makes another plan.
    #[id = "another"]
    pub another: BoolParam,
    /// Trigger: stars the plan shown.
    #[id = "keep"]
    pub keep: BoolParam,
    /// Planning horizon, in bars.
    #[id = "horizon"]
    pub horizon: IntParam,
    /// From conservative (0) to adventurous (1).
    #[id = "adventurousness"]
    pub adventurousness: FloatParam,
    /// Fixed seed, or 0 for a free one.
    #[id = "seed"]
    pub seed: IntParam,
    /// Whether the player's notes and controllers pass through.
    #[id = "thru"]
    pub thru: BoolParam,
    /// Instrument role of the player.
    #[id = "input_role"]
    pub input_role: EnumParam<InputRole>,
    /// Instrument role of the plan.
    #[id = "output_role"]
    pub output_role: EnumParam<OutputRole>,
    /// Whether outgoing notes are synthesised. Hidden in the class without a synth.
    #[id = "preview"]
    pub preview: BoolParam,
    /// Passes everything through; nothing is captured or played.
    #[id = "bypass"]
    pub bypass: BoolParam,
    /// Whether what sounds is recorded at its song position, or what was recorded plays.
    #[id = "take"]
    pub take: EnumParam<TakeStep>,
    /// State other than parameters.
    #[persist = "antiphon"]
    pub state: Arc<State>,
}

impl AntiphonParams {
    /// Defaults of a class with or without the preview synth.
    #[must_use]
    pub fn new(preview: bool) -> Self {
        let horizon = IntRange::Linear { min: 1, max: MOST_BARS };
        let seed = IntRange::Linear { min: 0, max: LARGEST_SEED };
        let sound = BoolParam::new("Preview sound", preview);
        Self {
            mode: EnumParam::new("Mode", ModeStep::Suggest),
            play: BoolParam::new("Play", false),
            another: BoolParam::new("Another", false),
            keep: BoolParam::new("Keep", false),
            horizon: IntParam::new("Horizon", 4, horizon)
                .with_value_to_string(Arc::new(|bars| if bars == 1 { "1 bar".into() } else { format!("{bars} bars") }))
                .with_string_to_value(Arc::new(|text| text.trim_end_matches(|c: char| !c.is_ascii_digit()).trim().parse().ok())),
            adventurousness: FloatParam::new("Adventurousness", 0.5, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(0))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            seed: IntParam::new("Seed", 0, seed)
                .with_value_to_string(Arc::new(|seed| if seed == 0 { "Free".into() } else { seed.to_string() }))
                .with_string_to_value(Arc::new(|text| if text.eq_ignore_ascii_case("free") { Some(0) } else { text.trim().parse().ok() })),
            thru: BoolParam::new("Thru", true),
            input_role: EnumParam::new("Input role", InputRole::Auto),
            output_role: EnumParam::new("Output role", OutputRole::AsInput),
            preview: if preview { sound } else { sound.hide() },
            bypass: BoolParam::new("Bypass", false)
                .with_value_to_string(formatters::v2s_bool_bypass())
                .with_string_to_value(formatters::s2v_bool_bypass())
                .make_bypass(),
            take: EnumParam::new("Take", TakeStep::Off),
            state: Arc::default(),
        }
    }

    /// The values that the session needs.
    #[must_use]
    pub fn controls(&self) -> ControlValues {
        ControlValues {
            mode: self.mode.value().into(),
            // The range limits it to 1 to 8.
            horizon_bars: u8::try_from(self.horizon.value()).unwrap_or(1),
            adventurousness: self.adventurousness.value(),
            seed: u32::try_from(self.seed.value()).ok().filter(|&seed| seed != 0),
            input_role: self.input_role.value().into(),
            output_role: self.output_role.value().into(),
            take: self.take.value().into(),
        }
    }
}

/// Steps of the Mode parameter, in the order of [`PlayMode`]. The name of a mode that is not implemented says so.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeStep {
    /// [`PlayMode::Suggest`].
    #[id = "suggest"]
    Suggest,
    /// [`PlayMode::Answer`].
    #[id = "answer"]
    #[name = "Answer (coming)"]
    Answer,
    /// [`PlayMode::Trade`].
    #[id = "trade"]
    #[name = "Trade (coming)"]
    Trade,
    /// [`PlayMode::Accompany`].
    #[id = "accompany"]
    #[name = "Accompany (coming)"]
    Accompany,
    /// [`PlayMode::Infill`].
    #[id = "infill"]
    #[name = "Infill (coming)"]
    Infill,
}

impl From<ModeStep> for PlayMode {
    fn from(step: ModeStep) -> Self {
        match step {
            ModeStep::Suggest => Self::Suggest,
            ModeStep::Answer => Self::Answer,
            ModeStep::Trade => Self::Trade,
            ModeStep::Accompany => Self::Accompany,
            ModeStep::Infill => Self::Infill,
        }
    }
}

/// Steps of the Take parameter, in the order of [`TakeMode`].
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeStep {
    /// [`TakeMode::Off`].
    #[id = "off"]
    Off,
    /// [`TakeMode::Replay`].
    #[id = "replay"]
    Replay,
    /// [`TakeMode::Overwrite`].
    #[id = "overwrite"]
    Overwrite,
}

impl From<TakeStep> for TakeMode {
    fn from(step: TakeStep) -> Self {
        match step {
            TakeStep::Off => Self::Off,
            TakeStep::Replay => Self::Replay,
            TakeStep::Overwrite => Self::Overwrite,
        }
    }
}

/// Instrument role of the player. Drums need to be selected: DAWs send them on any channel.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputRole {
    /// Detected from the notes.
    #[id = "auto"]
    Auto,
    /// Piano or keyboard.
    #[id = "keys"]
    Keys,
    /// The lowest part.
    #[id = "bass"]
    Bass,
    /// General MIDI percussion.
    #[id = "drums"]
    Drums,
    /// The tune.
    #[id = "lead"]
    Lead,
}

impl From<InputRole> for Option<Role> {
    fn from(role: InputRole) -> Self {
        match role {
            InputRole::Auto => None,
            InputRole::Keys => Some(Role::Keys),
            InputRole::Bass => Some(Role::Bass),
            InputRole::Drums => Some(Role::Drums),
            InputRole::Lead => Some(Role::Lead),
        }
    }
}

/// Instrument role of the plan: all roles of the model, so that the steps never need to shift.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputRole {
    /// The player's role.
    #[id = "as_input"]
    #[name = "As input"]
    AsInput,
    /// [`Role::Melody`].
    #[id = "melody"]
    Melody,
    /// [`Role::Chords`].
    #[id = "chords"]
    Chords,
    /// [`Role::Bass`].
    #[id = "bass"]
    Bass,
    /// [`Role::Drums`].
    #[id = "drums"]
    Drums,
    /// [`Role::Lead`].
    #[id = "lead"]
    Lead,
    /// [`Role::Pad`].
    #[id = "pad"]
    Pad,
    /// [`Role::Arp`].
    #[id = "arp"]
    Arp,
    /// [`Role::Strings`].
    #[id = "strings"]
    Strings,
    /// [`Role::LowStrings`].
    #[id = "low_strings"]
    #[name = "Low strings"]
    LowStrings,
    /// [`Role::Keys`].
    #[id = "keys"]
    Keys,
    /// [`Role::LeftHand`].
    #[id = "left_hand"]
    #[name = "Left hand"]
    LeftHand,
    /// [`Role::Guitar`].
    #[id = "guitar"]
    Guitar,
    /// [`Role::Organ`].
    #[id = "organ"]
    Organ,
    /// [`Role::Winds`].
    #[id = "winds"]
    Winds,
    /// [`Role::Brass`].
    #[id = "brass"]
    Brass,
    /// [`Role::Other`].
    #[id = "other"]
    Other,
}

impl From<OutputRole> for Option<Role> {
    fn from(role: OutputRole) -> Self {
        // The steps after the first are the model's role classes in order.
        role.to_index().checked_sub(1).and_then(|class| u8::try_from(class).ok()).and_then(Role::from_class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Id, name, number of steps minus one, normalised default, text of the lowest and of the highest value.
    type Pin = (&'static str, &'static str, Option<usize>, f32, &'static str, &'static str);

    const PINS: [Pin; 13] = [
        ("mode", "Mode", Some(4), 0.0, "Suggest", "Infill (coming)"),
        ("play", "Play", Some(1), 0.0, "Off", "On"),
        ("another", "Another", Some(1), 0.0, "Off", "On"),
        ("keep", "Keep", Some(1), 0.0, "Off", "On"),
        ("horizon", "Horizon", Some(7), 3.0 / 7.0, "1 bar", "8 bars"),
        ("adventurousness", "Adventurousness", None, 0.5, "0 %", "100 %"),
        ("seed", "Seed", Some(999), 0.0, "Free", "999"),
        ("thru", "Thru", Some(1), 1.0, "Off", "On"),
        ("input_role", "Input role", Some(4), 0.0, "Auto", "Lead"),
        ("output_role", "Output role", Some(16), 0.0, "As input", "Other"),
        ("preview", "Preview sound", Some(1), 1.0, "Off", "On"),
        ("bypass", "Bypass", Some(1), 0.0, "Not Bypassed", "Bypassed"),
        ("take", "Take", Some(2), 0.0, "Off", "Overwrite"),
    ];

    #[test]
    fn ids_ranges_and_steps_are_pinned() {
        let params = AntiphonParams::new(true);
        let map = params.param_map();
        assert_eq!(map.len(), PINS.len());
        for ((id, ptr, group), (pinned, name, steps, default, lowest, highest)) in map.iter().zip(PINS) {
            // SAFETY: the pointers live as long as `params`.
            unsafe {
                assert_eq!((id.as_str(), ptr.name(), group.as_str()), (pinned, name, ""));
                assert_eq!(ptr.step_count(), steps, "{id}");
                assert!((ptr.default_normalized_value() - default).abs() < 1e-6, "{id}");
                let words = |normalised| ptr.normalized_value_to_string(normalised, true);
                assert_eq!((words(0.0).as_str(), words(1.0).as_str()), (lowest, highest), "{id}");
                // Every step's text parses to the same step.
                if let Some(steps) = steps {
                    for step in 0..=u16::try_from(steps).unwrap() {
                        let normalised = f32::from(step) / f32::from(u16::try_from(steps).unwrap());
                        let back = ptr.string_to_normalized_value(&words(normalised)).unwrap();
                        assert!((back - normalised).abs() < 1e-6, "{id}: {}", words(normalised));
                    }
                }
            }
        }
    }

    #[test]
    fn steps_of_enumerations_are_pinned() {
        assert_eq!(ModeStep::ids().unwrap(), ["suggest", "answer", "trade", "accompany", "infill"]);
        assert_eq!(TakeStep::ids().unwrap(), ["off", "replay", "overwrite"]);
        assert_eq!(InputRole::ids().unwrap(), ["auto", "keys", "bass", "drums", "lead"]);
        let roles = OutputRole::ids().unwrap();
        assert_eq!(roles[0], "as_input");
        for (class, id) in (0u8..).zip(&roles[1..]) {
            let role = Role::from_class(class).unwrap();
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{id}\""));
            assert_eq!(Option::from(OutputRole::from_index(usize::from(class) + 1)), Some(role));
        }
        assert_eq!(roles.len(), Role::ALL.len() + 1);
        for mode in PlayMode::ALL {
            assert_eq!(PlayMode::from(ModeStep::from_index(usize::from(mode.step()))), mode);
        }
    }

    #[test]
    fn note_effect_has_the_same_parameters_with_the_preview_sound_off() {
        let (instrument, note_fx) = (AntiphonParams::new(true), AntiphonParams::new(false));
        let ids = |params: &AntiphonParams| params.param_map().into_iter().map(|(id, ..)| id).collect::<Vec<_>>();
        assert_eq!(ids(&instrument), ids(&note_fx));
        assert!(!note_fx.preview.value());
        let is_hidden = |params: &AntiphonParams| params.preview.flags().contains(ParamFlags::HIDDEN);
        assert!(is_hidden(&note_fx) && !is_hidden(&instrument));
    }

    #[test]
    fn controls_have_the_values_of_the_parameters() {
        let controls = AntiphonParams::new(true).controls();
        let expected = ControlValues {
            mode: PlayMode::Suggest,
            horizon_bars: 4,
            adventurousness: 0.5,
            seed: None,
            input_role: None,
            output_role: None,
            take: TakeMode::Off,
        };
        assert_eq!(controls, expected);
    }
}
