//! Between player and engine: hears, asks for plans at planning ticks, and sends what plays.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::decode::Sampling;
use antiphon_engine::music::{Bar, Metre, Note, Role, TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::{
    Controls, Fingerprint, Key, Mode, MusicalClock, Offer, Pacing, Passage, PlanId, PlanningTick, Played, Reason, Request, Setting,
    SongBar, SongPosition, Timeline,
};
use antiphon_engine::service::{Outcome, Punctuality};
use parking_lot::Mutex;
use ringbuf::HeapCons;
use ringbuf::traits::Consumer;

use super::attendance::Attendance;
use super::composer::Composer;
use super::context::{Context, Manner};
use super::latency::Asked;
use super::outbox::Outbox;
use super::pace::{Engine, Fault, Pace};
use super::player::Player;
use super::scribe::Scribe;
use super::sounded::Sounded;
use crate::board::{Board, ShownBar, ShownPlan, Snapshot};
use crate::clock::{Cause, Moment, Turn};
use crate::musician::{Command, Heard, Seat};
use crate::params::ControlValues;

/// Plans are made every quarter.
const INTERVAL: Tick = Tick(TICKS_PER_QUARTER);
/// The tempo until one is told.
const FIRST_TEMPO: f64 = 120.0;
/// General MIDI's percussion channel.
const DRUM_CHANNEL: u8 = 9;

/// The near bar of a plan.
#[derive(Debug, Clone, Copy)]
struct Due {
    plan: PlanId,
    /// Where its first passage begins.
    from: Tick,
    /// When it must be there.
    at: Tick,
}

/// One session's thread of thought.
pub(super) struct Conductor<C> {
    heard: HeapCons<Heard>,
    /// What was told since the last time the clock was: it waits for the controls that go with it.
    untimed: Vec<Heard>,
    outbox: Outbox,
    pace: Arc<Mutex<Pace>>,
    board: Arc<Board>,
    attendance: Arc<Attendance>,
    /// Messages acted on since the beginning.
    answered: u64,
    composer: C,
    /// The roles that the composer was told play.
    ensemble: BTreeSet<Role>,
    engine: Engine,
    /// What the player should know besides.
    notice: String,
    /// Jobs of the engine that have not ended.
    jobs: usize,
    /// What was asked for last, and when it came.
    asked: Option<Asked>,
    /// After a failure nothing is asked for before this.
    rests_until: Tick,
    /// What was asked for last and must be there in time.
    due: Option<Due>,
    punctuality: Punctuality,
    pacing: Pacing,

    clock: MusicalClock,
    running: bool,
    next_tick: Option<Tick>,
    player: Player,
    sounded: Sounded,
    channel: u8,
    context: Context,
    timeline: Timeline,
    scribe: Scribe,
    controls: Option<ControlValues>,
    tempo: f64,
    /// Drawn for the session; stands while the seed is free.
    free_seed: u64,
    /// How many others were asked for.
    rerolls: u64,
    /// Play was pressed before there was something to play.
    wants_play: bool,
    /// What plays has been sent up to here.
    sent: Tick,
    /// A plan that takes the place of the one that plays, where it begins, and whether that was announced.
    successor: Option<(PlanId, Tick, bool)>,
}

impl<C: Composer> Conductor<C> {
    pub(super) fn new(seat: Seat, mut composer: C, pace: Arc<Mutex<Pace>>, attendance: Arc<Attendance>, free_seed: u64) -> Self {
        // Nothing to hear yet: this loads the model.
        let jobs = usize::from(composer.listen(Vec::new()));
        Self {
            heard: seat.heard,
            untimed: Vec::new(),
            outbox: Outbox::new(seat.planned),
            pace,
            board: seat.board,
            attendance,
            answered: 0,
            composer,
            ensemble: ensemble(),
            engine: Engine::Loading,
            notice: String::new(),
            jobs,
            asked: None,
            rests_until: Tick::ZERO,
            due: None,
            punctuality: Punctuality::default(),
            pacing: Pacing::default(),
            clock: MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre: Metre::COMMON }),
            running: false,
            next_tick: None,
            player: Player::default(),
            sounded: Sounded::default(),
            channel: 0,
            context: Context::default(),
            timeline: Timeline::new(Tick::ZERO, free_seed),
            scribe: Scribe::new(seat.state),
            controls: None,
            tempo: FIRST_TEMPO,
            free_seed,
            rerolls: 0,
            wants_play: false,
            sent: Tick::ZERO,
            successor: None,
        }
    }

    /// Hears what there is to hear, and does what is to be done. Says whether the clock runs.
    pub(super) fn act(&mut self) -> bool {
        let mut has_news = self.collect();
        while let Some(message) = self.heard.try_pop() {
            self.answered += 1;
            let is_due = match message {
                Heard::Reached { tempo, controls, .. } => {
                    self.tempo = tempo;
                    self.steer(controls);
                    true
                }
                // No time is told while the clock stands.
                Heard::Turn { turn, .. } => turn.cause == Cause::Stop,
                _ => !self.running && self.untimed.is_empty(),
            };
            self.untimed.push(message);
            if is_due {
                has_news = true;
                for message in std::mem::take(&mut self.untimed) {
                    self.hear(message);
                }
                // At every tick, so that a plan is adopted although this thread was late.
                has_news |= self.collect();
            }
        }
        self.send();
        self.outbox.flush();
        if has_news {
            self.publish();
        }
        self.attendance.lose(matches!(self.engine, Engine::Failed(_)));
        self.attendance.answer(self.answered, self.jobs == 0);
        self.running
    }

    fn hear(&mut self, message: Heard) {
        match message {
            Heard::NoteOn { at, key, velocity } => {
                self.advance(at);
                self.channel = key.channel();
                self.player.strike(key, velocity, self.input_role(key.channel()), at);
            }
            Heard::NoteOff { at, key } => {
                self.advance(at);
                self.player.let_go(key, at);
            }
            Heard::Pedal { at, channel, pressed } => {
                self.advance(at);
                self.player.pedal(channel, pressed, at);
            }
            Heard::Sounds { at, note, channel } => {
                self.advance(at);
                if let Some(key) = Key::new(channel, note.pitch) {
                    self.sounded.start(key, note);
                }
            }
            Heard::Ends { at, key } => {
                self.advance(at);
                self.sounded.end(key, at.nearest().0);
            }
            Heard::Gap { at } => {
                self.advance(at);
                self.player.release(at);
            }
            Heard::Reached { at, .. } => self.advance(at),
            Heard::Void { epoch, at } => {
                self.advance(at);
                if self.outbox.enter(epoch) {
                    self.end_phrase();
                    self.clear();
                }
            }
            Heard::Turn { epoch, turn } => {
                self.advance(turn.at);
                let is_new = self.outbox.enter(epoch);
                if is_new {
                    self.end_phrase();
                }
                self.turn(turn, is_new);
            }
            Heard::Command { at, command } => {
                self.advance(at);
                self.obey(command);
            }
        }
    }

    /// The clock stands for another place of the song. A loop leaves the plan as it is where the bars stay what they were.
    fn turn(&mut self, turn: Turn, is_new_epoch: bool) {
        let foreseen = self.clock.open_bar();
        match turn.cause {
            Cause::Metre => self.clock.align(turn.bar),
            Cause::Stop => {}
            _ => self.clock.jump(turn.song, turn.bar),
        }
        self.running = turn.cause != Cause::Stop;
        if is_new_epoch {
            self.clear();
        } else if self.clock.open_bar() != foreseen {
            self.stop(self.clock.now());
            self.clear();
        }
        self.next_tick = self.planning_tick_after(self.clock.now()).filter(|_| self.running);
    }

    /// The song does not go on from here.
    fn end_phrase(&mut self) {
        let standing = self.timeline.playing().or(self.timeline.adopted());
        self.scribe.end_phrase(self.player.ending(), standing, &self.clock, self.tempo);
    }

    /// What was planned is void.
    fn clear(&mut self) {
        self.timeline.clear();
        self.composer.rest();
        self.due = None;
        self.successor = None;
        self.wants_play = false;
        self.sent = self.clock.now();
    }

    /// The clock runs on to a moment. Every planning tick on the way is kept.
    fn advance(&mut self, to: Moment) {
        while let Some(tick) = self.next_tick.filter(|tick| *tick <= to.tick()) {
            self.run_to(tick);
            self.plan();
            self.next_tick = self.planning_tick_after(tick);
        }
        self.run_to(to.tick());
    }

    fn planning_tick_after(&self, tick: Tick) -> Option<Tick> {
        self.clock.planning_tick_after(tick, self.pacing.interval(INTERVAL))
    }

    fn run_to(&mut self, tick: Tick) {
        let now = self.clock.now();
        if self.due.take_if(|due| due.at <= tick).is_some() {
            self.punctuality.late += 1;
            self.pacing.miss(self.controls.map_or(1, |controls| controls.horizon_bars));
        }
        self.clock.advance(tick - now);
        if self.timeline.advance_to(tick).is_some() {
            if self.successor.take().is_some_and(|(_, _, announced)| announced) {
                // What it has so far was sent when it came.
                self.sent = self.timeline.delivered().unwrap_or(tick);
            }
            self.latch();
        }
    }

    /// A planning tick.
    fn plan(&mut self) {
        let Some(controls) = self.controls else { return };
        let now = self.clock.now();
        if controls.mode != Mode::Suggest || now < self.rests_until {
            return;
        }
        self.join(controls);
        let heard = self.heard_before(now);
        let news = self.context.take_in(&self.clock, &heard, self.tempo);
        if !news.is_empty() && self.composer.listen(news) {
            self.jobs += 1;
        }
        if heard.is_empty() {
            return;
        }
        self.scribe.listen(self.player.ending(), self.timeline.adopted(), &self.clock, self.tempo);
        if let Some(start) = self.context.start() {
            self.player.forget_before(start);
            self.sounded.forget_before(start);
        }
        let Some(next) = self.planning_tick_after(now) else { return };
        let horizon = horizon(&self.clock, self.pacing.horizon(controls.horizon_bars));
        let plays = self.timeline.playing().is_some();
        let settings = settings(&controls);
        let tick = PlanningTick { now, next, horizon, heard: &heard, context: Fingerprint::of(&heard), controls: &settings };
        let requests = self.timeline.request_at(tick);
        self.successor = requests.iter().find_map(|request| match request {
            Request::Replan(brief) if plays && brief.start == next && self.timeline.playing().is_some_and(|plan| plan.brief.end > next) => {
                Some((brief.plan, next, false))
            }
            _ => None,
        });
        let manner = Manner {
            role: controls.output_role.unwrap_or_else(|| self.input_role(self.channel)),
            sampling: Sampling::from_adventurousness(controls.adventurousness),
            tempo: self.tempo,
        };
        let assignments = self.context.assignments(&requests, &self.timeline, &self.clock, &heard, &manner);
        if assignments.is_empty() {
            return;
        }
        let within = Duration::from_secs_f64((next - now).0 as f64 / TICKS_PER_QUARTER as f64 * 60.0 / self.tempo);
        // While the model is being loaded, lateness says nothing of the machine; nor right after the ticks have thinned out.
        let counts = self.engine == Engine::Ready && next - now >= self.pacing.interval(INTERVAL).min(self.clock.open_bar().length);
        let due = assignments.last().filter(|_| counts);
        self.due = due.map(|last| Due { plan: last.brief.plan, from: last.brief.start, at: next });
        if self.composer.play(assignments, within) {
            self.asked = Asked::at(now, &requests);
            self.jobs += 1;
        }
    }

    /// The composer is told who plays.
    fn join(&mut self, controls: ControlValues) {
        let input = self.input_role(self.channel);
        let ensemble = BTreeSet::from([input, controls.output_role.unwrap_or(input)]);
        if ensemble != self.ensemble {
            self.composer.gather(&ensemble);
            self.ensemble = ensemble;
            self.jobs = 0;
            self.context.tell_again();
        }
    }

    /// All that was heard before a tick, in order of time: the player, and what played.
    fn heard_before(&self, tick: Tick) -> Vec<Note> {
        let mut notes: Vec<Note> = self.player.notes().chain(self.sounded.notes()).filter(|note| note.onset < tick).collect();
        notes.sort_by_key(Note::order);
        notes
    }

    /// What the player plays; found out by the channel where it is not said.
    fn input_role(&self, channel: u8) -> Role {
        let found = if channel == DRUM_CHANNEL { Role::Drums } else { Role::Keys };
        self.controls.and_then(|controls| controls.input_role).unwrap_or(found)
    }

    /// The controls as they stand.
    fn steer(&mut self, controls: ControlValues) {
        let before = self.controls.replace(controls);
        match before {
            // Nobody has asked for another: what was gone back to may play already.
            None => self.timeline.reseed(self.seed()),
            Some(before) if before.seed != controls.seed => {
                self.rerolls = 0;
                self.timeline.another(self.seed());
            }
            Some(_) => {}
        }
    }

    fn seed(&self) -> u64 {
        let base = self.controls.and_then(|controls| controls.seed).map_or(self.free_seed, u64::from);
        // Far apart, so that the next of one seed is not the first of another.
        base.wrapping_add(self.rerolls << 32)
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Play => {
                self.wants_play = true;
                self.latch();
            }
            Command::Another => {
                if let Some(plan) = self.timeline.playing().or(self.timeline.adopted()) {
                    self.scribe.write(plan, &self.clock, self.tempo, Reason::Rerolled);
                }
                self.scribe.leave();
                self.rerolls += 1;
                self.timeline.another(self.seed());
            }
            Command::Keep => {
                let shown = self.timeline.playing().or(self.timeline.adopted());
                let kept = self.scribe.keep_recalled().or_else(|| shown.map(|plan| self.scribe.keep(plan, &self.clock, self.tempo)));
                if let Some(kept) = kept {
                    self.notice = kept.err().map_or_else(String::new, |full| full.to_string());
                }
            }
        }
    }

    /// Play, if it is wanted and something is there: from the next bar line. What the player went back to is played as it was.
    fn latch(&mut self) {
        if !self.wants_play {
            return;
        }
        let line = self.clock.next_bar_line();
        let played = match self.scribe.recalled(line) {
            Some((plan, by)) => {
                self.successor = None;
                self.timeline.play_again(&plan, by, line)
            }
            None => self.timeline.play(line),
        };
        let Some(played) = played else { return };
        self.wants_play = false;
        if let Played::From(from) = played {
            self.stop(from);
            self.sent = self.sent.min(from);
        }
        if let Some(plan) = self.timeline.playing() {
            self.scribe.write(plan, &self.clock, self.tempo, Reason::Heard);
        }
        self.scribe.leave();
    }

    /// From this tick on nothing of what was sent plays.
    fn stop(&mut self, at: Tick) {
        if self.outbox.stop(at) {
            self.sounded.cut(at);
        }
    }

    /// Takes in what the engine has made, and how its jobs ended; says whether anything has.
    fn collect(&mut self) -> bool {
        let mut has_news = false;
        while let Some(outcome) = self.composer.outcome() {
            has_news = true;
            self.attendance.deliver();
            self.jobs = self.jobs.saturating_sub(1);
            match outcome {
                Outcome::Finished => self.engine = Engine::Ready,
                Outcome::Failed(failure) => {
                    self.engine = Engine::Failed(Fault::from(&failure));
                    self.rests_until = self.clock.next_bar_line();
                    self.context.tell_again();
                }
                Outcome::Replaced | Outcome::Cancelled => {}
            }
        }
        // The song went on elsewhere before the model was there: it is wanted all the same.
        if self.engine == Engine::Loading && self.jobs == 0 && self.composer.listen(Vec::new()) {
            self.jobs += 1;
        }
        while let Some(passage) = self.composer.passage() {
            self.attendance.deliver();
            if let Some(asked) = &mut self.asked {
                asked.receive(&passage, Instant::now());
            }
            if self.due.take_if(|due| (due.plan, due.from) == (passage.plan, passage.from)).is_some() {
                self.punctuality.on_time += 1;
                self.pacing.keep();
            }
            if self.timeline.offer(&passage) == Offer::Taken {
                self.engine = Engine::Ready;
                for plan in
                    [self.timeline.playing(), self.timeline.adopted()].into_iter().flatten().filter(|plan| plan.id() == passage.plan)
                {
                    self.scribe.grow(plan);
                }
                self.announce(&passage);
            }
            has_news = true;
        }
        has_news
    }

    /// What takes the place of the plan that plays is sent as it comes: at its tick it would be too late.
    fn announce(&mut self, passage: &Passage) {
        let Some((plan, start, announced)) = &mut self.successor else { return };
        if *plan != passage.plan {
            return;
        }
        let start = *start;
        if !std::mem::replace(announced, true) {
            self.stop(start);
        }
        self.outbox.play(passage.notes.iter().copied(), self.channel);
    }

    /// Sends what plays, as far as it is there. What is about to be replaced is not completed.
    fn send(&mut self) {
        if self.successor.is_some_and(|(_, _, announced)| announced) {
            return;
        }
        let Some(ready) = self.timeline.delivered() else { return };
        self.outbox.play(self.timeline.sounding(self.sent, ready).copied(), self.channel);
        self.sent = self.sent.max(ready);
    }

    /// What the player should know besides.
    fn remark(&self) -> String {
        if !self.notice.is_empty() || !self.pacing.is_strained() {
            return self.notice.clone();
        }
        let bars = self.pacing.horizon(self.controls.map_or(1, |controls| controls.horizon_bars));
        let beats = self.pacing.interval(INTERVAL).0 / INTERVAL.0;
        format!("This machine is slow: planned {bars} bars ahead, every {beats} beats")
    }

    /// Shows in the editor how it stands.
    fn publish(&self) {
        let now = self.clock.now();
        let mode = self.controls.map_or(Mode::default(), |controls| controls.mode);
        let mut status = self.engine.status(&self.composer.parts(), mode, &self.remark());
        status.punctuality = self.punctuality;
        let number = |bar: Bar| self.clock.song_at(bar.start).0.div_euclid(bar.metre.bar_length().0) + 1;
        let oldest = self.context.start().unwrap_or(self.clock.open_bar().start);
        let bars = self.clock.bars().filter(|bar| bar.start >= oldest).map(|bar| ShownBar { bar, number: number(bar) }).collect();
        let playing = self.timeline.playing();
        let plan = playing.or(self.timeline.adopted()).map(|plan| ShownPlan {
            plan: plan.clone(),
            commit: self.timeline.commit_line(),
            playing: playing.is_some(),
        });
        self.board.publish(Snapshot { status, bars, played: self.heard_before(Tick::MAX), plan });
        *self.pace.lock() =
            Pace { engine: self.engine.clone(), reached: now, idle: self.jobs == 0, tally: self.timeline.tally(), asked: self.asked };
    }
}

/// Who plays until the player is heard.
pub(super) fn ensemble() -> BTreeSet<Role> {
    BTreeSet::from([Role::Keys])
}

/// The end of the last bar of a horizon of so many bars, from the next bar line on.
fn horizon(clock: &MusicalClock, bars: u8) -> Tick {
    (0..bars).fold(clock.next_bar_line(), |line, _| clock.bar_at(line).map_or(line, |bar| bar.end()))
}

/// The controls that a plan is made from, by their place in this list.
fn settings(controls: &ControlValues) -> Controls {
    let role = |role: Option<Role>| role.map_or(0.0, |role| f32::from(role.class() + 1) / 16.0);
    let values = [controls.adventurousness, role(controls.input_role), role(controls.output_role)];
    Controls((0..).zip(values).map(|(parameter, value)| Setting { parameter, value }).collect())
}
