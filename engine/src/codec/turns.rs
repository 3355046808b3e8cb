//! Passages that are played over and over.

use std::sync::Arc;

use super::row::{NoteClasses, Place};

/// Bars of the passages that are taken for loops when they are played more than once in succession.
const LOOPS: [usize; 3] = [1, 2, 4];

/// Up to here it is counted how often.
const MOST_TURNS: usize = 3;

/// Bars that are looked at.
pub(super) const LATEST_BARS: usize = MOST_TURNS * LOOPS[LOOPS.len() - 1];

/// How often the latest passage of one, two or four bars was played in succession, the same notes at the same places.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    /// 1 to [`MOST_TURNS`].
    pub(super) count: usize,
    /// The bar of the passage whose turn it would be once more.
    again: Option<Arc<[NoteClasses]>>,
}

impl Turns {
    /// Of these bars, the latest one first, each in canonical order; [`LATEST_BARS`] are enough.
    pub(super) fn of(latest: &[Arc<[NoteClasses]>]) -> Self {
        let struck: Vec<Vec<_>> = latest.iter().map(|notes| strokes(notes).collect()).collect();
        let count = |bars: usize| {
            let mut passages = struck.chunks_exact(bars);
            let last = passages.next().filter(|bars| bars.iter().any(|notes| !notes.is_empty()));
            1 + last.map_or(0, |last| passages.take(MOST_TURNS - 1).take_while(|passage| *passage == last).count())
        };
        let (count, bars) = LOOPS.map(|bars| (count(bars), bars)).into_iter().max().unwrap_or((1, 1));
        Self { count, again: latest.get(bars - 1).cloned() }
    }

    /// The pitch at `target` with which a bar that has these notes so far would be the bar whose turn it is once more.
    pub(super) fn closing(&self, so_far: &[NoteClasses], target: Place) -> Option<u8> {
        let (last, before) = self.again.as_ref()?.split_last()?;
        let mut so_far: Vec<_> = strokes(so_far).collect();
        so_far.sort_unstable();
        (last.place() == target && strokes(before).eq(so_far)).then_some(last.pitch)
    }
}

/// What notes are compared by: place in canonical order, and pitch.
fn strokes(notes: &[NoteClasses]) -> impl Iterator<Item = ((u8, u8, u8), u8)> {
    notes.iter().map(|note| ((note.beat, note.sub, note.role), note.pitch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    fn note(sub: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat: sub / 24, sub: sub % 24, role: Role::Keys.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    /// After bars of these notes, the latest one last.
    fn after(bars: &[&[NoteClasses]]) -> Turns {
        let latest: Vec<Arc<[NoteClasses]>> = bars.iter().rev().map(|&notes| notes.into()).collect();
        Turns::of(&latest)
    }

    #[test]
    fn it_is_counted_how_often_a_passage_was_played_in_succession() {
        let bars: Vec<[NoteClasses; 1]> = [60, 62, 60, 64, 60, 64, 60, 64, 64, 64, 64, 65].map(|pitch| [note(0, pitch)]).into();
        let bars: Vec<&[NoteClasses]> = bars.iter().map(<[NoteClasses; 1]>::as_slice).collect();
        let counts: Vec<usize> = (1..=bars.len()).map(|count| after(&bars[..count]).count).collect();
        assert_eq!(counts, [1, 1, 1, 1, 1, 2, 2, 3, 2, 3, 3, 1]);
        assert_eq!(after(&[[].as_slice(); 8]).count, 1, "silence is no loop");
        assert_eq!(after(&[]).count, 1);
    }

    #[test]
    fn the_note_that_closes_a_loop_is_the_last_one_of_the_bar_whose_turn_it_is() {
        let (one, other): (&[_], &[_]) = (&[note(0, 60), note(24, 62), note(48, 64)], &[note(0, 70)]);
        let turns = after(&[one, other, one, other, one, other]);
        assert_eq!(turns.count, 3);
        let place = note(48, 0).place();
        assert_eq!(turns.closing(&one[..2], place), Some(64));
        assert_eq!(turns.closing(&[one[1], one[0]], place), Some(64), "given notes may have come first");
        assert_eq!(turns.closing(&one[..1], note(24, 0).place()), None, "the bar is not full yet");
        assert_eq!(turns.closing(&[one[0], note(24, 61)], place), None, "it is another bar already");
        assert_eq!(turns.closing(&[], note(0, 0).place()), None, "it is the first bar's turn");
        assert_eq!(after(&[]).closing(&[], place), None);
    }
}
