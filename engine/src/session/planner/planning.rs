//! Planning ticks: requests to the worker, and the passages it delivers.

use std::time::{Duration, Instant};

use crate::codec::OwnRoles;
use crate::music::{TICKS_PER_QUARTER, Tick};
use crate::plan::{Fingerprint, LoadShedding, MusicalClock, Offer, Passage, PlanId, PlanStats, PlanningTick, PlayMode, Request, Timeline};
use crate::service::Outcome;

use super::super::context::{Beside, Context, Expected, PlanSettings};
use super::super::engine_status::Engine;
use super::super::locks::Locks;
use super::super::settings::settings;
use super::super::worker::Worker;
use super::Planner;
use super::infill::Remainder;
use super::modes::OwnTurn;
use super::playback::{Handover, Successor};
use super::variations::VariationPlanning;
use crate::session::ControlValues;
use crate::session::protocol::FADE;

/// Interval between planning ticks: a quarter.
pub(super) const INTERVAL: Tick = Tick(TICKS_PER_QUARTER);
/// Maximum of rejected plans that a new one is compared with; older ones are dropped.
const MOST_REJECTED: usize = 32;

/// Near bar of a plan, which must be delivered in time.
#[derive(Debug, Clone, Copy)]
struct Due {
    plan: PlanId,
    /// Start of its first passage.
    from: Tick,
    /// Tick by which it is due.
    at: Tick,
}

/// Plans, their context, and the load of the machine.
pub(super) struct Planning {
    pub(super) timeline: Timeline,
    pub(super) context: Context,
    /// `None` while the clock is stopped.
    pub(super) next_tick: Option<Tick>,
    /// Near bar of the last request, while it is due.
    due: Option<Due>,
    pub(super) stats: PlanStats,
    pub(super) shedding: LoadShedding,
    /// Seed of the session; used while no seed is fixed.
    free_seed: u64,
    /// Plans that the player replaced, the latest first, until their end has passed.
    pub(super) rejected: Vec<Passage>,
    pub(super) variations: VariationPlanning,
    pub(super) locks: Locks,
}

impl Planning {
    pub(super) fn new(free_seed: u64) -> Self {
        Self {
            timeline: Timeline::new(Tick::ZERO, free_seed),
            context: Context::default(),
            next_tick: None,
            due: None,
            stats: PlanStats::default(),
            shedding: LoadShedding::default(),
            free_seed,
            rejected: Vec::new(),
            variations: VariationPlanning::default(),
            locks: Locks::default(),
        }
    }

    /// First planning tick after a tick.
    pub(super) fn tick_after(&self, clock: &MusicalClock, tick: Tick) -> Option<Tick> {
        clock.planning_tick_after(tick, self.shedding.interval(INTERVAL))
    }

    /// Discards every plan.
    pub(super) fn clear(&mut self) {
        self.timeline.clear();
        self.due = None;
        self.rejected.clear();
        self.variations.clear();
        self.locks.clear();
    }

    /// The controls have changed from `before` to `now`.
    pub(super) fn change_controls(&mut self, before: Option<ControlValues>, now: ControlValues) {
        match before {
            // The first controls only set the seed: a recalled plan may play already.
            None => self.timeline.reseed(self.seed(Some(now))),
            Some(before) if before.plan.seed != now.plan.seed => {
                self.variations.restart();
                self.timeline.another(self.seed(Some(now)));
            }
            Some(_) => {}
        }
    }

    /// Rejects the plan that is shown: a plan that takes its place must differ.
    pub(super) fn reject_current(&mut self) {
        if let Some(plan) = self.timeline.current() {
            self.rejected.truncate(MOST_REJECTED - 1);
            self.rejected.insert(0, plan.as_passage());
        }
    }

    /// Keeps the shown plan at the next planning tick, and drops one that is being generated; returns whether there was one.
    pub(super) fn hold(&mut self) -> bool {
        self.due = None;
        self.timeline.hold()
    }

