//! The audio thread's path through one block. Nothing here allocates, locks, waits or logs.

use std::sync::Arc;

use antiphon_engine::music::Role;
use antiphon_engine::plan::Mode;
use nice_plug::midi::NoteEvent;

use crate::capture::Capture;
use crate::clock::{Cause, Clock, HostTime, Moment, Motion, Turn};
use crate::lacks::{Lack, Lacks};
use crate::meters::{Count, Meters};
use crate::musician::Ends;
use crate::params::AntiphonParams;
use crate::port::{ChannelMode, Event, Outlet, Port, Sound, as_midi, each_key};
use crate::schedule::{Exit, Schedule};
use crate::thru::{Batch, Thru};
use antiphon_engine::session::Command;

/// Consecutive blocks beginning with a jump that indicate a fault rather than the user.
const RESTLESS: u8 = 8;

/// Everything that lives on the audio thread.
pub struct RealTime {
    stage: Stage,
    batch: Batch,
    meters: Arc<Meters>,
    /// Parameter values of the last block; `None` before the first.
    last: Option<Watched>,
    /// Whether a reset happened since the last block. A reset cannot send note-offs.
    was_reset: bool,
    /// Consecutive blocks that began with a jump.
    jumps: u8,
}

/// The stages a note passes through.
struct Stage {
    clock: Clock,
    capture: Capture,
    schedule: Schedule,
    thru: Thru,
    outlet: Outlet,
}

/// Values whose change has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watched {
    generation: u32,
    mode: Mode,
    bypass: bool,
    /// Play, Another, Keep.
    triggers: [bool; 3],
}

/// Commands in the order of [`WatchedParams::triggers`].
const COMMANDS: [Command; 3] = [Command::Play, Command::Another, Command::Keep];

impl Watched {
    fn read(params: &AntiphonParams) -> Self {
        Self {
            generation: params.state.generation(),
            mode: params.mode.value().into(),
            bypass: params.bypass.value(),
            triggers: [params.play.value(), params.another.value(), params.keep.value()],
        }
    }

    /// Whether the change makes the current plan stale.
    fn voids(self, last: Self) -> bool {
        (self.generation, self.mode, self.bypass) != (last.generation, last.mode, last.bypass)
    }

    /// Commands whose trigger went on. Loading a state with a trigger on is no command.
    fn commands(self, last: Self) -> impl Iterator<Item = Command> {
        let asked = move |&(index, _): &(usize, Command)| self.triggers[index] && !last.triggers[index];
        COMMANDS.into_iter().enumerate().filter(asked).filter(move |_| self.generation == last.generation).map(|(_, command)| command)
    }
}

impl RealTime {
    /// A stopped instance with all memory allocated.
    #[must_use]
    pub fn new(ends: Ends) -> Self {
        let Ends { heard, planned, meters } = ends;
        let stage = Stage {
            clock: Clock::new(),
            capture: Capture::new(heard, Arc::clone(&meters)),
            schedule: Schedule::new(planned, Arc::clone(&meters)),
            thru: Thru::new(),
            outlet: Outlet::default(),
        };
        Self { stage, batch: Batch::new(), meters, last: None, was_reset: false, jumps: 0 }
    }

    /// Sets the sample rate in hertz.
    pub fn set_sample_rate(&mut self, hertz: f32) {
        self.stage.clock.set_sample_rate(hertz);
    }

    /// Messages sent to the session since the instance was created.
    #[must_use]
    pub const fn told(&self) -> u64 {
        self.stage.capture.told()
    }

    /// The host's reset: sounding planned notes end in the next block.
    pub fn reset(&mut self) {
        self.stage.clock.rest();
        self.stage.schedule.forget_player();
        self.was_reset = true;
    }

    /// Processes one block.
    pub fn process(&mut self, params: &AntiphonParams, host: &HostTime, frames: u32, port: &mut impl Port) {
        let watched = Watched::read(params);
        let last = self.last.replace(watched).unwrap_or(watched);
        let stage = &mut self.stage;
        stage.outlet.settle(port);
        stage.thru.set_sound(Option::<Role>::from(params.input_role.value()).map_or(Sound::ByChannel, Sound::of));
        stage.thru.set_open(params.thru.value() || watched.bypass, &mut stage.outlet, port);

        let turns = stage.clock.begin(host, frames);
        let start = stage.clock.span().moment(0);
        let was_reset = std::mem::take(&mut self.was_reset);
        if was_reset || watched.bypass != last.bypass {
            stage.capture.lose_player();
        }
        if !watched.bypass {
            stage.capture.catch_up(start);
        }
        if was_reset || watched.voids(last) {
            stage.void(start, port);
        }
        let jumps = turns.first.is_some_and(|turn| turn.cause == Cause::Locate);
        if let Some(turn) = turns.first {
            stage.turn(turn, port);
        }
        stage.schedule.receive(stage.capture.epoch(), &stage.clock.span());
        if watched.bypass {
            stage.schedule.forget();
        } else {
            stage.ask(watched.commands(last), port);
        }
        stage.play(&mut self.batch, watched.bypass, turns.within, port);

        let end = stage.clock.span().end();
        if stage.clock.motion() != Motion::Listening && !watched.bypass {
            stage.capture.reach(end, stage.clock.tempo(), || params.controls());
        }
        self.meters.set(Count::Refused, stage.outlet.refused());
        self.jumps = if jumps { self.jumps.saturating_add(1) } else { 0 };
        let lacks = Lacks::of(host, stage.clock.has_sample_rate(), self.jumps >= RESTLESS);
        self.meters.set_lacks(if host.playing && stage.clock.counts_bars() { lacks.with(Lack::BarLines) } else { lacks });
        self.meters.set_time(end, stage.clock.tempo(), stage.clock.motion());
    }
}

