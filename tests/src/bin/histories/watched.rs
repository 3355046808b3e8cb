//! Parameters on which the checks of a history depend.

use crate::step::Parameter;

/// Values of the parameters on which the checks depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) thru: bool,
    pub(crate) bypass: bool,
    /// Step of the mode.
    pub(crate) mode: u8,
    pub(crate) play: bool,
    pub(crate) panic: bool,
    /// Whether the take plays, and nothing else.
    pub(crate) replays: bool,
}

impl Watched {
    pub(crate) const DEFAULT: Self = Self { thru: true, bypass: false, mode: 0, play: false, panic: false, replays: false };

    pub(crate) fn set(&mut self, parameter: Parameter, value: f64) {
        match parameter {
            Parameter::Thru => self.thru = value >= 0.5,
            Parameter::Bypass => self.bypass = value >= 0.5,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4")]
            Parameter::Mode => self.mode = (value * 4.0).round() as u8,
            Parameter::Play => self.play = value >= 0.5,
            Parameter::Panic => self.panic = value >= 0.5,
            // Off, Replay, Overwrite.
            Parameter::Take => self.replays = (0.25..0.75).contains(&value),
            _ => {}
        }
    }
}
