//! Variations of the plan that is shown: which one plans are made as, the player's choice, and the job that generates the others.

use std::time::Duration;

use crate::music::Tick;
use crate::plan::{Passage, Plan, PlanId, PlayMode, Request, Variation, Variations};
use crate::service::{Assignment, GeneratedBar};

use super::super::engine_status::Engine;
use super::super::locks::LockTarget;
use super::super::worker::Worker;
use super::Planner;
use super::planning::{INTERVAL, new_plan};
use crate::session::ControlValues;
use crate::session::snapshot::{ShownVariations, Takeover};

/// Seeds of consecutive plans of one seed are so far apart that the second of one seed is not the first of the next.
const SEED_BITS: u32 = 32;

/// Assignment of the last new plan.
struct Requested {
    assignment: Assignment,
    variation: Variation,
}

/// The adopted plan's variations, and the assignment that they differ from in number and seed alone.
struct Set {
    variations: Variations,
    assignment: Assignment,
    /// Bars of those that are not shown: what they are conditioned on counts when they are.
    bars: Vec<GeneratedBar>,
}

/// State of the variations.
#[derive(Default)]
pub(super) struct VariationPlanning {
    /// Times that Another has gone through all four since the seed was set.
    rounds: u64,
    /// The variation that plans are made as.
    current: Variation,
    /// What the adopted plan, the one that plays and the one being generated were made as.
    made_as: Vec<(PlanId, Variation)>,
    requested: Option<Requested>,
    /// `None` while a plan plays, and while Antiphon plays along.
    set: Option<Set>,
    /// Variation that the player has chosen and that is not ready.
    chosen: Option<Variation>,
    /// Whether another plan was asked for while rhythm and pitches are locked.
    pub(super) refused: bool,
    /// Whether the player rests or follows the plan: only then are variations generated that nobody has chosen.
    wanted: bool,
}

impl VariationPlanning {
    /// Seed of a variation, of a base seed.
    fn seed(&self, base: u64, variation: Variation) -> u64 {
        let place = self.rounds.wrapping_mul(Variation::ALL.len() as u64).wrapping_add(variation.index() as u64);
        base.wrapping_add(place << SEED_BITS)
    }

    /// Seed of the plans made from now on.
    pub(super) fn current_seed(&self, base: u64) -> u64 {
        self.seed(base, self.current)
    }

    /// Begins with variation A again, in the first round.
    pub(super) fn restart(&mut self) {
        *self = Self { made_as: std::mem::take(&mut self.made_as), ..Self::default() };
    }

    /// The plan is gone.
    pub(super) fn clear(&mut self) {
        *self = Self { rounds: self.rounds, current: self.current, ..Self::default() };
    }

    /// A plan was requested, recalled or shown as the current variation. Of the others those stay that can still be shown.
    pub(super) fn record(&mut self, plan: PlanId, stays: impl Fn(PlanId) -> bool) {
        self.made_as.retain(|(other, _)| *other != plan && stays(*other));
        self.made_as.push((plan, self.current));
    }

    /// The variation that a plan was made as.
    fn variation_of(&self, plan: PlanId) -> Option<Variation> {
        self.made_as.iter().find(|(other, _)| *other == plan).map(|(_, variation)| *variation)
    }

    /// Whether the player waits for a variation.
    pub(super) const fn is_awaited(&self) -> bool {
        self.chosen.is_some()
    }

    /// Whether the shown plan has variations that reach beyond this tick.
    fn is_current(&self, now: Tick) -> bool {
        self.set.as_ref().is_some_and(|set| set.assignment.brief.end > now)
    }

    /// Discards the variations that are not shown: they were generated under other locks.
    pub(super) fn discard_others(&mut self, adopted: Option<&Plan>) {
        if let Some((set, adopted)) = self.set.as_mut().zip(adopted) {
            set.variations.discard_others(adopted);
            set.bars.clear();
        }
    }

