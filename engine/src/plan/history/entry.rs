//! Entry of the history: a plan, the reason it was written, and its place in the song.

use serde::{Deserialize, Serialize};

use super::super::{Fingerprint, Plan};
use super::HISTORY_BYTES;
use super::place::Place;
use crate::music::{Note, Tick};

/// Reason for which a plan was written. Of several the one counts that says most: the last of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was the adopted plan at the end of a phrase.
    PhraseEnd,
    /// The player replaced it with Another.
    Rerolled,
    /// It was played.
    #[serde(rename = "heard")]
    Played,
    /// The player kept it.
    Kept,
}

/// Id of an entry: a hash of the plan's inputs and its first note, so that one plan has the same id in every project file, however much of it
/// had been generated when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    /// Id of a plan's entry.
    pub(super) fn of(plan: &Plan) -> Self {
        let brief = &plan.brief;
        let first = plan.notes().first().map(|note| Note { onset: note.onset - brief.start, ..*note });
        let hash = Fingerprint::of(first.as_slice())
            .with_bytes(&brief.made_at.0.to_le_bytes())
            .with_bytes(&brief.seed.to_le_bytes())
            .with_bytes(&brief.context.0.to_le_bytes());
        Self(hash.0)
    }

    /// Next id, for a different plan whose hash collides.
    pub(super) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// One suggestion. It has at least one note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredEntry")]
pub struct Entry {
    #[serde(skip_serializing)]
    pub(super) id: EntryId,
    pub(super) reason: Reason,
    pub(super) starred: bool,
    place: Place,
    plan: Plan,
    /// Size in a project in bytes, with the comma after it.
    #[serde(skip_serializing)]
    pub(super) bytes: usize,
}

/// An entry as projects store it; the other fields are derived.
#[derive(Deserialize)]
struct StoredEntry {
    reason: Reason,
    #[serde(default)]
    starred: bool,
    place: Place,
    plan: Plan,
}

/// An entry that no version of the plug-in writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the notes, bars and times of the entry do not fit together")]
struct Damaged;

impl TryFrom<StoredEntry> for Entry {
    type Error = Damaged;

    fn try_from(stored: StoredEntry) -> Result<Self, Damaged> {
        let StoredEntry { reason, starred, place, plan } = stored;
        let start = plan.brief.start.max(place.played_from.unwrap_or(plan.brief.start));
        if !plan.is_sound() || !place.is_sound() || place.line > start || start > plan.ready() {
            return Err(Damaged);
        }
        Self::new(plan, place, reason, starred).ok_or(Damaged)
    }
}

impl Entry {
    /// `None` if the plan has no notes: there would be nothing to play.
    pub(super) fn new(mut plan: Plan, place: Place, reason: Reason, starred: bool) -> Option<Self> {
        if plan.notes().is_empty() {
            return None;
        }
        // Bars may have been delivered beyond the end of a plan that plays; a project with such an entry could not be read.
        plan.brief.end = plan.brief.end.max(plan.ready());
        let mut entry = Self { id: EntryId::of(&plan), reason, starred, place, plan, bytes: 0 };
        entry.measure();
        Some(entry)
    }

    /// Updates its size: a project stores it as JSON within a JSON string, where every quotation mark costs a backslash. If it could not be
    /// serialized, it would count as too big for any history.
    pub(super) fn measure(&mut self) {
        self.bytes = serde_json::to_vec(self).map_or(HISTORY_BYTES, |json| {
            let escaped = json.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
            json.len() + escaped + 1
        });
    }

    /// Merges another entry of the same plan.
    pub(super) fn join(&mut self, other: &Self) {
        self.starred |= other.starred;
        self.reason = self.reason.max(other.reason);
        if self.place.played_from.is_none() && other.place.played_from.is_some() {
            self.move_to(other);
        }
        let end = self.plan.brief.end.max(other.plan.brief.end + self.ahead_of(&other.plan));
        self.extend(&other.plan, end);
        self.measure();
    }

    /// Takes the place of another copy of the same plan: where it was played says more than where it was first shown.
    fn move_to(&mut self, other: &Self) {
        let by = Tick::ZERO - self.ahead_of(&other.plan);
        let end = self.plan.brief.end + by;
        self.plan = self.plan.moved(by, self.plan.id());
        self.plan.brief.end = end;
        self.place = other.place.clone();
    }

