//! Recall: what earlier bars have at the place that a row asks for, and how well they have been repeated so far (docs/model-interface.md, section 2).
//!
//! Attention could find all of this, and a small model does not learn to: in a passage that has repeated an earlier one for thirty notes it still paid
//! more than a bit for the next pitch. Training fills in the same columns (`recall.py`); a fixture holds the two together.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use super::row::{NoteClasses, Place, Row};
use super::turns::{LATEST_BARS, Turns};
use super::vocabulary::{Kind, column};
use crate::music::analysis::NEW_BAR;

/// How many bars back is looked: the bars that the model sees note by note, and that a bar can be told to repeat.
pub const RECALL_BARS: [u32; 8] = [1, 2, 4, 8, 12, 16, 24, 32];

/// Matches are counted up to here.
const MOST_MATCHES: u8 = 31;

/// Matches from which on a bar is trusted more: levels 1 to 4; fewer are level 0.
const LEVELS: [u8; 4] = [1, 3, 7, 15];

/// How many different notes, and how many different places after them, a row is told of.
const SLOTS: usize = 2;

/// Bars remembered: more than any task has between a bar and the farthest it looks at.
const REMEMBERED: usize = 128;

/// Instead of a beat: the bar has no further note.
const BAR_ENDS: u16 = 16;

/// For each of [`RECALL_BARS`], how well it has been repeated: one more for every note that it has as well, down to a quarter at one that it has not.
type Matches = [u8; RECALL_BARS.len()];

/// What was heard of the bars of a sequence, in its order.
#[derive(Debug, Clone, Default)]
pub struct Recall {
    bars: VecDeque<Remembered>,
}

#[derive(Debug, Clone)]
struct Remembered {
    index: u32,
    /// In canonical order, given ones among the others.
    notes: Arc<[NoteClasses]>,
    /// After its last note.
    matches: Matches,
}

/// A bar in the making, as [`Recall`] sees it.
#[derive(Debug, Clone)]
pub struct BarRecall {
    index: u32,
    earlier: [Option<Arc<[NoteClasses]>>; RECALL_BARS.len()],
    /// In the order of their rows.
    heard: Vec<NoteClasses>,
    /// Before the first note, and after each.
    matches: Vec<Matches>,
    /// Of the passage before it.
    turns: Turns,
}

/// What an earlier bar has where a row asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recalled {
    /// The pitch at the row's target; `None` if it has no target, or the bar no note there.
    pub pitch: Option<u8>,
    /// Where its next note is; `None` where it has no further one.
    pub next: Option<Place>,
}

