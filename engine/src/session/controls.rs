//! The musical controls that the session reads.

use crate::music::Role;
use crate::plan::{PlannedRoles, PlayMode, Routing, TakeMode};

/// Largest output offset either way, in milliseconds.
pub const MOST_LATENCY_MS: i8 = 50;

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
}

/// What is planned, and how far ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanControls {
    /// Play mode.
    pub mode: PlayMode,
    /// Horizon in bars, 1 to 8.
    pub horizon_bars: u8,
    /// Fixed seed; `None` draws one per session.
    pub seed: Option<u32>,
}

impl Default for PlanControls {
    fn default() -> Self {
        Self { mode: PlayMode::default(), horizon_bars: 4, seed: None }
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

impl RoleControls {
    /// Roles of the plan, for a player of this role.
    #[must_use]
    pub fn planned(&self, player: Role) -> PlannedRoles {
        PlannedRoles::new(self.output.unwrap_or(player), self.further)
    }
}

/// Where planned notes go, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputControls {
    /// MIDI channels.
    pub routing: Routing,
    /// Offset of planned notes in milliseconds, up to [`MOST_LATENCY_MS`] either way; negative is earlier. The audio thread applies it.
    pub latency_ms: i8,
    /// Use of the take.
    pub take: TakeMode,
}

/// How planned music is to sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MusicControls {
    /// Adventurousness, 0 to 1.
    pub adventurousness: f32,
}

impl Default for MusicControls {
    fn default() -> Self {
        Self { adventurousness: 0.5 }
    }
}
