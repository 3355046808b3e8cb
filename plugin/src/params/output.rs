//! Parameters of what leaves the plug-in: further roles, channels, time offset, panic, take.

use antiphon_engine::music::Role;
use antiphon_engine::plan::{ChannelSpread, Feel, Routing, TakeMode};
use antiphon_engine::session::{MOST_LATENCY_MS, OutputControls};
use nice_plug::prelude::*;

use super::trigger::Presses;
use super::{TakeStep, text};

/// MIDI channels, as musicians count them.
const CHANNELS: i32 = 16;
/// General MIDI's percussion channel, as musicians count it.
const PERCUSSION: i32 = 10;

/// Where planned notes go, and when.
#[derive(Params)]
pub struct OutputParams {
    /// Second role of the plan; 0 is none, then the role classes.
    #[id = "output_role_2"]
    pub output_role_2: IntParam,
    /// Third role of the plan, likewise.
    #[id = "output_role_3"]
    pub output_role_3: IntParam,
    /// MIDI channel of the plan, 1 to 16; 0 is the player's.
    #[id = "output_channel"]
    pub output_channel: IntParam,
    /// Whether each role of the plan has a channel of its own.
    #[id = "channel_per_role"]
    pub channel_per_role: BoolParam,
    /// MIDI channel of planned drums, 1 to 16.
    #[id = "drum_channel"]
    pub drum_channel: IntParam,
    /// Offset of planned notes in milliseconds; negative is earlier.
    #[id = "latency_ms"]
    pub latency_ms: IntParam,
    /// Trigger: ends every planned note at once and stops playback.
    #[id = "panic"]
    pub panic: BoolParam,
    /// Whether what sounds is recorded at its song position, or what was recorded plays.
    #[id = "take"]
    pub take: EnumParam<TakeStep>,
    /// How often Panic went on.
    pub panics: Presses,
}

impl Default for OutputParams {
    fn default() -> Self {
        let channel = |value: i32| format!("Channel {value}");
        let latency = i32::from(MOST_LATENCY_MS);
        let panics = Presses::default();
        Self {
            output_role_2: text::role("Output role 2"),
            output_role_3: text::role("Output role 3"),
            output_channel: text::named("Output channel", text::AS_INPUT, [0, CHANNELS], channel),
            channel_per_role: BoolParam::new("Channel per role", false),
            drum_channel: IntParam::new("Drum channel", PERCUSSION, IntRange::Linear { min: 1, max: CHANNELS })
                .with_value_to_string(std::sync::Arc::new(channel))
                .with_string_to_value(std::sync::Arc::new(text::number)),
            latency_ms: IntParam::new("Output offset", 0, IntRange::Linear { min: -latency, max: latency })
                .with_unit(" ms")
                .with_string_to_value(std::sync::Arc::new(text::number)),
            panic: panics.of("Panic"),
            take: EnumParam::new("Take", TakeStep::Off),
            panics,
        }
    }
}

impl OutputParams {
    /// The second and the third role.
    pub(super) fn further_roles(&self) -> [Option<Role>; 2] {
        [&self.output_role_2, &self.output_role_3].map(|param| text::role_at(param.value()))
    }

    /// The values that the session needs.
    pub(super) fn controls(&self, feel: Feel) -> OutputControls {
        // Musicians count channels from 1.
        let channel = |param: &IntParam| param.value().checked_sub(1).and_then(|channel| u8::try_from(channel).ok());
        let routing = Routing {
            channel: channel(&self.output_channel),
            spread: if self.channel_per_role.value() { ChannelSpread::PerRole } else { ChannelSpread::Together },
            drums: channel(&self.drum_channel).unwrap_or(Routing::default().drums),
        };
        OutputControls { routing, feel, latency_ms: self.latency_ms(), take: self.take() }
    }

    /// Use of the take.
    pub(crate) fn take(&self) -> TakeMode {
        self.take.value().into()
    }

    /// Offset of planned notes in milliseconds.
    pub(crate) fn latency_ms(&self) -> i8 {
        // The range limits it.
        i8::try_from(self.latency_ms.value()).unwrap_or(0)
    }
}
