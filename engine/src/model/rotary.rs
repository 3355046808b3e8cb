//! Rotary position embedding on musical time (docs/model-interface.md, "Rotary positions"; Su et al. 2021).

use serde::Deserialize;

use crate::codec::Position;

/// Frequencies of the three groups of pairs of a head, in the order of the pairs. Angle in radians = position times frequency.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rotary {
    /// Of pairs rotated by the bar index.
    pub bar: Vec<f64>,
    /// Of pairs rotated by the tick in the bar.
    pub tick: Vec<f64>,
    /// Of pairs rotated by the row index in the bar.
    pub index: Vec<f64>,
}

impl Rotary {
    /// Number of pairs of one head.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.bar.len() + self.tick.len() + self.index.len()
    }

    /// Writes the cosines and sines of a position's angles; both slices have [`pairs`](Self::pairs) elements.
    ///
    /// ```
    /// use antiphon_engine::{codec::Position, model::Rotary};
    ///
    /// let rotary = Rotary { bar: vec![0.5], tick: vec![1.0], index: vec![] };
    /// let (mut cos, mut sin) = ([0.0; 2], [0.0; 2]);
    /// rotary.cos_sin(Position { bar: 2, tick: 0, index: 9 }, &mut cos, &mut sin);
    /// assert_eq!(cos, [1.0_f32.cos(), 1.0]);
    /// ```
    pub fn cos_sin(&self, position: Position, cos: &mut [f32], sin: &mut [f32]) {
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
    fn angle_of_each_group_follows_its_own_coordinate() {
        let rotary = Rotary { bar: vec![1.0, 0.5], tick: vec![0.25], index: vec![2.0] };
        let (mut cos, mut sin) = ([0.0; 4], [0.0; 4]);
        rotary.cos_sin(Position { bar: 3, tick: 4, index: 5 }, &mut cos, &mut sin);
        for (rotation, angle) in cos.into_iter().zip(sin).zip([3.0_f64, 1.5, 1.0, 10.0]) {
            assert!((f64::from(rotation.0) - angle.cos()).abs() < 1e-7);
            assert!((f64::from(rotation.1) - angle.sin()).abs() < 1e-7);
        }
    }
}
