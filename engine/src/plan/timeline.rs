//! Beat-synchronous planning: which plan stands, which is being made, and from where on it will stand.
//!
//! At planning tick k a [`Brief`] goes out. What comes back covers the time from planning tick k+1 on and is adopted exactly there, however
//! early it came: what sounds does not depend on the speed of the machine. What misses that tick is dropped, and the older plan stands.
//! Until then the commit line stands at k+1: what lies before it will sound as shown.

use super::foresight::{TOLERANCE_TICKS, as_foreseen};
use super::latch::{Latched, Played};
use super::{Brief, Controls, Fingerprint, Mode, Passage, Plan, PlanId};
use crate::music::{Note, Tick};

/// A planning tick and what the player may want to know at it.
#[derive(Debug, Clone, Copy)]
pub struct PlanningTick<'a> {
    /// Where it stands, k.
    pub now: Tick,
    /// Where the next one is foreseen, k+1.
    pub next: Tick,
    /// The end of the horizon: the bar line that many bars on.
    pub horizon: Tick,
    /// What was heard, in order of time; at least from the planning tick before the last one on. Notes from `now` on are not looked at.
    pub heard: &'a [Note],
    /// Of all that was heard before `now`.
    pub context: Fingerprint,
    /// The controls as they stand.
    pub controls: &'a Controls,
}

/// What the engine is asked for at a planning tick.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A new plan, to be adopted at the next planning tick.
    Replan(Brief),
    /// More of the plan that stands: from the brief's start on. The player did what it foresaw.
    Extend(Brief),
}

impl Request {
    /// What to make.
    #[must_use]
    pub const fn brief(&self) -> &Brief {
        match self {
            Self::Replan(brief) | Self::Extend(brief) => brief,
        }
    }
}

/// What became of the plan that was asked for at the last planning tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// It stands from now on.
    Adopted(PlanId),
    /// It was not there in time: the older one stands.
    Missed(PlanId),
}

/// What became of a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It belongs to the plan that is being made, or to one that stands.
    Taken,
    /// Its plan missed its tick or was replaced.
    Late,
    /// It does not follow the passage before it.
    OutOfOrder,
}

/// How planning has gone so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Plans that were adopted at their tick.
    pub adopted: u64,
    /// Plans that missed it.
    pub missed: u64,
    /// Planning ticks at which the plan was kept, since the player did what it foresaw.
    pub kept: u64,
}

/// A plan that is being made.
#[derive(Debug, Clone)]
struct Pending {
    plan: Plan,
    adopt_at: Tick,
    /// The player asked for another: it takes the place of the one that plays.
    takes_over: bool,
}

/// The plan that stands, the one that is being made, and the one that plays.
#[derive(Debug, Clone)]
pub struct Timeline {
    now: Tick,
    adopted: Option<Plan>,
    pending: Option<Pending>,
    latched: Latched,
    /// The last planning tick, if there was one.
    asked_at: Option<Tick>,
    commit_line: Tick,
    seed: u64,
    /// The player asked for another.
    another: bool,
    last_plan: u64,
    tally: Tally,
}

impl Timeline {
    /// An empty timeline at this moment of the clock.
    #[must_use]
    pub fn new(now: Tick, seed: u64) -> Self {
        Self {
            now,
            adopted: None,
            pending: None,
            latched: Latched::default(),
            asked_at: None,
            commit_line: now,
            seed,
            another: false,
            last_plan: 0,
            tally: Tally::default(),
        }
    }

    /// Takes note of the time. A plan whose tick has come is adopted if its beginning is there, otherwise it is missed. A moment that has
    /// passed changes nothing.
    pub fn advance_to(&mut self, now: Tick) -> Option<Adoption> {
        self.now = self.now.max(now);
        self.latched.advance_to(self.now);
        let pending = self.pending.take_if(|pending| pending.adopt_at <= self.now)?;
        Some(self.resolve(pending))
    }

    /// The clock stands still, so nothing can be late: what has been delivered of the plan that is being made stands at once.
    pub fn adopt_waiting(&mut self) -> Option<Adoption> {
        let pending = self.pending.take_if(|pending| pending.plan.ready() > pending.plan.brief.start)?;
        Some(self.resolve(pending))
    }

