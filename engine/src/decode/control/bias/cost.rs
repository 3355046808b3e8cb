//! Costs in nats: what a bias takes from a logit.

/// A cost of the target's pitch.
pub(super) trait PitchBias {
    /// Cost of this MIDI key.
    fn cost(&self, pitch: u8) -> f64;
}

/// A cost of where the next note starts, and of having none.
pub(super) trait OnsetBias {
    /// Cost of a next note at this tick of the bar.
    fn cost(&self, tick: i64) -> f64;

    /// Cost of no next note.
    fn cost_of_end(&self) -> f64 {
        0.0
    }
}

/// A cost as the graph takes it.
#[expect(clippy::cast_possible_truncation, reason = "costs are small, and no musician hears their eighth digit")]
pub(super) fn nats(cost: f64) -> f32 {
    cost as f32
}