    /// Goes on to four new variations.
    fn next_round(&mut self) {
        self.rounds += 1;
        self.current = Variation::A;
    }
}

impl<W: Worker> Planner<W> {
    /// Another: the next variation, and after the last one four new ones.
    pub(super) fn choose_another(&mut self) {
        if self.refuses_another() {
            return;
        }
        match self.planning.variations.current.next() {
            Some(next) => self.change_to(next),
            None => {
                self.leave_plan();
                self.planning.variations.next_round();
                self.replace_plan();
            }
        }
    }

    /// The player chose a variation. The one that plays goes on if another one is to take over from it.
    pub(super) fn choose(&mut self, variation: Variation) {
        if variation == self.planning.variations.current {
            return self.history.leave();
        }
        if self.can_go_on_as(variation) { self.keep_playing(variation) } else { self.change_to(variation) }
    }

    /// Shows a variation in place of the plan that is shown, as soon as it is there; if a plan plays, its next planning tick makes the variation, which takes over
    /// as Another does.
    fn change_to(&mut self, variation: Variation) {
        if self.refuses_another() {
            return;
        }
        self.leave_plan();
        self.planning.variations.current = variation;
        let is_free = self.planning.timeline.playing().is_none() && self.playback.successor.is_none();
        if !is_free || !self.planning.variations.is_current(self.input.clock.now()) {
            return self.replace_plan();
        }
        self.planning.timeline.reseed(self.planning.seed(self.input.controls));
        if self.planning.hold() {
            self.worker.cancel();
        }
        if !self.show_variation(variation) {
            self.planning.variations.chosen = Some(variation);
            self.generate_variations();
        }
    }

    /// Whether another variation is to take over from the phrase that plays, and that was made as this one.
    fn can_go_on_as(&self, variation: Variation) -> bool {
        let playing = self.planning.timeline.playing().filter(|_| self.takeover().is_some());
        self.awaits_replacement() && playing.and_then(|plan| self.planning.variations.variation_of(plan.id())) == Some(variation)
    }

    /// The phrase that plays goes on: no other one takes over.
    fn keep_playing(&mut self, variation: Variation) {
        self.planning.variations.current = variation;
        self.planning.timeline.reseed(self.planning.seed(self.input.controls));
        if self.planning.hold() {
            self.worker.cancel();
        }
        self.withdraw_successor();
        let playing = self.planning.timeline.playing().map(Plan::id);
        self.planning.rejected.retain(|passage| Some(passage.plan) != playing);
        self.history.leave();
    }

    /// Whether a plan was asked for that takes the place of the one that is shown.
    fn awaits_replacement(&self) -> bool {
        self.planning.timeline.awaits_another() || self.planning.timeline.takes_over_at().is_some()
    }

    /// Whether any other plan would have the same notes as the one that is shown; the status line then says so.
    fn refuses_another(&mut self) -> bool {
        self.planning.variations.refused = self.planning.locks.fix_all() && self.planning.timeline.current().is_some();
        self.planning.variations.refused
    }

    /// Remark while another plan was asked for that cannot differ.
    pub(super) fn nothing_can_change(&self) -> Option<String> {
        let refused = self.planning.variations.refused;
        refused.then(|| "Rhythm and pitches are both locked, so nothing can change: switch Lock rhythm or Lock pitches off".into())
    }

    /// Writes the plan that is shown into the history, and rejects it: what follows must differ.
    fn leave_plan(&mut self) {
        if let Some(plan) = self.planning.timeline.current() {
            self.history.write_replaced(plan, &self.input.clock, self.input.tempo);
        }
        self.history.leave();
        self.planning.reject_current();
    }

    /// Requests a plan as the current variation at the next planning tick, which takes the place of what plays.
    fn replace_plan(&mut self) {
        self.planning.variations.chosen = None;
        self.planning.timeline.another(self.planning.seed(self.input.controls));
    }