    fn resolve(&mut self, pending: Pending) -> Adoption {
        let Pending { plan, adopt_at, takes_over } = pending;
        let id = plan.id();
        if plan.ready() <= plan.brief.start {
            self.tally.missed += 1;
            self.another |= takes_over;
            return Adoption::Missed(id);
        }
        self.tally.adopted += 1;
        if takes_over {
            self.latched.replace(plan.clone(), adopt_at);
            self.latched.advance_to(self.now);
        }
        self.adopted = Some(plan);
        Adoption::Adopted(id)
    }

    /// A planning tick. Whatever was asked for at the one before is adopted or missed first ([`advance_to`](Self::advance_to)); what is not
    /// due yet, since this tick came early, is dropped.
    ///
    /// The requests take the place of those of the tick before, and are served in their order: what plays is completed, then comes the rest.
    /// None if what stands is as wanted and reaches to the horizon.
    pub fn request_at(&mut self, tick: PlanningTick<'_>) -> Vec<Request> {
        self.advance_to(tick.now);
        self.pending = None;
        let asked_at = self.asked_at.replace(tick.now);
        self.commit_line = tick.next;
        let stands = self.stands(&tick, asked_at);
        let completion = self.completion(&tick, stands);
        let other = if stands {
            self.tally.kept += 1;
            self.extension(&tick)
        } else {
            self.replan(&tick)
        };
        completion.into_iter().chain(other).collect()
    }

    /// A new plan. What is latched plays to its end, so what is made now comes after, unless the player asked for another.
    fn replan(&mut self, tick: &PlanningTick<'_>) -> Option<Request> {
        let start = match self.latched.until() {
            Some(until) if !self.another => until.max(tick.next),
            _ => tick.next,
        };
        if start >= tick.horizon {
            return None;
        }
        self.last_plan += 1;
        let brief = Brief {
            plan: PlanId(self.last_plan),
            made_at: tick.now,
            start,
            end: tick.horizon,
            seed: self.seed,
            controls: tick.controls.clone(),
            context: tick.context,
        };
        let takes_over = std::mem::take(&mut self.another);
        self.pending = Some(Pending { plan: Plan::new(brief.clone()), adopt_at: tick.next, takes_over });
        Some(Request::Replan(brief))
    }

    /// What is missing of the plans that play, unless the plan that stands is the same and will be extended, or another is to take its place.
    fn completion(&self, tick: &PlanningTick<'_>, stands: bool) -> Vec<Request> {
        if self.another {
            return Vec::new();
        }
        let is_extended = |plan: &Plan| stands && self.adopted.as_ref().is_some_and(|adopted| adopted.id() == plan.id());
        let lacking = self.latched.lacking().filter(|(plan, _)| !is_extended(plan));
        lacking.map(|(plan, until)| Request::Extend(rest(plan, until, tick))).collect()
    }

    /// Whether the plan that stands is still the one to make: nobody asked for another, the controls are the same, and since the last
    /// planning tick the player did what is shown.
    fn stands(&self, tick: &PlanningTick<'_>, asked_at: Option<Tick>) -> bool {
        let (Some(adopted), Some(from)) = (&self.adopted, asked_at) else { return false };
        // Between the tick at which it was made and the one at which it was adopted, the player had nothing of it to go by.
        let from = from.max(adopted.brief.made_at);
        if self.another || adopted.brief.controls != *tick.controls || adopted.ready() <= tick.now {
            return false;
        }
        let margin = Tick(4 * TOLERANCE_TICKS.0);
        let planned: Vec<_> = self.shown(from - margin, tick.now + margin).copied().collect();
        as_foreseen(&planned, tick.heard, from, tick.now)
    }

    /// More of the plan that stands, if it does not reach to the horizon yet.
    fn extension(&mut self, tick: &PlanningTick<'_>) -> Option<Request> {
        let adopted = self.adopted.as_mut()?;
        adopted.brief.end = adopted.brief.end.max(tick.horizon);
        (!adopted.is_complete()).then(|| Request::Extend(rest(adopted, adopted.brief.end, tick)))
    }

