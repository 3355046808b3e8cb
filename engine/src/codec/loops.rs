//! Detection of loops: passages repeated in immediate succession.

use std::sync::Arc;

use super::row::{NoteClasses, Place};

/// Lengths in bars of the passages compared.
const LOOP_BARS: [usize; 3] = [1, 2, 4];

/// Largest count.
const MOST_LOOPS: usize = 3;

/// Bars needed to detect all loops.
pub(super) const LATEST_BARS: usize = MOST_LOOPS * LOOP_BARS[LOOP_BARS.len() - 1];

/// The latest loop: a passage of one, two or four bars with the same notes at the same places, repeated in succession.
#[derive(Debug, Clone, Default)]
pub(super) struct Loops {
    /// Number of occurrences, 1 to [`MOST_LOOPS`]; 1 is no loop.
    pub(super) count: usize,
    /// The bar of the passage that comes next if the loop goes on.
    next_bar: Option<Arc<[NoteClasses]>>,
}

impl Loops {
    /// Detects the loop in these bars, the latest first, each in canonical order; at most [`LATEST_BARS`] are used.
    pub(super) fn of(latest: &[Arc<[NoteClasses]>]) -> Self {
        let note_sets: Vec<Vec<_>> = latest.iter().map(|notes| compared(notes).collect()).collect();
        let count = |bars: usize| {
            let mut passages = note_sets.chunks_exact(bars);
            let last = passages.next().filter(|bars| bars.iter().any(|notes| !notes.is_empty()));
            1 + last.map_or(0, |last| passages.take(MOST_LOOPS - 1).take_while(|passage| *passage == last).count())
        };
        let (count, bars) = LOOP_BARS.map(|bars| (count(bars), bars)).into_iter().max().unwrap_or((1, 1));
        Self { count, next_bar: latest.get(bars - 1).cloned() }
    }

    /// Pitch at `target` that would complete one more occurrence of the loop's next bar, given the bar's notes so far.
    pub(super) fn closing(&self, so_far: &[NoteClasses], target: Place) -> Option<u8> {
        let (last, before) = self.next_bar.as_ref()?.split_last()?;
        let mut so_far: Vec<_> = compared(so_far).collect();
        so_far.sort_unstable();
        (last.place() == target && compared(before).eq(so_far)).then_some(last.pitch)
    }
}

/// Key by which notes are compared: place, in canonical order, and pitch.
fn compared(notes: &[NoteClasses]) -> impl Iterator<Item = ((u8, u8, u8), u8)> {
    notes.iter().map(|note| ((note.beat, note.sub, note.role), note.pitch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    fn note(sub: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat: sub / 24, sub: sub % 24, role: Role::Keys.class(), pitch, duration: 11, velocity: 20, offset: 4 }
    }

    /// The loop in these bars, the latest one last.
    fn after(bars: &[&[NoteClasses]]) -> Loops {
        let latest: Vec<Arc<[NoteClasses]>> = bars.iter().rev().map(|&notes| notes.into()).collect();
        Loops::of(&latest)
    }

    #[test]
    fn loop_count_is_the_number_of_successive_occurrences() {
        let bars: Vec<[NoteClasses; 1]> = [60, 62, 60, 64, 60, 64, 60, 64, 64, 64, 64, 65].map(|pitch| [note(0, pitch)]).into();
        let bars: Vec<&[NoteClasses]> = bars.iter().map(<[NoteClasses; 1]>::as_slice).collect();
        let counts: Vec<usize> = (1..=bars.len()).map(|count| after(&bars[..count]).count).collect();
        assert_eq!(counts, [1, 1, 1, 1, 1, 2, 2, 3, 2, 3, 3, 1]);
        assert_eq!(after(&[[].as_slice(); 8]).count, 1, "silence is no loop");
        assert_eq!(after(&[]).count, 1);
    }

    #[test]
    fn closing_note_is_the_last_note_of_the_looped_bar() {
        let (one, other): (&[_], &[_]) = (&[note(0, 60), note(24, 62), note(48, 64)], &[note(0, 70)]);
        let loops = after(&[one, other, one, other, one, other]);
        assert_eq!(loops.count, 3);
        let place = note(48, 0).place();
        assert_eq!(loops.closing(&one[..2], place), Some(64));
        assert_eq!(loops.closing(&[one[1], one[0]], place), Some(64), "given notes may have come first");
        assert_eq!(loops.closing(&one[..1], note(24, 0).place()), None, "the bar is not full yet");
        assert_eq!(loops.closing(&[one[0], note(24, 61)], place), None, "it is another bar already");
        assert_eq!(loops.closing(&[], note(0, 0).place()), None, "the loop's next bar is the first one");
        assert_eq!(after(&[]).closing(&[], place), None);
    }
}
