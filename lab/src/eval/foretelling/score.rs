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

    /// The better of two for the same bar: where nothing is right in either, the one that tells less.
    fn better(self, other: Self) -> Self {
        if (other.f1(), self.told) > (self.f1(), other.told) { other } else { self }
    }
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.told += other.told;
        self.came += other.came;
    }
}

/// Pitches that were foretold, given onset and role, and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Pitches {
    hits: usize,
    of: usize,
}

impl Pitches {
    fn count(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    /// `None` where no pitch was asked.
    fn share(self) -> Option<f64> {
        (self.of > 0).then(|| share(self.hits, self.of))
    }
}

impl AddAssign for Pitches {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.of += other.of;
    }
}

/// What one teller foretold of some bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Score {
    onsets: Found,
    notes: Found,
    /// The one that was told first.
    first: Pitches,
    /// Any of five.
    among: Pitches,
}

/// As many of the likeliest pitches count as foretold.
pub(super) const TOP: usize = 5;

impl Score {
    /// Counts a bar: what was told of it, and what came.
    pub(super) fn count_bar(&mut self, told: &[NoteClasses], came: &[NoteClasses]) {
        let onsets = |notes: &[NoteClasses]| notes.iter().map(|note| (note.tick(), note.role)).collect::<BTreeSet<_>>();
        let whole = |notes: &[NoteClasses]| notes.iter().map(|note| (note.tick(), note.role, note.pitch)).collect::<BTreeSet<_>>();
        self.onsets += Found::count(&onsets(told), &onsets(came));
        self.notes += Found::count(&whole(told), &whole(came));
    }

    /// Counts a pitch before which so many were likelier; `None`: at least [`TOP`].
    pub(super) fn count_rank(&mut self, likelier: Option<usize>) {
        self.first.count(likelier == Some(0));
        self.among.count(likelier.is_some_and(|likelier| likelier < TOP));
    }

    /// Counts a pitch that was foretold, or not, by a teller who says one.
    pub(super) fn count_pitch(&mut self, foretold: bool) {
        self.first.count(foretold);
    }

    /// F1 of onsets and of notes, and the shares of pitches foretold (`None` where none was asked), in the order of [`NAMES`].
    pub(super) fn shares(&self) -> [Option<f64>; NAMES.len()] {
        [Some(self.onsets.f1()), Some(self.notes.f1()), self.first.share(), self.among.share()]
    }
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.onsets += other.onsets;
        self.notes += other.notes;
        self.first += other.first;
        self.among += other.among;
    }
}

/// Names of what [`Score::shares`] returns.
pub(super) const NAMES: [&str; 4] = ["onset_f1", "note_f1", "pitch_top1", "pitch_top5"];

/// Shares with their names.
pub(super) fn named(shares: [Option<f64>; NAMES.len()]) -> Value {
    NAMES.into_iter().zip(shares).map(|(name, share)| (name.to_owned(), json!(share))).collect::<serde_json::Map<_, _>>().into()
}

/// How far back the copies are.
pub(super) const COPIES: [usize; 4] = [1, 2, 4, 8];

/// The copies' names, and that of the best of them.
pub(super) const COPY_TELLERS: [&str; 5] = ["copy_1", "copy_2", "copy_4", "copy_8", "copy_best"];

/// Counts a bar as copies of earlier ones foretell it. The best of them is chosen for each bar and each share by who knows the outcome, and has a pitch among
/// its own if one of the copies has it there.
pub(super) fn count_copies(scores: &mut [Score], copies: [&[NoteClasses]; COPIES.len()], came: &[NoteClasses]) {
    let mut best: Option<Score> = None;
    let mut any = vec![false; came.len()];
    for (sum, copied) in scores.iter_mut().zip(copies) {
        let mut score = Score::default();
        score.count_bar(copied, came);
        for (told, any) in copied_pitches(copied, came).zip(&mut any) {
            score.count_pitch(told);
            *any |= told;
        }
        *sum += score;
        best = Some(best.map_or(score, |best| Score {
            onsets: best.onsets.better(score.onsets),
            notes: best.notes.better(score.notes),
            first: if score.first.hits > best.first.hits { score.first } else { best.first },
            among: best.among,
        }));
    }
    if let (Some(sum), Some(mut best)) = (scores.get_mut(COPIES.len()), best) {
        any.into_iter().for_each(|any| best.among.count(any));
        *sum += best;
    }
}

/// Whether a copy of `earlier` foretells each pitch of a bar: what was struck there at the same place, in the same order.
fn copied_pitches<'a>(earlier: &'a [NoteClasses], came: &'a [NoteClasses]) -> impl Iterator<Item = bool> + 'a {
    let at = |place: Place| earlier.iter().filter(move |note| note.place() == place).map(|note| note.pitch);
    came.iter().enumerate().map(move |(index, note)| {
        let before = came[..index].iter().filter(|other| other.place() == note.place()).count();
        at(note.place()).nth(before) == Some(note.pitch)
    })
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
        assert_eq!(score.shares(), [Some(2.0 * 2.0 / 7.0), Some(2.0 * 1.0 / 7.0), None, None]);
        // A bar that was foretold to be empty and is adds nothing.
        score.count_bar(&[], &[]);
        assert_eq!(score.shares()[0], Some(4.0 / 7.0));
        assert_eq!(Score::default().shares()[0], Some(0.0));
    }

    #[test]
    fn a_copied_chord_foretells_its_notes_in_their_order() {
        let earlier = [note(0, 0, 60), note(0, 0, 64), note(0, 1, 50), note(2, 0, 67)];
        let came = [note(0, 0, 60), note(0, 0, 65), note(0, 1, 50), note(1, 0, 67)];
        assert_eq!(copied_pitches(&earlier, &came).collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn the_likeliest_is_first_and_among_five() {
        let mut score = Score::default();
        [Some(0), Some(4), Some(5), None].into_iter().for_each(|rank| score.count_rank(rank));
        assert_eq!(score.shares()[2..], [Some(0.25), Some(0.5)]);
    }

    #[test]
    fn the_best_copy_is_another_for_each_bar_and_share() {
        let came = [note(0, 0, 60), note(1, 0, 62)];
        // The rhythm is in one, a pitch in each of two others, the last is silent.
        let rhythm = [note(0, 0, 50), note(1, 0, 50)];
        let (one, two) = ([note(0, 0, 60)], [note(1, 0, 62), note(2, 0, 62)]);
        let mut scores = [Score::default(); 5];
        count_copies(&mut scores, [&rhythm, &one, &two, &[]], &came);
        assert_eq!(scores[0].shares(), [Some(1.0), Some(0.0), Some(0.0), None]);
        assert_eq!(scores[4].shares(), [Some(1.0), Some(2.0 / 3.0), Some(0.5), Some(1.0)]);
        // Nothing comes: the best tells nothing.
        count_copies(&mut scores, [&rhythm, &one, &two, &[]], &[]);
        assert_eq!(scores[4].shares(), [Some(1.0), Some(2.0 / 3.0), Some(0.5), Some(1.0)]);
        assert!(scores[0].shares()[0] < Some(1.0));
    }
}
