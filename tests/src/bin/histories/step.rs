//! A history: how an instance is set up, and what host, player and window do to it.

use antiphon_engine::plan::Step as HistoryStep;
use antiphon_engine::session::Command;
use antiphon_tests::Class;
use serde::{Deserialize, Serialize};

/// Plug-in format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Format {
    Clap,
    Vst3,
}

/// A whole history. Any part of its steps is a history, too, so that a failing one can be shortened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    pub(crate) format: Format,
    pub(crate) is_note_fx: bool,
    /// Whether the preview synth is on.
    pub(crate) has_preview: bool,
    /// Sample rate in hertz. Low ones let many beats pass in few samples.
    pub(crate) sample_rate: f64,
    /// Initial tempo in quarters per minute.
    pub(crate) tempo: f64,
    /// Seed of the scripted plans.
    pub(crate) plan_seed: u64,
    pub(crate) steps: Vec<Step>,
}

impl History {
    pub(crate) const fn class(&self) -> Class {
        if self.is_note_fx { Class::NoteFx } else { Class::Instrument }
    }
}

/// When the session runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SessionRuns {
    /// After every block.
    EachBlock,
    /// Only after the last: a burst of blocks, or a late thread.
    AtEnd,
}

/// One step. Player's messages and parameter changes take effect in the next block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Processes blocks of this many samples.
    Blocks { frames: u32, count: u8, session: SessionRuns },
    /// The player strikes a key, unless it is held. `at` places it in the block: 0 first sample, 255 last.
    Strike { channel: u8, key: u8, velocity: u8, at: u8 },
    /// The player releases the held key of this number, counted round.
    Release { number: u8, at: u8 },
    /// A note-off of a key that may not be held.
    StrayRelease { channel: u8, key: u8, at: u8 },
    /// Any other message of the player.
    Send { message: Controller, at: u8 },
    /// The transport rolls from its position.
    Roll,
    /// The transport stops.
    Halt,
    /// The host reports no transport, or reports it again.
    Transport { reported: bool },
    /// The song continues at this position, in quarters.
    Locate { quarters: f64 },
    /// A loop in quarters from the start of the bar, or none.
    Cycle { length: Option<f64> },
    /// Quarters per minute.
    Tempo { bpm: f64 },
    /// Time signature.
    Metre { numerator: u16, denominator: u16 },
    /// Sets a parameter, 0 to 1.
    Set { parameter: Parameter, value: f64 },
    /// The window sends a command.
    Window { command: WindowCommand },
    /// The host saves the state.
    Save,
    /// The host loads the saved state of this number, counted round, if there is one.
    Load { number: u8 },
    /// The host loads a state with a damaged byte.
    LoadDamaged { byte: u16 },
    /// The host writes all parameters back.
    WriteBack,
    /// The host resets the instance.
    Reset,
    /// The host deactivates the instance and activates it again.
    Reactivate,
    /// The host destroys the instance and makes another.
    Recreate,
    /// From now on a passage of the scripted engine takes this many runs of the session; one job in 16 fails if `fails`.
    Worker { runs: u8, fails: bool },
}

/// A message other than a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Controller {
    Control {
        channel: u8,
        controller: u8,
        value: u8,
    },
    Bend {
        channel: u8,
        value: u16,
    },
    ChannelPressure {
        channel: u8,
        value: u8,
    },
    /// Of the held key of this number, counted round.
    KeyPressure {
        number: u8,
        value: u8,
    },
}

/// Parameters that histories set: all that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Parameter {
    Mode,
    Horizon,
    Adventurousness,
    Seed,
    InputRole,
    OutputRole,
    Thru,
    Preview,
    Bypass,
    Play,
    Another,
    Keep,
    OutputRole2,
    OutputRole3,
    OutputChannel,
    ChannelPerRole,
    DrumChannel,
    OutputOffset,
    Panic,
    Take,
    Density,
    LowestNote,
    HighestNote,
    Span,
    Voices,
    NoteLength,
    Repetition,
    PhraseLength,
    Key,
    Scale,
    ScaleLock,
    Chord,
    ChordKind,
    Feel,
    LoudnessFollows,
    AnswerAfter,
    TradeBars,
    InfillFrom,
    InfillBars,
    VariationA,
    VariationB,
    VariationC,
    VariationD,
    LockRhythm,
    LockPitches,
    PlayerSwing,
    Memory,
    Forget,
    Hears,
    HearsInstance,
}

