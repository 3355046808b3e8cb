//! Play modes.

use serde::{Deserialize, Serialize};

/// The five modes, in the order of the Mode parameter's steps. Automation stores the step, so the order never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PlayMode {
    /// Shows the plan; plays it from the next bar after a Play command.
    #[default]
    Suggest = 0,
    /// Takes over at the next beat after the player has been silent for the set time; yields when the player comes back.
    Answer = 1,
    /// The player has N bars, then Antiphon has N bars.
    Trade = 2,
    /// Plays another role along with the player.
    Accompany = 3,
    /// Fills marked bars so that they lead into what follows.
    Infill = 4,
}

impl PlayMode {
    /// Every mode, in the order of the parameter's steps.
    pub const ALL: [Self; 5] = [Self::Suggest, Self::Answer, Self::Trade, Self::Accompany, Self::Infill];

    /// The mode at this step of the parameter, if there is one.
    #[must_use]
    pub fn from_step(step: u8) -> Option<Self> {
        Self::ALL.get(usize::from(step)).copied()
    }

    /// Its step of the parameter, 0 to 4.
    #[must_use]
    pub const fn step(self) -> u8 {
        self as u8
    }

    /// The mode after it in the order of the steps; after the last the first.
    #[must_use]
    pub fn next(self) -> Self {
        Self::from_step(self.step() + 1).unwrap_or_default()
    }

    /// Display name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suggest => "Suggest",
            Self::Answer => "Answer",
            Self::Trade => "Trade",
            Self::Accompany => "Accompany",
            Self::Infill => "Infill",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_pinned() {
        let pinned = ["Suggest", "Answer", "Trade", "Accompany", "Infill"];
        for (step, name) in (0u8..).zip(pinned) {
            let mode = PlayMode::from_step(step).unwrap();
            assert_eq!((mode.step(), mode.name()), (step, name));
            assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{}\"", name.to_lowercase()));
        }
        assert_eq!(PlayMode::from_step(5), None);
    }
}
