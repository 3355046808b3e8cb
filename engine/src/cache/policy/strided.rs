//! Strided pattern: the last bars, and every n-th bar before them (Sparse Transformer: Child et al. 2019).

use super::{PagePolicy, Rest, Selection, at_distances};
use crate::cache::{BarLine, MOST_BARS};

/// The last `bars` bars row by row, and every bar at a distance that is a multiple of `bars`.
#[derive(Debug, Clone, Copy)]
pub struct Strided {
    /// Stride in bars, at least 1.
    pub bars: u32,
}

impl PagePolicy for Strided {
    fn name(&self) -> String {
        format!("strided:{}", self.bars)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        at_distances(line, |back| back <= self.bars || back.is_multiple_of(self.bars))
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        Some(MOST_BARS)
    }
}
