//! Runs a history on a real instance, block by block, and checks each.

use std::collections::HashMap;
use std::mem;

use antiphon_engine::session::Command;
use antiphon_tests::{Block, ClapHost, Host, Message, Render, Setup, Timed, Vst3Host};

use crate::planning::{Engine, Planning};
use crate::script::Script;
use crate::song::Song;
use crate::step::{Controller, Format, History, Parameter, SessionRuns, Step};
use crate::watched::Watched;
use antiphon_tests::checker::{Checker, Counts, Given};

/// Planned notes that the closing section of every history must bring.
const CLOSING_NOTES: u64 = 4;
/// Bars within which it must bring them.
const CLOSING_BARS: u32 = 12;
/// Tempo of the closing section, in quarters per minute: a bar lasts a second.
const CLOSING_TEMPO: f64 = 240.0;
/// Blocks after a run of the session in which the audio thread has read what it sent.
const READ_WITHIN: u8 = 4;

/// A fault, and where it was found.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Violation {
    /// Number of the step, or of steps in all: the closing section.
    pub(crate) step: usize,
    /// What is wrong.
    pub(crate) fault: String,
}

/// Effects of earlier steps on blocks to come.
#[derive(Debug, Default)]
struct Ahead {
    /// Whether the plan is invalid from the next block on.
    ends_plan: bool,
    /// Samples for which a VST3 host may be writing controllers back.
    settling: u64,
    /// Whether the window's Play may still start the clock: `None` no, otherwise for so many blocks once the session has run.
    window_play: Option<u8>,
}

/// A history in progress.
struct Run<'a> {
    history: &'a History,
    engine: Engine,
    script: Script,
    host: Box<dyn Host>,
    planning: Planning,
    checker: Checker,
    song: Song,
    /// Messages for the next block, with their place in it.
    queue: Vec<(u8, Message)>,
    /// Keys that the player's fingers hold.
    held: Vec<(u8, u8)>,
    /// Last value of each controller.
    controllers: HashMap<(u8, u8, u8), u16>,
    watched: Watched,
    /// Parameters set since the last block.
    pending: Vec<(Parameter, f64)>,
    /// Saved states, with the values of the parameters.
    saved: Vec<(Vec<u8>, Watched)>,
    ahead: Ahead,
}

/// Runs a history and its closing section; returns what happened in both, or the first fault.
pub(crate) fn run(history: &History, engine: Engine) -> Result<Counts, Violation> {
    let script = Script::new(history.plan_seed);
    let host = make(history, engine);
    let planning = Planning::take(engine, &script);
    let song = Song { playing: false, is_reported: true, position: 0.0, tempo: history.tempo, metre: (4, 4), cycle: None };
    let mut run = Run {
        history,
        engine,
        script,
        host,
        planning,
        checker: Checker::default(),
        song,
        queue: Vec::new(),
        held: Vec::new(),
        controllers: HashMap::new(),
        watched: Watched::DEFAULT,
        pending: Vec::new(),
        saved: Vec::new(),
        ahead: Ahead::default(),
    };
    run.begin();
    for (number, step) in history.steps.iter().enumerate() {
        run.step(*step).map_err(|fault| Violation { step: number, fault })?;
    }
    run.close().map_err(|fault| Violation { step: history.steps.len(), fault })?;
    Ok(run.checker.counts)
}

fn make(history: &History, engine: Engine) -> Box<dyn Host> {
    let render = if engine == Engine::Real { Render::Offline } else { Render::RealTime };
    let setup = Setup { sample_rate: history.sample_rate, longest_block: 2048, render };
    match (history.format, engine) {
        (Format::Clap, Engine::Scripted) => Box::new(ClapHost::with_manual_session(history.class(), setup)),
        (Format::Vst3, Engine::Scripted) => Box::new(Vst3Host::with_manual_session(history.class(), setup)),
        (Format::Clap, Engine::Real) => Box::new(ClapHost::observed(history.class(), setup)),
        (Format::Vst3, Engine::Real) => Box::new(Vst3Host::observed(history.class(), setup)),
    }
}

