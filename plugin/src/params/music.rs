//! Parameters of how the plan is to sound, in a musician's words. By default all of them are automatic: taken from what is played.

use std::sync::Arc;

use antiphon_engine::music::analysis::{Chord, ChordKind, ScaleKind};
use antiphon_engine::music::pitch_class_name;
use antiphon_engine::plan::Feel;
use antiphon_engine::session::{HarmonyControls, KeyControl, ScaleLock, ShapeControls};
use nice_plug::prelude::*;

use super::text::{self, FULL};

/// From few notes to many. Steps of the model's conditioning.
const DENSITIES: [&str; 9] = [text::AUTO, "Very sparse", "Sparse", "Relaxed", "Moderate", "Lively", "Busy", "Very busy", "Densest"];
/// From the lowest to the highest note of a bar. Steps of the model's conditioning.
const SPANS: [&str; 9] = [
    text::AUTO,
    "Under a fourth",
    "Under an octave",
    "Under 1.5 octaves",
    "Under 2 octaves",
    "Under 2.5 octaves",
    "About 3 octaves",
    "Under 4 octaves",
    "4 octaves or more",
];
/// Notes at once.
const VOICES: [&str; 9] =
    [text::AUTO, "1 voice", "2 voices", "3 voices", "4 voices", "5 voices", "6 voices", "7 voices", "8 or more voices"];
/// Note lengths, and their ticks.
const LENGTHS: [&str; 7] = [text::AUTO, "1/32", "1/16", "1/8", "1/4", "1/2", "1/1"];
const LENGTH_TICKS: [u8; 7] = [0, 3, 6, 12, 24, 48, 96];
/// Steps of the key before the twelve tonics.
const DETECTED: i32 = 0;
const OFF: i32 = 1;
const TONICS: i32 = 2;
/// Names of [`ScaleKind::ALL`].
const SCALES: [&str; ScaleKind::ALL.len()] = {
    let mut names = [""; ScaleKind::ALL.len()];
    let mut step = 0;
    while step < names.len() {
        names[step] = ScaleKind::ALL[step].name();
        step += 1;
    }
    names
};
/// Names of [`ChordKind::ALL`].
const CHORDS: [&str; ChordKind::ALL.len()] = {
    let mut names = [""; ChordKind::ALL.len()];
    let mut step = 0;
    while step < names.len() {
        names[step] = ChordKind::ALL[step].name();
        step += 1;
    }
    names
};

/// Shape and pitch classes of the plan.
#[derive(Params)]
pub struct MusicParams {
    /// Notes per quarter.
    #[id = "density"]
    pub density: IntParam,
    /// Lowest MIDI key; 0 is automatic.
    #[id = "register_low"]
    pub register_low: IntParam,
    /// Highest MIDI key; 127 is automatic.
    #[id = "register_high"]
    pub register_high: IntParam,
    /// From the lowest to the highest note of a bar.
    #[id = "span"]
    pub span: IntParam,
    /// Notes at once.
    #[id = "voices"]
    pub voices: IntParam,
    /// Note length.
    #[id = "note_length"]
    pub note_length: IntParam,
    /// From novelty (-100) to repetition (100).
    #[id = "repetition"]
    pub repetition: IntParam,
    /// Bars of a plan; 0 is the horizon.
    #[id = "phrase_length"]
    pub phrase_length: IntParam,
    /// Detected, off, or the tonic of a fixed key.
    #[id = "key"]
    pub key: IntParam,
    /// Scale of a fixed key.
    #[id = "scale"]
    pub scale: IntParam,
    /// Whether notes outside of the scale are masked.
    #[id = "scale_lock"]
    pub scale_lock: BoolParam,
    /// Root of a chord that is held; 0 is automatic.
    #[id = "chord"]
    pub chord: IntParam,
    /// Its kind.
    #[id = "chord_kind"]
    pub chord_kind: IntParam,
    /// From quantised (0) to performed (100).
    #[id = "feel"]
    pub feel: IntParam,
    /// How far the loudness follows the player, in percent.
    #[id = "loudness_follow"]
    pub loudness_follow: IntParam,
}

