//! Context of the row about to be sampled: the content of its target, and the continuation after it.

use super::repetition::Repetition;
use crate::codec::{BarFields, BarRecall, NoteClasses, Place};
use crate::music::{Role, Tick};

/// Context of a row about to be sampled.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) struct RowContext<'a> {
    /// Bar line, in ticks of the sequence.
    pub(in crate::decode) line: Tick,
    /// Length of the bar in ticks.
    pub(in crate::decode) ticks: u16,
    /// Conditioning of the bar.
    pub(in crate::decode) conditioning: BarFields,
    /// Target of the row: onset and role are chosen, the other fields are sampled now. `None` for the bar's first row.
    pub(in crate::decode) target: Option<Place>,
    /// The bar's own notes before the target.
    pub(in crate::decode) before: &'a [NoteClasses],
    /// Given notes of the bar.
    pub(in crate::decode) given: &'a [NoteClasses],
    /// The bar beside the earlier ones that it may repeat.
    pub(in crate::decode) recall: &'a BarRecall,
}

impl<'a> RowContext<'a> {
    /// Number of the row in its bar; rows of given notes are not counted.
    pub(in crate::decode) fn index(&self) -> usize {
        self.before.len() + usize::from(self.target.is_some())
    }

    /// Whether the bar repeats an earlier one, or follows a loop.
    pub(in crate::decode) fn repetition(&self) -> Repetition {
        Repetition::of(self.recall, self.conditioning.repeats)
    }

    /// Notes of the bar before the target, given ones included: the number pushed to the recall.
    pub(super) fn recalled_notes(&self) -> usize {
        self.given.len() + self.before.len()
    }

    /// The bar's notes but its target.
    pub(super) fn notes(&self) -> impl Iterator<Item = &'a NoteClasses> + Clone {
        self.before.iter().chain(self.given)
    }

    /// The bar's pitched notes but its target: all but drums.
    pub(super) fn pitched_notes(&self) -> impl Iterator<Item = &'a NoteClasses> + Clone {
        self.notes().filter(|note| note.role != Role::Drums.class())
    }

    /// The target, if it is not a drum's.
    pub(super) fn pitched_target(&self) -> Option<Place> {
        self.target.filter(|target| target.role != Role::Drums.class())
    }

    /// Earliest onset of the next note, in ticks from the bar line: the target's.
    pub(super) fn onset(&self) -> i64 {
        self.target.map_or(0, |target| target.tick().0)
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;
    use crate::codec::Recall;
    use crate::music::TICKS_PER_QUARTER;

    /// Quarters of a bar of common time.
    const QUARTERS: u16 = 4;

    /// A row of the first bar of a sequence, of common time, after the notes `before`.
    pub(in crate::decode::control) fn with_row<T>(
        conditioning: BarFields,
        before: &[NoteClasses],
        target: Option<Place>,
        read: impl FnOnce(&RowContext<'_>) -> T,
    ) -> T {
        let recall = Recall::default().begin(0);
        let ticks = QUARTERS * u16::try_from(TICKS_PER_QUARTER).unwrap();
        read(&RowContext { line: Tick::ZERO, ticks, conditioning, target, before, given: &[], recall: &recall })
    }
}
