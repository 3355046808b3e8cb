//! Going back to what was suggested before, and forward again.

use super::super::Plan;
use super::{Entry, EntryId, History};

/// Which way to go in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the suggestion before.
    Older,
    /// To the one after; from the newest, to what is planned now.
    Newer,
    /// To what is planned now.
    Now,
}

impl History {
    /// Goes a step, with this plan as what is planned now; says whether there was one to go. What is written down meanwhile does not change
    /// what is looked at.
    pub fn step(&mut self, step: Step, now: Option<&Plan>) -> bool {
        let to = self.target(step, now);
        if let Some(to) = to {
            self.cursor = to;
        }
        to.is_some()
    }

    /// Whether there is a step to go.
    #[must_use]
    pub fn can_step(&self, step: Step, now: Option<&Plan>) -> bool {
        self.target(step, now).is_some()
    }

    /// What was gone back to: `None` while the player looks at what is planned now.
    #[must_use]
    pub fn recalled(&self) -> Option<&Entry> {
        self.entries.get(self.position()?)
    }

    /// The place of what was gone back to, counted from the oldest: 0 and up.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        let id = self.cursor?;
        self.entries.iter().position(|entry| entry.id == id)
    }

    /// Where a step goes: to an entry, or to what is planned now. `None` if it goes nowhere.
    fn target(&self, step: Step, now: Option<&Plan>) -> Option<Option<EntryId>> {
        let at = self.position();
        let id = |at: usize| self.entries.get(at).map(|entry| entry.id);
        match step {
            Step::Older => {
                // From what is planned now: to the newest that is something else.
                let newest = || self.entries.iter().rposition(|entry| now.is_none_or(|plan| !plan.is_same(entry.plan())));
                let to = at.map_or_else(newest, |at| at.checked_sub(1))?;
                Some(id(to))
            }
            Step::Newer => Some(id(at? + 1)),
            Step::Now => at.map(|_| None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reason;
    use super::super::tests::{place, plan};
    use super::*;

    fn seed(history: &History) -> Option<u64> {
        history.recalled().map(|entry| entry.plan().brief.seed)
    }

    #[test]
    fn one_goes_back_and_forward_through_what_was_suggested() {
        let mut history = History::default();
        assert!(!history.step(Step::Older, None) && !history.step(Step::Newer, None) && !history.step(Step::Now, None));
        for seed in 1..=3 {
            history.push(plan(seed, 4), place(0), Reason::Rerolled);
        }
        let mut walk = |step| (history.step(step, None), seed(&history));
        assert_eq!(walk(Step::Newer), (false, None));
        assert_eq!(walk(Step::Older), (true, Some(3)));
        assert_eq!(walk(Step::Older), (true, Some(2)));
        assert_eq!(walk(Step::Older), (true, Some(1)));
        assert_eq!(walk(Step::Older), (false, Some(1)));
        assert_eq!(walk(Step::Newer), (true, Some(2)));
        assert_eq!(walk(Step::Newer), (true, Some(3)));
        assert_eq!(walk(Step::Newer), (true, None));
        assert_eq!(walk(Step::Older), (true, Some(3)));
        assert_eq!(walk(Step::Now), (true, None));
    }

    #[test]
    fn going_back_from_what_is_written_down_already_goes_to_the_one_before() {
        let mut history = History::default();
        history.push(plan(1, 4), place(0), Reason::Played);
        history.push(plan(2, 4), place(0), Reason::Kept);
        assert!(history.step(Step::Older, Some(&plan(2, 4))));
        assert_eq!(seed(&history), Some(1));
        let mut alone = History::default();
        alone.push(plan(2, 4), place(0), Reason::Kept);
        assert!(!alone.can_step(Step::Older, Some(&plan(2, 4))) && alone.can_step(Step::Older, None));
    }

    #[test]
    fn what_is_written_down_meanwhile_does_not_change_what_is_looked_at() {
        let mut history = History::default();
        history.push(plan(1, 4), place(0), Reason::Played);
        history.push(plan(2, 4), place(0), Reason::Played);
        history.step(Step::Older, None);
        history.push(plan(3, 4), place(0), Reason::PhraseEnd);
        assert_eq!((seed(&history), history.position()), (Some(2), Some(1)));
    }
}