impl Recall {
    /// Begins the bar that comes next in the sequence. Where it is not the successor of the bar before, as at a gap, nothing counts as repeated yet.
    #[must_use]
    pub fn begin(&self, index: u32) -> BarRecall {
        let earlier = RECALL_BARS.map(|back| {
            let wanted = index.checked_sub(back)?;
            self.bars.iter().rev().find(|bar| bar.index == wanted).map(|bar| Arc::clone(&bar.notes))
        });
        let last = self.bars.back().filter(|bar| bar.index.checked_add(1) == Some(index));
        let latest: Vec<_> = self.bars.iter().rev().take(LATEST_BARS).map(|bar| Arc::clone(&bar.notes)).collect();
        BarRecall {
            index,
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

    /// Of the bar that one with this value of column 23 is told to repeat, what a row asks for that stands after the first `heard` notes; `None` if there is
    /// no such bar.
    #[must_use]
    pub fn told(&self, repeats: u8, heard: usize, target: Option<Place>) -> Option<Recalled> {
        let bar = self.earlier.get(repeated(repeats.into())?)?.as_ref()?;
        let rank = target.map_or(0, |target| self.rank(heard, target));
        Some(Recalled {
            pitch: target.and_then(|target| find(bar, target, rank)).map(|note| note.pitch),
            next: next_place(bar, target, rank),
        })
    }

    /// The pitch at `target`, after the first `heard` notes, with which this bar would be the one whose turn it is once more in the passage before it.
    #[must_use]
    pub fn closing(&self, heard: usize, target: Place) -> Option<u8> {
        self.turns.closing(self.heard.get(..heard)?, target)
    }

    /// Hears the notes of a bar's rows, and writes into each row that asks for something what is recalled for it.
    pub fn fill_in(&mut self, rows: &mut [Row]) {
        rows.iter().filter_map(Row::note).for_each(|note| self.hear(&note));
        self.tell(rows);
    }

    /// Writes into each row of a bar that has been heard, if it asks for something, what was recalled for it.
    pub fn tell(&self, rows: &mut [Row]) {
        let mut heard = 0;
        for row in rows {
            heard += usize::from(row.note().is_some());
            self.write(heard, row);
        }
    }

    /// Writes into a row what is recalled for it when the first `heard` notes have been heard, if it asks for something.
    pub fn write(&self, heard: usize, row: &mut Row) {
        let target = row.target();
        if target.is_none() && row.columns[column::KIND] != Kind::Bar as u16 {
            return;
        }
        let matches = self.matches.get(heard).copied().unwrap_or_default();
        // The one that is to be repeated first, then the best repeated; of equal ones the nearest.
        let told = repeated(row.columns[column::REPEATS]);
        let mut known: Vec<(usize, &[NoteClasses])> =
            self.earlier.iter().enumerate().filter_map(|(index, bar)| Some((index, bar.as_deref()?))).collect();
        known.sort_by_key(|&(index, _)| (told != Some(index), Reverse(matches[index])));
        let rank = target.map_or(0, |target| self.rank(heard, target));

        if let Some(target) = target {
            let mut slots: [Option<(usize, &NoteClasses)>; SLOTS] = [None; SLOTS];
            for &(index, bar) in &known {
                let Some(found) = find(bar, target, rank) else { continue };
                if slots.iter().flatten().all(|(_, other)| other.pitch != found.pitch)
                    && let Some(slot) = slots.iter_mut().find(|slot| slot.is_none())
                {
                    *slot = Some((index, found));
                }
            }
            for (slot, (index, note)) in slots.into_iter().flatten().enumerate() {
                let level = level(matches[index]);
                let values = [
                    u16::try_from(index + 1).unwrap_or(0),
                    level * 256 + u16::from(note.pitch) + 1,
                    level * 64 + u16::from(note.duration) + 1,
                    level * 32 + u16::from(note.velocity) + 1,
                ];
                row.columns[column::RECALL_CONTENT + slot * values.len()..][..values.len()].copy_from_slice(&values);
            }
        }

        let mut slots: [Option<(usize, Option<Place>)>; SLOTS] = [None; SLOTS];
        for &(index, bar) in &known {
            let place = next_place(bar, target, rank);
            if slots.iter().flatten().all(|(_, other)| *other != place)
                && let Some(slot) = slots.iter_mut().find(|slot| slot.is_none())
            {
                *slot = Some((index, place));
            }
        }
        for (slot, (index, place)) in slots.into_iter().flatten().enumerate() {
            let level = level(matches[index]);
            let values = place.map_or([level * 17 + BAR_ENDS + 1, 0, 0], |place| {
                [level * 17 + u16::from(place.beat) + 1, level * 24 + u16::from(place.sub) + 1, level * 16 + u16::from(place.role) + 1]
            });
            row.columns[column::RECALL_PLACE + slot * values.len()..][..values.len()].copy_from_slice(&values);
        }
    }

    /// How many of the first `heard` notes begin at this place: the number of the next one there.
    fn rank(&self, heard: usize, place: Place) -> usize {
        self.heard.iter().take(heard).filter(|note| note.place() == place).count()
    }
}

/// Which of [`RECALL_BARS`] a bar with this value of the repeats column is told to repeat.
fn repeated(repeats: u16) -> Option<usize> {
    usize::from(repeats).checked_sub(usize::from(NEW_BAR) + 1)
}

/// Place in canonical order.
fn order(place: Place) -> (u8, u8, u8) {
    (place.beat, place.sub, place.role)
}

/// The note of this rank among those at a place.
fn find(bar: &[NoteClasses], place: Place, rank: usize) -> Option<&NoteClasses> {
    bar.get(first_at(bar, place) + rank).filter(|note| note.place() == place)
}

/// Where the first note after that rank at a place is, or the first of all where no place is asked; `None` if there is no such note.
fn next_place(bar: &[NoteClasses], target: Option<Place>, rank: usize) -> Option<Place> {
    let next = target.map_or(0, |target| {
        let past = bar.partition_point(|note| order(note.place()) <= order(target));
        (first_at(bar, target) + rank + 1).min(past)
    });
    bar.get(next).map(NoteClasses::place)
}

/// Number of the first note that does not stand before a place.
fn first_at(bar: &[NoteClasses], place: Place) -> usize {
    bar.partition_point(|note| order(note.place()) < order(place))
}

/// How far a bar is trusted that was repeated so well: 0 to 4.
fn level(matches: u8) -> u16 {
    LEVELS.iter().map(|&from| u16::from(matches >= from)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{BarEnd, BarFields, BarRows, align};
    use crate::music::Role;
    use crate::music::analysis::REPEAT_BARS;

    fn note(sub: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat: sub / 24, sub: sub % 24, role: Role::Keys.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    /// The rows of a bar with what is recalled; the bar is remembered.
    fn heard(recall: &mut Recall, index: u32, notes: &[NoteClasses]) -> Vec<Row> {
        let bar = BarRows { index, ticks: 96, notes: notes.to_vec(), ..BarRows::default() };
        let mut rows = align(&bar, BarEnd::Bar).0;
        let mut open = recall.begin(index);
        open.fill_in(&mut rows);
        recall.finish(open);
        rows
    }

    fn columns(row: &Row) -> &[u16] {
        &row.columns[column::RECALL_CONTENT..]
    }

    const NOTHING: [u16; 14] = [0; 14];
    const KEYS: u16 = 1 + Role::Keys.class() as u16;

    #[test]
    fn a_bar_that_is_repeated_is_told_and_trusted_more_with_every_note() {
        let mut recall = Recall::default();
        let melody = [note(0, 60), note(24, 62), note(48, 64)];
        assert!(heard(&mut recall, 0, &melody).iter().all(|row| columns(row) == NOTHING), "there is nothing before the first bar");
        let rows = heard(&mut recall, 1, &melody);
        assert_eq!(columns(&rows[0]), [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, KEYS, 0, 0, 0]);
        assert_eq!(columns(&rows[1]), [1, 61, 12, 21, 0, 0, 0, 0, 2, 1, KEYS, 0, 0, 0]);
        assert_eq!(columns(&rows[2]), [1, 256 + 63, 64 + 12, 32 + 21, 0, 0, 0, 0, 17 + 3, 24 + 1, 16 + KEYS, 0, 0, 0]);
        assert_eq!(columns(&rows[3]), [1, 256 + 65, 64 + 12, 32 + 21, 0, 0, 0, 0, 17 + 17, 0, 0, 0, 0, 0]);
        assert_eq!(columns(&rows[4]), NOTHING, "the last note asks for nothing");
        // Three matches at one bar back, and from here on two bars back is the same music.
        let rows = heard(&mut recall, 2, &melody);
        assert_eq!(columns(&rows[1])[..2], [1, 2 * 256 + 61]);
    }

    #[test]
    fn what_differs_is_told_by_the_best_repeated_bar_first() {
        let mut recall = Recall::default();
        heard(&mut recall, 0, &[note(0, 60), note(24, 62)]);
        heard(&mut recall, 1, &[note(0, 70), note(36, 72)]);
        let rows = heard(&mut recall, 2, &[note(0, 60), note(24, 62)]);
        // Nothing is known of either before the first note: the nearer bar comes first. Then bar 0, two bars back, has proved right.
        assert_eq!(columns(&rows[1])[..8], [1, 71, 12, 21, 2, 61, 12, 21]);
        assert_eq!(columns(&rows[1])[8..], [2, 13, KEYS, 2, 1, KEYS]);
        assert_eq!(columns(&rows[2])[..8], [2, 256 + 63, 64 + 12, 32 + 21, 0, 0, 0, 0]);
    }

    #[test]
    fn the_bar_that_is_to_be_repeated_comes_before_all_others() {
        assert!(REPEAT_BARS.iter().zip(RECALL_BARS).all(|(&told, recalled)| told == recalled as usize));
        let mut recall = Recall::default();
        heard(&mut recall, 0, &[note(0, 60), note(24, 62)]);
        heard(&mut recall, 1, &[note(0, 70), note(36, 72)]);
        let fields = BarFields { repeats: NEW_BAR + 2, ..BarFields::default() };
        let bar = BarRows { index: 2, ticks: 96, fields, notes: vec![note(0, 70), note(36, 72)] };
        let mut rows = align(&bar, BarEnd::Bar).0;
        recall.begin(2).fill_in(&mut rows);
        // Bar 0 stands first although it is farther away, and although the first note was that of bar 1.
        assert_eq!(columns(&rows[1])[..8], [2, 61, 12, 21, 1, 71, 12, 21]);
        assert_eq!(columns(&rows[1])[8..], [2, 1, KEYS, 2, 13, KEYS]);
        assert_eq!(columns(&rows[2])[..8], [1, 256 + 73, 64 + 12, 32 + 21, 0, 0, 0, 0]);
    }

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
    fn the_notes_of_a_chord_are_told_apart_by_their_rank() {
        let mut recall = Recall::default();
        let chord = [note(0, 60), note(0, 64), note(0, 67)];
        heard(&mut recall, 0, &chord);
        let rows = heard(&mut recall, 1, &chord);
        assert_eq!([1, 2, 3].map(|row: usize| columns(&rows[row])[1] % 256), [61, 65, 68]);
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

    #[test]
    fn across_a_gap_nothing_counts_as_repeated() {
        let mut recall = Recall::default();
        heard(&mut recall, 0, &[note(0, 60)]);
        heard(&mut recall, 1, &[note(0, 60)]);
        heard(&mut recall, 5, &[note(0, 60)]);
        let rows = heard(&mut recall, 2, &[note(0, 60)]);
        assert_eq!(columns(&rows[1])[..2], [1, 61], "trust of level 0 in the bar before");
    }
}
