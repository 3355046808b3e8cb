//! What was suggested so far: nothing is lost that the player may want back.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Fingerprint, Plan};

/// Most entries.
pub const HISTORY_ENTRIES: usize = 256;

/// Most bytes of a history in a project, as JSON.
pub const HISTORY_BYTES: usize = 300_000;

/// Of both, stars may take three quarters: the rest is for what comes.
const STARS_SHARE: (usize, usize) = (3, 4);

/// Characters around the entries: `{"entries":[]}`.
const FRAME_BYTES: usize = 14;

/// Why a plan was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was played.
    Heard,
    /// The player kept it.
    Kept,
    /// The player asked for another.
    Rerolled,
    /// It stood at the end of a phrase.
    PhraseEnd,
}

/// An entry's name. It is made from what the plan says, so that the same suggestion has one name in every project file it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub u64);

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredEntry")]
pub struct Entry {
    #[serde(skip_serializing)]
    id: EntryId,
    reason: Reason,
    starred: bool,
    plan: Plan,
    /// Length of its JSON and the comma after it.
    #[serde(skip_serializing)]
    bytes: usize,
}

/// An entry as it lies in a project; the rest follows from it.
#[derive(Deserialize)]
struct StoredEntry {
    reason: Reason,
    #[serde(default)]
    starred: bool,
    plan: Plan,
}

impl From<StoredEntry> for Entry {
    fn from(stored: StoredEntry) -> Self {
        Self::new(stored.plan, stored.reason, stored.starred)
    }
}

impl Entry {
    fn new(plan: Plan, reason: Reason, starred: bool) -> Self {
        let brief = &plan.brief;
        let id = Fingerprint::of(plan.notes())
            .with_bytes(&brief.start.0.to_le_bytes())
            .with_bytes(&brief.end.0.to_le_bytes())
            .with_bytes(&brief.seed.to_le_bytes())
            .with_bytes(&brief.context.0.to_le_bytes());
        let mut entry = Self { id: EntryId(id.0), reason, starred, plan, bytes: 0 };
        entry.measure();
        entry
    }

    /// Takes its own measure. What cannot be written (it always can) is too big for any history.
    fn measure(&mut self) {
        self.bytes = serde_json::to_vec(self).map_or(HISTORY_BYTES, |json| json.len() + 1);
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// What was suggested.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Why it was written down.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// Whether the player starred it. It is never evicted then.
    #[must_use]
    pub const fn is_starred(&self) -> bool {
        self.starred
    }
}

/// No room for another star.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the history is full of starred suggestions ({starred} of them, {bytes} bytes); take a star off one first")]
pub struct StarsFull {
    /// Entries starred.
    pub starred: usize,
    /// Their size in a project.
    pub bytes: usize,
}

/// What joining two histories did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merged {
    /// Entries that were new.
    pub added: usize,
    /// Entries that had to go for want of room.
    pub evicted: usize,
}

/// The suggestions of a project, oldest first, and which of them is being looked at. At most [`HISTORY_ENTRIES`], at most
/// [`HISTORY_BYTES`] as JSON: the oldest that is not starred goes first, and is counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "StoredHistory")]
pub struct History {
    entries: Vec<Entry>,
    /// What is being looked at.
    #[serde(skip)]
    cursor: Option<EntryId>,
    /// Entries that had to go so far.
    #[serde(skip)]
    evicted: u64,
    /// Entries of the project that could not be read.
    #[serde(skip)]
    unreadable: usize,
}

/// A history as it lies in a project. An entry that is damaged, or newer than this program, is passed over; the rest is kept.
#[derive(Deserialize)]
struct StoredHistory {
    #[serde(default, deserialize_with = "readable_entries")]
    entries: (Vec<Entry>, usize),
}

fn readable_entries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Vec<Entry>, usize), D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Attempt {
        Entry(Box<Entry>),
        Unreadable(serde::de::IgnoredAny),
    }
    let attempts = Vec::<Attempt>::deserialize(deserializer)?;
    let all = attempts.len();
    let entries: Vec<_> = attempts
        .into_iter()
        .filter_map(|attempt| match attempt {
            Attempt::Entry(entry) => Some(*entry),
            Attempt::Unreadable(_) => None,
        })
        .collect();
    let unreadable = all - entries.len();
    Ok((entries, unreadable))
}

