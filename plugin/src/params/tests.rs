use antiphon_engine::music::Role;
use antiphon_engine::music::analysis::{Chord, ChordKind, ScaleKind};
use antiphon_engine::plan::{ChannelSpread, Feel, PlayMode, Routing, TakeMode};
use antiphon_engine::session::{HarmonyControls, KeyControl, OutputControls, ScaleLock, ShapeControls};

use super::*;

/// Id, name, number of steps minus one, normalised default, text of the lowest and of the highest value.
type Pin = (&'static str, &'static str, Option<usize>, f32, &'static str, &'static str);

const PINS: [Pin; 53] = [
    ("mode", "Mode", Some(4), 0.0, "Suggest", "Infill"),
    ("play", "Play", Some(1), 0.0, "Off", "On"),
    ("another", "Another", Some(1), 0.0, "Off", "On"),
    ("keep", "Keep", Some(1), 0.0, "Off", "On"),
    ("horizon", "Bars ahead", Some(7), 3.0 / 7.0, "1 bar", "8 bars"),
    ("adventurousness", "Adventurousness", None, 0.5, "Safe 0 %", "Surprise 100 %"),
    ("seed", "Seed", Some(999), 0.0, "Free", "999"),
    ("thru", "Thru", Some(1), 1.0, "Off", "On"),
    ("input_role", "Input role", Some(4), 0.0, "Auto", "Lead"),
    ("output_role", "Output role", Some(16), 0.0, "Auto", "Other"),
    ("preview", "Preview sound", Some(1), 1.0, "Off", "On"),
    ("bypass", "Bypass", Some(1), 0.0, "Not Bypassed", "Bypassed"),
    ("output_role_2", "Output role 2", Some(16), 0.0, "None", "Other"),
    ("output_role_3", "Output role 3", Some(16), 0.0, "None", "Other"),
    ("output_channel", "Output channel", Some(16), 0.0, "As input", "Channel 16"),
    ("channel_per_role", "Channel per role", Some(1), 0.0, "Off", "On"),
    ("drum_channel", "Drum channel", Some(15), 9.0 / 15.0, "Channel 1", "Channel 16"),
    ("latency_ms", "Output offset", Some(100), 0.5, "-50 ms", "50 ms"),
    ("panic", "Panic", Some(1), 0.0, "Off", "On"),
    ("take", "Take", Some(2), 0.0, "Off", "Overwrite"),
    ("density", "Density", Some(8), 0.0, "Auto", "Densest"),
    ("register_low", "Lowest note", Some(127), 0.0, "Auto", "G9"),
    ("register_high", "Highest note", Some(127), 1.0, "C-1", "Auto"),
    ("span", "Span", Some(8), 0.0, "Auto", "4 octaves or more"),
    ("voices", "Voices", Some(8), 0.0, "Auto", "8 or more voices"),
    ("note_length", "Note length", Some(6), 0.0, "Auto", "1/1"),
    ("repetition", "Repetition", Some(200), 0.5, "Novelty 100 %", "Repetition 100 %"),
    ("phrase_length", "Phrase length", Some(8), 0.0, "As bars ahead", "8 bars"),
    ("key", "Key", Some(13), 0.0, "Auto", "B"),
    ("scale", "Scale", Some(8), 0.0, "Major", "Blues"),
    ("scale_lock", "Scale lock", Some(1), 0.0, "Off", "On"),
    ("chord", "Chord", Some(12), 0.0, "Auto", "B"),
    ("chord_kind", "Chord kind", Some(8), 0.0, "Major", "Half-diminished"),
    ("feel", "Feel", Some(100), 1.0, "Quantised", "Performed"),
    ("loudness_follow", "Loudness follows", Some(100), 0.0, "Off", "100 %"),
    ("answer_after", "Answer after", Some(3), 1.0 / 3.0, "1 beat", "2 bars"),
    ("trade_bars", "Trade bars", Some(3), 2.0 / 3.0, "1 bar", "8 bars"),
    ("variation_a", "Variation A", Some(1), 0.0, "Off", "On"),
    ("variation_b", "Variation B", Some(1), 0.0, "Off", "On"),
    ("variation_c", "Variation C", Some(1), 0.0, "Off", "On"),
    ("variation_d", "Variation D", Some(1), 0.0, "Off", "On"),
    ("lock_rhythm", "Lock rhythm", Some(1), 0.0, "Off", "On"),
    ("lock_pitches", "Lock pitches", Some(1), 0.0, "Off", "On"),
    ("infill_from", "Infill from", Some(998), 4.0 / 998.0, "Bar 1", "Bar 999"),
    ("infill_bars", "Infill bars", Some(7), 0.0, "1 bar", "8 bars"),
    ("player_swing", "Player's swing", Some(100), 0.0, "Off", "As you play"),
    ("memory", "Memory", Some(100), 0.5, "Off", "100 %"),
    ("forget", "Forget", Some(1), 0.0, "Off", "On"),
    ("hears", "Hears", Some(2), 0.0, "Own track only", "Everything"),
    ("hears_whom", "Hears instance", Some(16), 0.0, "All", "Instance 16"),
    ("look", "Look", Some(1), 0.0, "Light", "Dark"),
    ("window_scale", "Window scale", Some(6), 0.0, "100 %", "300 %"),
    ("stop", "Stop", Some(1), 0.0, "Off", "On"),
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
    assert_eq!(AnswerAfterStep::ids().unwrap(), ["beat", "two_beats", "bar", "two_bars"]);
    assert_eq!(TradeBarsStep::ids().unwrap(), ["1", "2", "4", "8"]);
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
        assert_eq!(ModeStep::variants()[usize::from(mode.step())], mode.name());
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
fn only_parameters_of_the_window_are_not_automatable() {
    let params = AntiphonParams::new(true);
    let map = params.param_map();
    // SAFETY: the pointers live as long as `params`.
    let fixed = map.iter().filter(|(_, param, _)| unsafe { param.flags() }.contains(ParamFlags::NON_AUTOMATABLE));
    assert_eq!(fixed.map(|(id, ..)| id.as_str()).collect::<Vec<_>>(), ["look", "window_scale"]);
}

#[test]
fn controls_have_the_values_of_the_parameters() {
    let params = AntiphonParams::new(true);
    assert_eq!(params.controls(), ControlValues::default());
    for (id, normalised) in [
        ("output_role_2", 4.0 / 16.0),
        ("output_channel", 3.0 / 16.0),
        ("drum_channel", 1.0 / 15.0),
        ("channel_per_role", 1.0),
        ("latency_ms", 0.0),
        ("take", 0.5),
    ] {
        let (_, param, _) = params.param_map().into_iter().find(|(name, ..)| name == id).unwrap();
        // SAFETY: the pointer lives as long as `params`.
        assert!(unsafe { param._internal_set_normalized_value(normalised) }, "{id}");
    }
    let controls = params.controls();
    let routing = Routing { channel: Some(2), spread: ChannelSpread::PerRole, drums: 1 };
    assert_eq!(controls.output, OutputControls { routing, latency_ms: -50, take: TakeMode::Replay, ..OutputControls::default() });
    assert_eq!(controls.roles, RoleControls { further: [Some(Role::Drums), None], ..RoleControls::default() });
}

#[test]
fn music_controls_have_the_values_that_are_spoken() {
    let params = AntiphonParams::new(true);
    for (id, text) in [
        ("density", "busy"),
        ("register_low", "C3"),
        ("register_high", "Gb5"),
        ("voices", "2 voices"),
        ("note_length", "1/8"),
        ("repetition", "novelty 40 %"),
        ("phrase_length", "2 bars"),
        ("key", "Db"),
        ("scale", "Dorian"),
        ("scale_lock", "On"),
        ("chord", "Ab"),
        ("chord_kind", "Seventh"),
        ("feel", "Quantised"),
        ("loudness_follow", "70"),
        ("adventurousness", "Safe"),
        ("player_swing", "60 %"),
        ("memory", "80 %"),
    ] {
        let (_, param, _) = params.param_map().into_iter().find(|(name, ..)| name == id).unwrap();
        // SAFETY: the pointer lives as long as `params`.
        unsafe {
            let normalised = param.string_to_normalized_value(text).unwrap_or_else(|| panic!("{id} does not know {text:?}"));
            param._internal_set_normalized_value(normalised);
        }
    }
    let ControlValues { plan, output, music, .. } = params.controls();
    let shape = ShapeControls {
        density: Some(6),
        register: [Some(48), Some(78)],
        span: None,
        voices: Some(2),
        note_ticks: Some(12),
        repetition: -40,
    };
    let harmony = HarmonyControls {
        key: KeyControl::Fixed(1),
        scale: ScaleKind::Dorian,
        scale_lock: ScaleLock::Locked,
        chord: Some(Chord { root: 8, kind: ChordKind::Seventh }),
    };
    assert_eq!((music.shape, music.harmony), (shape, harmony));
    assert_eq!((plan.phrase_bars, output.feel), (Some(2), Feel { performed: 0, loudness: 70, swing: 60 }));
    assert_eq!(music.memory, 80);
    assert!((music.adventurousness - 0.17).abs() < 1e-6);
}