impl Parameter {
    pub(crate) const ALL: [Self; 50] = [
        Self::Mode,
        Self::Horizon,
        Self::Adventurousness,
        Self::Seed,
        Self::InputRole,
        Self::OutputRole,
        Self::Thru,
        Self::Preview,
        Self::Bypass,
        Self::Play,
        Self::Another,
        Self::Keep,
        Self::OutputRole2,
        Self::OutputRole3,
        Self::OutputChannel,
        Self::ChannelPerRole,
        Self::DrumChannel,
        Self::OutputOffset,
        Self::Panic,
        Self::Take,
        Self::Density,
        Self::LowestNote,
        Self::HighestNote,
        Self::Span,
        Self::Voices,
        Self::NoteLength,
        Self::Repetition,
        Self::PhraseLength,
        Self::Key,
        Self::Scale,
        Self::ScaleLock,
        Self::Chord,
        Self::ChordKind,
        Self::Feel,
        Self::LoudnessFollows,
        Self::AnswerAfter,
        Self::TradeBars,
        Self::InfillFrom,
        Self::InfillBars,
        Self::VariationA,
        Self::VariationB,
        Self::VariationC,
        Self::VariationD,
        Self::LockRhythm,
        Self::LockPitches,
        Self::PlayerSwing,
        Self::Memory,
        Self::Forget,
        Self::Hears,
        Self::HearsInstance,
    ];

    /// Name shown by hosts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mode => "Mode",
            Self::Horizon => "Bars ahead",
            Self::Adventurousness => "Adventurousness",
            Self::Seed => "Seed",
            Self::InputRole => "Input role",
            Self::OutputRole => "Output role",
            Self::Thru => "Thru",
            Self::Preview => "Preview sound",
            Self::Bypass => "Bypass",
            Self::Play => "Play",
            Self::Another => "Another",
            Self::Keep => "Keep",
            Self::OutputRole2 => "Output role 2",
            Self::OutputRole3 => "Output role 3",
            Self::OutputChannel => "Output channel",
            Self::ChannelPerRole => "Channel per role",
            Self::DrumChannel => "Drum channel",
            Self::OutputOffset => "Output offset",
            Self::Panic => "Panic",
            Self::Take => "Take",
            Self::Density => "Density",
            Self::LowestNote => "Lowest note",
            Self::HighestNote => "Highest note",
            Self::Span => "Span",
            Self::Voices => "Voices",
            Self::NoteLength => "Note length",
            Self::Repetition => "Repetition",
            Self::PhraseLength => "Phrase length",
            Self::Key => "Key",
            Self::Scale => "Scale",
            Self::ScaleLock => "Scale lock",
            Self::Chord => "Chord",
            Self::ChordKind => "Chord kind",
            Self::Feel => "Feel",
            Self::LoudnessFollows => "Loudness follows",
            Self::AnswerAfter => "Answer after",
            Self::TradeBars => "Trade bars",
            Self::InfillFrom => "Infill from",
            Self::InfillBars => "Infill bars",
            Self::VariationA => "Variation A",
            Self::VariationB => "Variation B",
            Self::VariationC => "Variation C",
            Self::VariationD => "Variation D",
            Self::LockRhythm => "Lock rhythm",
            Self::LockPitches => "Lock pitches",
            Self::PlayerSwing => "Player's swing",
            Self::Memory => "Memory",
            Self::Forget => "Forget",
            Self::Hears => "Hears",
            Self::HearsInstance => "Hears instance",
        }
    }
}

/// A command of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WindowCommand {
    Play,
    Another,
    Keep,
    Earlier,
    Later,
    Now,
}

impl From<WindowCommand> for Command {
    fn from(command: WindowCommand) -> Self {
        match command {
            WindowCommand::Play => Self::Play,
            WindowCommand::Another => Self::Another,
            WindowCommand::Keep => Self::Keep,
            WindowCommand::Earlier => Self::Step(HistoryStep::Older),
            WindowCommand::Later => Self::Step(HistoryStep::Newer),
            WindowCommand::Now => Self::Step(HistoryStep::Now),
        }
    }
}
