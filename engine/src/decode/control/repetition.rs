//! Repetition: whether a bar repeats an earlier one, or follows a loop.

use crate::codec::BarRecall;
use crate::music::analysis::NEW_BAR;

/// State of a bar that changes its sampling, beside the controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) enum Repetition {
    /// It follows a passage that sounded twice in succession.
    AfterLoop,
    /// It follows a passage that sounded three times in succession: something else is due.
    Due,
    /// It is conditioned on repeating an earlier bar.
    Repeat,
    /// None of these.
    Free,
}

impl Repetition {
    /// State of a bar with this recall and this value of the repeats column.
    pub(super) fn of(recall: &BarRecall, repeats: u8) -> Self {
        match recall.loop_count() {
            0 | 1 if repeats > NEW_BAR => Self::Repeat,
            0 | 1 => Self::Free,
            2 => Self::AfterLoop,
            _ => Self::Due,
        }
    }
}
