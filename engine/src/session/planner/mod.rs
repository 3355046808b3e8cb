//! The session's thread without the thread: takes in events and commands, requests plans at planning ticks, and sends what plays.
//!
//! The state has an owner for each concern: [`Input`] what came in, [`Planning`] what is planned, [`WorkerLink`] what the worker was asked for,
//! [`Playback`] what was sent to the audio thread, [`HistoryWriter`] what is written down, [`Outputs`] what others see. [`Planner`] has them do
//! together what takes more than one.

mod input;
mod planning;
mod playback;
mod status;
mod worker_link;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::music::{Metre, Role, Tick};
use crate::plan::{Cause, MusicalClock, MusicalTime, Reason, SongBar, SongPosition, TransportChange};
use parking_lot::Mutex;

use super::engine_status::{Engine, SessionStatus};
use super::history_writer::HistoryWriter;
use super::render_wait::RenderWait;
use super::worker::Worker;
use crate::session::SessionPorts;
use crate::session::protocol::{Command, InputEvent};
use input::{Inbox, Input};
use planning::Planning;
use playback::{PlayRequest, Playback};
use status::Outputs;
use worker_link::WorkerLink;

/// The tempo until the audio thread has sent one, in quarters per minute.
const FIRST_TEMPO: f64 = 120.0;

/// One session's planning: everything that its thread owns.
pub struct Planner<W> {
    inbox: Inbox,
    input: Input,
    planning: Planning,
    worker: WorkerLink<W>,
    playback: Playback,
    history: HistoryWriter,
    outputs: Outputs,
}

