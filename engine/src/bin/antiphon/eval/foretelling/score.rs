//! How much of a bar was foretold.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use antiphon_engine::codec::{NoteClasses, Place};
use serde_json::{Value, json};

use crate::corpus::share;

/// What was foretold, what came, and what of it was foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Found {
    hits: usize,
    told: usize,
    came: usize,
}

impl Found {
    fn count<T: Ord>(told: &BTreeSet<T>, came: &BTreeSet<T>) -> Self {
        Self { hits: told.intersection(came).count(), told: told.len(), came: came.len() }
    }

    /// The harmonic mean of precision and recall; 0 of nothing.
    fn f1(self) -> f64 {
        share(2 * self.hits, self.told + self.came)
    }
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.told += other.told;
        self.came += other.came;
    }
}

/// What one teller foretold of some bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Score {
    onsets: Found,
    notes: Found,
    /// Pitches that were foretold, given onset and role, and all.
    pitches: (usize, usize),
}

impl Score {
    /// Counts a bar: what was told of it, and what came.
    pub(super) fn count_bar(&mut self, told: &[NoteClasses], came: &[NoteClasses]) {
        let onsets = |notes: &[NoteClasses]| notes.iter().map(|note| (note.tick(), note.role)).collect::<BTreeSet<_>>();
        let whole = |notes: &[NoteClasses]| notes.iter().map(|note| (note.tick(), note.role, note.pitch)).collect::<BTreeSet<_>>();
        self.onsets += Found::count(&onsets(told), &onsets(came));
        self.notes += Found::count(&whole(told), &whole(came));
    }

    /// Counts the pitches of a bar as a copy of `earlier` foretells them: what was struck there at the same place, in the same order.
    pub(super) fn count_copied_pitches(&mut self, earlier: &[NoteClasses], came: &[NoteClasses]) {
        let at = |notes: &[NoteClasses], place: Place| {
            notes.iter().filter(|note| note.place() == place).map(|note| note.pitch).collect::<Vec<_>>()
        };
        for (index, note) in came.iter().enumerate() {
            let before = came[..index].iter().filter(|other| other.place() == note.place()).count();
            self.count_pitch(at(earlier, note.place()).get(before) == Some(&note.pitch));
        }
    }

    /// Counts a pitch that was foretold, or not.
    pub(super) fn count_pitch(&mut self, foretold: bool) {
        self.pitches.0 += usize::from(foretold);
        self.pitches.1 += 1;
    }

    /// F1 of onsets and of notes, and the share of pitches foretold (`None` where no pitch was asked), in the order of [`NAMES`].
    pub(super) fn shares(&self) -> [Option<f64>; 3] {
        let (hits, of) = self.pitches;
        [Some(self.onsets.f1()), Some(self.notes.f1()), (of > 0).then(|| share(hits, of))]
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.onsets += other.onsets;
        self.notes += other.notes;
        self.pitches.0 += other.pitches.0;
        self.pitches.1 += other.pitches.1;
    }
}

/// Names of what [`Score::shares`] returns.
pub(super) const NAMES: [&str; 3] = ["onset_f1", "note_f1", "pitch_top1"];

/// Shares with their names.
pub(super) fn named(shares: [Option<f64>; 3]) -> Value {
    NAMES.into_iter().zip(shares).map(|(name, share)| (name.to_owned(), json!(share))).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(beat: u8, role: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat, sub: 0, role, pitch, duration: 20, velocity: 20, offset: 4 }
    }

    #[test]
    fn onsets_are_told_apart_by_role_and_notes_by_pitch() {
        let came = [note(0, 0, 60), note(1, 0, 62), note(2, 0, 64), note(3, 0, 65)];
        // Two onsets of three are right, one of them with the pitch.
        let told = [note(0, 0, 60), note(1, 0, 63), note(2, 1, 64)];
        let mut score = Score::default();
        score.count_bar(&told, &came);
        assert_eq!(score.shares(), [Some(2.0 * 2.0 / 7.0), Some(2.0 * 1.0 / 7.0), None]);
        // A bar that was foretold to be empty and is adds nothing.
        score.count_bar(&[], &[]);
        assert_eq!(score.shares()[0], Some(4.0 / 7.0));
        assert_eq!(Score::default().shares()[0], Some(0.0));
    }

    #[test]
    fn a_copied_chord_foretells_its_notes_in_their_order() {
        let earlier = [note(0, 0, 60), note(0, 0, 64), note(0, 1, 50), note(2, 0, 67)];
        let came = [note(0, 0, 60), note(0, 0, 65), note(0, 1, 50), note(1, 0, 67)];
        let mut score = Score::default();
        score.count_copied_pitches(&earlier, &came);
        assert_eq!(score.shares()[2], Some(0.5));
        score.count_pitch(true);
        assert_eq!(score.pitches, (3, 5));
    }
}
