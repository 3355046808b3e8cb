//! Phrases that are empty, or equal to an earlier variation, are generated again.

use antiphon_engine::decode::Draw;
use antiphon_engine::music::analysis::BarPattern;
use antiphon_engine::music::{Note, Tick};

use antiphon_cli::console::remark;

/// Reason to draw a phrase again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has no note.
    Empty,
    /// It strikes the keys of the variation with this seed, at the same times.
    SameAs(u64),
}

impl Fault {
    /// Message with the fault and its cure.
    pub(crate) fn describe(self, seed: u64) -> String {
        match self {
            Self::Empty => format!(
                "no note was found with seed {seed}, in any of several attempts; allow more with --roles, --register or --free, or raise --adventurousness"
            ),
            Self::SameAs(other) => format!(
                "the variation with seed {seed} is the same as the one with seed {other}, because no different one was found; ask for fewer variations or more bars, or raise --adventurousness"
            ),
        }
    }
}

/// The phrases generated so far.
#[derive(Debug, Default)]
pub(crate) struct Earlier(Vec<(u64, BarPattern)>);

impl Earlier {
    /// Fault of a phrase of these notes, if any.
    fn fault(&self, notes: &[Note]) -> Option<Fault> {
        if notes.is_empty() {
            return Some(Fault::Empty);
        }
        let pattern = BarPattern::new(Tick::ZERO, notes);
        self.0.iter().find(|(_, other)| *other == pattern).map(|(seed, _)| Fault::SameAs(*seed))
    }

    /// Draws the phrase of a seed until it has no fault, or for the last time, and adds it to the earlier ones.
    fn draw<E>(&mut self, seed: u64, mut draw: impl FnMut(Draw) -> Result<Vec<Note>, E>) -> Result<(Vec<Note>, Option<Fault>), E> {
        let mut number = Draw::FIRST;
        loop {
            let notes = draw(number)?;
            let fault = self.fault(&notes);
            match fault.and_then(|_| number.next()) {
                Some(next) => number = next,
                None => {
                    self.0.push((seed, BarPattern::new(Tick::ZERO, &notes)));
                    return Ok((notes, fault));
                }
            }
        }
    }

    /// [`draw`](Self::draw) that reports a phrase which keeps its fault, as one of `what` with the seed `requested`.
    pub(crate) fn draw_or_remark<E>(
        &mut self,
        seed: u64,
        requested: u64,
        what: &str,
        draw: impl FnMut(Draw) -> Result<Vec<Note>, E>,
    ) -> Result<Vec<Note>, E> {
        let (notes, fault) = self.draw(seed, draw)?;
        if let Some(fault) = fault {
            remark(&format!("{what}: {}", fault.describe(requested)));
        }
        Ok(notes)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use antiphon_engine::music::Role;

    use super::*;

    fn note(pitch: u8, velocity: u8) -> Note {
        Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch, velocity, role: Role::Keys }
    }

    /// Result of a draw that yields these phrases one after the other, and the number of draws.
    fn drawn(earlier: &mut Earlier, seed: u64, phrases: &[Vec<Note>]) -> (Vec<Note>, Option<Fault>, usize) {
        let mut count = 0;
        let next = |_| {
            count += 1;
            Ok::<_, Infallible>(phrases[(count - 1).min(phrases.len() - 1)].clone())
        };
        let (notes, fault) = earlier.draw(seed, next).unwrap();
        (notes, fault, count)
    }

    #[test]
    fn phrase_that_is_empty_or_equal_is_drawn_again() {
        let mut earlier = Earlier::default();
        assert_eq!(drawn(&mut earlier, 1, &[vec![], vec![note(60, 80)]]), (vec![note(60, 80)], None, 2));
        // Another loudness is no other music.
        assert_eq!(drawn(&mut earlier, 2, &[vec![note(60, 90)], vec![], vec![note(61, 80)]]), (vec![note(61, 80)], None, 3));
        assert_eq!(drawn(&mut earlier, 3, &[vec![note(62, 80)]]), (vec![note(62, 80)], None, 1));
    }

    #[test]
    fn phrase_with_a_fault_in_every_draw_is_kept_and_reported() {
        let mut earlier = Earlier::default();
        assert_eq!(drawn(&mut earlier, 7, &[vec![]]), (vec![], Some(Fault::Empty), 8));
        drawn(&mut earlier, 8, &[vec![note(60, 80)]]);
        let (_, fault, count) = drawn(&mut earlier, 9, &[vec![note(60, 80)]]);
        assert_eq!((fault, count), (Some(Fault::SameAs(8)), 8));
        let message = fault.unwrap().describe(9);
        assert!(message.contains("seed 9") && message.contains("seed 8") && message.contains("--adventurousness"), "{message}");
    }
}
