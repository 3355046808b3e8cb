//! Parameters of the variations of a plan, and of its locks.

use antiphon_engine::session::PatternLock;
use nice_plug::prelude::*;

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
}

impl Default for VariationParams {
    fn default() -> Self {
        Self {
            variation_a: BoolParam::new("Variation A", false),
            variation_b: BoolParam::new("Variation B", false),
            variation_c: BoolParam::new("Variation C", false),
            variation_d: BoolParam::new("Variation D", false),
            lock_rhythm: BoolParam::new("Lock rhythm", false),
            lock_pitches: BoolParam::new("Lock pitches", false),
        }
    }
}

impl VariationParams {
    /// Whether the trigger of each variation is on.
    pub(crate) fn triggers(&self) -> [bool; 4] {
        [&self.variation_a, &self.variation_b, &self.variation_c, &self.variation_d].map(BoolParam::value)
    }

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
