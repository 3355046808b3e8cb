//! Parameters of the variations of a plan, and of its locks.

use antiphon_engine::session::PatternLock;
use nice_plug::prelude::*;

use super::trigger::Presses;

/// Choice of a variation, and what other variations keep.
#[derive(Params)]
pub struct VariationParams {
    /// Trigger: shows variation A.
    #[id = "variation_a"]
    pub variation_a: BoolParam,
    /// Trigger: shows variation B.
    #[id = "variation_b"]
    pub variation_b: BoolParam,
    /// Trigger: shows variation C.
    #[id = "variation_c"]
    pub variation_c: BoolParam,
    /// Trigger: shows variation D.
    #[id = "variation_d"]
    pub variation_d: BoolParam,
    /// Whether other plans keep onsets and durations.
    #[id = "lock_rhythm"]
    pub lock_rhythm: BoolParam,
    /// Whether other plans keep the pitches and their order.
    #[id = "lock_pitches"]
    pub lock_pitches: BoolParam,
    /// How often the trigger of each variation went on.
    pub choices: [Presses; 4],
}

impl Default for VariationParams {
    fn default() -> Self {
        let choices = <[Presses; 4]>::default();
        let [a, b, c, d] = &choices;
        Self {
            variation_a: a.of("Variation A"),
            variation_b: b.of("Variation B"),
            variation_c: c.of("Variation C"),
            variation_d: d.of("Variation D"),
            lock_rhythm: BoolParam::new("Lock rhythm", false),
            lock_pitches: BoolParam::new("Lock pitches", false),
            choices,
        }
    }
}

impl VariationParams {
    /// What plans keep of the plan that they replace.
    pub(super) fn lock(&self) -> PatternLock {
        match (self.lock_rhythm.value(), self.lock_pitches.value()) {
            (false, false) => PatternLock::None,
            (true, false) => PatternLock::Rhythm,
            (false, true) => PatternLock::Pitches,
            (true, true) => PatternLock::Whole,
        }
    }
}
