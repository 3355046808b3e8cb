//! Parameters of what Antiphon learns from its player.

use antiphon_engine::session::DEFAULT_MEMORY;
use nice_plug::prelude::*;

use super::text::{self, FULL};
use super::trigger::Presses;

/// What Antiphon learns from its player.
#[derive(Params)]
pub struct PlayerParams {
    /// How far off-beats are moved to where the player plays them, in percent.
    #[id = "player_swing"]
    pub swing: IntParam,
    /// Weight of the phrases remembered, in percent.
    #[id = "memory"]
    pub memory: IntParam,
    /// Trigger: forgets the phrases, or brings them back.
    #[id = "forget"]
    pub forget: BoolParam,
    /// How often it went on.
    pub forgets: Presses,
}

impl Default for PlayerParams {
    fn default() -> Self {
        let forgets = Presses::default();
        Self {
            swing: text::share("Player's swing", 0, |share| match share {
                0 => "Off".into(),
                FULL => "As you play".into(),
                share => format!("{share} %"),
            }),
            memory: text::share("Memory", DEFAULT_MEMORY.into(), |share| if share == 0 { "Off".into() } else { format!("{share} %") }),
            forget: forgets.of("Forget"),
            forgets,
        }
    }
}

impl PlayerParams {
    /// Share of the player's swing, in percent.
    pub(super) fn swing(&self) -> u8 {
        u8::try_from(self.swing.value()).unwrap_or(0)
    }

    /// Weight of the phrases remembered, in percent.
    pub(super) fn memory(&self) -> u8 {
        u8::try_from(self.memory.value()).unwrap_or(DEFAULT_MEMORY)
    }
}
