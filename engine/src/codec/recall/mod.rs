//! Recall: what other bars have at a row's target, and how well they have been repeated so far (docs/model-interface.md, section 2). Those are bars
//! back, and in a gap also bars ahead: the ones behind the gap, which precede it in the sequence.
//!
//! Attention could find all of this, but a small model does not learn to: in a passage that had repeated an earlier one for thirty notes it still
//! needed more than a bit for the next pitch. Training fills in the same columns (`recall.py`); a fixture keeps the two equal.

mod bar;
mod columns;
mod compared;

use std::collections::VecDeque;
use std::sync::Arc;

pub use self::bar::{BarRecall, Recalled};
use self::compared::{Compared, Matches, agreement, order};
use super::loops::{LATEST_BARS, Loops};
use super::own::OwnRoles;
use super::row::NoteClasses;

/// Distances in bars, back and ahead: the bars that fine attention sees; back, the repeats column can refer to them.
pub const RECALL_BARS: [u32; 8] = [1, 2, 4, 8, 12, 16, 24, 32];

/// Bars kept: more than any task has between a bar and the farthest one it recalls.
const KEPT_BARS: usize = 128;

/// Bars before a bar in a gap whose agreement with the bars at a distance ahead of them is the first evidence for that distance.
const WITNESSES: u32 = 4;

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
    /// With the bars back, after its last note.
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
        let back = RECALL_BARS.map(|back| self.notes(index.checked_sub(back)?).cloned());
        let before = || self.bars.iter().rev().filter(|bar| bar.index < index);
        let last = before().next().filter(|bar| bar.index + 1 == index);
        let latest: Vec<_> = before().take(LATEST_BARS).map(|bar| Arc::clone(&bar.notes)).collect();
        BarRecall {
            index,
            own: self.own,
            back: Compared::new(back, last.map_or(Matches::default(), |bar| bar.matches)),
            ahead: self.ahead(index),
            notes: Vec::new(),
            loops: Loops::of(&latest),
        }
    }

    /// The bars ahead of a bar, if the sequence has any.
    ///
    /// Their match counts begin with the four bars before it, each compared with the bar at the same distance ahead of it, where the sequence has both:
    /// the far side is not there yet when the bars before a gap are read, so no count can carry over from them.
    fn ahead(&self, index: u32) -> Option<Compared> {
        let ahead = RECALL_BARS.map(|distance| self.notes(index.checked_add(distance)?).cloned());
        let matches = std::array::from_fn(|at| {
            let witnesses = (index.saturating_sub(WITNESSES)..index).filter(|_| ahead[at].is_some());
            let pairs = witnesses.filter_map(|bar| Some((self.notes(bar)?, self.notes(bar.checked_add(RECALL_BARS[at])?)?)));
            pairs.fold(0, |matches, (bar, other)| agreement(matches, bar, other))
        });
        ahead.iter().any(Option::is_some).then(|| Compared::new(ahead, matches))
    }

    /// Notes of a finished bar.
    fn notes(&self, index: u32) -> Option<&Arc<[NoteClasses]>> {
        self.bars.iter().rev().find(|bar| bar.index == index).map(|bar| &bar.notes)
    }

    /// Stores a finished bar.
    pub fn finish(&mut self, bar: BarRecall) {
        let BarRecall { index, mut notes, back, .. } = bar;
        notes.sort_by_key(|note| (order(note.place()), note.pitch));
        self.bars.push_back(FinishedBar { index, notes: notes.into(), matches: back.latest() });
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
        &row.columns[column::RECALL..column::OWN]
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

    /// A sequence with a gap: notes of the bars before it and behind it, each an eighth of a beat apart.
    fn around_a_gap(before: &[&[u8]], gap: u32, behind: &[&[u8]]) -> Recall {
        let mut recall = Recall::default();
        let first = u32::try_from(before.len()).unwrap();
        for (index, pitches) in (0..).zip(before).chain((first + gap..).zip(behind)) {
            let notes: Vec<_> = (0..).zip(*pitches).map(|(at, &pitch)| note(3 * at, pitch)).collect();
            let rows = append_bar(&mut recall, index, &notes);
            assert!(rows.iter().all(|row| row.columns[column::AHEAD..] == [0; 14]), "bar {index} has nothing ahead of it in the sequence");
        }
        recall
    }

    #[test]
    fn gap_recalls_the_bars_behind_it() {
        let mut recall = around_a_gap(&[&[50]], 2, &[&[70], &[71]]);
        append_bar(&mut recall, 1, &[note(0, 60)]);
        let rows = append_bar(&mut recall, 2, &[note(0, 71), note(3, 72)]);
        let keys = 1 + u16::from(Role::Keys.class());
        assert_eq!(rows[0].columns[column::AHEAD..], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, keys, 0, 0, 0]);
        assert_eq!(rows[1].columns[column::AHEAD..], [1, 71, 12, 21, 2, 72, 12, 21, 17, 0, 0, 0, 0, 0]);
        // The bar two ahead has matched: it leads.
        assert_eq!(rows[2].columns[column::AHEAD..], [0, 0, 0, 0, 0, 0, 0, 0, 17 + 17, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn bars_before_a_gap_are_the_first_evidence_for_a_distance() {
        let columns = |recall: &Recall| append_bar(&mut recall.clone(), 4, &[note(0, 70)])[1].columns[column::AHEAD..][..2].to_vec();
        let (one, two): (&[u8], &[u8]) = (&[80, 81], &[82, 83]);
        let again = around_a_gap(&[one, two, one, two], 4, &[one, two, one, two, &[90]]);
        assert_eq!(columns(&again), [4, 3 * 256 + 91], "bars 0 to 3 once more from bar 8 on: eight matches for the bar eight ahead");
        let other = around_a_gap(&[one, two, one, &[84, 85]], 4, &[one, two, one, two, &[90]]);
        assert_eq!(columns(&other), [3, 81], "two notes that it has not leave none of six matches: the nearest bar");
    }
}
