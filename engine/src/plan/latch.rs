//! Latched plans: the plans that Play has started, one after the other.

use super::{Brief, Passage, Plan, PlanId};
use crate::music::{Note, Tick};

/// A stretch of a latched plan. Changed only by Stop, a transport change, or a plan that replaces it.
#[derive(Debug, Clone)]
struct Stretch {
    plan: Plan,
    from: Tick,
    /// At most the plan's end when it was latched.
    until: Tick,
}

impl Stretch {
    /// Tick up to which it has been delivered.
    fn ready(&self) -> Tick {
        self.plan.ready().clamp(self.from, self.until)
    }

    /// First tick of it that sounds.
    fn start(&self) -> Tick {
        self.from.max(self.plan.brief.start)
    }

    fn between(&self, from: Tick, to: Tick) -> &[Note] {
        self.plan.between(from.max(self.from), to.min(self.until))
    }
}

/// Effect of Play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// The plan plays from this tick on; the one before ends there.
    From(Tick),
    /// Playback is extended, and nothing is replaced.
    On,
}

/// The latched stretches, in order of time and without overlap.
#[derive(Debug, Clone, Default)]
pub(super) struct Latched {
    stretches: Vec<Stretch>,
}

impl Latched {
    /// Latches a plan from this tick on. The latched plans play up to that tick and to the start of the new plan.
    pub(super) fn play(&mut self, plan: Plan, from: Tick) -> Played {
        let until = plan.brief.end;
        if let Some(last) = self.stretches.last_mut().filter(|last| last.plan.id() == plan.id()) {
            last.until = last.until.max(until);
            return Played::On;
        }
        let from = if self.stretches.is_empty() { from } else { from.max(plan.brief.start) };
        let follows = self.until().is_some_and(|until| until <= from);
        self.end_at(from);
        self.stretches.push(Stretch { plan, from, until });
        if follows { Played::On } else { Played::From(from) }
    }

    /// Replaces the latched plans by this one, from this tick on.
    pub(super) fn replace(&mut self, plan: Plan, at: Tick) {
        let Some(first) = self.stretches.first() else { return };
        let (from, until) = (at.max(first.from), plan.brief.end);
        self.end_at(from);
        self.stretches.push(Stretch { plan, from, until });
    }

    /// Ends playback at this tick.
    pub(super) fn end_at(&mut self, at: Tick) {
        self.stretches.retain(|stretch| stretch.from < at);
        if let Some(last) = self.stretches.last_mut() {
            last.until = last.until.min(at);
        }
    }

    /// Drops stretches that have ended.
    pub(super) fn advance_to(&mut self, now: Tick) {
        self.stretches.retain(|stretch| now < stretch.until);
    }

    /// Ends playback.
    pub(super) fn clear(&mut self) {
        self.stretches.clear();
    }

