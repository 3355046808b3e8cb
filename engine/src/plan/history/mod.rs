//! History of the suggestions in a project.

mod entry;
mod place;
mod recall;
mod removal;
mod stored;

use serde::{Deserialize, Serialize};

pub use entry::{Entry, EntryId, Reason};
pub use place::Place;
pub use recall::Step;

use super::Plan;
use removal::Removed;
use stored::StoredHistory;

/// Maximum of entries.
pub const HISTORY_ENTRIES: usize = 256;

/// Maximum size of a history in a project, in bytes of JSON within a JSON string, escapes included.
pub const HISTORY_BYTES: usize = 300_000;

/// Starred entries may take three quarters of both limits: the rest is for new entries.
const STARS_SHARE: (usize, usize) = (3, 4);

/// Maximum size of an entry in bytes: some two thousand notes.
const LONGEST_ENTRY: usize = HISTORY_BYTES / 8;

/// Characters around the entries: `{\"entries\":[]}`.
const FRAME_BYTES: usize = 16;

/// No room for another star: the phrase is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not kept: the {starred} kept phrases fill their share of the history. Right-click the card of one that may go and choose Do not keep or Delete, then try again"
)]
pub struct StarsFull {
    /// Entries starred.
    pub starred: usize,
}

/// Result of merging two histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merged {
    /// Entries that were new.
    pub added: usize,
    /// Entries evicted for want of room.
    pub evicted: usize,
}

/// The suggestions of a project, oldest first, and the one that is recalled. At most [`HISTORY_ENTRIES`], at most
/// [`HISTORY_BYTES`] in the project: the oldest without a star is evicted first, and counted.
///
/// ```
/// use antiphon_engine::music::{MetreMap, Note, Role, Tempo, Tick};
/// use antiphon_engine::plan::{Brief, Controls, Fingerprint, History, Passage, Place, Plan, PlanId, Reason, Step};
///
/// let brief = Brief {
///     plan: PlanId(1),
///     made_at: Tick(0),
///     start: Tick(24),
///     end: Tick(192),
///     seed: 7,
///     controls: Controls::default(),
///     context: Fingerprint::SILENCE,
/// };
/// let place = Place { bar: 1, line: Tick(0), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
/// let mut plan = Plan::new(brief);
/// let mut history = History::default();
/// assert_eq!(history.push(plan.clone(), place.clone(), Reason::Played), None, "a plan without notes is not written");
///
/// let note = Note { onset: Tick(24), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
/// plan.append(&Passage { plan: PlanId(1), from: Tick(24), until: Tick(192), notes: vec![note] });
/// let id = history.push(plan.clone(), place.clone(), Reason::Played);
/// // The same plan again is the same entry.
/// assert_eq!(history.push(plan, place, Reason::PhraseEnd), id);
/// assert_eq!(history.entries().len(), 1);
///
/// assert!(history.step(Step::Older, None) && !history.step(Step::Older, None));
/// assert_eq!(history.recalled().map(|entry| entry.id()), id);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "StoredHistory")]
pub struct History {
    entries: Vec<Entry>,
    /// Recalled entry.
    #[serde(skip)]
    cursor: Option<EntryId>,
    /// Entries that the player removed, the last one last.
    #[serde(skip)]
    removed: Vec<Removed>,
    /// Entries evicted so far.
    #[serde(skip)]
    evicted: u64,
    /// Entries of the project that could not be read when it was last loaded.
    #[serde(skip)]
    unreadable: usize,
}

impl History {
    /// Writes a plan. If it has an entry already, that one keeps its position and its star, and is extended by the notes generated since. `None` for a
    /// plan without notes, and for one too big for the history, which counts as evicted.
    pub fn push(&mut self, plan: Plan, place: Place, reason: Reason) -> Option<EntryId> {
        let entry = Entry::new(plan, place, reason, false)?;
        if entry.bytes > LONGEST_ENTRY {
            self.evicted += 1;
            return None;
        }
        self.forget_removal(&entry);
        let id = match self.entries.iter_mut().find(|known| known.is_same(&entry)) {
            Some(known) => {
                known.join(&entry);
                known.id
            }
            None => {
                let id = free_name(entry.id, &self.entries);
                self.entries.push(entry.named(id));
                id
            }
        };
        self.make_room();
        Some(id)
    }

    /// Extends the entry of a plan by the notes generated since; returns whether there were any. A plan without an entry changes
    /// nothing.
    pub fn grow(&mut self, plan: &Plan) -> bool {
        let grows = self.entries.iter_mut().find(|entry| entry.plan().is_same(plan)).is_some_and(|entry| entry.grow(plan));
        if grows {
            self.make_room();
        }
        grows
    }

