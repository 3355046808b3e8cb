//! Recall: what earlier bars have at a row's target, and how well they have been repeated so far (docs/model-interface.md, section 2).
//!
//! Attention could find all of this, but a small model does not learn to: in a passage that had repeated an earlier one for thirty notes it still
//! needed more than a bit for the next pitch. Training fills in the same columns (`recall.py`); a fixture keeps the two equal.

mod bar;
mod columns;

use std::collections::VecDeque;
use std::sync::Arc;

use self::bar::order;
pub use self::bar::{BarRecall, Recalled};
use super::loops::{LATEST_BARS, Loops};
use super::own::OwnRoles;
use super::row::NoteClasses;

/// Distances in bars: the bars that fine attention sees, and that the repeats column can refer to.
pub const RECALL_BARS: [u32; 8] = [1, 2, 4, 8, 12, 16, 24, 32];

/// Bars kept: more than any task has between a bar and the farthest one it recalls.
const KEPT_BARS: usize = 128;

/// Match count for each of [`RECALL_BARS`]: plus one for every note that the earlier bar has too, divided by four at one that it has not.
type Matches = [u8; RECALL_BARS.len()];

/// The latest bars of a sequence, in sequence order.
#[derive(Debug, Clone, Default)]
pub struct Recall {
    bars: VecDeque<FinishedBar>,
    /// Own roles: the next places recalled are those of their notes.
    own: OwnRoles,
}

#[derive(Debug, Clone)]
struct FinishedBar {
    index: u32,
    /// In canonical order, given notes included.
    notes: Arc<[NoteClasses]>,
    /// After its last note.
    matches: Matches,
}

impl Recall {
    /// Sets the roles whose next places are recalled from the next bar on.
    pub fn set_own(&mut self, own: OwnRoles) {
        self.own = own;
    }

    /// Begins the next bar of the sequence. Match counts continue from the bar before it in the music, which in a gap is not the bar before it in the
    /// sequence; if that bar is unknown, as on the far side of a gap, they start at 0.
    #[must_use]
    pub fn begin(&self, index: u32) -> BarRecall {
        let earlier = RECALL_BARS.map(|back| {
            let wanted = index.checked_sub(back)?;
            self.bars.iter().rev().find(|bar| bar.index == wanted).map(|bar| Arc::clone(&bar.notes))
        });
        let before = || self.bars.iter().rev().filter(|bar| bar.index < index);
        let last = before().next().filter(|bar| bar.index + 1 == index);
        let latest: Vec<_> = before().take(LATEST_BARS).map(|bar| Arc::clone(&bar.notes)).collect();
        BarRecall {
            index,
            own: self.own,
            earlier,
            notes: Vec::new(),
            matches: vec![last.map_or(Matches::default(), |bar| bar.matches)],
            loops: Loops::of(&latest),
        }
    }

    /// Stores a finished bar.
    pub fn finish(&mut self, bar: BarRecall) {
        let BarRecall { index, mut notes, matches, .. } = bar;
        notes.sort_by_key(|note| (order(note.place()), note.pitch));
        self.bars.push_back(FinishedBar { index, notes: notes.into(), matches: matches.last().copied().unwrap_or_default() });
        if self.bars.len() > KEPT_BARS {
            self.bars.pop_front();
        }
    }

    /// Removes the latest bars down to and including the one of this index.
    pub fn rewind(&mut self, index: u32) {
        while self.bars.pop_back().is_some_and(|bar| bar.index != index) {}
    }

    /// Takes out the latest bars down to and including the one of this index.
    pub fn split_off(&mut self, index: u32) -> RecallTail {
        let at = self.bars.iter().rposition(|bar| bar.index == index).unwrap_or(self.bars.len());
        RecallTail(self.bars.split_off(at))
    }

    /// Puts back what was taken out: the bars before it are those that were there then.
    pub fn put_back(&mut self, tail: RecallTail) {
        self.bars.extend(tail.0);
    }
}

/// Latest bars of a sequence.
#[derive(Debug)]
pub struct RecallTail(VecDeque<FinishedBar>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::vocabulary::column;
    use crate::codec::{BarEnd, BarRows, Row, align};
    use crate::music::Role;

    pub(super) fn note(sub: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat: sub / 24, sub: sub % 24, role: Role::Keys.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    /// Rows of a bar with recall columns; the bar is stored.
    pub(super) fn append_bar(recall: &mut Recall, index: u32, notes: &[NoteClasses]) -> Vec<Row> {
        let bar = BarRows { index, ticks: 96, notes: notes.to_vec(), ..BarRows::default() };
        let mut rows = align(&bar, BarEnd::Bar).0;
        let mut open = recall.begin(index);
        open.fill_in(&mut rows);
        recall.finish(open);
        rows
    }

    pub(super) fn columns(row: &Row) -> &[u16] {
        &row.columns[column::RECALL_CONTENT..column::OWN]
    }

    #[test]
    fn rewind_restores_the_state_before_the_bars() {
        let mut recall = Recall::default();
        append_bar(&mut recall, 0, &[note(0, 60)]);
        let again = append_bar(&mut recall.clone(), 1, &[note(0, 60), note(24, 61)]);
        append_bar(&mut recall, 1, &[note(0, 50)]);
        append_bar(&mut recall, 2, &[note(0, 50)]);
        recall.rewind(1);
        assert_eq!(append_bar(&mut recall, 1, &[note(0, 60), note(24, 61)]), again);
    }

    #[test]
    fn gap_continues_from_the_bars_before_it() {
        let mut recall = Recall::default();
        (0..2).for_each(|index| drop(append_bar(&mut recall, index, &[note(0, 60)])));
        let on = columns(&append_bar(&mut recall.clone(), 2, &[note(0, 60)])[1]).to_vec();
        let far = append_bar(&mut recall, 5, &[note(0, 60)]);
        assert_eq!(columns(&far[1])[..2], [3, 61], "on its far side nothing counts as repeated: trust of level 0 in the bar four back");
        (6..9).for_each(|index| drop(append_bar(&mut recall, index, &[note(0, 70)])));
        assert_eq!(recall.begin(2).loop_count(), 2, "bars on the far side do not count as the latest");
        assert_eq!(columns(&append_bar(&mut recall, 2, &[note(0, 60)])[1]), on);
        assert_eq!(on[..2], [1, 256 + 61], "trust of level 1 in the bar before");
        assert_eq!(columns(&append_bar(&mut recall, 3, &[note(0, 60)])[1])[..2], [1, 256 + 61], "and so on inside it");
    }
}
