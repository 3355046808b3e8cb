//! The parameters. Their ids, ranges and steps must never change: projects and automation store them. Hosts see them in the order of the
//! declarations; new ones are declared at the end, in a group of their own.

mod band;
mod drawer;
mod infill;
mod ladder;
mod mode_switch;
mod music;
mod output;
mod playback;
mod player;
mod steps;
mod text;
mod tips;
mod trigger;
mod turns;
mod variations;
mod window;

use std::sync::Arc;

use antiphon_engine::plan::PlayMode;
use antiphon_engine::session::{ControlValues, MusicControls, PlanControls, RoleControls, TurnControls};
use nice_plug::prelude::*;

pub use band::BandParams;
pub(crate) use drawer::ALWAYS_IN_FRONT;
pub use drawer::ShownParameter;
pub use infill::InfillParams;
pub use mode_switch::ModeSwitch;
pub use music::MusicParams;
pub use output::OutputParams;
pub use playback::PlaybackParams;
pub use player::PlayerParams;
pub use steps::{AnswerAfterStep, InputRole, ModeStep, OutputRole, TakeStep, TradeBarsStep};
pub use trigger::{HostParams, Presses, TRIGGERS, set_aside};
pub use turns::TurnParams;
pub use variations::VariationParams;
pub use window::{Look, WindowParams};

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
    /// State other than parameters.
    #[persist = "antiphon"]
    pub state: Arc<State>,
    /// How often Play, Another and Keep went on.
    pub commands: [Presses; 3],
    /// The mode that a learnt trigger has chosen.
    pub mode_switch: ModeSwitch,
    /// Where planned notes go.
    #[nested]
    pub output: OutputParams,
    /// How the plan is to sound.
    #[nested]
    pub music: MusicParams,
    /// When Antiphon plays by itself.
    #[nested]
    pub turns: TurnParams,
    /// Which variation of the plan is shown, and what others keep of it.
    #[nested]
    pub variations: VariationParams,
    /// Bars of the song that are filled.
    #[nested]
    pub infill: InfillParams,
    /// What Antiphon learns from its player.
    #[nested]
    pub player: PlayerParams,
    /// What is heard of other instances.
    #[nested]
    pub band: BandParams,
    /// How the window looks.
    #[nested]
    pub window: WindowParams,
    /// What ends playback.
    #[nested]
    pub playback: PlaybackParams,
}

impl AntiphonParams {
    /// Defaults of a class with or without the preview synth.
    #[must_use]
    pub fn new(preview: bool) -> Self {
        let horizon = IntRange::Linear { min: 1, max: MOST_BARS };
        let seed = IntRange::Linear { min: 0, max: LARGEST_SEED };
        let sound = BoolParam::new("Preview sound", preview);
        let commands = <[Presses; 3]>::default();
        let [plays, others, keeps] = &commands;
        Self {
            mode: EnumParam::new("Mode", ModeStep::Suggest),
            play: plays.of("Play"),
            another: others.of("Another"),
            keep: keeps.of("Keep"),
            horizon: IntParam::new("Bars ahead", 4, horizon)
                .with_value_to_string(Arc::new(bars))
                .with_string_to_value(Arc::new(|text| text.trim_end_matches(|c: char| !c.is_ascii_digit()).trim().parse().ok())),
            adventurousness: FloatParam::new("Adventurousness", 0.5, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_value_to_string(Arc::new(ladder::name))
                .with_string_to_value(Arc::new(ladder::value)),
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
            state: Arc::default(),
            commands,
            mode_switch: ModeSwitch::default(),
            output: OutputParams::default(),
            music: MusicParams::default(),
            turns: TurnParams::default(),
            variations: VariationParams::default(),
            infill: InfillParams::default(),
            player: PlayerParams::default(),
            band: BandParams::default(),
            window: WindowParams::default(),
            playback: PlaybackParams::default(),
        }
    }

    /// The mode: that of the parameter, unless a learnt trigger has chosen another since it was set.
    #[must_use]
    pub fn play_mode(&self) -> PlayMode {
        self.mode_switch.chosen().unwrap_or_else(|| self.mode.value().into())
    }

    /// The triggers and how often each was pressed, in the order of [`TRIGGERS`].
    #[must_use]
    pub fn triggers(&self) -> [(&BoolParam, &Presses); TRIGGERS.len()] {
        let [plays, others, keeps] = &self.commands;
        let VariationParams { variation_a, variation_b, variation_c, variation_d, choices: [a, b, c, d], .. } = &self.variations;
        [
            (&self.play, plays),
            (&self.another, others),
            (&self.keep, keeps),
            (&self.playback.stop, &self.playback.stops),
            (&self.output.panic, &self.output.panics),
            (variation_a, a),
            (variation_b, b),
            (variation_c, c),
            (variation_d, d),
            (&self.player.forget, &self.player.forgets),
        ]
    }

    /// The values that the session needs.
    #[must_use]
    pub fn controls(&self) -> ControlValues {
        ControlValues {
            plan: PlanControls {
                mode: self.play_mode(),
                // The range limits it to 1 to 8.
                horizon_bars: u8::try_from(self.horizon.value()).unwrap_or(1),
                phrase_bars: self.music.phrase_bars(),
                seed: u32::try_from(self.seed.value()).ok().filter(|&seed| seed != 0),
            },
            roles: RoleControls {
                input: self.input_role.value().into(),
                output: self.output_role.value().into(),
                further: self.output.further_roles(),
            },
            output: self.output.controls(self.music.feel(self.player.swing())),
            music: MusicControls {
                adventurousness: self.adventurousness.value(),
                shape: self.music.shape(),
                harmony: self.music.harmony(),
                memory: self.player.memory(),
            },
            turns: TurnControls { infill: self.infill.range(), ..self.turns.controls() },
            locks: self.variations.lock(),
            band: self.band.controls(),
        }
    }
}

/// Text of a number of bars.
fn bars(bars: i32) -> String {
    if bars == 1 { "1 bar".into() } else { format!("{bars} bars") }
}

#[cfg(test)]
mod tests;
