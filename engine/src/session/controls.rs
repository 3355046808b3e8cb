//! The musical controls, as the session takes them.

use crate::music::Role;
use crate::plan::PlayMode;

/// The musical controls at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlValues {
    /// What to do with the plan.
    pub mode: PlayMode,
    /// How far ahead to plan, 1 to 8.
    pub horizon_bars: u8,
    /// 0 to 1.
    pub adventurousness: f32,
    /// The number the seed is fixed at; `None` is free.
    pub seed: Option<u32>,
    /// What the player plays; `None` is to be found out.
    pub input_role: Option<Role>,
    /// What the plan plays; `None` is what the player plays.
    pub output_role: Option<Role>,
}