    /// Shows a variation of the adopted plan; returns whether it was ready.
    fn show_variation(&mut self, variation: Variation) -> bool {
        let planning = &mut self.planning;
        let Some((set, adopted)) = planning.variations.set.as_mut().zip(planning.timeline.adopted()) else { return false };
        let plan = if set.variations.shown() == variation { Some(adopted.clone()) } else { set.variations.show(variation, adopted) };
        let Some(plan) = plan else { return false };
        for bar in set.bars.extract_if(.., |bar| bar.passage.plan == plan.id()) {
            planning.context.deliver(bar);
        }
        planning.rejected.retain(|passage| passage.plan != plan.id());
        planning.record_variation(plan.id());
        planning.timeline.show(plan);
        planning.variations.chosen = None;
        true
    }

    /// Before the requests of a planning tick: keeps the shown plan while the player waits for one of its variations. If another plan has begun to play meanwhile,
    /// the variation takes over from that.
    pub(super) fn await_choice(&mut self) {
        if self.planning.variations.chosen.is_none() {
            return;
        }
        if self.planning.timeline.playing().is_some() {
            self.replace_plan();
        } else {
            self.planning.timeline.hold();
        }
    }

    /// After the requests of a planning tick: remembers the assignment of a new plan, whose variations may be asked for.
    pub(super) fn remember_request(&mut self, requests: &[Request], assignments: &[Assignment], controls: &ControlValues) {
        let is_new = new_plan(requests).is_some();
        let variations = &mut self.planning.variations;
        let now = self.input.clock.now();
        let rests = self.input.player.silent_since().is_some_and(|since| since.tick() + INTERVAL <= now);
        variations.wanted = (rests || !is_new) && !self.planning.shedding.is_strained();
        if !is_new {
            return;
        }
        // The plan that takes the place of the shown one is made as the variation that was chosen.
        variations.chosen = None;
        let has_variations = controls.plan.mode != PlayMode::Accompany && self.planning.timeline.playing().is_none();
        let assignment = assignments.last().filter(|_| has_variations).cloned();
        variations.requested = assignment.map(|assignment| Requested { assignment, variation: variations.current });
    }

    /// A plan was adopted: its variations take the place of those before.
    pub(super) fn adopt_variations(&mut self, plan: PlanId) {
        let base = self.planning.base_seed(self.input.controls);
        let planning = &mut self.planning;
        let requested = planning.variations.requested.take_if(|requested| requested.assignment.brief.plan == plan);
        let is_free = planning.timeline.playing().is_none();
        planning.variations.set = requested.filter(|_| is_free).map(|Requested { assignment, variation }| {
            let seeds = Variation::ALL.map(|other| planning.variations.seed(base, other));
            Set { variations: Variations::new(assignment.brief.clone(), variation, seeds), assignment, bars: Vec::new() }
        });
    }

    /// Requests the variations that are missing, if the player has chosen one or rests, and the worker has nothing else to do.
    pub(super) fn generate_variations(&mut self) {
        let Self { planning, worker, input, .. } = self;
        let now = input.clock.now();
        let VariationPlanning { set: Some(set), chosen, wanted, .. } = &planning.variations else { return };
        let is_free = planning.timeline.playing().is_none() && planning.variations.is_current(now);
        let Some(adopted) = planning.timeline.adopted().filter(|plan| is_free && plan.is_complete()) else {
            return;
        };
        let is_busy = worker.jobs > 0 || worker.is_varying(*chosen);
        if is_busy || planning.locks.fix_all() || worker.engine != Engine::Ready || now < worker.retry_at || !(*wanted || chosen.is_some())
        {
            return;
        }
        let mut lacking: Vec<Variation> = set.variations.lacking().collect();
        if let Some(last) = chosen.and_then(|chosen| lacking.iter().position(|variation| *variation == chosen)) {
            lacking.truncate(last + 1);
        }
        let earlier: Vec<Passage> = set.variations.generated(adopted).map(Plan::as_passage).collect();
        let assignments: Vec<Assignment> = lacking
            .into_iter()
            .map(|variation| {
                let mut assignment = Assignment { brief: set.variations.brief(variation), ..set.assignment.clone() };
                assignment.rejected.extend(earlier.iter().cloned());
                planning.locks.apply(&mut assignment, worker.own());
                assignment
            })
            .collect();
        if !assignments.is_empty() {
            let beat = Duration::from_secs_f64(60.0 / input.tempo);
            worker.vary(assignments, *chosen, beat);
        }
    }

