//! Between player and engine: hears, asks for plans at planning ticks, and sends what plays.

mod planning;
mod playing;
mod showing;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::music::{Metre, Role, Tick};
use crate::plan::{Key, MusicalClock, Pacing, Passage, PlanStats, Reason, SongBar, SongPosition, Timeline};
use parking_lot::Mutex;
use ringbuf::HeapCons;
use ringbuf::traits::Consumer;

use super::attendance::Attendance;
use super::composer::Composer;
use super::context::Context;
use super::latency::Asked;
use super::outbox::Outbox;
use super::pace::{Engine, Pace};
use super::player::{Player, Strike};
use super::scribe::Scribe;
use super::sounded::Sounded;
use crate::plan::{Cause, Moment, TransportChange};
use crate::session::ControlValues;
use crate::session::SessionPorts;
use crate::session::board::Board;
use crate::session::protocol::{Command, Heard};
use crate::session::withheld::WithheldNote;
use planning::Due;
use playing::Successor;

/// Plans turned down that a new one is compared with: more than anyone looks through before they are over.
const MOST_REJECTED: usize = 32;

/// The tempo until one is told.
const FIRST_TEMPO: f64 = 120.0;

/// One session's thread of thought.
pub struct Conductor<C> {
    heard: HeapCons<Heard>,
    /// What was told since the last time the clock was: it waits for the controls that go with it.
    untimed: Vec<Heard>,
    outbox: Outbox,
    pace: Arc<Mutex<Pace>>,
    board: Arc<Board>,
    attendance: Arc<Attendance>,
    /// Counts notes of the player that the context has no room for.
    count_ignored: Box<dyn Fn(u64) + Send>,
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
    stats: PlanStats,
    pacing: Pacing,

    clock: MusicalClock,
    running: bool,
    /// How far the audio thread has come: what is sent now sounds after it.
    reached: Tick,
    next_tick: Option<Tick>,
    player: Player,
    sounded: Sounded,
    /// Planned notes that did not sound, in order of time.
    withheld: Vec<WithheldNote>,
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
    /// What was made of the plans in whose place another was asked for, the latest first, as long as they are not over.
    rejected: Vec<Passage>,
    /// Play was pressed before there was something to play.
    wants_play: bool,
    /// What plays has been sent up to here.
    sent: Tick,
    /// The plan in the making, if it plays from its first tick on.
    successor: Option<Successor>,
}

impl<C: Composer> Conductor<C> {
    /// A conductor at tick 0 that asks `composer` for its plans; `free_seed` stands while the player fixes none.
    pub fn new(ports: SessionPorts, mut composer: C, pace: Arc<Mutex<Pace>>, attendance: Arc<Attendance>, free_seed: u64) -> Self {
        // Nothing to hear yet: this loads the model.
        let jobs = usize::from(composer.listen(Vec::new()));
        Self {
            heard: ports.heard,
            untimed: Vec::new(),
            outbox: Outbox::new(ports.planned),
            pace,
            board: ports.board,
            attendance,
            count_ignored: ports.count_ignored,
            answered: 0,
            composer,
            ensemble: ensemble(),
            engine: Engine::Loading,
            notice: String::new(),
            jobs,
            asked: None,
            rests_until: Tick::ZERO,
            due: None,
            stats: PlanStats::default(),
            pacing: Pacing::default(),
            clock: MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre: Metre::COMMON }),
            running: false,
            reached: Tick::ZERO,
            next_tick: None,
            player: Player::default(),
            sounded: Sounded::default(),
            withheld: Vec::new(),
            channel: 0,
            context: Context::default(),
            timeline: Timeline::new(Tick::ZERO, free_seed),
            scribe: Scribe::new(ports.archive),
            controls: None,
            tempo: FIRST_TEMPO,
            free_seed,
            rerolls: 0,
            rejected: Vec::new(),
            wants_play: false,
            sent: Tick::ZERO,
            successor: None,
        }
    }

    /// Hears what there is to hear, and does what is to be done. Says whether the clock runs.
    pub fn act(&mut self) -> bool {
        let mut has_news = self.collect();
        while let Some(message) = self.heard.try_pop() {
            self.answered += 1;
            let is_due = match message {
                Heard::Reached { at, tempo, controls } => {
                    self.reached = at.tick();
                    self.tempo = tempo;
                    self.steer(controls);
                    true
                }
                // No time is told while the clock stands.
                Heard::Turn { change, .. } => change.cause == Cause::Stop,
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
                if self.player.strike(key, velocity, self.input_role(key.channel()), at) == Strike::LeftOut {
                    (self.count_ignored)(1);
                }
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
            Heard::Withheld { at, note, reason } => {
                self.advance(at);
                self.withheld.push(WithheldNote { note, reason });
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
            Heard::Turn { epoch, change } => {
                self.advance(change.at);
                let is_new = self.outbox.enter(epoch);
                if is_new {
                    self.end_phrase();
                }
                self.turn(change, is_new);
            }
            Heard::Command { at, command } => {
                self.advance(at);
                self.obey(command);
            }
        }
    }

    /// The clock stands for another place of the song. A loop leaves the plan as it is where the bars stay what they were.
    fn turn(&mut self, change: TransportChange, is_new_epoch: bool) {
        let foreseen = self.clock.open_bar();
        match change.cause {
            Cause::Metre => self.clock.align(change.bar),
            Cause::Stop => {}
            _ => self.clock.jump(change.song, change.bar),
        }
        self.running = change.cause != Cause::Stop;
        if is_new_epoch {
            self.clear();
        } else if self.clock.open_bar() != foreseen {
            // The plan does not fit these bars. What is to play, or would have played on, does so with the next one.
            let goes_on = self.timeline.playing().is_some_and(|plan| plan.brief.end > self.clock.next_bar_line());
            let wants_play = self.wants_play || goes_on;
            self.stop(self.clock.now());
            self.clear();
            self.wants_play = wants_play;
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
        self.rejected.clear();
        self.wants_play = false;
        self.sent = self.clock.now();
    }

    /// The clock runs on to a moment. Every planning tick on the way is kept.
    fn advance(&mut self, to: Moment) {
        while let Some(tick) = self.next_tick.filter(|tick| *tick <= to.tick()) {
            self.run_to(tick);
            self.latch();
            self.plan();
            self.next_tick = self.planning_tick_after(tick);
        }
        self.run_to(to.tick());
    }

    fn run_to(&mut self, tick: Tick) {
        let now = self.clock.now();
        if self.due.take_if(|due| due.at <= tick).is_some() {
            self.stats.late += 1;
            self.pacing.miss(self.controls.map_or(1, |controls| controls.horizon_bars));
        }
        self.clock.advance(tick - now);
        if let Some(adoption) = self.timeline.advance_to(tick) {
            self.resolve(adoption, tick);
        }
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
                    self.rejected.truncate(MOST_REJECTED - 1);
                    self.rejected.insert(0, plan.as_passage());
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
}

/// Who plays until the player is heard.
pub(super) fn ensemble() -> BTreeSet<Role> {
    BTreeSet::from([Role::Keys])
}
