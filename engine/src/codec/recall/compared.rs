//! The bars at some distances to one side of a bar, and how well it has repeated each so far.

use std::sync::Arc;

use super::RECALL_BARS;
use crate::codec::own::OwnRoles;
use crate::codec::row::{NoteClasses, Place};

/// Largest match count.
const MOST_MATCHES: u8 = 31;

/// Match count for each of [`RECALL_BARS`]: plus one for every note that the other bar has too, divided by four at one that it has not.
pub(super) type Matches = [u8; RECALL_BARS.len()];

/// The bars at [`RECALL_BARS`] to one side of a bar.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// Notes in canonical order; `None` where the sequence has no such bar.
    pub(super) bars: [Option<Arc<[NoteClasses]>>; RECALL_BARS.len()],
    /// Match counts before the first note and after each.
    pub(super) matches: Vec<Matches>,
}

impl Compared {
    /// The bars, and the match counts to begin with.
    pub(super) fn new(bars: [Option<Arc<[NoteClasses]>>; RECALL_BARS.len()], matches: Matches) -> Self {
        Self { bars, matches: vec![matches] }
    }

    /// Compares the bar's next note, the one of this rank at its place.
    pub(super) fn push(&mut self, note: &NoteClasses, rank: usize) {
        let mut matches = self.latest();
        for (matches, bar) in matches.iter_mut().zip(&self.bars) {
            if let Some(bar) = bar {
                *matches = matched(*matches, bar, note, rank);
            }
        }
        self.matches.push(matches);
    }

    /// Truncates to the first `notes` notes.
    pub(super) fn truncate(&mut self, notes: usize) {
        self.matches.truncate(notes + 1);
    }

    /// Match counts after the last note.
    pub(super) fn latest(&self) -> Matches {
        self.matches.last().copied().unwrap_or_default()
    }
}

/// A match count after all notes of a bar, compared with another one; both in canonical order.
pub(super) fn agreement(mut matches: u8, bar: &[NoteClasses], other: &[NoteClasses]) -> u8 {
    for (index, note) in bar.iter().enumerate() {
        matches = matched(matches, other, note, index - first_at(bar, note.place()));
    }
    matches
}

/// A match count after one more note.
fn matched(matches: u8, other: &[NoteClasses], note: &NoteClasses, rank: usize) -> u8 {
    let same = find(other, note.place(), rank).is_some_and(|found| found.pitch == note.pitch);
    if same { (matches + 1).min(MOST_MATCHES) } else { matches / 4 }
}

/// Sort key of the canonical order.
pub(super) fn order(place: Place) -> (u8, u8, u8) {
    (place.beat, place.sub, place.role)
}

/// The note of this rank at a place.
pub(super) fn find(bar: &[NoteClasses], place: Place, rank: usize) -> Option<&NoteClasses> {
    bar.get(first_at(bar, place) + rank).filter(|note| note.place() == place)
}

/// Place of the first note of the own roles after that rank at the target, or of the first such note without a target; `None` if there is none.
pub(super) fn next_place(bar: &[NoteClasses], own: OwnRoles, target: Option<Place>, rank: usize) -> Option<Place> {
    let next = target.map_or(0, |target| {
        let past = bar.partition_point(|note| order(note.place()) <= order(target));
        (first_at(bar, target) + rank + 1).min(past)
    });
    bar.iter().skip(next).map(NoteClasses::place).find(|place| own.contains(place.role))
}

/// Index of the first note not before a place.
fn first_at(bar: &[NoteClasses], place: Place) -> usize {
    bar.partition_point(|note| order(note.place()) < order(place))
}
