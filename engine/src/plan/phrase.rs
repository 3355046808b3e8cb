//! A plan: generated notes, and the inputs they were generated from.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::notes;
use crate::music::{Note, Tick};

/// Number of a plan, increasing within a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanId(pub u64);

/// Values of the musical controls, by the host's parameter ids. The plan keeps them to be shown and compared; the decoder interprets
/// them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Controls(pub Vec<Setting>);

/// One control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Id of the host parameter.
    pub parameter: ControlId,
    /// Its normalised value, 0 to 1.
    pub value: f32,
}

/// Stable id of a control, which is that of its host parameter: `adventurousness`. Projects hold it, so an id never changes its meaning. Ids that
/// this version does not know are kept as they are.
///
/// Projects of version 0.1 before ids were saved hold a position in a list of three instead; those are read as the id at that position.
///
/// ```
/// use antiphon_engine::plan::ControlId;
///
/// let id: ControlId = serde_json::from_str("\"input_role\"")?;
/// let position: ControlId = serde_json::from_str("1")?;
/// assert_eq!(position, id);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "StoredControlId", into = "String")]
pub struct ControlId(Cow<'static, str>);

impl ControlId {
    /// Temperature and min-p together, 0 to 1.
    pub const ADVENTUROUSNESS: Self = Self(Cow::Borrowed("adventurousness"));
    /// Role of the player: 0 where it is detected, otherwise (class + 1) / 16 of the role.
    pub const INPUT_ROLE: Self = Self(Cow::Borrowed("input_role"));
    /// Role of the plan, as [`INPUT_ROLE`](Self::INPUT_ROLE); 0 where it is the player's role.
    pub const OUTPUT_ROLE: Self = Self(Cow::Borrowed("output_role"));
    /// Second role of the plan, as [`INPUT_ROLE`](Self::INPUT_ROLE); 0 where there is none.
    pub const OUTPUT_ROLE_2: Self = Self(Cow::Borrowed("output_role_2"));
    /// Third role of the plan, likewise.
    pub const OUTPUT_ROLE_3: Self = Self(Cow::Borrowed("output_role_3"));

    /// The id of a host parameter.
    #[must_use]
    pub const fn of(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// The controls by their positions in projects that hold no ids.
    const BY_POSITION: [Self; 3] = [Self::ADVENTUROUSNESS, Self::INPUT_ROLE, Self::OUTPUT_ROLE];

    /// The id as the host knows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stored form of an id.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredControlId {
    Id(String),
    Position(u32),
}

impl From<StoredControlId> for ControlId {
    fn from(stored: StoredControlId) -> Self {
        let position = match stored {
            StoredControlId::Id(id) => return Self(id.into()),
            StoredControlId::Position(position) => position,
        };
        let known = usize::try_from(position).ok().and_then(|position| Self::BY_POSITION.get(position));
        known.cloned().unwrap_or_else(|| Self(position.to_string().into()))
    }
}

impl From<ControlId> for String {
    fn from(id: ControlId) -> Self {
        id.0.into_owned()
    }
}

/// Limit of times read from a project, in ticks: exact as an `f64`, and small enough that sums do not overflow.
const FARTHEST: Tick = Tick(1 << 53);

/// Whether a time is within that limit; in a damaged project it may be any value.
pub(super) fn is_believed(tick: Tick) -> bool {
    (Tick(-FARTHEST.0)..=FARTHEST).contains(&tick)
}

/// Hash of notes: equal notes have equal fingerprints, in every session and on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// Of no notes at all: the offset basis of FNV-1a.
    pub const SILENCE: Self = Self(0xcbf2_9ce4_8422_2325);

    /// Of these notes, in this order.
    #[must_use]
    pub fn of(notes: &[Note]) -> Self {
        notes.iter().fold(Self::SILENCE, Self::with)
    }

    /// Of the notes so far and this one.
    #[must_use]
    pub fn with(self, note: &Note) -> Self {
        let attributes = [note.offset.to_le_bytes()[0], note.pitch, note.velocity, note.role.class()];
        self.with_bytes(&note.onset.0.to_le_bytes()).with_bytes(&note.duration.0.to_le_bytes()).with_bytes(&attributes)
    }

    /// FNV-1a (Fowler, Noll, Vo), 64 bits.
    pub(super) fn with_bytes(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

/// Inputs of a plan, and the ticks it covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Brief {
    /// The plan's number.
    pub plan: PlanId,
    /// Planning tick of the request: the notes before it are the context.
    pub made_at: Tick,
    /// The first tick it covers.
    pub start: Tick,
    /// The first tick it does not cover.
    pub end: Tick,
    /// Seed of the sampling.
    pub seed: u64,
    /// The controls at the planning tick.
    pub controls: Controls,
    /// Fingerprint of the notes before it.
    pub context: Fingerprint,
}

/// A part of a plan as the engine delivers it, the near bar first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The plan it belongs to.
    pub plan: PlanId,
    /// First tick: the end of the passage before.
    pub from: Tick,
    /// First tick after it.
    pub until: Tick,
    /// The notes that start in it.
    pub notes: Vec<Note>,
}

/// A plan: its inputs, and the notes delivered so far.
///
/// ```
/// use antiphon_engine::music::Tick;
/// use antiphon_engine::plan::{Brief, Controls, Fingerprint, Passage, Plan, PlanId};
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
/// let mut plan = Plan::new(brief);
/// let passage = |from, until| Passage { plan: PlanId(1), from: Tick(from), until: Tick(until), notes: Vec::new() };
/// assert!(!plan.append(&passage(96, 192)), "the near bar comes first");
/// assert!(plan.append(&passage(24, 96)));
/// assert!(!plan.append(&passage(24, 96)), "it is there already");
/// assert_eq!((plan.ready(), plan.is_complete()), (Tick(96), false));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its inputs.
    pub brief: Brief,
    /// Tick up to which it has been delivered.
    ready: Tick,
    /// In canonical order; all start between the brief's start and `ready`.
    #[serde(with = "notes")]
    notes: Vec<Note>,
}

