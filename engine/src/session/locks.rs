//! Locks of the shown plan: notes, bars, its rhythm or its pitches, which plans that replace it keep.

use crate::codec::{self, OwnRoles};
use crate::decode::BarLock;
use crate::music::{Bar, Metre, Note, Role, Tick};
use crate::plan::Plan;
use crate::service::Assignment;

use super::{PatternLock, ShownLocks};

/// What the player locks or unlocks of the plan that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockTarget {
    /// The note of a role that starts at this tick with this pitch.
    Note {
        /// Its role.
        role: Role,
        /// Its onset on the unwrapped clock.
        onset: Tick,
        /// Its MIDI pitch.
        pitch: u8,
    },
    /// Everything in the bar that begins at this tick.
    Bar {
        /// The bar line.
        start: Tick,
    },
}

impl LockTarget {
    /// A note.
    #[must_use]
    pub const fn of(note: &Note) -> Self {
        Self::Note { role: note.role, onset: note.onset, pitch: note.pitch }
    }
}

/// A locked bar.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LockedBar {
    start: Tick,
    end: Tick,
    /// In canonical order.
    notes: Vec<Note>,
}

/// Notes whose rhythm or pitches are locked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    lock: PatternLock,
    /// In canonical order.
    notes: Vec<Note>,
    /// Tick up to which they are known.
    until: Tick,
}

/// The player's locks. They are shown until what they lock has passed, and end with the plan that has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Locks {
    notes: Vec<Note>,
    bars: Vec<LockedBar>,
    pattern: Option<Pattern>,
}

impl Locks {
    /// Locks a note, or a bar as far as the plan reaches into it. Returns whether there is such a note or bar in the plan that was not locked yet.
    pub(super) fn lock(&mut self, target: LockTarget, plan: &Plan, bar: Option<Bar>) -> bool {
        match target {
            LockTarget::Note { .. } => {
                let Some(note) = plan.notes().iter().find(|note| LockTarget::of(note) == target) else { return false };
                let is_new = !self.notes.contains(note);
                if is_new {
                    self.notes.push(*note);
                }
                is_new
            }
            LockTarget::Bar { start } => {
                let Some(bar) = bar.filter(|bar| bar.start == start) else { return false };
                let reaches = plan.brief.start < bar.end() && plan.ready() >= bar.end();
                if !reaches || self.bars.iter().any(|locked| locked.start == start) {
                    return false;
                }
                self.bars.push(LockedBar { start, end: bar.end(), notes: plan.between(start, bar.end()).to_vec() });
                true
            }
        }
    }

    /// Removes a lock; returns whether there was one.
    pub(super) fn unlock(&mut self, target: LockTarget) -> bool {
        let count = (self.notes.len(), self.bars.len());
        match target {
            LockTarget::Note { .. } => self.notes.retain(|note| LockTarget::of(note) != target),
            LockTarget::Bar { start } => self.bars.retain(|bar| bar.start != start),
        }
        count != (self.notes.len(), self.bars.len())
    }

    /// Removes the locks of notes and bars; returns whether there were any.
    pub(super) fn unlock_all(&mut self) -> bool {
        let any = !self.notes.is_empty() || !self.bars.is_empty();
        self.notes.clear();
        self.bars.clear();
        any
    }

    /// Removes all locks: the plan is gone. Rhythm and pitches are locked again with the next one.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Removes the locks of what precedes the plan that is shown. What has passed of that plan itself stays: its variations do not depend on when
    /// they are made.
    pub(super) fn pass(&mut self, start: Tick) {
        self.notes.retain(|note| note.onset >= start);
        self.bars.retain(|bar| bar.end > start);
        if let Some(pattern) = &mut self.pattern {
            pattern.notes.retain(|note| note.onset >= start);
        }
    }

    /// Those of what is still to come.
    pub(super) fn shown(&self, now: Tick) -> ShownLocks {
        let bars = || self.bars.iter().filter(|bar| bar.end > now);
        let single = self.notes.iter().filter(|note| note.onset >= now);
        ShownLocks::new(distinct(bars().flat_map(|bar| &bar.notes).chain(single)), bars().map(|bar| bar.start).collect())
    }

    /// Locks rhythm or pitches of the shown plan, and of what has been added to it since. Returns whether another lock was set.
    pub(super) fn set_pattern(&mut self, lock: PatternLock, plan: Option<&Plan>) -> bool {
        let is_new = self.pattern.as_ref().map_or(PatternLock::None, |pattern| pattern.lock) != lock;
        if is_new {
            self.pattern = None;
        }
        let Some(plan) = plan.filter(|_| lock != PatternLock::None) else { return is_new };
        let pattern = self.pattern.get_or_insert_with(|| Pattern { lock, notes: Vec::new(), until: plan.brief.start });
        pattern.notes.extend_from_slice(plan.between(pattern.until, plan.ready()));
        pattern.until = pattern.until.max(plan.ready());
        is_new
    }