impl From<StoredHistory> for History {
    fn from(stored: StoredHistory) -> Self {
        let (entries, unreadable) = stored.entries;
        let mut history = Self { unreadable, ..Self::default() };
        history.merge(Self { entries, ..Self::default() });
        history
    }
}

impl History {
    /// Writes a plan down and looks at it. One that is there already stays in its place; a star stays.
    pub fn push(&mut self, plan: Plan, reason: Reason) -> EntryId {
        let entry = Entry::new(plan, reason, false);
        let id = entry.id;
        match self.entries.iter_mut().find(|known| known.id == id) {
            // That the player kept it says more than that it was heard.
            Some(known) if reason == Reason::Kept => {
                known.reason = reason;
                known.measure();
            }
            Some(_) => {}
            None => self.entries.push(entry),
        }
        self.cursor = Some(id);
        self.make_room();
        id
    }

    /// Stars an entry. Says whether it is there: it may have had to go.
    ///
    /// # Errors
    /// If the stars already take three quarters of the room.
    pub fn star(&mut self, id: EntryId) -> Result<bool, StarsFull> {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else { return Ok(false) };
        let stars = self.entries.iter().filter(|entry| entry.starred && entry.id != id);
        let (starred, bytes) = stars.fold((0, FRAME_BYTES), |(count, bytes), entry| (count + 1, bytes + entry.bytes));
        let share = |whole: usize| whole * STARS_SHARE.0 / STARS_SHARE.1;
        if starred >= share(HISTORY_ENTRIES) || bytes + self.entries[at].bytes > share(HISTORY_BYTES) {
            return Err(StarsFull { starred, bytes });
        }
        self.mark(at, true);
        Ok(true)
    }

    /// Takes an entry's star off. Says whether it is there.
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

    /// The entry before the one that is looked at, and looks at it. `None` at the oldest.
    pub fn older(&mut self) -> Option<&Entry> {
        let at = self.position()?.checked_sub(1)?;
        self.look_at(at)
    }

    /// The entry after the one that is looked at, and looks at it. `None` at the newest.
    pub fn newer(&mut self) -> Option<&Entry> {
        let at = self.position()? + 1;
        self.look_at(at)
    }

