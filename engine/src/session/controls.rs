//! The musical controls that the session reads.

use crate::music::Role;
use crate::plan::{PlayMode, TakeMode};

/// Values of the musical controls at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlValues {
    /// Play mode.
    pub mode: PlayMode,
    /// Horizon in bars, 1 to 8.
    pub horizon_bars: u8,
    /// Adventurousness, 0 to 1.
    pub adventurousness: f32,
    /// Fixed seed; `None` draws one per session.
    pub seed: Option<u32>,
    /// Role of the player; `None` detects it.
    pub input_role: Option<Role>,
    /// Role of the plan; `None` is the player's.
    pub output_role: Option<Role>,
    /// Use of the take.
    pub take: TakeMode,
}
