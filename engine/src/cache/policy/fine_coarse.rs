//! Fine/coarse attention: structure-related bars row by row, every other bar by its summary (Museformer: Yu et al. 2022).

use std::collections::BTreeSet;

use super::{PagePolicy, Rest, Selection, at_distances};
use crate::cache::BarLine;

/// Structure-related bars row by row, every other bar by its summary.
#[derive(Debug, Clone)]
pub struct FineCoarse {
    back: BTreeSet<u32>,
}

impl FineCoarse {
    /// Fine attention at these distances in bars; a model's own are its [`fine_bars`](crate::model::ModelInfo::fine_bars).
    #[must_use]
    pub fn new(back: &[u32]) -> Self {
        Self { back: back.iter().copied().collect() }
    }
}

impl PagePolicy for FineCoarse {
    fn name(&self) -> String {
        "fine_coarse".to_owned()
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        at_distances(line, |back| self.back.contains(&back))
    }

    fn rest(&self) -> Rest {
        Rest::Summaries
    }

    fn reach(&self) -> Option<u32> {
        Some(self.back.last().copied().unwrap_or(0))
    }
}
