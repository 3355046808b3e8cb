//! Beat-synchronous planning: the adopted plan, the pending one, and the latched ones.
//!
//! A [`Brief`] requested at planning tick k covers the time from planning tick k+1 on. Its plan is adopted exactly there, however early it was
//! delivered, so that the output does not depend on the speed of the machine. A plan that misses that tick is dropped, and the older one stays
//! adopted. Until then the commit line is k+1: notes before it will sound as shown.

mod request;
#[cfg(test)]
mod tests;

use super::foresight::{TOLERANCE_TICKS, as_foreseen};
use super::latch::{Latched, Played};
use super::{Brief, Passage, Plan, PlanId};
use crate::music::{Note, Tick};
pub use request::{Adoption, Offer, PlanningTick, Request};

/// A plan that is being generated.
#[derive(Debug, Clone)]
struct Pending {
    plan: Plan,
    adopt_at: Tick,
    /// Requested by Another: it replaces the latched plan.
    takes_over: bool,
    /// Play waits for it: it is latched from its first tick on.
    plays: bool,
}

/// Whether a planning tick requests a new plan whatever the player does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Renewal {
    /// The adopted plan is kept while the player follows it.
    #[default]
    IfNeeded,
    /// No new plan while the adopted one reaches beyond the tick and the controls are the same.
    Never,
    /// A new plan, after the latched ones.
    AfterLatched,
    /// A new plan that begins at the next planning tick, whatever is latched there.
    OverLatched,
}

/// The adopted plan, the pending one, and the latched ones.
///
/// ```
/// use antiphon_engine::music::Tick;
/// use antiphon_engine::plan::{Adoption, Controls, Fingerprint, Offer, Passage, PlanId, PlanningTick, Request, Timeline};
///
/// let (controls, context) = (Controls::default(), Fingerprint::SILENCE);
/// let mut timeline = Timeline::new(Tick(0), 7);
/// let tick = PlanningTick { now: Tick(0), next: Tick(24), horizon: Tick(192), played: &[], context, controls: &controls };
/// let requests = timeline.request_at(tick);
/// let [Request::Replan(brief)] = &requests[..] else { panic!("no plan is adopted yet") };
/// assert_eq!((brief.start, brief.end), (Tick(24), Tick(192)), "it covers from the next planning tick on");
/// let near_bar = Passage { plan: brief.plan, from: Tick(24), until: Tick(96), notes: Vec::new() };
/// assert_eq!(timeline.offer(&near_bar), Offer::Taken);
/// // However early it was delivered, it is adopted at its tick.
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
    /// Another is pending.
    another: bool,
    /// What the next planning tick does with the adopted plan.
    renewal: Renewal,
    last_plan: u64,
}

