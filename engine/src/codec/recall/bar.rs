//! A bar in the making, beside the earlier ones that it may repeat.

use std::sync::Arc;

use super::{Matches, RECALL_BARS};
use crate::codec::own::OwnRoles;
use crate::codec::row::{NoteClasses, Place};
use crate::codec::turns::Turns;
use crate::music::analysis::NEW_BAR;

/// Matches are counted up to here.
const MOST_MATCHES: u8 = 31;

/// A bar in the making, as [`Recall`](super::Recall) sees it.
#[derive(Debug, Clone)]
pub struct BarRecall {
    pub(super) index: u32,
    /// The roles that are generated.
    pub(super) own: OwnRoles,
    pub(super) earlier: [Option<Arc<[NoteClasses]>>; RECALL_BARS.len()],
    /// In the order of their rows.
    pub(super) heard: Vec<NoteClasses>,
    /// Before the first note, and after each.
    pub(super) matches: Vec<Matches>,
    /// Of the passage before it.
    pub(super) turns: Turns,
}

/// What an earlier bar has where a row asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recalled {
    /// The pitch at the row's target; `None` if it has no target, or the bar no note there.
    pub pitch: Option<u8>,
    /// Where its next note is; `None` where it has no further one.
    pub next: Option<Place>,
}

impl BarRecall {
    /// Takes the bar's next note, given or its own.
    pub fn hear(&mut self, note: &NoteClasses) {
        let rank = self.rank(self.heard.len(), note.place());
        let mut matches = self.matches.last().copied().unwrap_or_default();
        for (matches, earlier) in matches.iter_mut().zip(&self.earlier) {
            let Some(earlier) = earlier else { continue };
            let same = find(earlier, note.place(), rank).is_some_and(|found| found.pitch == note.pitch);
            *matches = if same { (*matches + 1).min(MOST_MATCHES) } else { *matches / 4 };
        }
        self.heard.push(*note);
        self.matches.push(matches);
    }

    /// Keeps the first `notes` notes heard.
    pub fn truncate(&mut self, notes: usize) {
        self.heard.truncate(notes);
        self.matches.truncate(notes + 1);
    }

    /// How often the passage of one, two or four bars before it was played in succession, the same notes at the same places: 1 to 3.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.turns.count
    }

    /// Whether the bar that one with this value of column 23 repeats has a note: training never shows a repeat of an empty bar.
    #[must_use]
    pub fn can_repeat(&self, repeats: u8) -> bool {
        repeated(repeats.into()).and_then(|bar| self.earlier.get(bar)?.as_ref()).is_none_or(|notes| !notes.is_empty())
    }

    /// Of the bar that one with this value of column 23 is told to repeat, what a row asks for that stands after the first `heard` notes; `None` if there is
    /// no such bar.
    #[must_use]
    pub fn told(&self, repeats: u8, heard: usize, target: Option<Place>) -> Option<Recalled> {
        let bar = self.earlier.get(repeated(repeats.into())?)?.as_ref()?;
        let rank = target.map_or(0, |target| self.rank(heard, target));
        Some(Recalled {
            pitch: target.and_then(|target| find(bar, target, rank)).map(|note| note.pitch),
            next: next_place(bar, self.own, target, rank),
        })
    }

    /// The pitch at `target`, after the first `heard` notes, with which this bar would be the one whose turn it is once more in the passage before it.
    #[must_use]
    pub fn closing(&self, heard: usize, target: Place) -> Option<u8> {
        self.turns.closing(self.heard.get(..heard)?, target)
    }

    /// How many of the first `heard` notes begin at this place: the number of the next one there.
    pub(super) fn rank(&self, heard: usize, place: Place) -> usize {
        self.heard.iter().take(heard).filter(|note| note.place() == place).count()
    }
}

/// Which of [`RECALL_BARS`] a bar with this value of the repeats column is told to repeat.
pub(super) fn repeated(repeats: u16) -> Option<usize> {
    usize::from(repeats).checked_sub(usize::from(NEW_BAR) + 1)
}

/// Place in canonical order.
pub(super) fn order(place: Place) -> (u8, u8, u8) {
    (place.beat, place.sub, place.role)
}

/// The note of this rank among those at a place.
pub(super) fn find(bar: &[NoteClasses], place: Place, rank: usize) -> Option<&NoteClasses> {
    bar.get(first_at(bar, place) + rank).filter(|note| note.place() == place)
}

/// Where the first note of the own roles after that rank at a place is, or the first of all where no place is asked; `None` if there is no such note.
pub(super) fn next_place(bar: &[NoteClasses], own: OwnRoles, target: Option<Place>, rank: usize) -> Option<Place> {
    let next = target.map_or(0, |target| {
        let past = bar.partition_point(|note| order(note.place()) <= order(target));
        (first_at(bar, target) + rank + 1).min(past)
    });
    bar.iter().skip(next).map(NoteClasses::place).find(|place| own.contains(place.role))
}

/// Number of the first note that does not stand before a place.
fn first_at(bar: &[NoteClasses], place: Place) -> usize {
    bar.partition_point(|note| order(note.place()) < order(place))
}

#[cfg(test)]
mod tests {
    use super::super::Recall;
    use super::super::tests::{heard, note};
    use super::*;

    #[test]
    fn one_wrong_note_costs_three_quarters_of_the_trust() {
        let mut recall = Recall::default();
        let run: Vec<_> = (0..12).map(|index| note(index * 6, 60 + index)).collect();
        heard(&mut recall, 0, &run);
        let mut other = run.clone();
        other[10].pitch = 40;
        let mut bar = recall.begin(1);
        other.iter().for_each(|note| bar.hear(note));
        assert_eq!(bar.matches.iter().map(|matches| matches[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2, 3]);
        bar.truncate(10);
        bar.hear(&run[10]);
        assert_eq!(bar.matches.last().map(|matches| matches[0]), Some(11));
    }

    #[test]
    fn what_the_bar_has_that_is_to_be_repeated_can_be_asked() {
        let mut recall = Recall::default();
        heard(&mut recall, 0, &[note(0, 60), note(0, 64), note(24, 62)]);
        heard(&mut recall, 1, &[]);
        let mut bar = recall.begin(2);
        let two_back = NEW_BAR + 2;
        let next = |sub| Some(note(sub, 0).place());
        assert_eq!(bar.told(two_back, 0, None), Some(Recalled { pitch: None, next: next(0) }));
        assert_eq!(bar.told(two_back, 0, next(0)), Some(Recalled { pitch: Some(60), next: next(0) }));
        bar.hear(&note(0, 60));
        assert_eq!(bar.told(two_back, 1, next(0)), Some(Recalled { pitch: Some(64), next: next(24) }));
        assert_eq!(bar.told(two_back, 1, next(24)), Some(Recalled { pitch: Some(62), next: None }));
        assert_eq!(bar.told(two_back, 1, next(12)), Some(Recalled { pitch: None, next: next(24) }));
        assert_eq!([0, NEW_BAR, NEW_BAR + 3].map(|repeats| bar.told(repeats, 0, None)), [None; 3]);
    }
}
