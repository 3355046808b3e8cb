//! Planning ticks: requests to the worker, and the passages it delivers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::codec::OwnRoles;
use crate::decode::PromptBar;
use crate::music::{Note, TICKS_PER_QUARTER, Tick};
use crate::plan::{
    Brief, Fingerprint, LoadShedding, MusicalClock, Offer, Passage, PlanId, PlanStats, PlanningTick, PlayMode, Request, Timeline,
};
use crate::service::{GeneratedBar, Outcome};

use super::super::context::{Beside, Context, Expected, Follows, PlanSettings};
use super::super::engine_status::Engine;
use super::super::locks::Locks;
use super::super::settings::settings;
use super::super::worker::Worker;
use super::Planner;
use super::band::own_roles;
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
        self.context.discard_plans();
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

    /// A plan was requested, recalled or shown as the current variation.
    pub(super) fn record_variation(&mut self, plan: PlanId) {
        self.variations.record(plan, |other| self.timeline.holds(other));
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

    /// Expects no passage any more: it is not known when it would have been there.
    pub(super) const fn expect_nothing(&mut self) {
        self.due = None;
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

/// Music before a planning tick, each list in order of time.
struct Music {
    /// Notes of this track: the player's, and those of plans that were played.
    track: Vec<Note>,
    /// The player's of them.
    player: Vec<Note>,
    /// What is heard of other instances.
    others: Vec<Note>,
    /// Track and others.
    all: Vec<Note>,
}

/// The new plan among the requests, if there is one.
pub(super) fn new_plan(requests: &[Request]) -> Option<&Brief> {
    requests.iter().find_map(|request| match request {
        Request::Replan(brief) => Some(brief),
        Request::Extend(_) => None,
    })
}

/// Notes of two lists in order of time.
fn in_order(one: &[Note], other: &[Note]) -> Vec<Note> {
    let mut notes = [one, other].concat();
    notes.sort_by_key(Note::order);
    notes
}

/// Tick by which the first bar of a request must be there: the next planning tick, or for a plan that is kept and reaches beyond it, an interval before the
/// bar begins. So the far bars of one instance do not stand before the near bars of another.
fn due_at(request: &Request, next: Tick) -> Tick {
    match request {
        Request::Replan(_) => next,
        Request::Extend(brief) => next.max(brief.start - INTERVAL),
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
        let planned = controls.planned(self.input.role());
        let others = self.hear_others(&controls, planned);
        let own = own_roles(controls.plan.mode, planned, self.input.role(), !others.is_empty());
        let Some(next) = self.planning.tick_after(&self.input.clock, now) else { return };
        let turn = self.own_turn(next);
        if self.pause(&controls, turn, next) {
            return;
        }
        let (music, news) = self.read(&controls, own, others);
        let is_infill = controls.plan.mode == PlayMode::Infill && !self.take.replays();
        if is_infill && self.plan_fill(now, &controls) == Remainder::Nothing {
            // The worker has the song around the marked bars instead.
            if news.is_some() {
                self.planning.context.send_again();
            }
            self.tidy(now);
            return;
        }
        if !self.worker.set_context(news) || music.all.is_empty() {
            return;
        }
        self.tidy(now);
        if self.planning.locks.set_pattern(controls.locks, self.planning.timeline.current()) {
            self.discard_variations();
        }
        self.planning.variations.refused &= self.planning.locks.fix_all();
        if controls.plan.mode == PlayMode::Infill && turn.is_none() {
            return;
        }
        let requests = self.request(&controls, &music, turn, next);
        self.assign(&controls, music, own, &requests, turn, next);
    }

    /// Collects the music before this planning tick, and what follows from it for worker, memory and context. Returns it with the bars that the worker has to
    /// be sent, if there are any.
    fn read(&mut self, controls: &ControlValues, own: OwnRoles, others: Vec<Note>) -> (Music, Option<Vec<Arc<PromptBar>>>) {
        let now = self.input.clock.now();
        let input_role = self.input.role();
        let roles = controls.planned(input_role).iter().chain([input_role]).chain(others.iter().map(|note| note.role));
        if self.worker.set_roles(roles.collect(), own) {
            self.planning.context.send_measured();
            self.remembering.send_again();
        }
        let track = self.input.notes_before(now);
        let player = self.input.player_before(now);
        self.remembering.track(&self.input.clock, &player);
        let memory = if own == OwnRoles::ALL { controls.music.memory } else { 0 };
        let is_new_memory = self.worker.set_memory(self.remembering.update(memory, self.planning.context.start()));
        if is_new_memory {
            self.planning.context.send_again();
        }
        self.input.measure_player(&player, now);
        let all = in_order(&track, &others);
        let news = self.planning.context.update(&self.input.clock, &all, self.input.tempo);
        // Without bars what is remembered is read all the same.
        (Music { track, player, others, all }, news.or_else(|| is_new_memory.then(Vec::new)))
    }

    /// Requests of this planning tick, and what plays from the `next` one on.
    fn request(&mut self, controls: &ControlValues, music: &Music, turn: Option<OwnTurn>, next: Tick) -> Vec<Request> {
        let (now, horizon, settings) = (self.input.clock.now(), self.horizon(turn), settings(controls, &self.archive.chart()));
        let tick = PlanningTick { now, next, horizon, played: &music.track, context: Fingerprint::of(&music.all), controls: &settings };
        // A successor that is not due yet is replaced by the requests of this tick.
        self.withdraw_successor();
        self.await_choice();
        let begins = self.begin_turn(turn, next);
        let playing_end = self.planning.timeline.playing().map(|plan| plan.brief.end);
        let requests = self.planning.timeline.request_at(tick);
        let new = new_plan(&requests);
        if let Some(brief) = new {
            self.input.record_plan(brief.plan);
            self.planning.record_variation(brief.plan);
        }
        self.planning.stats.count_tick(new.is_none());
        let follows = new.filter(|brief| brief.start == next && playing_end.is_some_and(|end| end > next));
        self.playback.successor =
            follows.map(|brief| Successor { plan: brief.plan, start: next, announced: false, awaited: false, handover: Handover::Ends });
        self.wait_for_next();
        if begins {
            self.play_turn(turn, next);
        }
        requests
    }

    /// Hands the requests of this planning tick to the worker.
    fn assign(&mut self, controls: &ControlValues, music: Music, own: OwnRoles, requests: &[Request], turn: Option<OwnTurn>, next: Tick) {
        let now = self.input.clock.now();
        let accompanies = controls.plan.mode == PlayMode::Accompany;
        // A track with music of its own goes on in its own way.
        let follows = if accompanies || music.track.is_empty() { Follows::Others } else { Follows::Itself };
        let others = if accompanies { in_order(&music.player, &music.others) } else { music.others };
        let key = self.heard_key(controls.band);
        let Planning { context, timeline, rejected, .. } = &mut self.planning;
        let plan_settings = PlanSettings {
            roles: controls.planned(self.input.role()).iter().collect(),
            beside: (own != OwnRoles::ALL).then_some(Beside { own, others: &others, follows, key }),
            music: &controls.music,
            tempo: self.input.tempo,
            rejected: rejected.as_slice(),
            silent_from: turn.and_then(OwnTurn::end).map_or(Tick::MAX, |end| end + FADE),
            expected: if controls.plan.mode == PlayMode::Suggest { Expected::Shown } else { Expected::Latched },
        };
        let mut assignments = context.assignments(requests, timeline, &self.input.clock, &music.all, &plan_settings);
        for assignment in &mut assignments {
            self.choose_chords(assignment);
        }
        self.remember_request(requests, &assignments, controls);
        if let Some(new) = assignments.last_mut().filter(|_| new_plan(requests).is_some()) {
            self.planning.locks.apply(new, own);
        }
        let Some(last) = assignments.last() else { return };
        // The earliest need of all counts: a later request is generated after the earlier ones.
        let due_at = requests.iter().map(|request| due_at(request, next)).min().unwrap_or(next);
        // Lateness is no sign of load while the model is being loaded, nor right after the planning interval has grown.
        let shortest = self.planning.shedding.interval(INTERVAL).min(self.input.clock.open_bar().length);
        let counts = self.worker.engine == Engine::Ready && next - now >= shortest;
        self.planning.due = counts.then_some(Due { plan: last.brief.plan, from: last.brief.start, at: due_at });
        let within = Duration::from_secs_f64((due_at - now).0 as f64 / TICKS_PER_QUARTER as f64 * 60.0 / self.input.tempo);
        self.worker.generate(now, requests, assignments, within);
    }

    /// Writes the plan of a phrase that has ended, and forgets what is past.
    fn tidy(&mut self, now: Tick) {
        self.history.track_phrase(self.input.player.ending(), self.planning.timeline.adopted(), &self.input.clock, self.input.tempo);
        if let Some(start) = self.planning.context.start() {
            self.input.forget_before(start);
            self.band.forget_before(start);
        }
        self.planning.rejected.retain(|passage| passage.until > now);
        let shown = self.planning.timeline.adopted().map_or(now, |plan| plan.brief.start);
        self.planning.locks.pass(shown.min(now));
    }

    /// Collects the worker's passages and outcomes; returns whether there were any.
    pub(super) fn collect(&mut self) -> bool {
        let mut has_news = false;
        while let Some(outcome) = self.worker.outcome(self.input.clock.next_bar_line()) {
            has_news = true;
            self.outputs.render_wait.deliver();
            if matches!(outcome, Outcome::Failed(_)) {
                self.planning.context.start_again();
            }
        }
        self.worker.keep_loading();
        while let Some(bar) = self.worker.bar() {
            has_news = true;
            self.outputs.render_wait.deliver();
            self.take_bar(bar);
        }
        self.generate_variations();
        has_news
    }

    /// Appends a generated bar to its plan and to the plan's history entry; sends it if the plan is the successor. A bar whose first notes would be late is
    /// missed whole: a plan has missed its tick then, one that plays goes on at the next.
    fn take_bar(&mut self, bar: GeneratedBar) {
        let passage = &bar.passage;
        if let Some(request) = &mut self.worker.last_request {
            request.receive(passage, Instant::now());
        }
        // The tick may be long past that this thread has come to.
        let reached = self.inbox.reached().unwrap_or(self.input.reached);
        if self.planning.timeline.due(passage).is_some_and(|due| due < self.input.in_time_from(reached)) {
            return;
        }
        self.planning.count_on_time(passage);
        if self.take_variation(&bar) {
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
        self.planning.context.deliver(bar);
    }
}
