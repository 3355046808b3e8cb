//! Dense attention: every bar row by row. The baseline.

use super::{PagePolicy, Rest, Selection, at_distances};
use crate::cache::BarLine;

/// Every bar row by row. Cost and memory grow with the piece.
#[derive(Debug, Clone, Copy)]
pub struct Dense;

impl PagePolicy for Dense {
    fn name(&self) -> String {
        "dense".to_owned()
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        at_distances(line, |_| true)
    }

    fn rest(&self) -> Rest {
        Rest::Nothing
    }

    fn reach(&self) -> Option<u32> {
        None
    }
}