impl Timeline {
    /// An empty timeline at this tick.
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
            renewal: Renewal::IfNeeded,
            last_plan: 0,
        }
    }

    /// Advances to a tick. A pending plan whose tick is reached is adopted if its first passage was delivered, otherwise it is missed. An earlier
    /// tick changes nothing.
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
            self.latched.play(plan.clone(), adopt_at.max(plan.brief.start));
        } else if takes_over {
            self.latched.replace(plan.clone(), adopt_at);
        }
        self.latched.advance_to(self.now);
        self.adopted = Some(plan);
        Adoption::Adopted(id)
    }

    /// Requests of a planning tick. The plan of the tick before is adopted or missed first ([`advance_to`](Self::advance_to)); one that is not
    /// due yet, since this tick came early, is dropped.
    ///
    /// They replace those of the tick before, and are served in order: the latched plans are completed first, from the next planning tick on, as what
    /// comes later than that would be late. Empty if the adopted plan is kept and reaches to the horizon.
    pub fn request_at(&mut self, tick: PlanningTick<'_>) -> Vec<Request> {
        self.advance_to(tick.now);
        self.pending = None;
        self.latched.skip_to(tick.next);
        // The two copies of a plan that is also adopted stay equal.
        if let Some(adopted) = &mut self.adopted
            && let Some(ready) = self.latched.ready(adopted.id())
        {
            adopted.skip_to(ready);
        }
        let last_tick = self.last_tick.replace(tick.now);
        self.commit_line = tick.next;
        let renewal = std::mem::take(&mut self.renewal);
        let is_kept = match renewal {
            Renewal::IfNeeded => self.is_followed(&tick, last_tick),
            Renewal::Never => self.may_be_kept(&tick),
            Renewal::AfterLatched | Renewal::OverLatched => false,
        };
        let completion = if renewal == Renewal::OverLatched { Vec::new() } else { self.completion(&tick, is_kept) };
        let other = if is_kept { self.extension(&tick) } else { self.replan(&tick, renewal) };
        completion.into_iter().chain(other).collect()
    }

    /// A new plan. It begins after the latched plans, which play to their end, unless Another is pending or it plays over them.
    fn replan(&mut self, tick: &PlanningTick<'_>, renewal: Renewal) -> Option<Request> {
        let start = match self.latched.until() {
            Some(until) if !self.another && renewal != Renewal::OverLatched => until.max(tick.next),
            _ => tick.next,
        };
        if start >= tick.horizon {
            return None;
        }
        let brief = self.brief(tick, start);
        let takes_over = std::mem::take(&mut self.another);
        self.pending = Some(Pending { plan: Plan::new(brief.clone()), adopt_at: tick.next, takes_over, plays: false });
        Some(Request::Replan(brief))
    }

    /// Brief of a new plan from `start` to the tick's horizon.
    fn brief(&mut self, tick: &PlanningTick<'_>, start: Tick) -> Brief {
        self.last_plan += 1;
        Brief {
            plan: PlanId(self.last_plan),
            made_at: tick.now,
            start,
            end: tick.horizon,
            seed: self.seed,
            controls: tick.controls.clone(),
            context: tick.context,
        }
    }

    /// Requests a plan of bars ahead, from `start` to the tick's horizon. It is adopted at the `next` tick, and then latched: a plan that is latched there ends
    /// where it begins.
    pub fn request_ahead(&mut self, tick: PlanningTick<'_>, start: Tick) -> Brief {
        self.advance_to(tick.now);
        self.last_tick = Some(tick.now);
        self.another = false;
        let brief = self.brief(&tick, start);
        self.pending = Some(Pending { plan: Plan::new(brief.clone()), adopt_at: tick.next, takes_over: false, plays: true });
        brief
    }

    /// Ends the latched plans at this tick.
    pub fn end_at(&mut self, at: Tick) {
        self.latched.end_at(at);
    }

    /// Whether Another was requested, and no plan has been since.
    #[must_use]
    pub const fn awaits_another(&self) -> bool {
        self.another
    }

    /// Tick at which the plan that Another requested takes over from the latched one; `None` if none is being generated.
    #[must_use]
    pub fn takes_over_at(&self) -> Option<Tick> {
        self.pending.as_ref().filter(|pending| pending.takes_over).map(|pending| pending.adopt_at)
    }

    /// The plan that Another requested, as far as it is delivered, while it is being generated.
    #[must_use]
    pub fn taking_over(&self) -> Option<&Plan> {
        self.pending.as_ref().filter(|pending| pending.takes_over).map(|pending| &pending.plan)
    }

    /// Seed of the next plan.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Tick from which the latched plans play; of several, the first. `None` if none is latched.
    #[must_use]
    pub fn plays_from(&self) -> Option<Tick> {
        self.latched.from()
    }

    /// Tick from which the last latched plan plays; `None` if none is latched.
    #[must_use]
    pub fn last_plays_from(&self) -> Option<Tick> {
        self.latched.last_from()
    }

    /// What the latched plans play, as one plan; `None` unless there are several.
    #[must_use]
    pub fn playing_joined(&self) -> Option<Plan> {
        self.latched.joined()
    }

    /// End of the last latched plan; `None` if none is latched.
    #[must_use]
    pub fn plays_until(&self) -> Option<Tick> {
        self.latched.until()
    }

    /// Missing parts of the latched plans, except one that is also adopted and will be extended. None if Another is pending.
    fn completion(&self, tick: &PlanningTick<'_>, is_kept: bool) -> Vec<Request> {
        if self.another {
            return Vec::new();
        }
        let is_extended = |plan: &Plan| is_kept && self.adopted.as_ref().is_some_and(|adopted| adopted.id() == plan.id());
        let lacking = self.latched.lacking().filter(|(plan, _)| !is_extended(plan));
        lacking.map(|(plan, until)| Request::Extend(rest(plan, until, tick))).collect()
    }

    /// Whether the adopted plan can be kept: Another is not pending, the controls are unchanged, and it reaches beyond the tick.
    fn may_be_kept(&self, tick: &PlanningTick<'_>) -> bool {
        let is_current = |adopted: &Plan| adopted.brief.controls == *tick.controls && adopted.ready() > tick.now;
        !self.another && self.adopted.as_ref().is_some_and(is_current)
    }

    /// Whether the adopted plan is kept because since the last planning tick the player did what it shows.
    fn is_followed(&self, tick: &PlanningTick<'_>, last_tick: Option<Tick>) -> bool {
        let (Some(adopted), Some(from)) = (&self.adopted, last_tick) else { return false };
        // Between its request and its adoption the plan was not shown to the player.
        let from = from.max(adopted.brief.made_at);
        if !self.may_be_kept(tick) {
            return false;
        }
        let margin = Tick(4 * TOLERANCE_TICKS.0);
        let planned: Vec<_> = self.shown(from - margin, tick.now + margin).copied().collect();
        as_foreseen(&planned, tick.played, from, tick.now)
    }

    /// Extension of the adopted plan, if it does not reach to the horizon yet.
    fn extension(&mut self, tick: &PlanningTick<'_>) -> Option<Request> {
        let adopted = self.adopted.as_mut()?;
        adopted.brief.end = adopted.brief.end.max(tick.horizon);
        (!adopted.is_complete()).then(|| Request::Extend(rest(adopted, adopted.brief.end, tick)))
    }

    /// Appends a passage to its plan. A pending plan is not shown before its tick.
    pub fn offer(&mut self, passage: &Passage) -> Offer {
        let pending = self.pending.as_mut().map(|pending| &mut pending.plan);
        let plans = [pending, self.adopted.as_mut()].into_iter().flatten().filter(|plan| plan.id() == passage.plan);
        // The latched plan and the adopted one may be the same.
        let taken: Vec<bool> = plans.map(|plan| plan.append(passage)).collect();
        let taken = taken.into_iter().chain(self.latched.append(passage)).reduce(|one, other| one || other);
        match taken {
            Some(true) => Offer::Taken,
            Some(false) => Offer::OutOfOrder,
            None => Offer::Late,
        }
    }

    /// Tick at which a passage has to be there whole, if there is one: where the pending plan begins, of which it is the first, or where it begins to sound.
    #[must_use]
    pub fn due(&self, passage: &Passage) -> Option<Tick> {
        let is_first = |plan: &Plan| plan.id() == passage.plan && plan.ready() <= plan.brief.start;
        let begins = self.pending.as_ref().is_some_and(|pending| is_first(&pending.plan));
        if begins { Some(passage.from) } else { self.latched.sounds_from(passage) }
    }

    /// Play: latches the adopted plan, from this bar line to its end. A plan latched before plays up to there and to the start of this one.
    /// `None` if no plan is adopted beyond the bar line.
    pub fn play(&mut self, bar_line: Tick) -> Option<Played> {
        let from = bar_line.max(self.now);
        let plan = self.adopted.clone().filter(|plan| from < plan.brief.end)?;
        Some(self.latched.play(plan, from))
    }

    /// Latches the pending plan on adoption, if that is at this tick and no other plan plays there. Returns the plan so far.
    ///
    /// For a mode in which Antiphon plays by itself, and for Play when no adopted plan reaches beyond the next bar line: with planning ticks as far apart as
    /// bar lines and a horizon of a bar, an adopted plan always ends before Play could begin it.
    pub fn play_next(&mut self, at: Tick) -> Option<&Plan> {
        let is_free = self.is_free_at(at);
        let pending = self.pending.as_mut().filter(|pending| is_free && pending.adopt_at == at && pending.plan.brief.start == at)?;
        pending.plays = true;
        Some(&pending.plan)
    }

    /// Whether no latched plan plays at this tick or later.
    #[must_use]
    pub fn is_free_at(&self, at: Tick) -> bool {
        self.latched.until().is_none_or(|until| until <= at)
    }

    /// Shows another plan in place of the adopted one, if nothing is latched: a variation that the player chose. The next planning tick keeps it. A plan that is
    /// being generated is dropped.
    pub fn show(&mut self, plan: Plan) {
        self.adopted = Some(plan);
        self.hold();
    }

    /// The next planning tick keeps the adopted plan, whatever the player does. A plan that is being generated is dropped; returns whether there
    /// was one.
    pub fn hold(&mut self) -> bool {
        self.another = false;
        self.renewal = Renewal::Never;
        self.pending.take().is_some()
    }

    /// The next planning tick requests a new plan, whatever the player does: a phrase is to begin with its first note, not in its middle.
    pub const fn renew_plan(&mut self) {
        self.renewal = Renewal::AfterLatched;
    }

    /// The next planning tick requests a new plan from the tick after it on, whatever is latched there, for a mode in which Antiphon plays along.
    pub const fn renew_plan_over(&mut self) {
        self.renewal = Renewal::OverLatched;
    }

    /// Latches the pending plan on adoption, if that is at this tick. What is latched there ends with it. Returns its number.
    pub fn play_over(&mut self, at: Tick) -> Option<PlanId> {
        let pending = self.pending.as_mut().filter(|pending| pending.adopt_at == at && pending.plan.brief.start == at)?;
        pending.plays = true;
        Some(pending.plan.id())
    }

    /// What was latched, or would be on adoption, does not play: the player takes over, or stops it. The adopted and the pending plan stay.
    pub fn stop_playing(&mut self) {
        self.latched.clear();
        if let Some(pending) = &mut self.pending {
            pending.plays = false;
        }
    }

    /// Plays a recalled plan, moved by `by`, from this bar line to its end. A pending Another is cancelled. `None` if the plan ends before the bar line.
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
        // A number of its own: passages of other plans do not join it.
        self.last_plan += 1;
        Some(self.latched.play(plan.moved(by, PlanId(self.last_plan)), from))
    }

    /// Sets the seed of later plans; the adopted and latched plans are kept.
    pub const fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Another: requests a new plan with this seed at the next planning tick, which replaces the latched one.
    pub fn another(&mut self, seed: u64) {
        self.seed = seed;
        self.another = true;
    }

    /// Discards all plans: the song position jumped or the transport stopped.
    pub fn clear(&mut self) {
        self.adopted = None;
        self.pending = None;
        self.latched.clear();
        self.last_tick = None;
        self.commit_line = self.now;
    }

    /// A planning tick at which planning pauses: nothing is requested. The adopted plan waits, so that it begins at `line`, a bar line ahead; `first_line` is its
    /// first bar line. One that is not complete stays where it is.
    pub fn pause_at(&mut self, now: Tick, next: Tick, first_line: Tick, line: Tick) {
        self.advance_to(now);
        self.last_tick = Some(now);
        self.commit_line = next;
        if let Some(plan) = self.adopted.as_mut().filter(|plan| plan.is_complete() && first_line < plan.ready() && first_line < line) {
            *plan = plan.postponed(first_line, line - first_line);
        }
    }

    /// Whether a plan is adopted, latched or being generated.
    #[must_use]
    pub fn holds(&self, plan: PlanId) -> bool {
        let pending = self.pending.as_ref().map(|pending| &pending.plan);
        [pending, self.adopted()].into_iter().flatten().chain(self.latched.plans()).any(|held| held.id() == plan)
    }

    /// The adopted plan.
    #[must_use]
    pub const fn adopted(&self) -> Option<&Plan> {
        self.adopted.as_ref()
    }

    /// The latched plan; of several, the last.
    #[must_use]
    pub fn playing(&self) -> Option<&Plan> {
        self.latched.plan()
    }

    /// The plan that is shown: the latched one, otherwise the adopted one.
    #[must_use]
    pub fn current(&self) -> Option<&Plan> {
        self.playing().or(self.adopted())
    }

    /// Tick up to which the latched plans have been delivered without a gap. `None` if none is latched.
    #[must_use]
    pub fn delivered(&self) -> Option<Tick> {
        self.latched.delivered()
    }

    /// Notes shown in a stretch: the latched plans', and after them the adopted one's.
    pub fn shown(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        let boundary = self.latched.until().map_or(from, |until| until.clamp(from, to.max(from)));
        let adopted = self.adopted.as_ref().map_or(&[][..], |plan| plan.between(boundary, to));
        self.latched.shown(from, boundary).chain(adopted)
    }

    /// Notes of the latched plans in a stretch.
    pub fn sounding(&self, from: Tick, to: Tick) -> impl Iterator<Item = &Note> {
        self.latched.between(from, to)
    }

    /// Commit line: the next planning tick. Notes shown before it will not change; later ones still may.
    #[must_use]
    pub const fn commit_line(&self) -> Tick {
        self.commit_line
    }
}

/// Brief for the missing part of a plan.
fn rest(plan: &Plan, end: Tick, tick: &PlanningTick<'_>) -> Brief {
    Brief { start: plan.ready(), end, made_at: tick.now, context: tick.context, ..plan.brief.clone() }
}