    /// A passage comes from the engine. It joins the plan it belongs to; one of a plan that is not adopted yet is not shown before its tick.
    pub fn offer(&mut self, passage: &Passage) -> Offer {
        let pending = self.pending.as_mut().map(|pending| &mut pending.plan);
        let plans = [pending, self.adopted.as_mut()].into_iter().flatten().filter(|plan| plan.id() == passage.plan);
        // The plan that plays and the one that stands may be the same one.
        let taken: Vec<bool> = plans.map(|plan| plan.append(passage)).collect();
        let taken = taken.into_iter().chain(self.latched.append(passage)).reduce(|one, other| one || other);
        match taken {
            Some(true) => Offer::Taken,
            Some(false) => Offer::OutOfOrder,
            None => Offer::Late,
        }
    }

    /// Play: latches the plan that is shown, from this bar line to its end. What plays already does so up to there, and to where the plan
    /// begins. `None` if nothing is shown there.
    pub fn play(&mut self, bar_line: Tick) -> Option<Played> {
        let from = bar_line.max(self.now);
        let plan = self.adopted.clone().filter(|plan| from < plan.brief.end)?;
        Some(self.latched.play(plan, from))
    }

    /// Plays a plan that the player went back to, moved by so much, from this bar line to its end. No other one that was asked for before takes
    /// its place. `None` if it is over by then.
    pub fn play_again(&mut self, plan: &Plan, by: Tick, bar_line: Tick) -> Option<Played> {
        let from = bar_line.max(self.now);
        if plan.ready() + by <= from {
            return None;
        }
        self.another = false;
        if let Some(pending) = &mut self.pending {
            pending.takes_over = false;
        }
        // What comes of other plans is none of its business.
        self.last_plan += 1;
        Some(self.latched.play(plan.moved(by, PlanId(self.last_plan)), from))
    }

    /// From here on plans are made from this seed; what stands and what plays go on.
    pub const fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Another: at the next planning tick a new plan is asked for with this seed, and takes the place of the one that plays.
    pub fn another(&mut self, seed: u64) {
        self.seed = seed;
        self.another = true;
    }

    /// Stop: what plays ends here. The plan that stands goes on being shown.
    pub fn stop(&mut self) {
        self.latched.clear();
    }

    /// The player plays again. In a mode that yields, what plays ends here; says whether it did.
    pub fn player_returns(&mut self, mode: Mode) -> bool {
        mode.yields() && self.latched.clear()
    }

    /// The song goes on elsewhere, or the transport stops: nothing of what was planned fits any more.
    pub fn clear(&mut self) {
        self.adopted = None;
        self.pending = None;
        self.latched.clear();
        self.asked_at = None;
        self.commit_line = self.now;
    }

    /// The plan that stands.
    #[must_use]
    pub const fn adopted(&self) -> Option<&Plan> {
        self.adopted.as_ref()
    }

    /// The plan that plays; of two that follow each other, the later.
    #[must_use]
    pub fn playing(&self) -> Option<&Plan> {
        self.latched.plan()
    }

    /// Up to here what plays has been delivered, without a gap. `None` if nothing plays.
    #[must_use]
    pub fn delivered(&self) -> Option<Tick> {
        self.latched.delivered()
    }

    /// What is shown of a stretch: what plays, and after it what stands.
    pub fn shown(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        let turn = self.latched.until().map_or(from, |until| until.clamp(from, to.max(from)));
        let standing = self.adopted.as_ref().map_or(&[][..], |plan| plan.between(turn, to));
        self.latched.shown(from, turn).chain(standing)
    }

    /// What sounds of a stretch: what plays.
    pub fn sounding(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        self.latched.between(from, to)
    }

    /// The commit line: the next planning tick. What is shown before it will not change; what lies beyond still may.
    #[must_use]
    pub const fn commit_line(&self) -> Tick {
        self.commit_line
    }

    /// What is shown between now and the commit line.
    pub fn committed(&self) -> impl Iterator<Item = &Note> {
        self.shown(self.now, self.commit_line)
    }

