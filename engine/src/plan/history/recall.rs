//! History navigation: recall of earlier suggestions.

use super::super::Plan;
use super::{Entry, EntryId, History};

/// A step of the history navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the suggestion before.
    Older,
    /// To the one after; from the newest, to the current plan.
    Newer,
    /// To the current plan.
    Now,
    /// To this entry.
    To(EntryId),
}

impl History {
    /// Makes a step, with `now` as the current plan; returns whether there was one to make. Entries written later do not move
    /// the cursor.
    pub fn step(&mut self, step: Step, now: Option<&Plan>) -> bool {
        let to = self.target(step, now);
        if let Some(to) = to {
            self.cursor = to;
        }
        to.is_some()
    }

    /// Whether a step is possible.
    #[must_use]
    pub fn can_step(&self, step: Step, now: Option<&Plan>) -> bool {
        self.target(step, now).is_some()
    }

    /// Recalled entry; `None` while the current plan is shown.
    #[must_use]
    pub fn recalled(&self) -> Option<&Entry> {
        self.entries.get(self.position()?)
    }

    /// Index of the recalled entry, from 0 for the oldest.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        let id = self.cursor?;
        self.entries.iter().position(|entry| entry.id == id)
    }

    /// Target of a step: an entry, or the current plan. `None` if there is none.
    fn target(&self, step: Step, now: Option<&Plan>) -> Option<Option<EntryId>> {
        let at = self.position();
        let id = |at: usize| self.entries.get(at).map(|entry| entry.id);
        match step {
            Step::Older => {
                // From the current plan: to the newest entry of another plan.
                let newest = || self.entries.iter().rposition(|entry| now.is_none_or(|plan| !plan.is_same(entry.plan())));
                let to = at.map_or_else(newest, |at| at.checked_sub(1))?;
                Some(id(to))
            }
            Step::Newer => Some(id(at? + 1)),
            Step::Now => at.map(|_| None),
            Step::To(id) => self.entries.iter().any(|entry| entry.id == id).then_some(Some(id)),
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
    fn steps_visit_the_entries_in_order() {
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
    fn step_back_from_a_written_plan_skips_its_own_entry() {
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
    fn step_to_an_entry_shows_it_and_to_an_unknown_one_changes_nothing() {
        let mut history = History::default();
        let ids = [1, 2].map(|seed| history.push(plan(seed, 4), place(0), Reason::Played).unwrap());
        assert!(history.step(Step::To(ids[0]), None));
        assert_eq!(seed(&history), Some(1));
        assert!(!history.step(Step::To(EntryId(0)), None));
        assert_eq!(seed(&history), Some(1));
    }

    #[test]
    fn recalled_entry_is_unchanged_by_later_entries() {
        let mut history = History::default();
        history.push(plan(1, 4), place(0), Reason::Played);
        history.push(plan(2, 4), place(0), Reason::Played);
        history.step(Step::Older, None);
        history.push(plan(3, 4), place(0), Reason::PhraseEnd);
        assert_eq!((seed(&history), history.position()), (Some(2), Some(1)));
    }
}