    /// Seed of the session or of the control, of which those of the variations are made.
    pub(super) fn base_seed(&self, controls: Option<ControlValues>) -> u64 {
        controls.and_then(|controls| controls.plan.seed).map_or(self.free_seed, u64::from)
    }

    /// Seed of new plans.
    pub(super) fn seed(&self, controls: Option<ControlValues>) -> u64 {
        self.variations.current_seed(self.base_seed(controls))
    }

    /// Expects the first passage of a plan, from this tick, by a tick.
    pub(super) const fn expect(&mut self, plan: PlanId, from: Tick, at: Tick) {
        self.due = Some(Due { plan, from, at });
    }

    /// Counts the near bar as late if it was due by this tick.
    pub(super) fn miss_what_was_due(&mut self, tick: Tick, controls: Option<ControlValues>) {
        if self.due.take_if(|due| due.at <= tick).is_some() {
            self.stats.late += 1;
            self.shedding.miss(controls.map_or(1, |controls| controls.plan.bars()));
        }
    }

    /// Counts a passage as on time if it was due; one that is late is no longer due.
    fn count_on_time(&mut self, passage: &Passage) {
        if self.due.take_if(|due| (due.plan, due.from) == (passage.plan, passage.from)).is_some() {
            self.stats.on_time += 1;
            self.shedding.keep();
        }
    }
}

impl<W: Worker> Planner<W> {
    /// A planning tick.
    pub(super) fn plan(&mut self) {
        let Some(controls) = self.input.controls else { return };
        let now = self.input.clock.now();
        if now < self.worker.retry_at {
            return;
        }
        let input_role = self.input.role();
        let planned = controls.planned(input_role);
        let own = if controls.plan.mode == PlayMode::Accompany { OwnRoles::new(planned.iter()).unwrap_or_default() } else { OwnRoles::ALL };
        if self.worker.set_roles(planned.iter().chain([input_role]).collect(), own) {
            self.planning.context.send_again();
            self.remembering.send_again();
        }
        let notes = self.input.notes_before(now);
        let player = self.input.player_before(now);
        self.remembering.track(&self.input.clock, &player);
        let memory = if own == OwnRoles::ALL { controls.music.memory } else { 0 };
        let is_new_memory = self.worker.set_memory(self.remembering.update(memory, self.planning.context.start()));
        if is_new_memory {
            self.planning.context.send_again();
        }
        self.input.measure_player(&player, now);
        let news = self.planning.context.update(&self.input.clock, &notes, self.input.tempo);
        let is_infill = controls.plan.mode == PlayMode::Infill && !self.take.replays();
        if is_infill && self.plan_fill(now, &controls) == Remainder::Nothing {
            // The worker has the song around the marked bars instead.
            if news.is_some() {
                self.planning.context.send_again();
            }
            self.tidy(now);
            return;
        }
        // Without bars what is remembered is read all the same.
        self.worker.set_context(news.or_else(|| is_new_memory.then(Vec::new)));
        if notes.is_empty() {
            return;
        }
        self.tidy(now);
        if self.planning.locks.set_pattern(controls.locks, self.planning.timeline.current()) {
            self.discard_variations();
        }
        let Some(next) = self.planning.tick_after(&self.input.clock, now) else { return };
        let turn = self.own_turn(next);
        if controls.plan.mode == PlayMode::Infill && turn.is_none() {
            return;
        }
        let horizon = self.horizon(turn);
        let settings = settings(&controls);
        let tick = PlanningTick { now, next, horizon, played: &notes, context: Fingerprint::of(&notes), controls: &settings };
        // A successor that is not due yet is replaced by the requests of this tick.
        self.withdraw_successor();
        self.await_choice();
        let begins = self.begin_turn(turn, next);
        let plays = self.planning.timeline.playing().is_some();
        let requests = self.planning.timeline.request_at(tick);
        if let Some(Request::Replan(brief)) = requests.iter().find(|request| matches!(request, Request::Replan(_))) {
            self.input.manner.record(brief.plan);
        }
        let is_new = requests.iter().any(|request| matches!(request, Request::Replan(_)));
        self.planning.stats.kept += u64::from(!is_new);
        let playing_end = self.planning.timeline.playing().map(|plan| plan.brief.end).filter(|_| plays);
        self.playback.successor = requests.iter().find_map(|request| match request {
            Request::Replan(brief) if brief.start == next && playing_end.is_some_and(|end| end > next) => {
                Some(Successor { plan: brief.plan, start: next, announced: false, awaited: false, handover: Handover::Ends })
            }
            _ => None,
        });
        self.wait_for_next();
        if begins {
            self.play_turn(turn, next);
        }
        let plan_settings = PlanSettings {
            roles: planned.iter().collect(),
            beside: (own != OwnRoles::ALL).then_some(Beside { own, player: &player }),
            music: &controls.music,
            tempo: self.input.tempo,
            rejected: &self.planning.rejected,
            silent_from: turn.and_then(OwnTurn::end).map_or(Tick::MAX, |end| end + FADE),
            expected: if controls.plan.mode == PlayMode::Suggest { Expected::Shown } else { Expected::Latched },
        };
        let mut assignments =
            self.planning.context.assignments(&requests, &self.planning.timeline, &self.input.clock, &notes, &plan_settings);
        self.remember_request(&requests, &assignments, &controls);
        if let Some(new) = assignments.last_mut().filter(|_| own == OwnRoles::ALL && is_new) {
            self.planning.locks.apply(new);
        }
        if assignments.is_empty() {
            return;
        }
        let within = Duration::from_secs_f64((next - now).0 as f64 / TICKS_PER_QUARTER as f64 * 60.0 / self.input.tempo);
        // Lateness is no sign of load while the model is being loaded, nor right after the planning interval has grown.
        let shortest = self.planning.shedding.interval(INTERVAL).min(self.input.clock.open_bar().length);
        let counts = self.worker.engine == Engine::Ready && next - now >= shortest;
        let due = assignments.last().filter(|_| counts);
        self.planning.due = due.map(|last| Due { plan: last.brief.plan, from: last.brief.start, at: next });
        self.worker.generate(now, &requests, assignments, within);
    }

