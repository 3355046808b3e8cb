//! Summaries only: every earlier bar by its summary, none row by row.

use super::{PagePolicy, Rest, Selection};
use crate::cache::BarLine;

/// Every earlier bar by its summary, none row by row.
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