    /// How planning has gone so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }
}

/// The brief for what is missing of a plan.
fn rest(plan: &Plan, end: Tick, tick: &PlanningTick<'_>) -> Brief {
    Brief { start: plan.ready(), end, made_at: tick.now, context: tick.context, ..plan.brief.clone() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::phrase::tests::{note, passage};
    use super::super::{Passage, Setting};
    use super::*;

    const BEAT: i64 = 24;
    const BAR: i64 = 96;

    /// Planning tick at this beat; the horizon is the bar line at least four bars on.
    fn tick<'a>(beat: i64, heard: &'a [Note], controls: &'a Controls) -> PlanningTick<'a> {
        PlanningTick {
            now: Tick(beat * BEAT),
            next: Tick((beat + 1) * BEAT),
            horizon: Tick((beat / 4 + 5) * BAR),
            heard,
            context: Fingerprint::of(heard),
            controls,
        }
    }

    /// What an engine would deliver for a brief: a crotchet on every beat, of a pitch by plan, bar by bar.
    fn passages(brief: &Brief) -> Vec<Passage> {
        let pitch = 40 + u8::try_from(brief.plan.0).unwrap();
        let mut passages = Vec::new();
        let mut from = brief.start.0;
        while from < brief.end.0 {
            let until = ((from / BAR + 1) * BAR).min(brief.end.0);
            let notes: Vec<_> = (from..until).filter(|tick| tick % BEAT == 0).map(|tick| note(tick, pitch)).collect();
            passages.push(passage(brief.plan.0, from, until, &notes));
            from = until;
        }
        passages
    }

    fn replan(timeline: &mut Timeline, beat: i64, heard: &[Note]) -> Brief {
        match timeline.request_at(tick(beat, heard, &Controls::default())).as_slice() {
            [Request::Replan(brief)] => brief.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// A timeline at beat 1 with a plan that was made at beat 0.
    fn planned() -> Timeline {
        let mut timeline = Timeline::new(Tick(0), 7);
        let brief = replan(&mut timeline, 0, &[]);
        for passage in passages(&brief) {
            assert_eq!(timeline.offer(&passage), Offer::Taken);
        }
        assert_eq!(timeline.advance_to(Tick(BEAT)), Some(Adoption::Adopted(PlanId(1))));
        timeline
    }

    fn pitches<'a>(notes: impl IntoIterator<Item = &'a Note>) -> Vec<u8> {
        notes.into_iter().map(|note| note.pitch).collect()
    }

    #[test]
    fn a_plan_covers_from_the_next_tick_on_and_is_adopted_exactly_there() {
        let mut timeline = Timeline::new(Tick(0), 7);
        let brief = replan(&mut timeline, 0, &[]);
        assert_eq!((brief.made_at, brief.start, brief.end, brief.seed), (Tick(0), Tick(24), Tick(480), 7));
        assert_eq!(timeline.commit_line(), Tick(24));
        timeline.offer(&passages(&brief)[0]);
        assert_eq!(timeline.advance_to(Tick(23)), None);
        assert!(timeline.adopted().is_none());
        assert_eq!(timeline.advance_to(Tick(24)), Some(Adoption::Adopted(PlanId(1))));
        assert_eq!(pitches(timeline.shown(Tick(0), Tick(96))), [41, 41, 41]);
        // The rest of the horizon may come later.
        assert_eq!(timeline.offer(&passages(&brief)[1]), Offer::Taken);
        assert_eq!(timeline.adopted().unwrap().ready(), Tick(192));
    }

    #[test]
    fn a_plan_that_misses_its_tick_is_dropped_and_the_older_one_stands() {
        let mut timeline = planned();
        // Something else than what was planned.
        let late = replan(&mut timeline, 2, &[note(24, 99)]);
        assert_eq!(timeline.advance_to(Tick(3 * BEAT)), Some(Adoption::Missed(PlanId(2))));
        assert_eq!(timeline.offer(&passages(&late)[0]), Offer::Late);
        assert_eq!(pitches(timeline.shown(Tick(72), Tick(96))), [41]);
        assert_eq!(timeline.tally(), Tally { adopted: 1, missed: 1, kept: 0 });
    }

    #[test]
    fn what_the_player_did_as_foreseen_only_extends_the_plan() {
        let mut timeline = planned();
        let none = Controls::default();
        let heard: Vec<_> = (1..5).map(|beat| note(beat * BEAT + 1, 41)).collect();
        for beat in 1..4 {
            assert_eq!(timeline.request_at(tick(beat, &heard[..usize::try_from(beat - 1).unwrap()], &none)), []);
        }
        // The next bar has begun, and so the horizon moved on.
        let requests = timeline.request_at(tick(4, &heard[..3], &none));
        let [Request::Extend(brief)] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!((brief.plan, brief.start, brief.end, brief.seed), (PlanId(1), Tick(480), Tick(576), 7));
        assert_eq!(timeline.offer(&passages(brief)[0]), Offer::Taken);
        assert!(timeline.adopted().unwrap().is_complete());
        assert_eq!(timeline.tally(), Tally { adopted: 1, missed: 0, kept: 4 });
        // And then something else.
        assert_eq!(replan(&mut timeline, 5, &[note(97, 70)]).plan, PlanId(2));
    }

    #[test]
    fn a_silent_player_or_other_controls_want_a_new_plan() {
        let mut timeline = planned();
        assert_eq!(replan(&mut timeline, 3, &[]).plan, PlanId(2));
        let mut timeline = planned();
        let denser = Controls(vec![Setting { parameter: 3, value: 0.9 }]);
        let requests = timeline.request_at(tick(1, &[], &denser));
        assert!(matches!(&requests[..], [Request::Replan(brief)] if brief.controls == denser), "{requests:?}");
    }

    #[test]
    fn passages_out_of_order_change_nothing() {
        let mut timeline = Timeline::new(Tick(0), 7);
        let brief = replan(&mut timeline, 0, &[]);
        let passages = passages(&brief);
        assert_eq!(timeline.offer(&passages[1]), Offer::OutOfOrder);
        assert_eq!(timeline.offer(&passages[0]), Offer::Taken);
        assert_eq!(timeline.offer(&passages[0]), Offer::OutOfOrder);
        assert_eq!(timeline.offer(&passage(9, 24, 96, &[])), Offer::Late);
    }

    #[test]
    fn what_is_latched_plays_to_its_end_whatever_is_planned_meanwhile() {
        let mut timeline = planned();
        assert_eq!(timeline.play(Tick(BAR)), Some(Played::From(Tick(BAR))));
        assert!(timeline.sounding(Tick(0), Tick(BAR)).next().is_none());
        // The player goes another way: what is made now comes after what plays.
        for beat in 4..24 {
            let heard = [note((beat - 1) * BEAT, 99)];
            let brief = replan(&mut timeline, beat, &heard);
            assert_eq!(brief.start, Tick(480).max(Tick((beat + 1) * BEAT)));
            for passage in passages(&brief) {
                timeline.offer(&passage);
            }
            let now = Tick((beat + 1) * BEAT);
            assert!(matches!(timeline.advance_to(now), Some(Adoption::Adopted(_))));
            let (sounding, playing) = (pitches(timeline.sounding(now, now + Tick(BEAT))), timeline.playing().is_some());
            assert_eq!((sounding.as_slice(), playing), if now < Tick(480) { (&[41][..], true) } else { (&[][..], false) });
        }
        assert_eq!(timeline.tally().missed, 0);
    }

    #[test]
    fn what_plays_is_completed_before_anything_else() {
        let mut timeline = Timeline::new(Tick(0), 7);
        let brief = replan(&mut timeline, 0, &[]);
        timeline.offer(&passages(&brief)[0]);
        timeline.advance_to(Tick(BEAT));
        timeline.play(Tick(BAR));
        let heard = [note(24, 99)];
        let requests = timeline.request_at(tick(2, &heard, &Controls::default()));
        let [Request::Extend(rest)] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!((rest.plan, rest.start, rest.end), (PlanId(1), Tick(BAR), Tick(480)));
        // The horizon reaches beyond it by the next bar.
        let requests = timeline.request_at(tick(4, &heard, &Controls::default()));
        let [Request::Extend(rest), Request::Replan(next)] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!((rest.plan, rest.end, next.start, next.end), (PlanId(1), Tick(480), Tick(480), Tick(576)));
        for passage in passages(rest) {
            assert_eq!(timeline.offer(&passage), Offer::Taken);
        }
        assert_eq!(pitches(timeline.sounding(Tick(BAR), Tick(480))), [41; 16]);
    }

    #[test]
    fn another_that_misses_its_tick_is_asked_for_again() {
        let mut timeline = planned();
        timeline.play(Tick(BEAT));
        timeline.another(8);
        let late = replan(&mut timeline, 2, &[note(24, 41)]);
        let again = replan(&mut timeline, 3, &[note(24, 41), note(48, 41)]);
        assert_eq!((late.seed, again.seed, again.start), (8, 8, Tick(96)));
        assert_eq!(timeline.tally().missed, 1);
    }

    #[test]
    fn nothing_is_played_where_nothing_is_shown() {
        assert_eq!(Timeline::new(Tick(0), 7).play(Tick(0)), None);
        assert_eq!(planned().play(Tick(480)), None);
    }

    #[test]
    fn what_the_player_went_back_to_plays_where_it_is_put() {
        let mut timeline = planned();
        let before = timeline.adopted().unwrap().clone();
        timeline.clear();
        assert_eq!(timeline.play_again(&before, Tick(BAR), Tick(before.ready().0 + BAR)), None);
        // It starts at beat 1 of its bar, there and here.
        assert_eq!(timeline.play_again(&before, Tick(2 * BAR), Tick(2 * BAR)), Some(Played::From(Tick(2 * BAR))));
        assert_eq!(timeline.sounding(Tick(0), Tick(3 * BAR)).next().unwrap().onset, Tick(2 * BAR + BEAT));
        // A passage of what was planned before does not join it.
        assert_eq!(timeline.offer(&passage(1, 480 + 2 * BAR, 480 + 3 * BAR, &[])), Offer::Late);
        assert!(timeline.playing().unwrap().is_same(&before));
    }

    #[test]
    fn what_the_player_went_back_to_gives_way_to_nothing_that_was_asked_for_before() {
        let heard = [note(24, 99)];
        let mut timeline = planned();
        let before = timeline.adopted().unwrap().clone();
        timeline.another(8);
        let brief = replan(&mut timeline, 2, &heard);
        timeline.play_again(&before, Tick(2 * BAR), Tick(2 * BAR));
        assert_eq!(timeline.offer(&passages(&brief)[0]), Offer::Taken);
        assert!(timeline.advance_to(brief.start).is_some());
        assert!(timeline.playing().unwrap().is_same(&before));
        assert_eq!(timeline.adopted().unwrap().brief.seed, 8);

        let mut timeline = planned();
        timeline.another(8);
        timeline.play_again(&before, Tick(2 * BAR), Tick(2 * BAR));
        // It reaches beyond the horizon, and nothing is to take its place.
        assert_eq!(timeline.request_at(tick(2, &heard, &Controls::default())), []);
    }

    #[test]
    fn another_takes_the_place_of_what_plays() {
        let mut timeline = planned();
        timeline.play(Tick(BEAT));
        timeline.another(8);
        let heard = [note(24, 41)];
        let brief = replan(&mut timeline, 2, &heard);
        assert_eq!((brief.start, brief.seed), (Tick(72), 8));
        timeline.offer(&passages(&brief)[0]);
        // Up to its tick the old one plays.
        assert_eq!(pitches(timeline.sounding(Tick(48), Tick(96))), [41, 41]);
        timeline.advance_to(Tick(72));
        assert_eq!(pitches(timeline.sounding(Tick(48), Tick(96))), [42]);
        // The rest of the horizon reaches what plays, too.
        timeline.offer(&passages(&brief)[1]);
        assert_eq!(pitches(timeline.sounding(Tick(72), Tick(192))), [42; 5]);
        // It was asked for once.
        assert_eq!(timeline.request_at(tick(3, &[note(24, 41), note(48, 41)], &Controls::default())).len(), 1, "an extension");
    }

    #[test]
    fn stop_and_the_players_return_end_what_plays() {
        let mut timeline = planned();
        timeline.play(Tick(BEAT));
        assert!(!timeline.player_returns(Mode::Suggest));
        assert!(timeline.playing().is_some());
        assert!(timeline.player_returns(Mode::Answer));
        assert!(!timeline.player_returns(Mode::Answer));
        assert!(timeline.sounding(Tick(0), Tick(480)).next().is_none());
        timeline.play(Tick(BEAT));
        timeline.stop();
        assert!(timeline.sounding(Tick(0), Tick(480)).next().is_none());
        assert!(timeline.shown(Tick(0), Tick(480)).next().is_some());
    }

    #[test]
    fn a_tick_that_comes_early_drops_what_is_not_due_yet() {
        let mut timeline = planned();
        let first = replan(&mut timeline, 2, &[note(24, 99)]);
        timeline.offer(&passages(&first)[0]);
        // A jump closed the bar short.
        let controls = Controls::default();
        let heard = [note(24, 99)];
        let early = PlanningTick { now: Tick(60), next: Tick(84), ..tick(2, &heard, &controls) };
        assert!(matches!(timeline.request_at(early)[..], [Request::Replan(_)]));
        assert_eq!(timeline.offer(&passages(&first)[1]), Offer::Late);
        assert_eq!(timeline.advance_to(Tick(72)), None);
    }

    #[test]
    fn a_standing_clock_waits_for_nothing() {
        let mut timeline = Timeline::new(Tick(0), 7);
        let brief = replan(&mut timeline, 0, &[]);
        assert_eq!(timeline.adopt_waiting(), None);
        timeline.offer(&passages(&brief)[0]);
        assert_eq!(timeline.adopt_waiting(), Some(Adoption::Adopted(PlanId(1))));
        timeline.clear();
        assert!(timeline.shown(Tick(0), Tick(480)).next().is_none());
    }

    /// What sounds in a session: so many bars beyond the near one come in time at each planning tick, and the player plays on these beats.
    fn session(pace: &[usize], played: &[bool]) -> Vec<Note> {
        let controls = Controls::default();
        let mut timeline = Timeline::new(Tick(0), 7);
        let mut heard: Vec<Note> = Vec::new();
        let mut sounded = Vec::new();
        for (beat, ahead) in (0i64..).zip(pace) {
            timeline.advance_to(Tick(beat * BEAT));
            if beat == 6 {
                timeline.play(Tick(2 * BAR));
            }
            let mut requests = timeline.request_at(tick(beat, &heard, &controls));
            // In time: whatever what plays lacks, and the near bar. How much more comes before the next tick differs.
            let last = requests.pop();
            let due = requests.iter().flat_map(|request| passages(request.brief()));
            let more = last.iter().flat_map(|request| passages(request.brief())).take(1 + ahead);
            let committed: Vec<_> = timeline.committed().copied().collect();
            for passage in due.chain(more) {
                assert_eq!(timeline.offer(&passage), Offer::Taken);
            }
            let now: Vec<_> = timeline.shown(Tick(beat * BEAT), Tick((beat + 1) * BEAT)).copied().collect();
            assert_eq!(now, committed, "what was committed has changed");
            sounded.extend(timeline.sounding(Tick(beat * BEAT), Tick((beat + 1) * BEAT)).copied());
            if played.get(usize::try_from(beat).unwrap()).is_some_and(|played| *played) {
                heard.push(note(beat * BEAT, 99));
            }
        }
        assert_eq!(timeline.tally().missed, 0);
        sounded
    }

    proptest! {
        /// The same playing sounds the same on a fast and on a slow machine, as long as the near bar is in time.
        #[test]
        fn the_pace_of_the_engine_is_not_heard(
            pace in prop::collection::vec(0..5usize, 40),
            played in prop::collection::vec(any::<bool>(), 40),
        ) {
            let steady = session(&[4; 40], &played);
            prop_assert!(!steady.is_empty());
            prop_assert_eq!(session(&pace, &played), steady);
        }
    }
}
