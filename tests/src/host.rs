//! What both hosts can do, in one vocabulary.

/// The two classes of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 0 audio channels in, 2 out.
    Instrument,
    /// 2 audio channels in, 2 out.
    NoteFx,
}

impl Class {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Instrument, Self::NoteFx];

    /// The name hosts list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instrument => "Antiphon",
            Self::NoteFx => "Antiphon Note FX",
        }
    }

    pub(crate) const fn has_input(self) -> bool {
        matches!(self, Self::NoteFx)
    }
}

/// How an instance is set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Hertz.
    pub sample_rate: f64,
    /// The longest block, in samples.
    pub longest_block: u32,
    /// What the host renders for.
    pub render: Render,
}

/// What a host renders for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Render {
    /// Somebody who listens.
    #[default]
    RealTime,
    /// A file.
    Offline,
}

impl Default for Setup {
    fn default() -> Self {
        Self { sample_rate: 48_000.0, longest_block: 16_384, render: Render::RealTime }
    }
}

/// A MIDI message, with what both formats keep of it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the fields are MIDI's")]
pub enum Message {
    NoteOn { channel: u8, key: u8, velocity: f32 },
    NoteOff { channel: u8, key: u8, velocity: f32 },
    KeyPressure { channel: u8, key: u8, pressure: f32 },
    Control { channel: u8, controller: u8, value: u8 },
    Bend { channel: u8, value: u16 },
    ChannelPressure { channel: u8, value: u8 },
}

impl Message {
    /// Its place within a sample: note-offs, controllers, note-ons.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::NoteOff { .. } => 0,
            Self::NoteOn { .. } => 2,
            _ => 1,
        }
    }
}

/// A message and its sample: in a block, or since the first block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// When.
    pub sample: u64,
    /// What.
    pub message: Message,
}

/// What a host says about the time of a block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Transport {
    /// Whether it rolls.
    pub playing: bool,
    /// Quarters per minute.
    pub tempo: Option<f64>,
    /// Numerator and denominator.
    pub metre: Option<(u16, u16)>,
    /// Quarters from the start of the song.
    pub position: Option<f64>,
    /// The current bar's start, in quarters.
    pub bar: Option<f64>,
    /// The loop, in quarters, while it is on.
    pub cycle: Option<(f64, f64)>,
}

/// Whether a block has audio outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outputs {
    /// As the class asks for.
    #[default]
    All,
    /// None, as Live does for bypassed plug-ins.
    None,
}

/// What goes into a block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block<'a> {
    /// Samples.
    pub frames: u32,
    /// `None` from hosts that have no transport.
    pub transport: Option<Transport>,
    /// Messages in order of time.
    pub messages: &'a [Timed],
    /// What both input channels carry, sample by sample; silence beyond its end.
    pub audio: &'a [f32],
    /// Whether there are audio outputs.
    pub outputs: Outputs,
}

/// What comes out of a block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Messages in the order they were sent.
    pub messages: Vec<Timed>,
    /// The output channels.
    pub audio: [Vec<f32>; 2],
}

/// A host with one instance that is active and processing.
pub trait Host {
    /// Plays a block.
    fn process(&mut self, block: &Block<'_>) -> Outcome;

    /// Sets a parameter by its name, 0 to 1, with the next block.
    fn set(&mut self, name: &str, normalised: f64);

    /// A parameter's value, 0 to 1.
    fn get(&mut self, name: &str) -> f64;

    /// The state as the project keeps it.
    fn save(&mut self) -> Vec<u8>;

    /// Loads a state; whether the plug-in took it.
    fn load(&mut self, chunk: &[u8]) -> bool;

    /// Hands every parameter the value that it has with the next block, hidden ones too, as hosts do after a load.
    fn write_back(&mut self);

    /// Resets the instance while it processes.
    fn reset(&mut self);

    /// Stops and deactivates the instance, and activates it again.
    fn reactivate(&mut self);
}
