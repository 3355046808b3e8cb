//! The own block of bars and the end of every earlier block (the fixed pattern of the Sparse Transformer: Child et al. 2019).

use super::{PagePolicy, Rest, Selection, rising};
use crate::cache::{BarLine, MOST_BARS};

/// The own block in full, and the last bars of every earlier block. Blocks are counted from bar 0 on.
#[derive(Debug, Clone, Copy)]
pub struct Fixed {
    /// Bars of a block, at least 1.
    pub block: u32,
    /// How many bars at its end later blocks see, at most `block`.
    pub last: u32,
}

impl PagePolicy for Fixed {
    fn name(&self) -> String {
        format!("fixed:{},{}", self.block, self.last)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        let own = line.bar() / self.block;
        let seen = |bar: u32| bar / self.block == own || bar % self.block >= self.block - self.last;
        rising(line.earlier().filter(|&bar| seen(bar)))
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        Some(MOST_BARS)
    }
}
