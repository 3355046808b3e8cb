//! Every earlier bar by its summary, none in full: the global approximation.

use super::{PagePolicy, Rest, Selection};
use crate::cache::BarLine;

/// Every earlier bar by its summary, none in full.
#[derive(Debug, Clone, Copy)]
pub struct SummariesOnly;

impl PagePolicy for SummariesOnly {
    fn name(&self) -> String {
        "summaries".to_owned()
    }

    fn select(&self, _line: &BarLine<'_>) -> Selection {
        Selection::Bars(Vec::new())
    }

    fn rest(&self) -> Rest {
        Rest::Summaries
    }

    fn reach(&self) -> Option<u32> {
        Some(0)
    }
}
