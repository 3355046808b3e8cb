//! Parameters of the band: what is heard of other instances in the host.

use antiphon_engine::session::{BandControls, Hearing};
use nice_plug::prelude::*;

use super::text;

/// Largest number of an instance that can be chosen.
const MOST_INSTANCES: i32 = 16;

/// What is heard of other instances.
#[derive(Params)]
pub struct BandParams {
    /// How much of their music.
    #[id = "hears"]
    pub hears: IntParam,
    /// Number of the instance; 0 is all of them.
    #[id = "hears_whom"]
    pub hears_whom: IntParam,
}

impl Default for BandParams {
    fn default() -> Self {
        Self {
            hears: text::steps("Hears", &["Own track only", "Key and chords", "Everything"]),
            hears_whom: text::named("Hears instance", "All", [0, MOST_INSTANCES], |number| format!("Instance {number}")),
        }
    }
}

impl BandParams {
    /// The values that the session needs.
    pub(super) fn controls(&self) -> BandControls {
        let hearing = match self.hears.value() {
            0 => Hearing::Nothing,
            1 => Hearing::KeyAndChords,
            _ => Hearing::Everything,
        };
        BandControls { hearing, whom: text::requested(&self.hears_whom) }
    }
}