    /// The entry of a plan.
    #[must_use]
    pub fn find(&self, plan: &Plan) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.plan().is_same(plan))
    }

    /// Stars an entry. Returns whether it exists: it may have been evicted.
    ///
    /// # Errors
    /// If the stars already take three quarters of the room.
    pub fn star(&mut self, id: EntryId) -> Result<bool, StarsFull> {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else { return Ok(false) };
        let stars = self.entries.iter().filter(|entry| entry.starred && entry.id != id);
        let (starred, bytes) = stars.fold((0, FRAME_BYTES), |(count, bytes), entry| (count + 1, bytes + entry.bytes));
        let share = |whole: usize| whole * STARS_SHARE.0 / STARS_SHARE.1;
        if starred >= share(HISTORY_ENTRIES) || bytes + self.entries[at].bytes > share(HISTORY_BYTES) {
            return Err(StarsFull { starred });
        }
        self.mark(at, true);
        Ok(true)
    }

    /// Removes an entry's star. Returns whether the entry exists.
    pub fn unstar(&mut self, id: EntryId) -> bool {
        let at = self.entries.iter().position(|entry| entry.id == id);
        if let Some(at) = at {
            self.mark(at, false);
        }
        at.is_some()
    }

    fn mark(&mut self, at: usize, starred: bool) {
        self.entries[at].starred = starred;
        self.entries[at].measure();
        self.make_room();
    }

    /// Merges another history into this one: a project's, or an older state of this one that the host restores. Nothing of this one is
    /// lost, and what the player removed stays removed; entries of the other count as older. An entry starred in either is starred; of a plan that both have, the longer copy is kept.
    pub fn merge(&mut self, other: Self) -> Merged {
        let before = self.evicted;
        let there = self.entries.len();
        for entry in other.entries {
            match self.entries.iter_mut().find(|known| known.is_same(&entry)) {
                Some(known) => known.join(&entry),
                None if self.removed.iter().any(|removed| removed.is_of(&entry)) => {}
                None => {
                    let id = free_name(entry.id, &self.entries);
                    self.entries.push(entry.named(id));
                }
            }
        }
        let added = self.entries.len() - there;
        self.entries.rotate_left(there);
        self.unreadable = other.unreadable;
        self.make_room();
        Merged { added, evicted: usize::try_from(self.evicted - before).unwrap_or(usize::MAX) }
    }

    /// The suggestions, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Its size in a project, in bytes; the comma after the last entry is counted with it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.bytes).sum::<usize>() + FRAME_BYTES
    }

    /// Number of entries evicted so far.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The entry that goes when the next one is pushed: the oldest without a star. `None` while none was evicted and there are fewer than the most.
    #[must_use]
    pub fn goes_next(&self) -> Option<&Entry> {
        let is_full = self.evicted > 0 || self.entries.len() >= HISTORY_ENTRIES;
        self.entries.iter().find(|entry| is_full && !entry.starred)
    }

    /// How many entries of the project could not be read when it was last loaded.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Evicts the oldest entries without a star until the rest fits. Starred entries that do not fit after a merge are evicted last, oldest
    /// first.
    fn make_room(&mut self) {
        let mut bytes = self.bytes();
        while self.entries.len() > HISTORY_ENTRIES || bytes > HISTORY_BYTES {
            let oldest = self.entries.iter().position(|entry| !entry.starred).unwrap_or(0);
            bytes -= self.entries.remove(oldest).bytes;
            self.evicted += 1;
        }
    }
}

