//! Removal of entries, which can be undone.

use super::{Entry, EntryId, History, free_name};

/// How many removed entries can be put back; older ones are gone.
const REMOVED_ENTRIES: usize = 64;

/// An entry that was removed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Removed {
    entry: Entry,
    /// Its index among the entries.
    at: usize,
}

impl Removed {
    /// Whether it is an entry of the same plan.
    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        self.entry.is_same(entry)
    }
}

impl History {
    /// Removes an entry, starred or not; returns whether it exists. If it was recalled, the current plan is shown.
    ///
    /// A state of the project that the host loads later does not bring it back: only [`put_back`](Self::put_back) does, or its plan when it
    /// is written again.
    pub fn remove(&mut self, id: EntryId) -> bool {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else { return false };
        let entry = self.entries.remove(at);
        if self.cursor == Some(id) {
            self.cursor = None;
        }
        if self.removed.len() == REMOVED_ENTRIES {
            self.removed.remove(0);
        }
        self.removed.push(Removed { entry, at });
        true
    }

    /// Puts a removed entry back to its place; returns whether there was one.
    pub fn put_back(&mut self, id: EntryId) -> bool {
        let Some(found) = self.removed.iter().rposition(|removed| removed.entry.id == id) else { return false };
        let Removed { entry, at } = self.removed.remove(found);
        let name = free_name(id, &self.entries);
        self.entries.insert(at.min(self.entries.len()), entry.named(name));
        self.make_room();
        true
    }

    /// An entry is written again: its removal cannot be undone any more.
    pub(super) fn forget_removal(&mut self, entry: &Entry) {
        self.removed.retain(|removed| !removed.is_of(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{place, plan, reload, seeds};
    use super::super::{Reason, Step};
    use super::*;

    /// Entries of these seeds.
    fn history(seeds: &[u64]) -> (History, Vec<EntryId>) {
        let mut history = History::default();
        let ids = seeds.iter().map(|seed| history.push(plan(*seed, 4), place(0), Reason::Played).unwrap()).collect();
        (history, ids)
    }

    #[test]
    fn removed_entry_is_put_back_to_its_place_with_its_star() {
        let (mut history, ids) = history(&[1, 2, 3]);
        assert_eq!(history.star(ids[1]), Ok(true));
        let before = history.clone();
        assert!(history.remove(ids[1]) && !history.remove(ids[1]));
        assert_eq!(seeds(&history), [1, 3]);
        assert!(history.remove(ids[0]));
        assert!(history.put_back(ids[0]) && history.put_back(ids[1]) && !history.put_back(ids[1]));
        assert_eq!(history, before);
    }

    #[test]
    fn removal_of_the_recalled_entry_shows_the_current_plan() {
        let (mut history, ids) = history(&[1, 2]);
        history.step(Step::To(ids[0]), None);
        history.remove(ids[0]);
        assert_eq!(history.recalled(), None);
        history.put_back(ids[0]);
        assert_eq!(history.recalled(), None, "it is not shown again by itself");
    }

    #[test]
    fn state_loaded_later_does_not_bring_a_removed_entry_back() {
        let (mut history, ids) = history(&[1, 2]);
        let older = reload(&history);
        history.remove(ids[0]);
        history.merge(older);
        assert_eq!(seeds(&history), [2]);
        // Another process knows nothing of the removal.
        assert_eq!(seeds(&reload(&history)), [2]);
        assert_eq!(history.push(plan(1, 4), place(0), Reason::Played), Some(ids[0]));
        assert!(!history.put_back(ids[0]), "it is there already");
        assert_eq!(seeds(&history), [2, 1]);
    }

    #[test]
    fn only_so_many_removals_can_be_undone() {
        let wanted: Vec<u64> = (0..REMOVED_ENTRIES as u64 + 1).collect();
        let (mut history, ids) = history(&wanted);
        ids.iter().for_each(|id| assert!(history.remove(*id)));
        assert!(!history.put_back(ids[0]) && history.put_back(ids[1]));
    }
}