impl Default for MusicParams {
    fn default() -> Self {
        Self {
            density: text::steps("Density", &DENSITIES),
            register_low: text::key("Lowest note", 0),
            register_high: text::key("Highest note", 127),
            span: text::steps("Span", &SPANS),
            voices: text::steps("Voices", &VOICES),
            note_length: text::steps("Note length", &LENGTHS),
            repetition: repetition(),
            phrase_length: text::named("Phrase length", text::AS_HORIZON, [0, super::MOST_BARS], super::bars),
            key: tonic("Key", &[text::AUTO, "Off"]),
            scale: text::steps("Scale", &SCALES),
            scale_lock: BoolParam::new("Scale lock", false),
            chord: tonic("Chord", &[text::AUTO]),
            chord_kind: text::steps("Chord kind", &CHORDS),
            feel: text::share("Feel", FULL, |share| match share {
                0 => "Quantised".into(),
                FULL => "Performed".into(),
                share => format!("{share} % performed"),
            }),
            loudness_follow: text::share("Loudness follows", 0, |share| if share == 0 { "Off".into() } else { format!("{share} %") }),
        }
    }
}

impl MusicParams {
    /// Shape of planned bars.
    pub(super) fn shape(&self) -> ShapeControls {
        let key = |param: &IntParam| (param.value() != param.default_plain_value()).then(|| u8::try_from(param.value()).unwrap_or(0));
        let length = usize::try_from(self.note_length.value()).ok().and_then(|step| LENGTH_TICKS.get(step)).copied();
        ShapeControls {
            density: text::requested(&self.density),
            register: [key(&self.register_low), key(&self.register_high)],
            span: text::requested(&self.span),
            voices: text::requested(&self.voices),
            note_ticks: length.filter(|ticks| *ticks > 0),
            repetition: i8::try_from(self.repetition.value()).unwrap_or(0),
        }
    }

    /// Pitch classes of planned notes.
    pub(super) fn harmony(&self) -> HarmonyControls {
        let key = match self.key.value() {
            DETECTED => KeyControl::Detected,
            OFF => KeyControl::Off,
            step => KeyControl::Fixed(u8::try_from(step - TONICS).unwrap_or(0)),
        };
        let step = |param: &IntParam| usize::try_from(param.value()).unwrap_or(0);
        let kind = ChordKind::ALL.get(step(&self.chord_kind)).copied().unwrap_or(ChordKind::Major);
        HarmonyControls {
            key,
            scale: ScaleKind::ALL.get(step(&self.scale)).copied().unwrap_or_default(),
            scale_lock: if self.scale_lock.value() { ScaleLock::Locked } else { ScaleLock::Free },
            chord: text::requested(&self.chord).map(|step| Chord { root: step - 1, kind }),
        }
    }

    /// Timing and loudness.
    pub(super) fn feel(&self, swing: u8) -> Feel {
        let share = |param: &IntParam| u8::try_from(param.value()).unwrap_or(0);
        Feel { performed: share(&self.feel), loudness: share(&self.loudness_follow), swing }
    }

    /// Bars of a plan; `None` is the horizon.
    pub(super) fn phrase_bars(&self) -> Option<u8> {
        text::requested(&self.phrase_length)
    }
}

/// From novelty to repetition, in percent either way.
fn repetition() -> IntParam {
    const NOVELTY: &str = "Novelty";
    const REPETITION: &str = "Repetition";
    IntParam::new("Repetition", 0, IntRange::Linear { min: -FULL, max: FULL })
        .with_value_to_string(Arc::new(|amount| match amount {
            0 => text::AUTO.into(),
            1.. => format!("{REPETITION} {amount} %"),
            _ => format!("{NOVELTY} {} %", -amount),
        }))
        .with_string_to_value(Arc::new(|text| {
            let text = text.trim();
            if text::is_auto(text) {
                return Some(0);
            }
            let amount = text::number(text)?;
            let is_novelty = text.get(..NOVELTY.len()).is_some_and(|word| word.eq_ignore_ascii_case(NOVELTY));
            Some(if is_novelty { -amount } else { amount })
        }))
}

/// Steps of these names, then the pitch classes from C on.
fn tonic(name: &str, before: &'static [&'static str]) -> IntParam {
    let first = i32::try_from(before.len()).unwrap_or(0);
    let named = |step: i32| usize::try_from(step).ok().and_then(|step| before.get(step)).copied();
    IntParam::new(name, 0, IntRange::Linear { min: 0, max: first + 11 })
        .with_value_to_string(Arc::new(move |step| {
            named(step).unwrap_or_else(|| u8::try_from(step - first).map_or("", pitch_class_name)).into()
        }))
        .with_string_to_value(Arc::new(move |text| {
            let text = text.trim();
            text::step_named(before, text).or_else(|| text::pitch_class(text).map(|class| class + first))
        }))
}