impl Stage {
    /// Ends sounding planned notes and makes the plan stale.
    fn void(&mut self, at: Moment, port: &mut impl Port) {
        self.release(0, at, port);
        self.schedule.forget();
        self.capture.void(at);
    }

    /// Handles a transport change. A loop ends sounding planned notes, but the plan continues after it.
    fn turn(&mut self, turn: Turn, port: &mut impl Port) {
        let ends_epoch = !matches!(turn.cause, Cause::Loop | Cause::Metre);
        if turn.cause != Cause::Metre {
            self.release(turn.sample, turn.at, port);
        }
        if ends_epoch {
            self.schedule.forget();
        }
        self.capture.turn(turn, ends_epoch);
    }

    /// Ends all sounding planned notes.
    fn release(&mut self, sample: u32, at: Moment, port: &mut impl Port) {
        self.schedule.release(&mut Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture });
    }

    /// Runs the player's commands at the start of the block. Play starts a stopped clock.
    fn ask(&mut self, commands: impl Iterator<Item = Command>, port: &mut impl Port) {
        for command in commands {
            if command == Command::Play {
                self.wake(0, port);
            }
            self.capture.command(command, self.clock.span().moment(0));
        }
    }

    fn wake(&mut self, sample: u32, port: &mut impl Port) {
        if let Some(turn) = self.clock.wake(sample) {
            self.turn(turn, port);
        }
    }

    /// Processes the samples of the block at which something happens.
    fn play(&mut self, batch: &mut Batch, bypass: bool, mut within: Option<Turn>, port: &mut impl Port) {
        let mut sample = 0;
        let mut next = port.next().map(as_midi);
        loop {
            let happens =
                [next.map(|event| event.timing()), within.map(|turn| turn.sample), self.schedule.next_sample(&self.clock.span(), sample)];
            let Some(earliest) = happens.into_iter().flatten().min() else { break };
            sample = sample.max(earliest);
            if let Some(turn) = within.take_if(|turn| turn.sample <= sample) {
                self.turn(turn, port);
            }
            while let Some(event) = next.filter(|event| event.timing() <= sample && !batch.is_full()) {
                batch.push(event);
                next = port.next().map(as_midi);
            }
            self.play_sample(batch, sample, bypass, port);
            batch.clear();
        }
    }

    /// Everything at one sample: note-offs, controllers, note-ons.
    fn play_sample(&mut self, batch: &Batch, sample: u32, bypass: bool, port: &mut impl Port) {
        let span = self.clock.span();
        let at = span.moment(sample);
        self.schedule.end(&span, &mut Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture });
        let strikes = || batch.rest().filter(|event| matches!(event, NoteEvent::NoteOn { .. }));
        if !bypass && strikes().next().is_some() {
            self.wake(sample, port);
        }
        // The clock may just have been started.
        let span = self.clock.span();
        let at = span.moment(sample);
        // The plan's note-offs go first: events that take keys from the plan are handled before anything else is sent.
        batch.rest().filter(|event| takes_keys(event)).for_each(|event| self.own(event, sample, port));
        for event in batch.offs().iter().chain(batch.rest()) {
            self.own(event, sample, port);
            if !bypass {
                self.capture.play(event, at);
            }
            self.thru.pass(*event, &mut self.outlet, port);
        }
        self.schedule.start(&span, &mut Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture });
    }

    /// Updates the key table: if the player strikes a key that the plan is sounding, the plan's note-off is sent.
    fn own(&mut self, event: &Event, sample: u32, port: &mut impl Port) {
        let at = self.clock.span().moment(sample);
        let mut exit = Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture };
        match *event {
            NoteEvent::NoteOn { channel, key, .. } => {
                each_key(channel, key, |key| self.schedule.player_on(key, &mut exit));
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                each_key(channel, key, |key| self.schedule.player_off(key, self.thru.is_open(), &mut exit));
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, .. } if takes_keys(event) => {
                self.schedule.player_channel_off(channel, self.thru.is_open(), &mut exit);
            }
            _ => {}
        }
    }
}

/// Whether a player's event may end a planned note without being its note-off.
fn takes_keys(event: &Event) -> bool {
    match *event {
        NoteEvent::NoteOn { .. } => true,
        NoteEvent::MidiCC { cc, .. } => ChannelMode::of(cc).is_some_and(ChannelMode::ends_notes),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
