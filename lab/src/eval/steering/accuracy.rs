//! How often a control was obeyed.

use std::ops::AddAssign;

use serde_json::{Value, json};

use super::control::Control;
use crate::corpus::share;

/// Bars by what was asked of them and what they became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accuracy {
    control: Control,
    /// By the value asked, less 1, then by the value measured.
    bars: Vec<Vec<usize>>,
}

impl Accuracy {
    pub(super) fn new(control: Control) -> Self {
        let values = usize::from(control.values());
        Self { control, bars: vec![vec![0; values + 1]; values] }
    }

    /// Counts a bar.
    pub(super) fn count(&mut self, asked: u8, measured: u8) {
        self.bars[usize::from(asked) - 1][usize::from(measured)] += 1;
    }

    fn share(&self, hit: impl Fn(u8, u8) -> bool) -> f64 {
        let all: usize = self.bars.iter().flatten().sum();
        let hits: usize = (1..)
            .zip(&self.bars)
            .map(|(asked, row)| (0..).zip(row).filter(|(measured, _)| hit(asked, *measured)).map(|(_, bars)| bars).sum::<usize>())
            .sum();
        share(hits, all)
    }

    /// Share of bars that are what was asked.
    pub(super) fn exact(&self) -> f64 {
        self.share(|asked, measured| asked == measured)
    }

    /// Share of bars that are at most one step from it.
    pub(super) fn near(&self) -> f64 {
        self.share(|asked, measured| self.control.is_near(asked, measured))
    }

    /// As the report has it.
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
    fn shares_are_of_all_bars_those_without_a_value_too() {
        let mut accuracy = Accuracy::new(Control::Density);
        for (asked, measured) in [(1, 1), (1, 2), (8, 6), (4, 0)] {
            accuracy.count(asked, measured);
        }
        assert_eq!((accuracy.exact(), accuracy.near()), (0.25, 0.5));
        let twice = accuracy.clone();
        accuracy += &twice;
        assert_eq!((accuracy.exact(), accuracy.json()["bars"][0][1].as_u64()), (0.25, Some(2)));
        assert_eq!(Accuracy::new(Control::Key).near(), 0.0);
    }
}
