//! The musical controls that the session reads.

use crate::music::Role;
use crate::music::analysis::{Chord, KeySignature, ScaleKind};
use crate::plan::{AnswerAfter, Feel, InfillRange, PlannedRoles, PlayMode, Routing, TakeMode, TradeBars, accompanying};

/// Largest output offset either way, in milliseconds.
pub const MOST_LATENCY_MS: i8 = 50;

/// Default weight of the memory of the player, in percent.
pub const DEFAULT_MEMORY: u8 = 50;

/// Values of the musical controls at one time. The defaults are those of the host parameters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ControlValues {
    /// What is planned, and how far ahead.
    pub plan: PlanControls,
    /// Roles of player and plan.
    pub roles: RoleControls,
    /// Where planned notes go, and when.
    pub output: OutputControls,
    /// How planned music is to sound.
    pub music: MusicControls,
    /// When Antiphon plays by itself.
    pub turns: TurnControls,
    /// What is heard of other instances.
    pub band: BandControls,
    /// What plans keep of the plan that they replace.
    pub locks: PatternLock,
}

/// What plans keep of the whole plan that they replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatternLock {
    /// Nothing but notes and bars that are locked themselves.
    #[default]
    None,
    /// Onsets, roles and durations.
    Rhythm,
    /// The pitches of each bar and role, in order.
    Pitches,
    /// Both: its notes.
    Whole,
}

/// What is planned, and how far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanControls {
    /// Play mode.
    pub mode: PlayMode,
    /// Horizon in bars, 1 to 8.
    pub horizon_bars: u8,
    /// Length of a phrase in bars, 1 to 8: where the plan ends. `None` is the horizon.
    pub phrase_bars: Option<u8>,
    /// Fixed seed; `None` draws one per session.
    pub seed: Option<u32>,
}

impl PlanControls {
    /// Bars from the next bar line to the end of a plan, 1 to 8.
    #[must_use]
    pub fn bars(self) -> u8 {
        self.phrase_bars.unwrap_or(self.horizon_bars)
    }
}

/// Bars planned ahead while Antiphon plays along: every beat brings a new plan.
const BARS_ALONG: u8 = 1;

impl ControlValues {
    /// Bars from the next bar line to the end of a plan that plays by itself, 1 to 8: in Trade those of a turn, in Infill the marked ones, in Accompany one, and
    /// otherwise as the control has them.
    #[must_use]
    pub fn bars_in_turn(&self) -> u8 {
        match self.plan.mode {
            PlayMode::Suggest | PlayMode::Answer => self.plan.bars(),
            PlayMode::Trade => self.turns.trade_bars.count(),
            PlayMode::Accompany => BARS_ALONG,
            PlayMode::Infill => self.turns.infill.bars,
        }
    }
}

impl Default for PlanControls {
    fn default() -> Self {
        Self { mode: PlayMode::default(), horizon_bars: 4, phrase_bars: None, seed: None }
    }
}

/// Roles of player and plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoleControls {
    /// Role of the player; `None` detects it.
    pub input: Option<Role>,
    /// First role of the plan; `None` is the player's.
    pub output: Option<Role>,
    /// Second and third role of the plan; `None` for no such role.
    pub further: [Option<Role>; 2],
}

impl ControlValues {
    /// Roles of the plan, for a player of this role.
    #[must_use]
    pub fn planned(&self, player: Role) -> PlannedRoles {
        let RoleControls { output, further: [second, third], .. } = self.roles;
        match self.plan.mode {
            PlayMode::Accompany => accompanying(player, [output, second, third]),
            _ => PlannedRoles::new(output.unwrap_or(player), [second, third]),
        }
    }
}

/// Where planned notes go, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputControls {
    /// MIDI channels.
    pub routing: Routing,
    /// Timing and loudness.
    pub feel: Feel,
    /// Offset of planned notes in milliseconds, up to [`MOST_LATENCY_MS`] either way; negative is earlier. The audio thread applies it.
    pub latency_ms: i8,
    /// Use of the take.
    pub take: TakeMode,
}

/// When Antiphon plays by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnControls {
    /// Silence of the player before Antiphon answers, in Answer.
    pub answer_after: AnswerAfter,
    /// Length of a turn, in Trade.
    pub trade_bars: TradeBars,
    /// Bars of the song that are filled, in Infill.
    pub infill: InfillRange,
}

/// What is heard of the other instances in the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BandControls {
    /// How much of their music.
    pub hearing: Hearing,
    /// Number of the instance that is heard, from 1; `None` for all.
    pub whom: Option<u8>,
}

/// How much is heard of another instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hearing {
    /// Nothing.
    #[default]
    Nothing,
    /// The chords of its finished bars, and so its key; not its notes.
    KeyAndChords,
    /// All its notes.
    Everything,
}

impl BandControls {
    /// Whether the instance of this number is heard.
    #[must_use]
    pub fn hears(self, number: u8) -> bool {
        self.hearing != Hearing::Nothing && self.whom.is_none_or(|whom| whom == number)
    }
}

/// How planned music is to sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MusicControls {
    /// Adventurousness, 0 to 1.
    pub adventurousness: f32,
    /// Shape of its bars.
    pub shape: ShapeControls,
    /// Its pitch classes.
    pub harmony: HarmonyControls,
    /// Weight of what was learnt from the player, 0 to 100 percent; [`DEFAULT_MEMORY`] is as the model was trained.
    pub memory: u8,
}

/// Shape of planned bars; `None` is as played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShapeControls {
    /// Notes per quarter, a step of 1 to 8.
    pub density: Option<u8>,
    /// Lowest and highest MIDI key of all roles but drums, in either order.
    pub register: [Option<u8>; 2],
    /// From the lowest to the highest note of a bar, a step of 1 to 8.
    pub span: Option<u8>,
    /// Notes at once, 1 to 8 or more.
    pub voices: Option<u8>,
    /// Duration of a note in ticks.
    pub note_ticks: Option<u8>,
    /// Bars that repeat earlier ones, in percent of all: positive for more repetition than in the music so far, negative for less.
    pub repetition: i8,
}

/// Pitch classes of planned notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HarmonyControls {
    /// Key of the bars to come.
    pub key: KeyControl,
    /// Scale on the tonic of a fixed key.
    pub scale: ScaleKind,
    /// Whether notes outside of the scale are masked.
    pub scale_lock: ScaleLock,
    /// Chord whose tones planned notes on a quarter are; `None` leaves the chords to the model.
    pub chord: Option<Chord>,
}

/// Key of the bars to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyControl {
    /// The last one detected.
    #[default]
    Detected,
    /// None: the model is free.
    Off,
    /// On this tonic, a pitch class.
    Fixed(u8),
}

/// Whether notes outside of the scale are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScaleLock {
    /// The key only conditions the model.
    #[default]
    Free,
    /// No planned note but drums lies outside.
    Locked,
}

impl HarmonyControls {
    /// The fixed key.
    #[must_use]
    pub fn fixed_key(self) -> Option<KeySignature> {
        let KeyControl::Fixed(tonic) = self.key else { return None };
        KeySignature::new(tonic, self.scale.mode())
    }
}

impl Default for MusicControls {
    fn default() -> Self {
        Self { adventurousness: 0.5, shape: ShapeControls::default(), harmony: HarmonyControls::default(), memory: DEFAULT_MEMORY }
    }
}