/// The wanted id, or the next one that none of these entries has.
fn free_name(wanted: EntryId, entries: &[Entry]) -> EntryId {
    let mut name = wanted;
    while entries.iter().any(|entry| entry.id == name) {
        name = name.next();
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Brief;
    use super::super::phrase::tests::{brief, note, passage};
    use super::*;
    use crate::music::{MetreMap, Tempo, Tick};

    /// A plan of so many quavers, unlike those of other seeds.
    pub(super) fn plan(seed: u64, notes: usize) -> Plan {
        let end = 12 * i64::try_from(notes).unwrap() + 12;
        let mut plan = Plan::new(Brief { seed, ..brief(seed, 0, end) });
        let notes: Vec<_> = (0..notes).map(|index| note(12 * i64::try_from(index).unwrap(), 60)).collect();
        plan.append(&passage(seed, 0, end, &notes));
        plan
    }

    /// Bar 1 at this tick.
    pub(super) fn place(line: i64) -> Place {
        Place { bar: 1, line: Tick(line), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None }
    }

    fn push(history: &mut History, plan: Plan, reason: Reason) -> EntryId {
        history.push(plan, place(0), reason).unwrap()
    }

    fn newest(history: &History) -> u64 {
        history.entries().last().unwrap().plan().brief.seed
    }

    /// How many bytes of a project it takes.
    fn stored(history: &History) -> usize {
        serde_json::to_string(&serde_json::to_string(history).unwrap()).unwrap().len() - 2
    }

    pub(super) fn seeds(history: &History) -> Vec<u64> {
        history.entries().iter().map(|entry| entry.plan().brief.seed).collect()
    }

    pub(super) fn reload(history: &History) -> History {
        serde_json::from_str(&serde_json::to_string(history).unwrap()).unwrap()
    }

    #[test]
    fn plan_written_twice_has_one_entry() {
        let mut history = History::default();
        let id = push(&mut history, plan(1, 4), Reason::Played);
        push(&mut history, plan(2, 4), Reason::Played);
        assert_eq!(history.star(id), Ok(true));
        assert_eq!(push(&mut history, plan(1, 4), Reason::Kept), id);
        push(&mut history, plan(1, 4), Reason::PhraseEnd);
        assert_eq!(seeds(&history), [1, 2]);
        let entry = &history.entries()[0];
        assert_eq!((entry.id(), entry.reason(), entry.is_starred()), (id, Reason::Kept, true));
    }

    #[test]
    fn oldest_entry_without_a_star_is_evicted_first() {
        let mut history = History::default();
        let first = push(&mut history, plan(0, 1), Reason::Played);
        assert_eq!(history.star(first), Ok(true));
        assert_eq!(history.goes_next(), None, "there is room");
        for seed in 1..=u64::try_from(HISTORY_ENTRIES).unwrap() {
            push(&mut history, plan(seed, 1), Reason::Played);
        }
        assert_eq!(history.entries().len(), HISTORY_ENTRIES);
        assert_eq!(seeds(&history)[..2], [0, 2]);
        assert_eq!(history.evicted(), 1);
        assert_eq!(history.goes_next().map(|entry| entry.plan().brief.seed), Some(2));
    }

    #[test]
    fn long_plans_are_evicted_by_size() {
        let mut history = History::default();
        for seed in 0..40 {
            push(&mut history, plan(seed, 2_000), Reason::Played);
            let bytes = stored(&history);
            assert!(bytes <= HISTORY_BYTES && bytes + 1 == history.bytes(), "{bytes} against {}", history.bytes());
        }
        assert!(history.entries().len() > 5);
        assert_eq!(newest(&history), 39);
    }

    #[test]
    fn star_beyond_the_limit_is_refused_and_all_are_kept() {
        let mut history = History::default();
        let mut stars = Vec::new();
        let full = loop {
            let seed = u64::try_from(stars.len()).unwrap();
            let id = push(&mut history, plan(seed, 2_000), Reason::Kept);
            match history.star(id) {
                Ok(there) => assert!(there),
                Err(full) => break full,
            }
            stars.push(id);
        };
        assert_eq!(full.starred, stars.len());
        assert!(stars.len() > 5);
        // There is room for what comes, but never at their cost.
        push(&mut history, plan(1_000, 2_000), Reason::Played);
        assert_eq!(newest(&history), 1_000);
        assert_eq!(history.push(plan(1_001, 20_000), place(0), Reason::Played), None, "all else would have to go for it");
        assert!(stars.iter().all(|id| history.entries().iter().any(|entry| entry.id() == *id && entry.is_starred())));
        assert!(stored(&history) <= HISTORY_BYTES);
        // Room again after a star is taken off.
        assert!(history.unstar(stars[0]));
        let id = push(&mut history, plan(2_000, 2_000), Reason::Kept);
        assert_eq!(history.star(id), Ok(true));
        assert_eq!((history.star(EntryId(1)), history.unstar(EntryId(1))), (Ok(false), false));
    }

    #[test]
    fn merge_of_an_older_state_loses_nothing() {
        let mut history = History::default();
        let first = push(&mut history, plan(1, 4), Reason::Played);
        push(&mut history, plan(2, 4), Reason::Played);
        let undo = reload(&history);
        push(&mut history, plan(3, 4), Reason::Played);
        assert_eq!(history.star(first), Ok(true));
        assert_eq!(history.merge(undo), Merged::default());
        assert_eq!(seeds(&history), [1, 2, 3]);
        assert!(history.entries()[0].is_starred());
        assert_eq!(newest(&history), 3);
    }

    #[test]
    fn merged_entries_count_as_older() {
        let mut saved = History::default();
        for seed in 1..=2 {
            push(&mut saved, plan(seed, 4), Reason::Played);
        }
        let mut history = History::default();
        push(&mut history, plan(9, 4), Reason::Played);
        assert_eq!(history.merge(reload(&saved)), Merged { added: 2, evicted: 0 });
        assert_eq!(seeds(&history), [1, 2, 9]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// After any writes, stars and merges: histories fit, no entry is there twice, and a merge with itself changes nothing.
        #[test]
        fn histories_after_any_edits_fit_and_merge(sizes in prop::collection::vec((0..30u64, prop::sample::select(vec![1usize, 40, 2_000]), any::<bool>(), any::<bool>()), 0..40)) {
            let mut halves = [History::default(), History::default()];
            for (seed, notes, starred, half) in sizes {
                let history = &mut halves[usize::from(half)];
                let id = push(history, plan(seed, notes), Reason::Played);
                if starred {
                    let _ = history.star(id);
                }
            }
            let [mut history, other] = halves;
            history.merge(reload(&other));
            prop_assert!(stored(&history) <= HISTORY_BYTES);
            let mut ids: Vec<_> = history.entries().iter().map(|entry| entry.id().0).collect();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), history.entries().len());
            let joined = history.clone();
            prop_assert_eq!(history.merge(reload(&joined)), Merged::default());
            prop_assert_eq!(history, joined);
        }
    }
}
