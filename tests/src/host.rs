//! What both hosts can do, behind one interface.

/// The two classes of the library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 0 audio channels in, 2 out.
    Instrument,
    /// 2 audio channels in, 2 out.
    NoteFx,
}

impl Class {
    /// Both classes.
    pub const ALL: [Self; 2] = [Self::Instrument, Self::NoteFx];

    /// Plug-in name shown by hosts.
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

/// Configuration of an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Sample rate in hertz.
    pub sample_rate: f64,
    /// Maximum block length, in samples.
    pub longest_block: u32,
    /// Render mode.
    pub render: Render,
}

/// Render mode of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Render {
    /// Real time.
    #[default]
    RealTime,
    /// To a file.
    Offline,
}

impl Default for Setup {
    fn default() -> Self {
        Self { sample_rate: 48_000.0, longest_block: 16_384, render: Render::RealTime }
    }
}

/// A MIDI message, as far as both formats represent it.
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
    /// The key or controller it is about: kind, channel, number. Two messages at one sample on the same subject are nothing that a VST3 host can express.
    #[must_use]
    pub const fn subject(&self) -> (u8, u8, u8) {
        match *self {
            Self::NoteOn { channel, key, .. } | Self::NoteOff { channel, key, .. } | Self::KeyPressure { channel, key, .. } => {
                (0, channel, key)
            }
            Self::Control { channel, controller, .. } => (1, channel, controller),
            Self::Bend { channel, .. } => (2, channel, 0),
            Self::ChannelPressure { channel, .. } => (3, channel, 0),
        }
    }

    /// Order within a sample: note-offs, controllers, note-ons.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::NoteOff { .. } => 0,
            Self::NoteOn { .. } => 2,
            _ => 1,
        }
    }
}

/// A message with its sample: from the start of the block, or of the first block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timed {
    /// Sample.
    pub sample: u64,
    /// Message.
    pub message: Message,
}

/// A host's transport information for one block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Transport {
    /// Whether the transport is rolling.
    pub playing: bool,
    /// Quarters per minute.
    pub tempo: Option<f64>,
    /// Numerator and denominator.
    pub metre: Option<(u16, u16)>,
    /// Song position in quarters.
    pub position: Option<f64>,
    /// Start of the current bar, in quarters.
    pub bar: Option<f64>,
    /// Loop in quarters, while it is on.
    pub cycle: Option<(f64, f64)>,
}

/// Which outputs a block has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outputs {
    /// As the class requires.
    #[default]
    All,
    /// No audio, as in Live for bypassed plug-ins.
    None,
    /// No event output: VST3 gets no list, CLAP one that takes nothing. Hosts do so for instruments.
    Audio,
}

/// Input of a block.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block<'a> {
    /// Length in samples.
    pub frames: u32,
    /// `None` for hosts without a transport.
    pub transport: Option<Transport>,
    /// Messages in order of time.
    pub messages: &'a [Timed],
    /// Samples of both input channels; silence beyond its end.
    pub audio: &'a [f32],
    /// Whether there are audio outputs.
    pub outputs: Outputs,
}

/// Output of a block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Messages in the order sent.
    pub messages: Vec<Timed>,
    /// Output channels.
    pub audio: [Vec<f32>; 2],
}

/// A host with one active instance.
pub trait Host {
    /// Processes a block.
    fn process(&mut self, block: &Block<'_>) -> Outcome;

    /// Sets a parameter by name, 0 to 1, with the next block.
    fn set(&mut self, name: &str, normalised: f64);

    /// A parameter's value, 0 to 1.
    fn get(&mut self, name: &str) -> f64;

    /// The state as saved with the project.
    fn save(&mut self) -> Vec<u8>;

    /// Loads a state; returns whether the plug-in accepted it.
    fn load(&mut self, chunk: &[u8]) -> bool;

    /// Writes every parameter's current value back with the next block, hidden ones included, as hosts do after a load.
    fn write_back(&mut self);

    /// Resets the instance while it processes.
    fn reset(&mut self);

    /// Deactivates the instance and activates it again.
    fn reactivate(&mut self);
}