impl Run<'_> {
    fn step(&mut self, step: Step) -> Result<(), String> {
        match step {
            Step::Blocks { frames, count, session } => {
                for number in 0..count {
                    self.block(frames)?;
                    if session == SessionRuns::EachBlock || number + 1 == count {
                        self.run_session();
                    }
                }
            }
            Step::Strike { channel, key, velocity, at } => {
                if !self.held.contains(&(channel, key)) {
                    if velocity > 0 {
                        self.held.push((channel, key));
                    }
                    self.queue.push((at, Message::NoteOn { channel, key, velocity: f32::from(velocity) / 127.0 }));
                }
            }
            Step::Release { number, at } => {
                if let Some((channel, key)) = self.finger(number) {
                    self.held.retain(|held| *held != (channel, key));
                    self.queue.push((at, Message::NoteOff { channel, key, velocity: 0.5 }));
                }
            }
            Step::StrayRelease { channel, key, at } => {
                self.held.retain(|held| *held != (channel, key));
                self.queue.push((at, Message::NoteOff { channel, key, velocity: 0.25 }));
            }
            Step::Send { message, at } => self.send(message, at),
            Step::Roll => self.song.playing = true,
            Step::Halt => self.song.playing = false,
            Step::Transport { reported } => self.song.is_reported = reported,
            Step::Locate { quarters } => self.song.position = quarters,
            Step::Cycle { length } => self.song.cycle = length.map(|length| (self.song.bar(), self.song.bar() + length)),
            Step::Tempo { bpm } => self.song.tempo = bpm,
            Step::Metre { numerator, denominator } => self.song.metre = (numerator, denominator),
            Step::Set { parameter, value } => self.set(parameter, value),
            Step::Window { command } => {
                self.planning.send(command.into());
                if Command::from(command) == Command::Play {
                    self.ahead.window_play = Some(READ_WITHIN);
                }
            }
            Step::Save => {
                let chunk = self.host.save();
                self.saved.push((chunk, self.watched));
            }
            Step::Load { number } => self.load(number)?,
            Step::LoadDamaged { byte } => self.load_damaged(byte)?,
            Step::WriteBack => self.write_back(),
            Step::Reset => {
                self.host.reset();
                self.lose_keys();
            }
            Step::Reactivate => {
                self.host.reactivate();
                self.lose_keys();
            }
            Step::Recreate => self.recreate(),
            Step::Worker { runs, fails } => self.script.set(runs, fails),
        }
        Ok(())
    }

    /// The held key of this number.
    fn finger(&self, number: u8) -> Option<(u8, u8)> {
        self.held.get(usize::from(number) % self.held.len().max(1)).copied()
    }

    /// Queues a controller message.
    fn send(&mut self, message: Controller, at: u8) {
        let message = match message {
            Controller::Control { channel, controller, value } => Message::Control { channel, controller, value },
            Controller::Bend { channel, value } => Message::Bend { channel, value },
            Controller::ChannelPressure { channel, value } => Message::ChannelPressure { channel, value },
            Controller::KeyPressure { number, value } => {
                let Some((channel, key)) = self.finger(number) else { return };
                Message::KeyPressure { channel, key, pressure: f32::from(value) / 127.0 }
            }
        };
        self.queue.push((at, message));
    }

    /// Whether the plug-in must take this for a message. A VST3 plug-in sees values of parameters: one that stands already, or that the host may
    /// only have written back, is none.
    fn is_clear(&mut self, message: &Message) -> bool {
        let (value, default) = match *message {
            Message::Control { controller: 7, value, .. } => (u16::from(value), 100),
            Message::Control { controller: 11, value, .. } => (u16::from(value), 127),
            Message::Control { value, .. } | Message::ChannelPressure { value, .. } => (u16::from(value), 0),
            Message::Bend { value, .. } => (value, 8192),
            _ => return true,
        };
        if self.history.format == Format::Clap {
            return true;
        }
        // After a reset or a load a controller may be at its default.
        self.ahead.settling == 0 && value != default && self.controllers.insert(message.subject(), value) != Some(value)
    }

    fn set(&mut self, parameter: Parameter, value: f64) {
        self.host.set(parameter.name(), value);
        self.pending.push((parameter, value));
    }

    fn load(&mut self, number: u8) -> Result<(), String> {
        let Some((chunk, watched)) = self.saved.get(usize::from(number) % self.saved.len().max(1)) else { return Ok(()) };
        if !self.host.load(chunk) {
            return Err("a state that was saved is refused".to_owned());
        }
        (self.watched, self.ahead.ends_plan) = (*watched, true);
        self.settle();
        Ok(())
    }

    /// Loads a damaged state, which changes nothing or what can be read of it.
    fn load_damaged(&mut self, byte: u16) -> Result<(), String> {
        let mut chunk = self.host.save();
        let length = chunk.len();
        if let Some(byte) = chunk.get_mut(usize::from(byte) % length.max(1)) {
            *byte ^= 0x41;
        }
        self.host.load(&chunk);
        self.settle();
        // Known again by the state that is loaded now.
        let sound = self.saved.last().map(|(chunk, watched)| (chunk.clone(), *watched));
        match sound {
            Some((chunk, watched)) if self.host.load(&chunk) => (self.watched, self.ahead.ends_plan) = (watched, true),
            Some(_) => return Err("a state that was saved is refused after a damaged one".to_owned()),
            None => self.recreate(),
        }
        Ok(())
    }

    /// From now on a second long, controllers that change may have been written back.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample rate")]
    fn settle(&mut self) {
        self.ahead.settling = self.history.sample_rate as u64 + 1;
    }

    fn write_back(&mut self) {
        self.host.write_back();
        // The values now in force overwrite, in the next block, what was set since the last one.
        let Watched { thru, bypass, mode, play, panic, replays } = self.watched;
        let switch = |on: bool| f64::from(u8::from(on));
        self.pending.extend([
            (Parameter::Thru, switch(thru)),
            (Parameter::Bypass, switch(bypass)),
            (Parameter::Mode, f64::from(mode) / 4.0),
            (Parameter::Play, switch(play)),
            (Parameter::Panic, switch(panic)),
            (Parameter::Take, switch(replays) / 2.0),
        ]);
        // In the next block.
        self.ahead.settling = self.ahead.settling.max(1);
    }

    /// The instance takes the player's keys as released, and its plan ends.
    fn lose_keys(&mut self) {
        self.checker.reset();
        self.ahead.ends_plan = true;
    }

    fn recreate(&mut self) {
        // The instance goes while its session still plans.
        self.host = make(self.history, self.engine);
        self.planning = Planning::take(self.engine, &self.script);
        self.checker.recreate();
        self.controllers.clear();
        self.pending.clear();
        self.saved.clear();
        (self.watched, self.ahead.ends_plan, self.ahead.window_play) = (Watched::DEFAULT, false, None);
        self.begin();
    }

    /// The preview synth takes more time than all else.
    fn begin(&mut self) {
        if !self.history.has_preview {
            self.set(Parameter::Preview, 0.0);
        }
    }

    fn run_session(&mut self) {
        self.planning.run();
    }

    /// Processes one block, and checks what it sends.
    fn block(&mut self, frames: u32) -> Result<(), String> {
        let messages = self.messages(frames);
        let before = self.watched;
        mem::take(&mut self.pending).into_iter().for_each(|(parameter, value)| self.watched.set(parameter, value));
        let ending = |watched: Watched| (watched.mode, watched.bypass, watched.replays);
        let changed = ending(before) != ending(self.watched) || self.watched.panic && !before.panic;
        let triggered = self.watched.play && !before.play;
        let transport = self.song.transport();
        let given = Given {
            frames,
            messages: &messages,
            thru: self.watched.thru,
            bypass: self.watched.bypass,
            playing: transport.is_some_and(|transport| transport.playing),
            play_pressed: triggered || self.ahead.window_play.is_some(),
            ends_plan: changed || mem::take(&mut self.ahead.ends_plan),
        };
        let outcome = self.host.process(&Block { frames, transport, messages: &messages, ..Block::default() });
        self.checker.check(given, &outcome.messages)?;
        // One block in eight: the check takes longer than the block.
        if self.checker.counts.blocks.is_multiple_of(8) && outcome.audio.iter().flatten().any(|sample| !sample.is_finite()) {
            return Err("a sample of the output was not written, or is not a number".to_owned());
        }
        self.ahead.settling = self.ahead.settling.saturating_sub(frames.into());
        self.ahead.window_play = self.ahead.window_play.and_then(|blocks| blocks.checked_sub(1));
        self.song.advance(f64::from(frames) / self.history.sample_rate * self.song.tempo / 60.0);
        Ok(())
    }

    /// The queued messages, in order, at most one about a key or controller at a sample.
    fn messages(&mut self, frames: u32) -> Vec<Timed> {
        let mut messages: Vec<Timed> = Vec::new();
        for (at, message) in mem::take(&mut self.queue) {
            if !self.is_clear(&message) {
                continue;
            }
            let mut sample = u64::from(at) * u64::from(frames) / 256;
            let is_about = |other: &Timed| other.message.subject() == message.subject();
            // Later messages about the same key or controller keep their order.
            if let Some(last) = messages.iter().filter(|other| is_about(other)).map(|other| other.sample).max() {
                sample = sample.max(last + 1);
            }
            if sample < u64::from(frames) {
                messages.push(Timed { sample, message });
            } else if let Message::NoteOn { channel, key, .. } = message {
                self.held.retain(|held| *held != (channel, key));
            } else if let Message::NoteOff { channel, key, .. } = message {
                self.held.push((channel, key));
            }
        }
        messages.sort_by_key(|timed| timed.sample);
        messages
    }

    /// The closing section: whatever has happened, a chord and Play bring planned notes, and a stop silence.
    fn close(&mut self) -> Result<(), String> {
        self.script.set(0, false);
        let open =
            [(Parameter::Bypass, 0.0), (Parameter::Mode, 0.0), (Parameter::Thru, 1.0), (Parameter::Play, 0.0), (Parameter::Take, 0.0)];
        for (parameter, value) in open {
            self.set(parameter, value);
        }
        let held = mem::take(&mut self.held);
        self.queue.extend(held.into_iter().map(|(channel, key)| (0, Message::NoteOff { channel, key, velocity: 0.0 })));
        self.song = Song { playing: false, is_reported: true, position: 0.0, tempo: CLOSING_TEMPO, metre: (4, 4), cycle: None };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample rate")]
        let frames = (self.history.sample_rate / 8.0) as u32;
        let frames = frames.min(2048);
        self.closing_block(frames)?;
        self.song.playing = true;
        self.closing_block(frames)?;
        for (number, key) in (0..).zip([60, 64, 67]) {
            self.step(Step::Strike { channel: 0, key, velocity: 100, at: number })?;
        }
        self.closing_block(frames)?;
        self.closing_block(frames)?;
        for _ in 0..3 {
            self.step(Step::Release { number: 0, at: 0 })?;
        }
        while self.song.position < 2.5 {
            self.closing_block(frames)?;
        }
        let before = self.checker.counts.planned;
        let mut blocks = 0_u32;
        while self.checker.counts.planned < before + CLOSING_NOTES {
            if self.song.position > f64::from(CLOSING_BARS * 4) {
                let notes = self.checker.counts.planned - before;
                let status = self.planning.status();
                return Err(format!("Play brought {notes} planned notes within {CLOSING_BARS} bars, expected {CLOSING_NOTES}; {status:?}"));
            }
            // Once a bar: on a machine that counts as slow a phrase is a bar long.
            match blocks % 8 {
                0 => self.set(Parameter::Play, 1.0),
                4 => self.set(Parameter::Play, 0.0),
                _ => {}
            }
            blocks += 1;
            self.closing_block(frames)?;
        }
        self.song.playing = false;
        (0..3).try_for_each(|_| self.closing_block(frames))
    }

    fn closing_block(&mut self, frames: u32) -> Result<(), String> {
        self.block(frames)?;
        self.run_session();
        Ok(())
    }
}
