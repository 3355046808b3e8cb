//! Sliding window: the last bars row by row and nothing else (Longformer: Beltagy et al. 2020; Transformer-XL: Dai et al. 2019).

use super::{PagePolicy, Rest, Selection, at_distances};
use crate::cache::BarLine;

/// The last bars row by row and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct SlidingWindow {
    /// Window length in bars.
    pub bars: u32,
}

impl SlidingWindow {
    /// As many bars as fine/coarse attention selects.
    pub const DEFAULT: Self = Self { bars: 8 };
}

impl PagePolicy for SlidingWindow {
    fn name(&self) -> String {
        format!("window:{}", self.bars)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        at_distances(line, |back| back <= self.bars)
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        Some(self.bars)
    }
}