    /// Locked notes and the notes of locked bars, in canonical order.
    fn notes(&self) -> Vec<Note> {
        distinct(self.bars.iter().flat_map(|bar| &bar.notes).chain(&self.notes))
    }

    /// Whether rhythm and pitches are locked: nothing of the plan that is shown can change.
    pub(super) fn fix_all(&self) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.lock == PatternLock::Whole)
    }

    /// Fixes what is locked in an assignment whose roles are `own`. Beside others the locked notes are not given to the model: what it is given there is what
    /// the others have played.
    pub(super) fn apply(&self, assignment: &mut Assignment, own: OwnRoles) {
        if *self == Self::default() {
            return;
        }
        let (mut line, all) = (assignment.line, self.notes());
        for place in 0..assignment.prompt.gap.len() {
            let length = Tick(i64::from(assignment.prompt.gap[place].bar.ticks));
            let (from, end) = (line.max(assignment.brief.start), line + length);
            let (locked, lock) = self.of_bar(&all, line, from, end, assignment.brief.end.min(end));
            if own == OwnRoles::ALL {
                let given = &mut assignment.prompt.gap[place].given;
                given.extend(classes(&locked, line, length));
                given.sort_by_key(|note| (note.tick(), note.role, note.pitch));
                given.dedup();
            }
            assignment.locked.notes.extend(locked);
            assignment.locked.bars.push(lock);
            line = end;
        }
    }

    /// Locked notes of a bar from tick `from` on, and the lock of its other notes. The plan reaches up to `until`.
    fn of_bar(&self, locked: &[Note], line: Tick, from: Tick, end: Tick, until: Tick) -> (Vec<Note>, BarLock) {
        let inside = |notes: &[Note]| notes.iter().filter(|note| (from..until).contains(&note.onset)).copied().collect::<Vec<_>>();
        let locked = inside(locked);
        if self.bars.iter().any(|bar| bar.start <= from && end <= bar.end) {
            return (locked, BarLock::Whole);
        }
        let Some(pattern) = self.pattern.as_ref().filter(|pattern| from < until && until <= pattern.until) else {
            return (locked, BarLock::Open);
        };
        let mut others = inside(&pattern.notes);
        others.retain(|note| !locked.iter().any(|locked| LockTarget::of(locked) == LockTarget::of(note)));
        let others_classes = || classes(&others, line, end - line);
        match pattern.lock {
            PatternLock::None => (locked, BarLock::Open),
            PatternLock::Rhythm => (locked, BarLock::Rhythm(others_classes())),
            PatternLock::Pitches => (locked, BarLock::Pitches(others_classes())),
            PatternLock::Whole => {
                let mut all = [locked, others].concat();
                all.sort_by_key(Note::order);
                (all, BarLock::Whole)
            }
        }
    }
}

/// Notes in canonical order, each once.
fn distinct<'a>(notes: impl Iterator<Item = &'a Note>) -> Vec<Note> {
    let mut notes: Vec<Note> = notes.copied().collect();
    notes.sort_by_key(Note::order);
    notes.dedup();
    notes
}

