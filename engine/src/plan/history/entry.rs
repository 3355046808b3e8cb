//! One suggestion, why it was written down, and where it stood.

use serde::{Deserialize, Serialize};

use super::super::{Fingerprint, Plan};
use super::HISTORY_BYTES;
use super::place::Place;
use crate::music::{Note, Tick};

/// Why a plan was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was played.
    #[serde(rename = "heard")]
    Played,
    /// The player kept it.
    Kept,
    /// The player asked for another.
    Rerolled,
    /// It stood at the end of a phrase.
    PhraseEnd,
}

/// An entry's name. It is made from what the plan was made from and its first note, so that the same suggestion has one name in every project
/// file it is in, however much of it was there when it was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    /// The name of a plan's entry.
    pub(super) fn of(plan: &Plan) -> Self {
        let brief = &plan.brief;
        let first = plan.notes().first().map(|note| Note { onset: note.onset - brief.start, ..*note });
        let hash = Fingerprint::of(first.as_slice())
            .with_bytes(&brief.made_at.0.to_le_bytes())
            .with_bytes(&brief.seed.to_le_bytes())
            .with_bytes(&brief.context.0.to_le_bytes());
        Self(hash.0)
    }

    /// The name of one that would be called the same, and is not the same.
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
    /// Length in a project, with the comma after it.
    #[serde(skip_serializing)]
    pub(super) bytes: usize,
}

/// An entry as it lies in a project; the rest follows from it.
#[derive(Deserialize)]
struct StoredEntry {
    reason: Reason,
    #[serde(default)]
    starred: bool,
    place: Place,
    plan: Plan,
}

/// No program of ours wrote such an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the notes, bars and times of the entry do not fit together")]
struct Damaged;

impl TryFrom<StoredEntry> for Entry {
    type Error = Damaged;

    fn try_from(stored: StoredEntry) -> Result<Self, Damaged> {
        let StoredEntry { reason, starred, place, plan } = stored;
        if !plan.is_sound() || !place.is_sound() || place.line > plan.brief.start {
            return Err(Damaged);
        }
        Self::new(plan, place, reason, starred).ok_or(Damaged)
    }
}

impl Entry {
    /// `None` if the plan has no notes: then there is nothing to get back.
    pub(super) fn new(plan: Plan, place: Place, reason: Reason, starred: bool) -> Option<Self> {
        if plan.notes().is_empty() {
            return None;
        }
        let mut entry = Self { id: EntryId::of(&plan), reason, starred, place, plan, bytes: 0 };
        entry.measure();
        Some(entry)
    }

    /// Takes its own measure: a project keeps it as text within text, where every quotation mark costs a backslash. What cannot be written (it
    /// always can) is too big for any history.
    pub(super) fn measure(&mut self) {
        self.bytes = serde_json::to_vec(self).map_or(HISTORY_BYTES, |json| {
            let escaped = json.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
            json.len() + escaped + 1
        });
    }

    /// Takes in what another entry has of the same plan.
    pub(super) fn join(&mut self, other: &Self) {
        self.starred |= other.starred;
        // That the player kept it says more than that it was heard.
        if other.reason == Reason::Kept {
            self.reason = Reason::Kept;
        }
        let end = self.plan.brief.end.max(other.plan.brief.end + self.ahead_of(&other.plan));
        self.extend(&other.plan, end);
        self.measure();
    }

    /// Takes in what has come of the plan since it was written down, up to the end it had then; says whether anything has.
    pub(super) fn grow(&mut self, plan: &Plan) -> bool {
        let grows = self.extend(plan, self.plan.brief.end);
        if grows {
            self.measure();
        }
        grows
    }

    /// What there is of the same plan beyond what is here, up to an end; says whether there is anything.
    fn extend(&mut self, plan: &Plan, end: Tick) -> bool {
        let by = self.ahead_of(plan);
        let grows = (plan.ready() + by).min(end) > self.plan.ready();
        if grows {
            self.plan = plan.moved(by, self.plan.id()).before(end);
        }
        self.plan.brief.end = end;
        grows
    }

    /// How much later the plan stands here than there: it may have been moved.
    fn ahead_of(&self, plan: &Plan) -> Tick {
        self.plan.brief.start - plan.brief.start
    }

    /// The same under another name.
    pub(super) fn named(self, id: EntryId) -> Self {
        Self { id, ..self }
    }

    /// Whether it is an entry of the same plan.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.plan.is_same(&other.plan)
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

    /// Where in the song it stood.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
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
    fn what_comes_later_of_a_plan_joins_its_entry_up_to_the_end_it_had() {
        let mut part = entry(192, 288);
        let whole = entry(384, 384);
        assert_eq!(part.id(), whole.id());
        let short = part.bytes;
        assert!(part.grow(whole.plan()));
        assert_eq!((part.plan().ready().0, part.plan().notes().len()), (288, 8));
        assert!(part.bytes > short && !part.grow(whole.plan()));
        part.join(&Entry { reason: Reason::Kept, ..whole.clone() });
        assert_eq!((part.plan(), part.reason()), (whole.plan(), Reason::Kept));
        // What is shorter, or was moved, takes nothing away.
        part.join(&Entry { plan: whole.plan().moved(Tick(1_000), PlanId(7)), ..entry(120, 120) });
        part.join(&Entry { starred: true, ..entry(120, 120) });
        assert_eq!((part.plan(), part.is_starred()), (whole.plan(), true));
    }

    #[test]
    fn its_measure_is_its_length_as_text_within_text() {
        let entry = entry(192, 288);
        let text = serde_json::to_string(&serde_json::to_string(&entry).unwrap()).unwrap();
        // The quotation marks around it are not its own, the comma after it is.
        assert_eq!(entry.bytes, text.len() - 2 + 1);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
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
            (r#""notes":[96,24,60,80,76"#, r#""notes":[96,24,60,80,76,-24,24,60,80,76"#),
            (r#""reason":"heard""#, r#""reason":"dreamt""#),
        ] {
            assert!(text.contains(that), "{text}");
            let damaged = text.replace(that, this);
            assert!(serde_json::from_str::<Entry>(&damaged).is_err(), "{damaged}");
        }
    }
}