    /// The latched plans, in order of time.
    pub(super) fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.stretches.iter().map(|stretch| &stretch.plan)
    }

    /// The last latched plan.
    pub(super) fn plan(&self) -> Option<&Plan> {
        self.stretches.last().map(|stretch| &stretch.plan)
    }

    /// End of the last latched plan.
    pub(super) fn until(&self) -> Option<Tick> {
        self.stretches.last().map(|stretch| stretch.until)
    }

    /// Tick from which the latched plans play: the first of them began there, or will.
    pub(super) fn from(&self) -> Option<Tick> {
        self.stretches.first().map(Stretch::start)
    }

    /// Tick from which the last latched plan plays.
    pub(super) fn last_from(&self) -> Option<Tick> {
        self.stretches.last().map(Stretch::start)
    }

    /// What the latched plans play as one plan, with the inputs of the last: the first one up to where the next takes over, and so on. `None` unless there are
    /// several.
    pub(super) fn joined(&self) -> Option<Plan> {
        let [first, .., last] = self.stretches.as_slice() else { return None };
        let start = first.start();
        // What sounds where a plan is cut short ends there.
        let notes = self.stretches.iter().flat_map(|stretch| {
            let cut = Some(stretch.until).filter(|until| *until < stretch.plan.brief.end);
            let length = move |note: &Note| cut.map_or(note.duration, |until| note.duration.min(until - note.onset));
            stretch.between(start, Tick::MAX).iter().map(move |note| Note { duration: length(note), ..*note })
        });
        let brief = Brief { start, end: last.until, ..last.plan.brief.clone() };
        let until = last.ready().max(start);
        let passage = Passage { plan: brief.plan, from: start, until, notes: notes.collect() };
        let mut plan = Plan::new(brief);
        plan.append(&passage);
        Some(plan)
    }

    /// Tick up to which the latched plans have been delivered without a gap.
    pub(super) fn delivered(&self) -> Option<Tick> {
        let lacking = self.stretches.iter().find(|stretch| stretch.ready() < stretch.until);
        lacking.or(self.stretches.last()).map(Stretch::ready)
    }

    /// Tick at which a passage begins to sound, if its plan is latched.
    pub(super) fn sounds_from(&self, passage: &Passage) -> Option<Tick> {
        let sounds = |stretch: &&Stretch| stretch.plan.id() == passage.plan && stretch.from < passage.until && passage.from < stretch.until;
        self.stretches.iter().find(sounds).map(|stretch| passage.from.max(stretch.from))
    }

    /// Leaves silent what would sound before this tick and has not been delivered.
    pub(super) fn skip_to(&mut self, tick: Tick) {
        for stretch in self.stretches.iter_mut().filter(|stretch| stretch.from < tick && stretch.ready() < stretch.until) {
            stretch.plan.skip_to(tick.min(stretch.until));
        }
    }

    /// Tick up to which a plan has been delivered, if it is latched.
    pub(super) fn ready(&self, plan: PlanId) -> Option<Tick> {
        self.stretches.iter().find(|stretch| stretch.plan.id() == plan).map(|stretch| stretch.plan.ready())
    }

    /// Latched plans that are not fully delivered, each with the end of its stretch.
    pub(super) fn lacking(&self) -> impl Iterator<Item = (&Plan, Tick)> {
        self.stretches.iter().filter(|stretch| stretch.plan.ready() < stretch.until).map(|stretch| (&stretch.plan, stretch.until))
    }

    /// Latched notes with an onset in a stretch of time.
    pub(super) fn between(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        self.stretches.iter().flat_map(move |stretch| stretch.between(from, to))
    }

    /// Notes shown in a stretch of time: the latched ones, and those of the first plan before its latch point.
    pub(super) fn shown(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        self.stretches.iter().enumerate().flat_map(move |(index, stretch)| match index {
            0 => stretch.plan.between(from, to.min(stretch.until)),
            _ => stretch.between(from, to),
        })
    }

    /// Appends a passage to its plan; `None` if that plan is not latched, otherwise whether the passage is the next one.
    pub(super) fn append(&mut self, passage: &Passage) -> Option<bool> {
        let own = self.stretches.iter_mut().filter(|stretch| stretch.plan.id() == passage.plan);
        own.map(|stretch| stretch.plan.append(passage)).reduce(|one, other| one || other)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PlanId;
    use super::super::phrase::tests::{brief, note, passage};
    use super::*;

    /// A plan of one note a bar, of its own pitch.
    fn plan(id: u8, start: i64, end: i64, ready: i64) -> Plan {
        let mut plan = Plan::new(brief(id.into(), start, end));
        let notes: Vec<_> = (start..ready).step_by(96).map(|onset| note(onset, id)).collect();
        plan.append(&passage(id.into(), start, ready, &notes));
        plan
    }

    fn sounds(latched: &Latched) -> Vec<(i64, u8)> {
        latched.between(Tick(0), Tick(10_000)).map(|note| (note.onset.0, note.pitch)).collect()
    }

    #[test]
    fn later_plan_follows_the_latched_one() {
        let mut latched = Latched::default();
        assert_eq!(latched.play(plan(1, 0, 288, 288), Tick(96)), Played::From(Tick(96)));
        assert_eq!(latched.play(plan(2, 288, 480, 480), Tick(192)), Played::On);
        assert_eq!(sounds(&latched), [(96, 1), (192, 1), (288, 2), (384, 2)]);
        assert_eq!((latched.until(), latched.delivered()), (Some(Tick(480)), Some(Tick(480))));
        latched.advance_to(Tick(288));
        assert_eq!(sounds(&latched), [(288, 2), (384, 2)]);
    }

    #[test]
    fn overlapping_plan_takes_over_at_the_bar_line() {
        let mut latched = Latched::default();
        latched.play(plan(1, 0, 480, 480), Tick(0));
        assert_eq!(latched.play(plan(2, 100, 480, 480), Tick(192)), Played::From(Tick(192)));
        assert_eq!(sounds(&latched), [(0, 1), (96, 1), (196, 2), (292, 2), (388, 2)]);
        // And once more before that line.
        assert_eq!(latched.play(plan(3, 192, 480, 480), Tick(192)), Played::From(Tick(192)));
        assert_eq!(sounds(&latched), [(0, 1), (96, 1), (192, 3), (288, 3), (384, 3)]);
    }

    #[test]
    fn same_plan_latched_again_is_extended() {
        let mut latched = Latched::default();
        latched.play(plan(1, 0, 192, 192), Tick(0));
        assert_eq!(latched.play(plan(1, 0, 288, 192), Tick(96)), Played::On);
        assert_eq!((latched.until(), latched.delivered()), (Some(Tick(288)), Some(Tick(192))));
        assert_eq!(latched.append(&passage(1, 192, 288, &[note(192, 1)])), Some(true));
        assert_eq!(latched.append(&passage(2, 192, 288, &[])), None);
        assert_eq!(sounds(&latched), [(0, 1), (96, 1), (192, 1)]);
    }

    #[test]
    fn latched_plans_are_shown_as_one_from_where_the_first_plays() {
        let mut latched = Latched::default();
        assert_eq!((latched.from(), latched.joined()), (None, None));
        latched.play(plan(1, 24, 288, 288), Tick(96));
        assert_eq!((latched.from(), latched.joined()), (Some(Tick(96)), None));
        let long = |note: Note| Note { duration: Tick(200), ..note };
        let mut other = Plan::new(brief(2, 200, 480));
        other.append(&passage(2, 200, 480, &[note(200, 2), long(note(300, 2))]));
        latched.play(other, Tick(288));
        latched.replace(plan(3, 312, 480, 480), Tick(312));
        let joined = latched.joined().unwrap();
        let notes: Vec<_> = joined.notes().iter().map(|note| (note.onset.0, note.duration.0, note.pitch)).collect();
        assert_eq!(notes, [(120, 24, 1), (216, 24, 1), (300, 12, 2), (312, 24, 3), (408, 24, 3)]);
        assert_eq!((joined.brief.start, joined.brief.end, joined.id()), (Tick(96), Tick(480), PlanId(3)));
        assert_eq!(latched.from(), Some(Tick(96)), "the first still counts");
    }

    #[test]
    fn incomplete_plans_are_listed_in_order_of_time() {
        let mut latched = Latched::default();
        latched.play(plan(1, 0, 288, 96), Tick(0));
        latched.play(plan(2, 100, 480, 480), Tick(192));
        assert_eq!(latched.delivered(), Some(Tick(96)));
        assert_eq!(latched.lacking().map(|(plan, until)| (plan.id(), until)).collect::<Vec<_>>(), [(PlanId(1), Tick(192))]);
    }

    #[test]
    fn replacement_plays_from_its_tick_and_not_before_the_latched_plan() {
        let mut latched = Latched::default();
        latched.replace(plan(1, 0, 480, 480), Tick(0));
        assert_eq!(sounds(&latched), [], "no plan is latched that could be replaced");
        latched.play(plan(1, 0, 288, 288), Tick(96));
        latched.replace(plan(2, 24, 288, 288), Tick(24));
        assert_eq!(sounds(&latched), [(120, 2), (216, 2)]);
        latched.replace(plan(3, 200, 480, 480), Tick(200));
        assert_eq!(sounds(&latched), [(120, 2), (200, 3), (296, 3), (392, 3)]);
        latched.clear();
        assert_eq!(sounds(&latched), []);
    }
}
