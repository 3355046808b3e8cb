//! Rotary positions on musical time (docs/model-interface.md, "Rotary positions"; rotary embeddings: Su et al. 2021).

use serde::Deserialize;

use crate::codec::Position;

/// The frequencies of the three groups of a head's pairs, in the order in which the pairs stand. An angle is position times frequency.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rotary {
    /// Pairs that turn with the bar index.
    pub bar: Vec<f64>,
    /// Pairs that turn with the tick in the bar.
    pub tick: Vec<f64>,
    /// Pairs that turn with the row's index in the bar.
    pub index: Vec<f64>,
}

impl Rotary {
    /// Pairs of one head.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.bar.len() + self.tick.len() + self.index.len()
    }

    /// Writes the cosines and sines of a position; both slices have [`pairs`](Self::pairs) elements.
    pub fn turn(&self, position: Position, cos: &mut [f32], sin: &mut [f32]) {
        let groups = [(position.bar, &self.bar), (position.tick, &self.tick), (position.index, &self.index)];
        let angles = groups.into_iter().flat_map(|(at, frequencies)| frequencies.iter().map(move |frequency| exact(at) * frequency));
        for ((cos, sin), angle) in cos.iter_mut().zip(sin).zip(angles) {
            *cos = single(angle.cos());
            *sin = single(angle.sin());
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "bars, ticks and rows stay far below 2^53")]
fn exact(at: i64) -> f64 {
    at as f64
}

#[allow(clippy::cast_possible_truncation, reason = "rounds a value in -1..1 to the nearest f32")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_turns_with_its_own_coordinate() {
        let rotary = Rotary { bar: vec![1.0, 0.5], tick: vec![0.25], index: vec![2.0] };
        let (mut cos, mut sin) = ([0.0; 4], [0.0; 4]);
        rotary.turn(Position { bar: 3, tick: 4, index: 5 }, &mut cos, &mut sin);
        for (turned, angle) in cos.into_iter().zip(sin).zip([3.0_f64, 1.5, 1.0, 10.0]) {
            assert!((f64::from(turned.0) - angle.cos()).abs() < 1e-7);
            assert!((f64::from(turned.1) - angle.sin()).abs() < 1e-7);
        }
    }
}
