//! Plans that the player rejected, which new plans must not repeat.

use crate::music::Tick;
use crate::music::analysis::BarPattern;
use crate::plan::Passage;

/// Rejected passages that the plan being generated still equals.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    /// Passages without a difference so far.
    alike: Vec<Passage>,
}

impl Rejected {
    /// All passages, before the first bar is generated.
    pub(super) fn new(passages: &[Passage]) -> Self {
        Self { alike: passages.to_vec() }
    }

    /// Whether `made`, which follows what was [`taken`](Self::take), strikes the same keys as one of them. `line` is its bar line: silence in the rest
    /// of an open bar does not count as equal.
    pub(super) fn contains(&self, made: &Passage, line: Tick) -> bool {
        let is_audible = !made.notes.is_empty() || made.from <= line;
        is_audible && self.alike.iter().any(|rejected| covers(rejected, made) && is_equal(rejected, made))
    }

    /// Records a generated passage.
    pub(super) fn take(&mut self, made: &Passage) {
        self.alike.retain(|rejected| !covers(rejected, made) || is_equal(rejected, made));
    }
}

fn covers(rejected: &Passage, made: &Passage) -> bool {
    rejected.from <= made.from && made.until <= rejected.until
}

/// Whether both strike the same keys at the same times within `made`.
fn is_equal(rejected: &Passage, made: &Passage) -> bool {
    let inside: Vec<_> = rejected.notes.iter().filter(|note| (made.from..made.until).contains(&note.onset)).copied().collect();
    BarPattern::new(made.from, &inside) == BarPattern::new(made.from, &made.notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Note, Role};
    use crate::plan::PlanId;

    /// A passage with a quarter of these pitches at these ticks.
    fn passage(from: i64, until: i64, notes: &[(i64, u8)]) -> Passage {
        let note =
            |&(onset, pitch): &(i64, u8)| Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        Passage { plan: PlanId(1), from: Tick(from), until: Tick(until), notes: notes.iter().map(note).collect() }
    }

    #[test]
    fn passage_is_rejected_while_all_before_it_was_the_same() {
        let mut rejected = Rejected::new(&[passage(24, 288, &[(48, 60), (96, 62), (192, 64)])]);
        let same = [passage(24, 96, &[(48, 60)]), passage(96, 192, &[(96, 62)]), passage(192, 288, &[(192, 64)])];
        assert!(rejected.contains(&same[0], Tick::ZERO));
        assert!(!rejected.contains(&passage(24, 96, &[(48, 61)]), Tick::ZERO));
        rejected.take(&same[0]);
        assert!(rejected.contains(&same[1], Tick(96)));
        rejected.take(&passage(96, 192, &[(96, 70)]));
        assert!(!rejected.contains(&same[2], Tick(192)), "it is another phrase already");
    }

    #[test]
    fn silence_counts_for_whole_bars_and_nothing_for_bars_that_were_not_made() {
        let rejected = Rejected::new(&[passage(24, 192, &[])]);
        assert!(!rejected.contains(&passage(72, 96, &[]), Tick::ZERO), "the rest of a bar");
        assert!(rejected.contains(&passage(96, 192, &[]), Tick(96)));
        assert!(!rejected.contains(&passage(192, 288, &[]), Tick(192)), "the rejected plan did not reach so far");
        assert!(!Rejected::default().contains(&passage(0, 96, &[]), Tick::ZERO));
    }
}
