//! Beat-synchronous planning: which plan stands, which is being made, and from where on it will stand.
//!
//! At planning tick k a [`Brief`] goes out. What comes back covers the time from planning tick k+1 on and is adopted exactly there, however
//! early it came: what sounds does not depend on the speed of the machine. What misses that tick is dropped, and the older plan stands.
//! Until then the commit line stands at k+1: what lies before it will sound as shown.

mod request;
#[cfg(test)]
mod tests;

use super::foresight::{TOLERANCE_TICKS, as_foreseen};
use super::latch::{Latched, Played};
use super::{Brief, Passage, Plan, PlanId};
use crate::music::{Note, Tick};
pub use request::{Adoption, Offer, PlanningTick, Request};

/// A plan that is being made.
#[derive(Debug, Clone)]
struct Pending {
    plan: Plan,
    adopt_at: Tick,
    /// The player asked for another: it takes the place of the one that plays.
    takes_over: bool,
    /// The player waits for something to play: it does so from its first tick on.
    plays: bool,
}

/// The plan that stands, the one that is being made, and the one that plays.
///
/// ```
/// use antiphon_engine::music::Tick;
/// use antiphon_engine::plan::{Adoption, Controls, Fingerprint, Offer, Passage, PlanId, PlanningTick, Request, Timeline};
///
/// let (controls, context) = (Controls::default(), Fingerprint::SILENCE);
/// let mut timeline = Timeline::new(Tick(0), 7);
/// let tick = PlanningTick { now: Tick(0), next: Tick(24), horizon: Tick(192), played: &[], context, controls: &controls };
/// let requests = timeline.request_at(tick);
/// let [Request::Replan(brief)] = &requests[..] else { panic!("nothing stands yet") };
/// assert_eq!((brief.start, brief.end), (Tick(24), Tick(192)), "it covers from the next planning tick on");
/// let near_bar = Passage { plan: brief.plan, from: Tick(24), until: Tick(96), notes: Vec::new() };
/// assert_eq!(timeline.offer(&near_bar), Offer::Taken);
/// // However early it came, it stands from its tick on.
/// assert_eq!(timeline.advance_to(Tick(23)), None);
/// assert!(timeline.adopted().is_none());
/// assert_eq!(timeline.advance_to(Tick(24)), Some(Adoption::Adopted(PlanId(1))));
/// ```
#[derive(Debug, Clone)]
pub struct Timeline {
    now: Tick,
    adopted: Option<Plan>,
    pending: Option<Pending>,
    latched: Latched,
    /// The last planning tick, if there was one.
    last_tick: Option<Tick>,
    commit_line: Tick,
    seed: u64,
    /// The player asked for another.
    another: bool,
    last_plan: u64,
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
            last_tick: None,
            commit_line: now,
            seed,
            another: false,
            last_plan: 0,
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

    fn resolve(&mut self, pending: Pending) -> Adoption {
        let Pending { plan, adopt_at, takes_over, plays } = pending;
        let id = plan.id();
        if plan.ready() <= plan.brief.start {
            self.another |= takes_over;
            return Adoption::Missed(id);
        }
        if plays {
            self.latched.play(plan.clone(), adopt_at);
        } else if takes_over {
            self.latched.replace(plan.clone(), adopt_at);
        }
        self.latched.advance_to(self.now);
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
        let last_tick = self.last_tick.replace(tick.now);
        self.commit_line = tick.next;
        let is_kept = self.keeps_adopted(&tick, last_tick);
        let completion = self.completion(&tick, is_kept);
        let other = if is_kept { self.extension(&tick) } else { self.replan(&tick) };
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
        self.pending = Some(Pending { plan: Plan::new(brief.clone()), adopt_at: tick.next, takes_over, plays: false });
        Some(Request::Replan(brief))
    }

    /// What is missing of the plans that play, unless the plan that stands is the same and will be extended, or another is to take its place.
    fn completion(&self, tick: &PlanningTick<'_>, is_kept: bool) -> Vec<Request> {
        if self.another {
            return Vec::new();
        }
        let is_extended = |plan: &Plan| is_kept && self.adopted.as_ref().is_some_and(|adopted| adopted.id() == plan.id());
        let lacking = self.latched.lacking().filter(|(plan, _)| !is_extended(plan));
        lacking.map(|(plan, until)| Request::Extend(rest(plan, until, tick))).collect()
    }

    /// Whether the plan that stands is still the one to make: nobody asked for another, the controls are the same, and since the last
    /// planning tick the player did what is shown.
    fn keeps_adopted(&self, tick: &PlanningTick<'_>, last_tick: Option<Tick>) -> bool {
        let (Some(adopted), Some(from)) = (&self.adopted, last_tick) else { return false };
        // Between the tick at which it was made and the one at which it was adopted, the player had nothing of it to go by.
        let from = from.max(adopted.brief.made_at);
        if self.another || adopted.brief.controls != *tick.controls || adopted.ready() <= tick.now {
            return false;
        }
        let margin = Tick(4 * TOLERANCE_TICKS.0);
        let planned: Vec<_> = self.shown(from - margin, tick.now + margin).copied().collect();
        as_foreseen(&planned, tick.played, from, tick.now)
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

    /// Play, where nothing that stands reaches beyond the next bar line: the plan that is being made plays as soon as it stands, if that is at
    /// this line and nothing else plays there. Hands back what has come of it so far.
    ///
    /// Where planning ticks are as far apart as bar lines, the horizon a bar, a plan that stands always ends before Play could begin it.
    pub fn play_next(&mut self, bar_line: Tick) -> Option<&Plan> {
        let is_free = self.latched.until().is_none_or(|until| until <= bar_line);
        let pending =
            self.pending.as_mut().filter(|pending| is_free && pending.adopt_at == bar_line && pending.plan.brief.start == bar_line)?;
        pending.plays = true;
        Some(&pending.plan)
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
            pending.plays = false;
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

    /// The song goes on elsewhere, or the transport stops: nothing of what was planned fits any more.
    pub fn clear(&mut self) {
        self.adopted = None;
        self.pending = None;
        self.latched.clear();
        self.last_tick = None;
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

    /// The plan that is shown: the one that plays, otherwise the one that stands.
    #[must_use]
    pub fn current(&self) -> Option<&Plan> {
        self.playing().or(self.adopted())
    }

    /// Up to here what plays has been delivered, without a gap. `None` if nothing plays.
    #[must_use]
    pub fn delivered(&self) -> Option<Tick> {
        self.latched.delivered()
    }

    /// What is shown of a stretch: what plays, and after it what stands.
    pub fn shown(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        let boundary = self.latched.until().map_or(from, |until| until.clamp(from, to.max(from)));
        let adopted = self.adopted.as_ref().map_or(&[][..], |plan| plan.between(boundary, to));
        self.latched.shown(from, boundary).chain(adopted)
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
}

/// The brief for what is missing of a plan.
fn rest(plan: &Plan, end: Tick, tick: &PlanningTick<'_>) -> Brief {
    Brief { start: plan.ready(), end, made_at: tick.now, context: tick.context, ..plan.brief.clone() }
}
