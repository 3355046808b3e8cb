//! Recall: what earlier bars have at the place that a row asks for, and how well they have been repeated so far (docs/model-interface.md, section 2).
//!
//! Attention could find all of this, and a small model does not learn to: in a passage that has repeated an earlier one for thirty notes it still paid
//! more than a bit for the next pitch. Training fills in the same columns (`recall.py`); a fixture holds the two together.

mod bar;
mod columns;

use std::collections::VecDeque;
use std::sync::Arc;

use self::bar::order;
pub use self::bar::{BarRecall, Recalled};
use super::own::OwnRoles;
use super::row::NoteClasses;
use super::turns::{LATEST_BARS, Turns};

/// How many bars back is looked: the bars that the model sees note by note, and that a bar can be told to repeat.
pub const RECALL_BARS: [u32; 8] = [1, 2, 4, 8, 12, 16, 24, 32];

/// Bars remembered: more than any task has between a bar and the farthest it looks at.
const REMEMBERED: usize = 128;

/// For each of [`RECALL_BARS`], how well it has been repeated: one more for every note that it has as well, down to a quarter at one that it has not.
type Matches = [u8; RECALL_BARS.len()];

/// What was heard of the bars of a sequence, in its order.
#[derive(Debug, Clone, Default)]
pub struct Recall {
    bars: VecDeque<Remembered>,
    /// The roles that are generated: the notes recalled to follow are theirs.
    own: OwnRoles,
}

#[derive(Debug, Clone)]
struct Remembered {
    index: u32,
    /// In canonical order, given ones among the others.
    notes: Arc<[NoteClasses]>,
    /// After its last note.
    matches: Matches,
}

impl Recall {
    /// Recalls from the next bar on what these roles had.
    pub fn set_own(&mut self, own: OwnRoles) {
        self.own = own;
    }

    /// Begins the bar that comes next in the sequence. It goes on from the bar before it in the music, which in a gap is not the bar before it in the
    /// sequence; where that is not known, as on the far side of a gap, nothing counts as repeated yet.
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
            heard: Vec::new(),
            matches: vec![last.map_or(Matches::default(), |bar| bar.matches)],
            turns: Turns::of(&latest),
        }
    }

    /// Remembers a bar that has all its notes.
    pub fn finish(&mut self, bar: BarRecall) {
        let BarRecall { index, mut heard, matches, .. } = bar;
        heard.sort_by_key(|note| (order(note.place()), note.pitch));
        self.bars.push_back(Remembered { index, notes: heard.into(), matches: matches.last().copied().unwrap_or_default() });
        if self.bars.len() > REMEMBERED {
            self.bars.pop_front();
        }
    }

    /// Forgets the latest bars down to the one of this index, and that one too.
    pub fn rewind(&mut self, index: u32) {
        while self.bars.pop_back().is_some_and(|bar| bar.index != index) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::vocabulary::column;
    use crate::codec::{BarEnd, BarRows, Row, align};
    use crate::music::Role;

    pub(super) fn note(sub: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat: sub / 24, sub: sub % 24, role: Role::Keys.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    /// The rows of a bar with what is recalled; the bar is remembered.
    pub(super) fn heard(recall: &mut Recall, index: u32, notes: &[NoteClasses]) -> Vec<Row> {
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
    fn rewinding_is_as_if_the_bars_had_never_been() {
        let mut recall = Recall::default();
        heard(&mut recall, 0, &[note(0, 60)]);
        let again = heard(&mut recall.clone(), 1, &[note(0, 60), note(24, 61)]);
        heard(&mut recall, 1, &[note(0, 50)]);
        heard(&mut recall, 2, &[note(0, 50)]);
        recall.rewind(1);
        assert_eq!(heard(&mut recall, 1, &[note(0, 60), note(24, 61)]), again);
    }

    #[test]
    fn a_gap_goes_on_from_the_bars_before_it() {
        let mut recall = Recall::default();
        (0..2).for_each(|index| drop(heard(&mut recall, index, &[note(0, 60)])));
        let on = columns(&heard(&mut recall.clone(), 2, &[note(0, 60)])[1]).to_vec();
        let far = heard(&mut recall, 5, &[note(0, 60)]);
        assert_eq!(columns(&far[1])[..2], [3, 61], "on its far side nothing counts as repeated: trust of level 0 in the bar four back");
        (6..9).for_each(|index| drop(heard(&mut recall, index, &[note(0, 70)])));
        assert_eq!(recall.begin(2).turns(), 2, "the bars on the far side are not those played last");
        assert_eq!(columns(&heard(&mut recall, 2, &[note(0, 60)])[1]), on);
        assert_eq!(on[..2], [1, 256 + 61], "trust of level 1 in the bar before");
        assert_eq!(columns(&heard(&mut recall, 3, &[note(0, 60)])[1])[..2], [1, 256 + 61], "and so on inside it");
    }
}
