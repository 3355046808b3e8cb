//! Steps of the parameters that are enumerations. Projects store their ids, automation their positions.

use antiphon_engine::music::Role;
use antiphon_engine::plan::{AnswerAfter, PlayMode, TakeMode, TradeBars};
use nice_plug::prelude::*;

/// Steps of the Mode parameter, in the order of [`PlayMode`].
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeStep {
    /// [`PlayMode::Suggest`].
    #[id = "suggest"]
    Suggest,
    /// [`PlayMode::Answer`].
    #[id = "answer"]
    Answer,
    /// [`PlayMode::Trade`].
    #[id = "trade"]
    Trade,
    /// [`PlayMode::Accompany`].
    #[id = "accompany"]
    Accompany,
    /// [`PlayMode::Infill`].
    #[id = "infill"]
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

/// Steps of the Answer after parameter, in the order of [`AnswerAfter`].
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerAfterStep {
    /// [`AnswerAfter::Beat`].
    #[id = "beat"]
    #[name = "1 beat"]
    Beat,
    /// [`AnswerAfter::TwoBeats`].
    #[id = "two_beats"]
    #[name = "2 beats"]
    TwoBeats,
    /// [`AnswerAfter::Bar`].
    #[id = "bar"]
    #[name = "1 bar"]
    Bar,
    /// [`AnswerAfter::TwoBars`].
    #[id = "two_bars"]
    #[name = "2 bars"]
    TwoBars,
}

impl From<AnswerAfterStep> for AnswerAfter {
    fn from(step: AnswerAfterStep) -> Self {
        match step {
            AnswerAfterStep::Beat => Self::Beat,
            AnswerAfterStep::TwoBeats => Self::TwoBeats,
            AnswerAfterStep::Bar => Self::Bar,
            AnswerAfterStep::TwoBars => Self::TwoBars,
        }
    }
}

/// Steps of the Trade bars parameter, in the order of [`TradeBars`].
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeBarsStep {
    /// [`TradeBars::One`].
    #[id = "1"]
    #[name = "1 bar"]
    One,
    /// [`TradeBars::Two`].
    #[id = "2"]
    #[name = "2 bars"]
    Two,
    /// [`TradeBars::Four`].
    #[id = "4"]
    #[name = "4 bars"]
    Four,
    /// [`TradeBars::Eight`].
    #[id = "8"]
    #[name = "8 bars"]
    Eight,
}

impl From<TradeBarsStep> for TradeBars {
    fn from(step: TradeBarsStep) -> Self {
        match step {
            TradeBarsStep::One => Self::One,
            TradeBarsStep::Two => Self::Two,
            TradeBarsStep::Four => Self::Four,
            TradeBarsStep::Eight => Self::Eight,
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
    /// The player's role; in Accompany one that goes with it.
    #[id = "as_input"]
    #[name = "Auto"]
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
