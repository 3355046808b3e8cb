//! Accuracy of one control: how many bars have the requested value.

use std::ops::AddAssign;

use serde_json::{Value, json};

use super::control::Control;
use crate::corpus::share;

/// Confusion matrix: number of bars by requested and measured value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accuracy {
    control: Control,
    /// Indexed by the requested value less 1, then by the measured value (0: none).
    bars: Vec<Vec<usize>>,
}

impl Accuracy {
    pub(super) fn new(control: Control) -> Self {
        let values = usize::from(control.values());
        Self { control, bars: vec![vec![0; values + 1]; values] }
    }

    /// Counts one bar.
    pub(super) fn count(&mut self, requested: u8, measured: u8) {
        self.bars[usize::from(requested) - 1][usize::from(measured)] += 1;
    }

    fn share(&self, hit: impl Fn(u8, u8) -> bool) -> f64 {
        let all: usize = self.bars.iter().flatten().sum();
        let hits: usize = (1..)
            .zip(&self.bars)
            .map(|(requested, row)| (0..).zip(row).filter(|(measured, _)| hit(requested, *measured)).map(|(_, bars)| bars).sum::<usize>())
            .sum();
        share(hits, all)
    }

    /// Share of bars with the requested value; 0..=1.
    pub(super) fn exact(&self) -> f64 {
        self.share(|requested, measured| requested == measured)
    }

    /// Share of bars at most one step from it; 0..=1.
    pub(super) fn near(&self) -> f64 {
        self.share(|requested, measured| self.control.is_near(requested, measured))
    }

    /// The entry in the JSON report.
    pub(super) fn json(&self) -> Value {
        json!({ "exact": self.exact(), "near": self.near(), "bars": self.bars })
    }
}

impl AddAssign<&Self> for Accuracy {
    fn add_assign(&mut self, other: &Self) {
        let more = other.bars.iter().flatten();
        self.bars.iter_mut().flatten().zip(more).for_each(|(sum, more)| *sum += more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_is_a_share_of_all_bars_including_those_without_a_value() {
        let mut accuracy = Accuracy::new(Control::Density);
        for (requested, measured) in [(1, 1), (1, 2), (8, 6), (4, 0)] {
            accuracy.count(requested, measured);
        }
        assert_eq!((accuracy.exact(), accuracy.near()), (0.25, 0.5));
        let twice = accuracy.clone();
        accuracy += &twice;
        assert_eq!((accuracy.exact(), accuracy.json()["bars"][0][1].as_u64()), (0.25, Some(2)));
        assert_eq!(Accuracy::new(Control::Key).near(), 0.0);
    }
}
