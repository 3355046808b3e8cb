//! The open bar, compared with the bars that it may repeat.

use super::compared::{Compared, find, next_place};
use crate::codec::loops::Loops;
use crate::codec::own::OwnRoles;
use crate::codec::row::{NoteClasses, Place};
use crate::music::analysis::NEW_BAR;

/// The open bar, as [`Recall`](super::Recall) compares it.
#[derive(Debug, Clone)]
pub struct BarRecall {
    pub(super) index: u32,
    /// Own roles.
    pub(super) own: OwnRoles,
    /// Bars back.
    pub(super) back: Compared,
    /// Bars ahead, in a gap.
    pub(super) ahead: Option<Compared>,
    /// Notes so far, in row order.
    pub(super) notes: Vec<NoteClasses>,
    /// Loop in the bars before it.
    pub(super) loops: Loops,
}

/// Notes of an earlier bar at a row's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recalled {
    /// Pitch at the row's target; `None` without a target or without a note there.
    pub pitch: Option<u8>,
    /// Place of its next note; `None` after its last one.
    pub next: Option<Place>,
}

impl BarRecall {
    /// Appends the bar's next note, given or its own.
    pub fn push(&mut self, note: &NoteClasses) {
        let rank = self.rank(self.notes.len(), note.place());
        self.back.push(note, rank);
        if let Some(ahead) = &mut self.ahead {
            ahead.push(note, rank);
        }
        self.notes.push(*note);
    }

    /// Truncates to the first `notes` notes.
    pub fn truncate(&mut self, notes: usize) {
        self.notes.truncate(notes);
        self.back.truncate(notes);
        if let Some(ahead) = &mut self.ahead {
            ahead.truncate(notes);
        }
    }

    /// Successive occurrences of the same passage of one, two or four bars right before this bar, with the same notes at the same places: 1 to 3; 1
    /// is no loop.
    #[must_use]
    pub fn loop_count(&self) -> usize {
        self.loops.count
    }

    /// Whether the bar that this value of the repeats column refers to has notes; true if there is no such bar. Training never shows a repeat of an
    /// empty bar.
    #[must_use]
    pub fn can_repeat(&self, repeats: u8) -> bool {
        repeated(repeats.into()).and_then(|bar| self.back.bars.get(bar)?.as_ref()).is_none_or(|notes| !notes.is_empty())
    }

    /// Notes, at a row's target after the first `notes` notes, of the bar that this value of the repeats column refers to; `None` if there is no such
    /// bar.
    #[must_use]
    pub fn recalled(&self, repeats: u8, notes: usize, target: Option<Place>) -> Option<Recalled> {
        let bar = self.back.bars.get(repeated(repeats.into())?)?.as_ref()?;
        let rank = target.map_or(0, |target| self.rank(notes, target));
        Some(Recalled {
            pitch: target.and_then(|target| find(bar, target, rank)).map(|note| note.pitch),
            next: next_place(bar, self.own, target, rank),
        })
    }

    /// Pitch at `target`, after the first `notes` notes, that would complete one more occurrence of the loop before this bar.
    #[must_use]
    pub fn loop_closing_pitch(&self, notes: usize, target: Place) -> Option<u8> {
        self.loops.closing(self.notes.get(..notes)?, target)
    }

    /// Number of the first `notes` notes at this place: the rank of the next one there.
    pub(super) fn rank(&self, notes: usize, place: Place) -> usize {
        self.notes.iter().take(notes).filter(|note| note.place() == place).count()
    }
}

/// Index into [`RECALL_BARS`] of the bar that this value of the repeats column refers to.
pub(super) fn repeated(repeats: u16) -> Option<usize> {
    usize::from(repeats).checked_sub(usize::from(NEW_BAR) + 1)
}

#[cfg(test)]
mod tests {
    use super::super::Recall;
    use super::super::tests::{append_bar, note};
    use super::*;

    #[test]
    fn mismatch_reduces_the_match_count_to_a_quarter() {
        let mut recall = Recall::default();
        let run: Vec<_> = (0..12).map(|index| note(index * 6, 60 + index)).collect();
        append_bar(&mut recall, 0, &run);
        let mut other = run.clone();
        other[10].pitch = 40;
        let mut bar = recall.begin(1);
        other.iter().for_each(|note| bar.push(note));
        assert_eq!(bar.back.matches.iter().map(|matches| matches[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2, 3]);
        bar.truncate(10);
        bar.push(&run[10]);
        assert_eq!(bar.back.matches.last().map(|matches| matches[0]), Some(11));
    }

    #[test]
    fn recalled_notes_are_those_of_the_bar_to_be_repeated() {
        let mut recall = Recall::default();
        append_bar(&mut recall, 0, &[note(0, 60), note(0, 64), note(24, 62)]);
        append_bar(&mut recall, 1, &[]);
        let mut bar = recall.begin(2);
        let two_back = NEW_BAR + 2;
        let next = |sub| Some(note(sub, 0).place());
        assert_eq!(bar.recalled(two_back, 0, None), Some(Recalled { pitch: None, next: next(0) }));
        assert_eq!(bar.recalled(two_back, 0, next(0)), Some(Recalled { pitch: Some(60), next: next(0) }));
        bar.push(&note(0, 60));
        assert_eq!(bar.recalled(two_back, 1, next(0)), Some(Recalled { pitch: Some(64), next: next(24) }));
        assert_eq!(bar.recalled(two_back, 1, next(24)), Some(Recalled { pitch: Some(62), next: None }));
        assert_eq!(bar.recalled(two_back, 1, next(12)), Some(Recalled { pitch: None, next: next(24) }));
        assert_eq!([0, NEW_BAR, NEW_BAR + 3].map(|repeats| bar.recalled(repeats, 0, None)), [None; 3]);
    }
}
