//! Stop.

use nice_plug::prelude::*;

use super::trigger::Presses;

/// What ends playback.
#[derive(Params)]
pub struct PlaybackParams {
    /// Trigger: what sounds ends within a beat, and nothing plays until Play is pressed.
    #[id = "stop"]
    pub stop: BoolParam,
    /// How often it went on.
    pub stops: Presses,
}

impl Default for PlaybackParams {
    fn default() -> Self {
        let stops = Presses::default();
        Self { stop: stops.of("Stop"), stops }
    }
}
