//! Fixed block pattern: the current block of bars, and the end of every earlier block (Sparse Transformer: Child et al. 2019).

use super::{PagePolicy, Rest, Selection, sorted};
use crate::cache::{BarLine, MOST_BARS};

/// The current block row by row, and the last bars of every earlier block. Blocks are counted from bar 0.
#[derive(Debug, Clone, Copy)]
pub struct Fixed {
    /// Block length in bars, at least 1.
    pub block: u32,
    /// Bars at the end of a block that later blocks attend to, 1 to `block`.
    pub last: u32,
}

impl PagePolicy for Fixed {
    fn name(&self) -> String {
        format!("fixed:{},{}", self.block, self.last)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        let own = line.bar() / self.block;
        let seen = |bar: u32| bar / self.block == own || bar % self.block >= self.block - self.last;
        sorted(line.earlier().filter(|&bar| seen(bar)))
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        Some(MOST_BARS)
    }
}