impl<W: Worker> Planner<W> {
    /// A planner at tick 0 whose plans are made by `worker`; `free_seed` is used while the player fixes none.
    pub fn new(ports: SessionPorts, worker: W, status: Arc<Mutex<SessionStatus>>, render_wait: Arc<RenderWait>, free_seed: u64) -> Self {
        let clock = MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre: Metre::COMMON });
        Self {
            inbox: Inbox::new(ports.events, ports.commands),
            input: Input::new(clock, FIRST_TEMPO, ports.count_ignored),
            planning: Planning::new(free_seed),
            worker: WorkerLink::new(worker),
            playback: Playback::new(ports.planned),
            history: HistoryWriter::new(ports.archive),
            outputs: Outputs::new(ports.snapshot, status, render_wait),
        }
    }

    /// Takes in what has come and does what is due. Says whether the clock runs.
    pub fn run(&mut self) -> bool {
        let mut has_news = self.collect();
        while let Some(message) = self.inbox.next() {
            let is_due = match message {
                InputEvent::TimeReached { at, tempo, controls } => {
                    self.input.reached = at.tick();
                    self.input.tempo = tempo;
                    self.planning.change_controls(self.input.controls.replace(controls), controls);
                    true
                }
                // No time is sent while the clock stands.
                InputEvent::TransportChange { change, .. } => change.cause == Cause::Stop,
                _ => !self.input.running && self.inbox.untimed.is_empty(),
            };
            self.inbox.untimed.push(message);
            if is_due {
                has_news = true;
                for message in std::mem::take(&mut self.inbox.untimed) {
                    self.handle(message);
                }
                // At every tick, so that a plan is adopted although this thread was late.
                has_news |= self.collect();
            }
        }
        while let Some(command) = self.inbox.commands.next() {
            has_news = true;
            self.execute(command);
        }
        self.send();
        self.playback.outbox.flush();
        if has_news {
            self.publish();
        }
        self.outputs.render_wait.lose(matches!(self.worker.engine, Engine::Failed(_)));
        self.outputs.render_wait.answer(self.inbox.taken, self.worker.jobs == 0);
        self.input.running
    }

    fn handle(&mut self, message: InputEvent) {
        self.advance(message.at());
        self.input.record(message);
        match message {
            InputEvent::PlanInvalidated { epoch, .. } if self.playback.outbox.enter(epoch) => {
                self.end_phrase();
                self.clear();
            }
            InputEvent::TransportChange { epoch, change } => {
                let is_new = self.playback.outbox.enter(epoch);
                if is_new {
                    self.end_phrase();
                }
                self.change_transport(change, is_new);
            }
            InputEvent::Command { command, .. } => self.execute(command),
            _ => {}
        }
    }

    /// The clock is at another place of the song. A loop leaves the plan as it is where the bars stay what they were.
    fn change_transport(&mut self, change: TransportChange, is_new_epoch: bool) {
        let clock = &mut self.input.clock;
        let foreseen = clock.open_bar();
        match change.cause {
            Cause::Metre => clock.align(change.bar),
            Cause::Stop => {}
            _ => clock.jump(change.song, change.bar),
        }
        let (now, open, line) = (clock.now(), clock.open_bar(), clock.next_bar_line());
        self.input.running = change.cause != Cause::Stop;
        let starts_play = self.playback.request == PlayRequest::WhenClockRuns && self.input.running;
        if is_new_epoch {
            self.clear();
        } else if open != foreseen {
            // The plan does not fit these bars. What is to play, or would have played on, does so with the next one.
            let goes_on = self.planning.timeline.playing().is_some_and(|plan| plan.brief.end > line);
            let request = if goes_on { PlayRequest::WhenPlanned } else { self.playback.request };
            self.playback.stop(now, &mut self.input.sounded);
            self.clear();
            self.playback.request = request;
        }
        self.planning.next_tick = self.planning.tick_after(&self.input.clock, now).filter(|_| self.input.running);
        if starts_play {
            self.playback.request = PlayRequest::WhenPlanned;
            self.latch();
        }
    }

    /// The song does not go on from here.
    fn end_phrase(&mut self) {
        let Input { player, clock, tempo, .. } = &self.input;
        self.history.end_phrase(player.ending(), self.planning.timeline.current(), clock, *tempo);
    }

    /// What was planned is void.
    fn clear(&mut self) {
        self.planning.clear();
        self.worker.cancel();
        self.playback.clear(self.input.clock.now());
    }

    /// The clock runs on to a moment. Every planning tick on the way is kept.
    fn advance(&mut self, to: MusicalTime) {
        while let Some(tick) = self.planning.next_tick.filter(|tick| *tick <= to.tick()) {
            self.run_to(tick);
            self.latch();
            self.plan();
            self.planning.next_tick = self.planning.tick_after(&self.input.clock, tick);
        }
        self.run_to(to.tick());
    }

    fn run_to(&mut self, tick: Tick) {
        self.planning.miss_what_was_due(tick, self.input.controls);
        self.input.clock.advance(tick - self.input.clock.now());
        if let Some(adoption) = self.planning.timeline.advance_to(tick) {
            self.resolve(adoption, tick);
        }
    }

    fn execute(&mut self, command: Command) {
        let Input { clock, tempo, running, .. } = &self.input;
        match command {
            Command::Play if *running => {
                self.playback.request = PlayRequest::WhenPlanned;
                self.latch();
            }
            Command::Play => {
                self.playback.request = PlayRequest::WhenClockRuns;
                self.playback.outbox.start_clock();
            }
            Command::Another => {
                if let Some(plan) = self.planning.timeline.current() {
                    self.history.write(plan, clock, *tempo, Reason::Rerolled);
                }
                self.history.leave();
                self.planning.reroll(self.input.controls);
            }
            Command::Keep => {
                let kept = self.history.keep_recalled();
                let kept = kept.or_else(|| self.planning.timeline.current().map(|plan| self.history.keep(plan, clock, *tempo)));
                if let Some(kept) = kept {
                    self.outputs.notice = kept.err().map_or_else(String::new, |full| full.to_string());
                }
            }
            Command::Step(step) => self.history.step(step, self.planning.timeline.current()),
        }
    }
}

/// Who plays until the player has played something.
pub(super) fn ensemble() -> BTreeSet<Role> {
    BTreeSet::from([Role::Keys])
}