    /// The entry that is looked at: the newest, until the player goes back.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.entries.get(self.position()?)
    }

    fn look_at(&mut self, at: usize) -> Option<&Entry> {
        let entry = self.entries.get(at)?;
        self.cursor = Some(entry.id);
        Some(entry)
    }

    fn position(&self) -> Option<usize> {
        let looked_at = self.cursor.and_then(|id| self.entries.iter().position(|entry| entry.id == id));
        looked_at.or_else(|| self.entries.len().checked_sub(1))
    }

    /// Joins another history to this one: a project's, or an older state of this one that the host brings back. Nothing of this one is
    /// lost for it; what is new is older. What is starred in either is starred.
    pub fn merge(&mut self, other: Self) -> Merged {
        let before = self.evicted;
        let mut older = Vec::new();
        for entry in other.entries {
            if let Some(known) = self.entries.iter_mut().chain(&mut older).find(|known| known.id == entry.id) {
                known.starred |= entry.starred;
                known.measure();
            } else {
                older.push(entry);
            }
        }
        let added = older.len();
        older.append(&mut self.entries);
        self.entries = older;
        self.cursor = self.cursor.or(other.cursor);
        self.unreadable += other.unreadable;
        self.make_room();
        Merged { added, evicted: usize::try_from(self.evicted - before).unwrap_or(usize::MAX) }
    }

    /// The suggestions, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Its size in a project, in bytes of JSON; the comma after the last entry is counted with it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.bytes).sum::<usize>() + FRAME_BYTES
    }

    /// How many had to go so far for want of room.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// How many entries of the project could not be read.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Lets the oldest entries without a star go until the rest fits. Stars that came from elsewhere and do not fit go last, oldest first:
    /// two full projects in one.
    fn make_room(&mut self) {
        let mut bytes = self.bytes();
        while self.entries.len() > HISTORY_ENTRIES || bytes > HISTORY_BYTES {
            let oldest = self.entries.iter().position(|entry| !entry.starred).unwrap_or(0);
            bytes -= self.entries.remove(oldest).bytes;
            self.evicted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::phrase::tests::{brief, note, passage};
    use super::super::{Brief, Controls, Setting};
    use super::*;

    /// A plan of so many quavers, unlike those of other seeds.
    fn plan(seed: u64, notes: usize) -> Plan {
        let end = 12 * i64::try_from(notes).unwrap() + 12;
        let mut plan = Plan::new(Brief { seed, ..brief(seed, 0, end) });
        let notes: Vec<_> = (0..notes).map(|index| note(12 * i64::try_from(index).unwrap(), 60)).collect();
        plan.append(&passage(seed, 0, end, &notes));
        plan
    }

    fn seeds(history: &History) -> Vec<u64> {
        history.entries().iter().map(|entry| entry.plan().brief.seed).collect()
    }

    fn reload(history: &History) -> History {
        serde_json::from_str(&serde_json::to_string(history).unwrap()).unwrap()
    }

    #[test]
    fn older_and_newer_walk_through_what_was_suggested() {
        let mut history = History::default();
        assert!(history.older().is_none() && history.newer().is_none() && history.current().is_none());
        for seed in 1..=3 {
            history.push(plan(seed, 4), Reason::Rerolled);
        }
        let seed = |entry: Option<&Entry>| entry.map(|entry| entry.plan().brief.seed);
        assert_eq!(seed(history.current()), Some(3));
        assert_eq!(seed(history.newer()), None);
        assert_eq!(seed(history.older()), Some(2));
        assert_eq!(seed(history.older()), Some(1));
        assert_eq!(seed(history.older()), None);
        assert_eq!(seed(history.newer()), Some(2));
        assert_eq!(seed(history.current()), Some(2));
        history.push(plan(4, 4), Reason::Heard);
        assert_eq!(seed(history.current()), Some(4));
    }

    #[test]
    fn the_same_suggestion_is_written_down_once() {
        let mut history = History::default();
        let id = history.push(plan(1, 4), Reason::Heard);
        history.push(plan(2, 4), Reason::Heard);
        assert_eq!(history.star(id), Ok(true));
        assert_eq!(history.push(plan(1, 4), Reason::Kept), id);
        history.push(plan(1, 4), Reason::PhraseEnd);
        assert_eq!(seeds(&history), [1, 2]);
        let entry = history.current().unwrap();
        assert_eq!((entry.id(), entry.reason(), entry.is_starred()), (id, Reason::Kept, true));
    }

    #[test]
    fn the_oldest_without_a_star_goes_first() {
        let mut history = History::default();
        let first = history.push(plan(0, 1), Reason::Heard);
        assert_eq!(history.star(first), Ok(true));
        for seed in 1..=u64::try_from(HISTORY_ENTRIES).unwrap() {
            history.push(plan(seed, 1), Reason::Heard);
        }
        assert_eq!(history.entries().len(), HISTORY_ENTRIES);
        assert_eq!(seeds(&history)[..2], [0, 2]);
        assert_eq!(history.evicted(), 1);
    }

    #[test]
    fn long_plans_go_by_their_size() {
        let mut history = History::default();
        for seed in 0..40 {
            history.push(plan(seed, 2_000), Reason::Heard);
            let bytes = serde_json::to_vec(&history).unwrap().len();
            assert!(bytes <= HISTORY_BYTES && bytes + 1 == history.bytes(), "{bytes} against {}", history.bytes());
        }
        assert!(history.entries().len() > 5);
        assert_eq!(history.current().unwrap().plan().brief.seed, 39);
    }

    #[test]
    fn a_full_set_of_stars_refuses_another_and_keeps_all() {
        let mut history = History::default();
        let mut stars = Vec::new();
        let full = loop {
            let seed = u64::try_from(stars.len()).unwrap();
            let id = history.push(plan(seed, 2_000), Reason::Kept);
            match history.star(id) {
                Ok(there) => assert!(there),
                Err(full) => break full,
            }
            stars.push(id);
        };
        assert_eq!(full.starred, stars.len());
        assert!(stars.len() > 5);
        // There is room for what comes, but never at their cost.
        history.push(plan(1_000, 2_000), Reason::Heard);
        assert_eq!(history.current().unwrap().plan().brief.seed, 1_000);
        history.push(plan(1_001, 20_000), Reason::Heard);
        assert!(stars.iter().all(|id| history.entries().iter().any(|entry| entry.id() == *id && entry.is_starred())));
        assert!(serde_json::to_vec(&history).unwrap().len() <= HISTORY_BYTES);
        // Room again after a star is taken off.
        assert!(history.unstar(stars[0]));
        let id = history.push(plan(2_000, 2_000), Reason::Kept);
        assert_eq!(history.star(id), Ok(true));
        assert_eq!((history.star(EntryId(1)), history.unstar(EntryId(1))), (Ok(false), false));
    }

    #[test]
    fn loading_an_older_state_loses_nothing() {
        let mut history = History::default();
        let first = history.push(plan(1, 4), Reason::Heard);
        history.push(plan(2, 4), Reason::Heard);
        let undo = reload(&history);
        history.push(plan(3, 4), Reason::Heard);
        assert_eq!(history.star(first), Ok(true));
        assert_eq!(history.merge(undo), Merged::default());
        assert_eq!(seeds(&history), [1, 2, 3]);
        assert!(history.entries()[0].is_starred());
        assert_eq!(history.current().unwrap().plan().brief.seed, 3);
    }

    #[test]
    fn what_a_project_brings_is_older_than_what_is_there() {
        let mut saved = History::default();
        for seed in 1..=2 {
            saved.push(plan(seed, 4), Reason::Heard);
        }
        let mut history = History::default();
        history.push(plan(9, 4), Reason::Heard);
        assert_eq!(history.merge(reload(&saved)), Merged { added: 2, evicted: 0 });
        assert_eq!(seeds(&history), [1, 2, 9]);
    }

    #[test]
    fn an_entry_that_cannot_be_read_does_not_take_the_others_with_it() {
        let mut history = History::default();
        for seed in 1..=3 {
            history.push(plan(seed, 1), Reason::Heard);
        }
        let text = serde_json::to_string(&history).unwrap();
        let damaged = text.replacen("\"notes\":[0,24,60,", "\"notes\":[0,24,600,", 1).replacen("\"heard\"", "\"dreamt\"", 2);
        let damaged = damaged.replacen("\"dreamt\"", "\"heard\"", 1).replacen("{\"entries\"", "{\"newer\":[1],\"entries\"", 1);
        let read: History = serde_json::from_str(&damaged).unwrap();
        assert_eq!((seeds(&read), read.unreadable()), (vec![3], 2));
        assert_eq!(serde_json::from_str::<History>("{}").unwrap(), History::default());
    }

    #[test]
    fn the_format_is_pinned() {
        let mut history = History::default();
        let mut plan = Plan::new(Brief { controls: Controls(vec![Setting { parameter: 3, value: 0.5 }]), ..brief(1, 24, 120) });
        plan.append(&passage(1, 24, 120, &[note(24, 60)]));
        let id = history.push(plan, Reason::PhraseEnd);
        assert_eq!(history.star(id), Ok(true));
        let expected = concat!(
            r#"{"entries":[{"reason":"phrase_end","starred":true,"plan":{"brief":{"plan":1,"made_at":0,"start":24,"end":120,"seed":7,"#,
            r#""controls":[{"parameter":3,"value":0.5}],"context":14695981039346656037},"ready":120,"notes":[24,24,60,80,76]}}]}"#
        );
        assert_eq!(serde_json::to_string(&history).unwrap(), expected);
        assert_eq!(reload(&history).entries(), history.entries());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// However histories are written, starred and joined: they fit, no entry is there twice, and joining one with itself changes nothing.
        #[test]
        fn histories_fit_and_join(sizes in prop::collection::vec((0..30u64, prop::sample::select(vec![1usize, 40, 2_000]), any::<bool>(), any::<bool>()), 0..40)) {
            let mut halves = [History::default(), History::default()];
            for (seed, notes, starred, half) in sizes {
                let history = &mut halves[usize::from(half)];
                let id = history.push(plan(seed, notes), Reason::Heard);
                if starred {
                    let _ = history.star(id);
                }
            }
            let [mut history, other] = halves;
            history.merge(reload(&other));
            prop_assert!(serde_json::to_vec(&history).unwrap().len() <= HISTORY_BYTES);
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
