//! Stop, and the ids of all triggers.

use nice_plug::prelude::*;

/// Ids of the parameters that give a command when they go on. They are left as they are when a state is loaded: loading plays nothing.
pub const TRIGGERS: [&str; 10] =
    ["play", "another", "keep", "stop", "panic", "variation_a", "variation_b", "variation_c", "variation_d", "forget"];

/// What ends playback.
#[derive(Params)]
pub struct PlaybackParams {
    /// Trigger: what sounds ends within a beat, and nothing plays until Play is pressed.
    #[id = "stop"]
    pub stop: BoolParam,
}

impl Default for PlaybackParams {
    fn default() -> Self {
        Self { stop: BoolParam::new("Stop", false) }
    }
}