    /// Appends a bar to its variation, which is shown if the player waits for it. Returns whether it completes one.
    pub(super) fn take_variation(&mut self, bar: &GeneratedBar) -> bool {
        let Some(set) = &mut self.planning.variations.set else { return false };
        if set.variations.of(bar.passage.plan).is_some_and(|variation| variation != set.variations.shown()) {
            set.bars.push(bar.clone());
        }
        let completed = set.variations.append(&bar.passage);
        let Some(variation) = completed else { return false };
        if self.planning.variations.chosen == Some(variation) && self.planning.timeline.playing().is_none() {
            self.show_variation(variation);
        }
        true
    }

    /// Locks a note or bar of the plan that is shown.
    pub(super) fn lock(&mut self, target: LockTarget) {
        let bar = match target {
            LockTarget::Bar { start } => self.input.clock.bar_at(start),
            LockTarget::Note { .. } => None,
        };
        let planning = &mut self.planning;
        let is_new = planning.timeline.current().is_some_and(|plan| planning.locks.lock(target, plan, bar));
        if is_new {
            self.discard_variations();
        }
    }

    /// Removes locks: one, or all of notes and bars.
    pub(super) fn unlock(&mut self, target: Option<LockTarget>) {
        let locks = &mut self.planning.locks;
        let was_locked = match target {
            Some(target) => locks.unlock(target),
            None => locks.unlock_all(),
        };
        if was_locked {
            self.discard_variations();
        }
    }

    /// Discards the variations that were generated under other locks.
    pub(super) fn discard_variations(&mut self) {
        self.planning.variations.discard_others(self.planning.timeline.adopted());
        self.worker.discard_variations();
    }

    /// The variations, to be shown.
    pub(super) fn shown_variations(&self) -> ShownVariations {
        let variations = &self.planning.variations;
        let (timeline, now) = (&self.planning.timeline, self.input.clock.now());
        let shown = timeline.current().and_then(|plan| variations.variation_of(plan.id())).unwrap_or(variations.current);
        let is_free = timeline.playing().is_none();
        let set = variations.set.as_ref().filter(|set| is_free && set.assignment.brief.end > now).map(|set| &set.variations);
        let of = |variation| if variation == shown { timeline.current() } else { set?.plan(variation) };
        let plans = Variation::ALL.map(|variation| of(variation).cloned());
        // A fill is replaced in the next pass.
        let is_awaited = self.awaits_replacement() || self.mode() == PlayMode::Infill && shown != variations.current;
        let awaited = variations.chosen.or_else(|| is_awaited.then_some(variations.current));
        ShownVariations { shown, awaited, plans, takeover: self.takeover() }
    }

    /// When another variation takes over, or would. Accompany has none, and a fill of Infill is replaced in the next pass.
    fn takeover(&self) -> Option<Takeover> {
        let planning = &self.planning;
        if planning.timeline.playing().is_none() || matches!(self.mode(), PlayMode::Accompany | PlayMode::Infill) {
            return None;
        }
        let plan = planning.timeline.taking_over().cloned();
        let at = match planning.timeline.takes_over_at() {
            Some(at) => at,
            None => self.joins_at()?,
        };
        Some(Takeover { at, plan })
    }
}