impl Plan {
    /// A plan of which nothing has been delivered yet.
    #[must_use]
    pub fn new(brief: Brief) -> Self {
        Self { ready: brief.start, brief, notes: Vec::new() }
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> PlanId {
        self.brief.plan
    }

    /// Its notes so far, in canonical order.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The notes that start from `from` on and before `to`.
    #[must_use]
    pub fn between(&self, from: Tick, to: Tick) -> &[Note] {
        let start = self.notes.partition_point(|note| note.onset < from);
        let end = self.notes.partition_point(|note| note.onset < to);
        // An empty stretch may come with its ends swapped.
        self.notes.get(start..end).unwrap_or_default()
    }

    /// All notes delivered so far, as one passage.
    #[must_use]
    pub fn as_passage(&self) -> Passage {
        Passage { plan: self.id(), from: self.brief.start, until: self.ready, notes: self.notes.clone() }
    }

    /// Tick up to which it has been delivered.
    #[must_use]
    pub const fn ready(&self) -> Tick {
        self.ready
    }

    /// Whether it has been delivered to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.ready >= self.brief.end
    }

    /// Whether another copy is the same plan, even if more or less of it was delivered or if it was moved: same inputs, and the same notes as
    /// far as both reach.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let from = |brief: &Brief| (brief.made_at, brief.seed, brief.context);
        let delivered = |plan: &Self| plan.ready - plan.brief.start;
        let both = delivered(self).min(delivered(other));
        let beginning = |plan: &Self| plan.between(plan.brief.start, plan.brief.start + both).len();
        let from_start = |plan: &Self, note: &Note| Note { onset: note.onset - plan.brief.start, ..*note };
        from(&self.brief) == from(&other.brief)
            && beginning(self) == beginning(other)
            && self.notes.iter().zip(&other.notes).take(beginning(self)).all(|(one, two)| from_start(self, one) == from_start(other, two))
    }

    /// The plan up to a tick.
    #[must_use]
    pub fn before(&self, end: Tick) -> Self {
        let brief = Brief { end: self.brief.end.min(end), ..self.brief.clone() };
        Self { brief, ready: self.ready.min(end), notes: self.between(self.brief.start, end).to_vec() }
    }

    /// The delivered part as a complete plan with its own number, moved by `by` ticks.
    #[must_use]
    pub fn moved(&self, by: Tick, plan: PlanId) -> Self {
        let start = self.brief.start + by;
        let ready = self.ready + by;
        let notes = self.notes.iter().map(|note| Note { onset: note.onset + by, ..*note }).collect();
        Self { brief: Brief { plan, start, end: ready, ..self.brief.clone() }, ready, notes }
    }

    /// The delivered part from `from` on, as a complete plan moved by `by` ticks: it waits for the player.
    #[must_use]
    pub fn postponed(&self, from: Tick, by: Tick) -> Self {
        let mut plan = self.moved(by, self.id());
        plan.brief.start = plan.brief.start.max(from + by);
        plan.notes.retain(|note| note.onset >= plan.brief.start);
        plan
    }

    /// Whether its times and notes fit together; in a damaged project they may not.
    pub(super) fn is_sound(&self) -> bool {
        let Brief { made_at, start, end, .. } = self.brief;
        let times = [made_at, start, self.ready, end];
        let lengths = self.notes.iter().map(|note| note.duration).filter(|duration| *duration != Tick::MAX);
        times.into_iter().chain(lengths).all(is_believed)
            && start <= self.ready
            && self.ready <= end
            && self.notes.is_sorted_by_key(Note::order)
            && self.notes.iter().all(|note| (start..self.ready).contains(&note.onset))
    }

    /// Leaves what has not been delivered before this tick silent: it can no longer be in time.
    pub(super) fn skip_to(&mut self, tick: Tick) {
        self.ready = self.ready.max(tick.min(self.brief.end));
    }

    /// Appends the next passage. Returns whether it was the next one of this plan: any other changes nothing. Notes that do not start in the
    /// passage are dropped.
    pub fn append(&mut self, passage: &Passage) -> bool {
        if passage.plan != self.id() || passage.from != self.ready || passage.until <= passage.from {
            return false;
        }
        let old = self.notes.len();
        self.notes.extend(passage.notes.iter().filter(|note| passage.from <= note.onset && note.onset < passage.until));
        self.notes[old..].sort_by_key(Note::order);
        self.ready = passage.until;
        true
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::music::Role;

    /// A crotchet.
    pub(crate) fn note(onset: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys }
    }

    pub(crate) fn brief(plan: u64, start: i64, end: i64) -> Brief {
        Brief {
            plan: PlanId(plan),
            made_at: Tick(start - 24),
            start: Tick(start),
            end: Tick(end),
            seed: 7,
            controls: Controls::default(),
            context: Fingerprint::SILENCE,
        }
    }

    pub(crate) fn passage(plan: u64, from: i64, until: i64, notes: &[Note]) -> Passage {
        Passage { plan: PlanId(plan), from: Tick(from), until: Tick(until), notes: notes.to_vec() }
    }

    #[test]
    fn passages_are_appended_in_order_only() {
        let mut plan = Plan::new(brief(1, 96, 288));
        assert!(!plan.append(&passage(1, 192, 288, &[note(192, 60)])), "not before the first");
        assert!(!plan.append(&passage(2, 96, 192, &[])), "not another plan's");
        assert!(plan.append(&passage(1, 96, 192, &[note(120, 64), note(96, 60), note(192, 61), note(95, 62)])));
        assert!(!plan.append(&passage(1, 96, 192, &[])), "not twice");
        assert!(!plan.is_complete());
        assert!(plan.append(&passage(1, 192, 288, &[note(200, 60)])));
        assert!(plan.is_complete());
        assert_eq!(plan.notes(), [note(96, 60), note(120, 64), note(200, 60)]);
        assert_eq!(plan.between(Tick(97), Tick(200)), [note(120, 64)]);
        assert_eq!(plan.between(Tick(200), Tick(97)), []);
    }

    #[test]
    fn plan_is_the_same_however_much_was_delivered() {
        let mut whole = Plan::new(brief(1, 96, 288));
        assert!(whole.append(&passage(1, 96, 288, &[note(96, 60), note(200, 64)])));
        let part = whole.before(Tick(192));
        assert_eq!((part.brief.end, part.ready(), part.notes().len()), (Tick(192), Tick(192), 1));
        assert!(part.is_same(&whole) && whole.is_same(&part) && part.is_sound());
        let mut other = Plan::new(brief(1, 96, 288));
        other.append(&passage(1, 96, 192, &[note(97, 60)]));
        assert!(!other.is_same(&whole));
        let reseeded = Plan { brief: Brief { seed: 8, ..whole.brief.clone() }, ..whole.clone() };
        assert!(!reseeded.is_same(&whole));
    }

    #[test]
    fn moved_plan_is_complete_and_the_same() {
        let mut plan = Plan::new(brief(1, 96, 288));
        plan.append(&passage(1, 96, 192, &[note(120, 60)]));
        let moved = plan.moved(Tick(-50), PlanId(9));
        assert_eq!((moved.id(), moved.brief.start, moved.ready()), (PlanId(9), Tick(46), Tick(142)));
        assert!(moved.is_complete() && moved.is_sound() && moved.is_same(&plan));
        assert_eq!(moved.notes(), [note(70, 60)]);
    }

    #[test]
    fn postponed_plan_begins_on_its_bar_line_and_keeps_its_number() {
        let mut plan = Plan::new(brief(1, 72, 288));
        plan.append(&passage(1, 72, 288, &[note(80, 60), note(96, 62), note(200, 64)]));
        let waits = plan.postponed(Tick(96), Tick(192));
        assert_eq!((waits.id(), waits.brief.start, waits.brief.end), (PlanId(1), Tick(288), Tick(480)));
        assert_eq!(waits.notes(), [note(288, 62), note(392, 64)]);
        assert!(waits.is_complete() && waits.is_sound());
        assert_eq!(waits.postponed(Tick(288), Tick(0)), waits);
    }

    #[test]
    fn fingerprints_of_different_notes_or_orders_differ() {
        let (a, b) = (note(0, 60), note(24, 62));
        assert_eq!(Fingerprint::of(&[a, b]), Fingerprint::of(&[a]).with(&b));
        let softer = Note { velocity: 79, ..b };
        let all = [vec![], vec![a], vec![b], vec![a, b], vec![b, a], vec![a, softer]].map(|notes| Fingerprint::of(&notes));
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != one));
        }
        // Pinned: projects keep them.
        assert_eq!(Fingerprint::SILENCE.with_bytes(b"foobar"), Fingerprint(0x8594_4171_f739_67e8));
    }

    #[test]
    fn plan_round_trips_through_a_project_file() {
        let mut plan =
            Plan::new(Brief { controls: Controls(vec![Setting { parameter: ControlId::INPUT_ROLE, value: 0.25 }]), ..brief(1, 96, 192) });
        plan.append(&passage(1, 96, 192, &[note(96, 60), note(120, 64)]));
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}