    /// Adds what was generated of the plan since it was written, up to the end it had then; returns whether there was anything.
    pub(super) fn grow(&mut self, plan: &Plan) -> bool {
        let grows = self.extend(plan, self.plan.brief.end);
        if grows {
            self.measure();
        }
        grows
    }

    /// Extends it by later notes of the same plan, up to an end; returns whether there were any.
    fn extend(&mut self, plan: &Plan, end: Tick) -> bool {
        let by = self.ahead_of(plan);
        let grows = (plan.ready() + by).min(end) > self.plan.ready();
        if grows {
            self.plan = plan.moved(by, self.plan.id()).before(end);
        }
        self.plan.brief.end = end.max(self.plan.ready());
        grows
    }

    /// Shift in ticks of this entry's plan against another copy: it may have been moved.
    fn ahead_of(&self, plan: &Plan) -> Tick {
        self.plan.brief.start - plan.brief.start
    }

    /// The same entry with another id.
    pub(super) fn named(self, id: EntryId) -> Self {
        Self { id, ..self }
    }

    /// Whether it is an entry of the same plan.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.plan.is_same(&other.plan)
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// The plan, with what did not sound of it before it was played.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// First tick of the phrase: where it was played from, or all of the plan if it was not.
    #[must_use]
    pub fn start(&self) -> Tick {
        self.place.played_from.map_or(self.plan.brief.start, |from| from.max(self.plan.brief.start))
    }

    /// The phrase as a complete plan, moved by `by` ticks.
    #[must_use]
    pub fn phrase(&self, by: Tick) -> Plan {
        self.plan.postponed(self.start(), by)
    }

    /// Its place in the song.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Reason for which it was written.
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

#[cfg(test)]
mod tests {
    use super::super::super::PlanId;
    use super::super::super::phrase::tests::{brief, note, passage};
    use super::super::tests::place;
    use super::*;

    fn entry(ready: i64, end: i64) -> Entry {
        let mut plan = Plan::new(brief(1, 96, end));
        let notes: Vec<_> = (96..ready).step_by(24).map(|onset| note(onset, 60)).collect();
        assert!(plan.append(&passage(1, 96, ready, &notes)));
        Entry::new(plan, place(96), Reason::Played, false).unwrap()
    }

    #[test]
    fn entry_of_a_plan_with_bars_beyond_its_end_can_be_read_again() {
        let read = |entry: &Entry| serde_json::from_str::<Entry>(&serde_json::to_string(entry).unwrap()).unwrap();
        let mut beyond = entry(384, 288);
        assert_eq!((beyond.plan().brief.end, read(&beyond).plan()), (Tick(384), beyond.plan()));
        beyond.grow(entry(192, 192).plan());
        assert_eq!(read(&beyond).plan(), beyond.plan());
    }

    #[test]
    fn entry_grows_by_later_notes_up_to_its_end() {
        let mut part = entry(192, 288);
        let whole = entry(384, 384);
        assert_eq!(part.id(), whole.id());
        let short = part.bytes;
        assert!(part.grow(whole.plan()));
        assert_eq!((part.plan().ready().0, part.plan().notes().len()), (288, 8));
        assert!(part.bytes > short && !part.grow(whole.plan()));
        part.join(&Entry { reason: Reason::Kept, ..whole.clone() });
        assert_eq!((part.plan(), part.reason()), (whole.plan(), Reason::Kept));
        // A shorter or moved copy removes nothing.
        part.join(&Entry { plan: whole.plan().moved(Tick(1_000), PlanId(7)), ..entry(120, 120) });
        part.join(&Entry { starred: true, ..entry(120, 120) });
        assert_eq!((part.plan(), part.is_starred()), (whole.plan(), true));
    }

    /// A plan that begins at tick 120, as it was written for a reason; played from a tick on.
    fn written(reason: Reason, played_from: Option<i64>) -> Entry {
        let mut plan = Plan::new(brief(1, 120, 384));
        let notes: Vec<_> = (120..384).step_by(24).map(|onset| note(onset, 60)).collect();
        assert!(plan.append(&passage(1, 120, 384, &notes)));
        let line = played_from.unwrap_or(96);
        let place = Place { played_from: played_from.map(Tick), ..place(line) };
        Entry::new(plan, place, reason, false).unwrap()
    }