/// Notes of a bar as classes.
fn classes(notes: &[Note], line: Tick, length: Tick) -> Vec<codec::NoteClasses> {
    // Classes do not depend on the metre.
    let bar = Bar { index: 0, start: line, length, metre: Metre::COMMON };
    codec::encode(notes, &[bar], None).bars.into_iter().flat_map(|bar| bar.notes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::BarRows;
    use crate::decode::{Constraints, Prompt, Sampling};
    use crate::plan::{Brief, Controls, Fingerprint, Passage, PlanId};
    use crate::service::LockedPart;

    fn note(onset: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys }
    }

    fn bar(start: i64) -> Bar {
        Bar { index: 0, start: Tick(start), length: Tick(96), metre: Metre::COMMON }
    }

    fn brief() -> Brief {
        let controls = Controls::default();
        Brief { plan: PlanId(1), made_at: Tick(0), start: Tick(24), end: Tick(288), seed: 7, controls, context: Fingerprint::SILENCE }
    }

    /// A plan with a note on each of these beats, of the pitch 60 and up.
    fn plan(beats: std::ops::Range<i64>) -> Plan {
        let notes = beats.map(|beat| note(beat * 24, 60 + u8::try_from(beat).unwrap())).collect();
        let mut plan = Plan::new(brief());
        assert!(plan.append(&Passage { plan: PlanId(1), from: Tick(24), until: Tick(288), notes }));
        plan
    }

    fn assignment() -> Assignment {
        let gap = (0..3).map(|index| BarRows { index, ticks: 96, ..BarRows::default() }.into()).collect();
        let prompt = Prompt::of_bars(Vec::new(), gap, Vec::new(), Constraints::default());
        Assignment {
            brief: brief(),
            prompt,
            line: Tick(0),
            sampling: Sampling::default(),
            rejected: Vec::new(),
            locked: LockedPart::default(),
        }
    }

    fn applied(locks: &Locks) -> Assignment {
        let mut assignment = assignment();
        locks.apply(&mut assignment, OwnRoles::ALL);
        assignment
    }

    #[test]
    fn locked_note_is_given_in_its_bar_and_ends_when_it_has_passed() {
        let (mut locks, plan) = (Locks::default(), plan(1..12));
        let target = LockTarget::of(&note(120, 65));
        assert!(locks.lock(target, &plan, None) && !locks.lock(target, &plan, None));
        assert!(!locks.lock(LockTarget::of(&note(120, 66)), &plan, None), "the plan has no such note");
        let fixed = applied(&locks);
        assert_eq!(fixed.locked.notes, [note(120, 65)]);
        assert_eq!(fixed.prompt.gap.iter().map(|bar| bar.given.len()).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(fixed.prompt.gap[1].given[0].note(Tick(96)).onset, Tick(120));
        assert_eq!((locks.shown(Tick(120)).notes().len(), locks.shown(Tick(121)).notes().len()), (1, 0));
        locks.pass(Tick(24));
        assert_eq!(applied(&locks).locked.notes, fixed.locked.notes, "variations do not depend on when they are made");
        locks.pass(Tick(121));
        assert_eq!(locks, Locks::default());
    }

    #[test]
    fn locked_notes_beside_others_are_in_the_plan_and_not_among_what_the_others_played() {
        let (mut locks, plan) = (Locks::default(), plan(1..12));
        locks.lock(LockTarget::Bar { start: Tick(96) }, &plan, Some(bar(96)));
        let mut assignment = assignment();
        locks.apply(&mut assignment, OwnRoles::new([Role::Keys]).unwrap());
        assert_eq!((assignment.locked.notes.len(), &assignment.locked.bars[1]), (4, &BarLock::Whole));
        assert!(assignment.prompt.gap.iter().all(|bar| bar.given.is_empty()));
    }

    #[test]
    fn locked_bar_holds_its_notes_and_no_other() {
        let (mut locks, plan) = (Locks::default(), plan(1..6));
        let target = LockTarget::Bar { start: Tick(96) };
        assert!(!locks.lock(target, &plan.before(Tick(150)), Some(bar(96))), "the plan does not reach its end");
        assert!(locks.lock(target, &plan, Some(bar(96))));
        let fixed = applied(&locks);
        assert_eq!(fixed.locked.notes, [note(96, 64), note(120, 65)]);
        assert_eq!(fixed.locked.bars, [BarLock::Open, BarLock::Whole, BarLock::Open]);
        assert!(locks.unlock(target) && !locks.unlock(target));
        assert!(applied(&locks).locked.bars.is_empty());
    }

    #[test]
    fn pattern_locks_what_the_plan_has_beside_locked_notes() {
        let (mut locks, plan) = (Locks::default(), plan(1..12));
        locks.lock(LockTarget::of(&note(120, 65)), &plan, None);
        assert!(locks.set_pattern(PatternLock::Rhythm, Some(&plan.before(Tick(192)))));
        let counts = |fixed: &Assignment| {
            fixed
                .locked
                .bars
                .iter()
                .map(|lock| if let BarLock::Rhythm(notes) = lock { Some(notes.len()) } else { None })
                .collect::<Vec<_>>()
        };
        assert_eq!(counts(&applied(&locks)), [Some(3), Some(3), None], "the first bar has begun, the last was not there");
        assert!(!locks.set_pattern(PatternLock::Rhythm, Some(&plan)));
        assert_eq!(counts(&applied(&locks)), [Some(3), Some(3), Some(4)]);
        locks.set_pattern(PatternLock::Whole, Some(&plan));
        let whole = applied(&locks);
        assert_eq!((whole.locked.notes.len(), whole.locked.bars), (11, vec![BarLock::Whole; 3]));
        assert!(locks.fix_all());
        let mut later = locks.clone();
        later.pass(Tick(24));
        assert_eq!(applied(&later).locked.notes, whole.locked.notes, "variations do not depend on when they are made");
        later.pass(Tick(150));
        assert_eq!(applied(&later).locked.notes.len(), 5, "what precedes the shown plan is forgotten");
        locks.set_pattern(PatternLock::None, Some(&plan));
        assert!(!locks.fix_all());
        assert_eq!(applied(&locks).locked.bars, [BarLock::Open, BarLock::Open, BarLock::Open]);
    }
}