    /// Writes the plan of a phrase that has ended, and forgets what is past.
    fn tidy(&mut self, now: Tick) {
        self.history.track_phrase(self.input.player.ending(), self.planning.timeline.adopted(), &self.input.clock, self.input.tempo);
        if let Some(start) = self.planning.context.start() {
            self.input.forget_before(start);
        }
        self.planning.rejected.retain(|passage| passage.until > now);
        self.planning.locks.pass(now);
    }

    /// Collects the worker's passages and outcomes; returns whether there were any.
    pub(super) fn collect(&mut self) -> bool {
        let mut has_news = false;
        while let Some(outcome) = self.worker.outcome(self.input.clock.next_bar_line()) {
            has_news = true;
            self.outputs.render_wait.deliver();
            if matches!(outcome, Outcome::Failed(_)) {
                self.planning.context.send_again();
            }
        }
        self.worker.keep_loading();
        while let Some(passage) = self.worker.passage() {
            has_news = true;
            self.outputs.render_wait.deliver();
            self.take_passage(&passage);
        }
        self.generate_variations();
        has_news
    }

    /// Appends a passage to its plan and to the plan's history entry; sends it if the plan is the successor.
    fn take_passage(&mut self, passage: &Passage) {
        if let Some(request) = &mut self.worker.last_request {
            request.receive(passage, Instant::now());
        }
        self.planning.count_on_time(passage);
        if self.take_variation(passage) {
            return;
        }
        if self.planning.timeline.offer(passage) != Offer::Taken {
            return;
        }
        self.worker.engine = Engine::Ready;
        let timeline = &self.planning.timeline;
        for plan in [timeline.playing(), timeline.adopted()].into_iter().flatten().filter(|plan| plan.id() == passage.plan) {
            self.history.grow(plan);
        }
        self.announce(passage.plan, &passage.notes);
    }
}