    #[test]
    fn entry_that_is_played_after_it_was_shown_begins_where_it_was_played() {
        let mut entry = written(Reason::PhraseEnd, None);
        assert_eq!((entry.start(), entry.phrase(Tick(5)).brief.start), (Tick(120), Tick(125)));
        entry.join(&written(Reason::Played, Some(192)));
        let phrase = entry.phrase(Tick(96));
        assert_eq!((entry.reason(), entry.start(), entry.place().line), (Reason::Played, Tick(192), Tick(192)));
        assert_eq!((phrase.brief.start, phrase.ready(), phrase.notes().len()), (Tick(288), Tick(480), 8));
        assert_eq!(entry.plan().brief.start, Tick(120), "the plan stays whole, so that it is found again");
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        // Played once more, from its start and elsewhere: it stays where it was.
        let again = written(Reason::Played, Some(120));
        let moved = again.plan.moved(Tick(960), again.plan.id());
        entry.join(&Entry { place: Place { played_from: Some(Tick(1152)), ..place(1152) }, plan: moved, ..again });
        assert_eq!((entry.start(), entry.place().line), (Tick(192), Tick(192)));
    }

    #[test]
    fn entry_that_was_shown_elsewhere_moves_to_where_it_is_played() {
        let mut entry = written(Reason::Kept, None);
        let played = written(Reason::Played, Some(192));
        let moved = played.plan.moved(Tick(960), played.plan.id());
        entry.join(&Entry { place: Place { played_from: Some(Tick(1152)), ..place(1152) }, plan: moved, ..played });
        assert_eq!((entry.reason(), entry.start(), entry.plan().brief.end), (Reason::Kept, Tick(1152), Tick(384 + 960)));
        assert_eq!(entry.phrase(Tick::ZERO).notes().len(), 8);
    }

    #[test]
    fn entry_says_what_counts_most_of_what_became_of_it() {
        let ranked = [Reason::PhraseEnd, Reason::Rerolled, Reason::Played, Reason::Kept];
        for (first, second) in ranked.into_iter().flat_map(|first| ranked.map(|second| (first, second))) {
            let mut entry = written(first, None);
            entry.join(&written(second, None));
            let expected = ranked.into_iter().rfind(|reason| [first, second].contains(reason));
            assert_eq!(Some(entry.reason()), expected, "{first:?}, then {second:?}");
        }
    }

    #[test]
    fn entry_size_is_its_length_as_escaped_json() {
        let entry = entry(192, 288);
        let text = serde_json::to_string(&serde_json::to_string(&entry).unwrap()).unwrap();
        // The quotation marks around it are not its own, the comma after it is.
        assert_eq!(entry.bytes, text.len() - 2 + 1);
    }

    #[test]
    fn entry_with_inconsistent_fields_is_refused() {
        let text = serde_json::to_string(&entry(192, 288)).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry(192, 288));
        for (that, this) in [
            (r#""start":96"#, r#""start":100"#),
            (r#""start":96"#, r#""start":-9223372036854775808"#),
            (r#""ready":192"#, r#""ready":120"#),
            (r#""end":288"#, r#""end":9223372036854775807"#),
            (r#""line":96"#, r#""line":97"#),
            (r#""line":96"#, r#""line":-9223372036854775808"#),
            (r#"[0,4,4]"#, r#"[0,4,0]"#),
            (r#"[0,4,4]"#, r#"[-7,4,4]"#),
            (r#""tempo":500000"#, r#""tempo":0"#),
            (r#""tempo":500000"#, r#""tempo":500000,"played_from":193"#),
            (r#""tempo":500000"#, r#""tempo":500000,"played_from":9223372036854775807"#),
            (r#""notes":[96,24,60,80,76"#, r#""notes":[96,24,60,80,76,-24,24,60,80,76"#),
            (r#""reason":"heard""#, r#""reason":"dreamt""#),
        ] {
            assert!(text.contains(that), "{text}");
            let damaged = text.replace(that, this);
            assert!(serde_json::from_str::<Entry>(&damaged).is_err(), "{damaged}");
        }
    }
}
