//! Costs in nats, subtracted from logits by a bias.

/// Cost of the target's pitch.
pub(super) trait PitchBias {
    /// Cost of this MIDI key.
    fn cost(&self, pitch: u8) -> f64;
}

/// Cost of the onset of the next note, and of having none.
pub(super) trait OnsetBias {
    /// Cost of a next note at this tick of the bar.
    fn cost(&self, tick: i64) -> f64;

    /// Cost of no next note.
    fn cost_of_end(&self) -> f64 {
        0.0
    }
}

/// Cost as a term of a logit, in the graph's f32.
#[expect(clippy::cast_possible_truncation, reason = "costs are small, and their eighth digit does not change a choice audibly")]
pub(super) fn nats(cost: f64) -> f32 {
    cost as f32
}
