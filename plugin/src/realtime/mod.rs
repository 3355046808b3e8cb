//! The audio thread's path through one block. Nothing here allocates, locks, waits or logs.

use std::sync::Arc;

use antiphon_engine::music::Role;
use antiphon_engine::plan::{PlayMode, Take, TakeMode, Variation, whole};
use nice_plug::midi::NoteEvent;

use crate::capture::Capture;
use crate::clock::{Cause, Clock, HostTime, Motion, MusicalTime, TransportEvent};
use crate::host_issues::{HostIssue, HostIssues};
use crate::meters::{Count, Meters};
use crate::params::{AntiphonParams, ModeStep, TRIGGERS};
use crate::planning_session::AudioThreadPorts;
use crate::port::{ChannelMode, Event, EventOutput, Port, Sound, each_key, normalise_note_on};
use crate::replay::Replay;
use crate::schedule::{NoteOutput, Received, Schedule};
use crate::thru::{Batch, Thru};
use crate::triggers::{Input, TriggerFilter};
use antiphon_engine::session::{Command, FADE};

/// Most presses of one trigger that a block carries out: as many as a hand can give in the longest one.
const MOST_PRESSES: u32 = 8;
/// Consecutive blocks beginning with a jump that indicate a fault rather than the user.
const SUSPICIOUS_JUMPS: u8 = 8;

/// Everything that lives on the audio thread.
pub struct RealTime {
    path: NotePath,
    batch: Batch,
    meters: Arc<Meters>,
    /// Parameter values of the last block; `None` before the first.
    last: Option<WatchedParams>,
    /// Value of Mode and generation of the state in the last block; `None` before the first.
    mode: Option<(ModeStep, u32)>,
    /// Whether a reset happened since the last block. A reset cannot send note-offs.
    was_reset: bool,
    /// Consecutive blocks that began with a jump.
    jumps: u8,
    /// Samples per millisecond; 0 before the sample rate is known.
    samples_per_ms: f64,
}

/// The stages a note passes through.
struct NotePath {
    clock: Clock,
    capture: Capture,
    schedule: Schedule,
    replay: Replay,
    thru: Thru,
    triggers: TriggerFilter,
    output: EventOutput,
}

/// Effect of the player's notes besides thru.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlayerNotes {
    /// None: the instance is bypassed.
    Ignored,
    /// They are captured.
    Captured,
    /// They are captured, and the plan gives way to them.
    TakeOver,
}

/// Values whose change has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WatchedParams {
    generation: u32,
    mode: PlayMode,
    bypass: bool,
    /// Whether the take plays, and nothing else.
    replays: bool,
    /// How often each trigger went on, in the order of [`COMMANDS`].
    presses: [u32; COMMANDS.len()],
}

/// Commands of the trigger parameters, in the order of their ids.
const COMMANDS: [Command; TRIGGERS.len()] = [
    Command::Play,
    Command::Another,
    Command::Keep,
    Command::Stop,
    Command::Panic,
    Command::Variation(Variation::A),
    Command::Variation(Variation::B),
    Command::Variation(Variation::C),
    Command::Variation(Variation::D),
    Command::Forget,
];

impl WatchedParams {
    fn read(params: &AntiphonParams) -> Self {
        Self {
            generation: params.state.generation(),
            mode: params.play_mode(),
            bypass: params.bypass.value(),
            replays: params.output.take() == TakeMode::Replay,
            presses: params.triggers().map(|(_, presses)| presses.count()),
        }
    }

    /// Whether the change makes the current plan stale.
    fn invalidates_plan(self, last: Self) -> bool {
        (self.generation, self.mode, self.bypass, self.replays) != (last.generation, last.mode, last.bypass, last.replays)
    }

    /// Effect of the player's notes.
    fn player_notes(self) -> PlayerNotes {
        match self.mode {
            _ if self.bypass => PlayerNotes::Ignored,
            // A take is not interrupted.
            PlayMode::Answer if !self.replays => PlayerNotes::TakeOver,
            _ => PlayerNotes::Captured,
        }
    }

    /// Commands whose trigger went on, each as often as it did, up to [`MOST_PRESSES`].
    fn commands(self, last: Self) -> impl Iterator<Item = Command> {
        let presses = self.presses.into_iter().zip(last.presses).map(|(now, before)| now.wrapping_sub(before).min(MOST_PRESSES));
        COMMANDS.into_iter().zip(presses).flat_map(|(command, times)| (0..times).map(move |_| command))
    }
}

impl RealTime {
    /// A stopped instance with all memory allocated.
    #[must_use]
    pub fn new(ports: AudioThreadPorts) -> Self {
        let AudioThreadPorts { events, planned, takes, meters } = ports;
        let path = NotePath {
            clock: Clock::new(),
            capture: Capture::new(events, Arc::clone(&meters)),
            schedule: Schedule::new(planned, Arc::clone(&meters)),
            replay: Replay::new(takes),
            thru: Thru::new(),
            triggers: TriggerFilter::default(),
            output: EventOutput::default(),
        };
        Self { path, batch: Batch::new(), meters, last: None, mode: None, was_reset: false, jumps: 0, samples_per_ms: 0.0 }
    }

    /// Sets the sample rate in hertz.
    pub fn set_sample_rate(&mut self, hertz: f32) {
        self.path.clock.set_sample_rate(hertz);
        self.samples_per_ms = f64::from(hertz) / 1000.0;
    }

    /// Messages sent to the session since the instance was created.
    #[must_use]
    pub const fn events_sent(&self) -> u64 {
        self.path.capture.sent()
    }

    /// Sets the take while no audio is processed.
    pub fn set_take(&mut self, take: Arc<Take>) {
        self.path.replay.set(take);
    }

    /// The host's reset: sounding planned notes end in the next block.
    pub fn reset(&mut self) {
        self.path.clock.stop();
        self.path.schedule.clear_player_keys();
        self.path.triggers.reset();
        self.was_reset = true;
    }

    /// A change of the parameter Mode, or a loaded project, ends what a learnt trigger has chosen.
    fn follow_mode(&mut self, params: &AntiphonParams) {
        let set = (params.mode.value(), params.state.generation());
        if self.mode.replace(set).is_some_and(|last| last != set) {
            params.mode_switch.clear();
        }
    }

    /// Processes one block.
    pub fn process(&mut self, params: &AntiphonParams, host: &HostTime, frames: u32, port: &mut impl Port) {
        self.follow_mode(params);
        let watched = WatchedParams::read(params);
        let last = self.last.replace(watched).unwrap_or(watched);
        let path = &mut self.path;
        path.output.resend_note_offs(port);
        path.thru.set_sound(Option::<Role>::from(params.input_role.value()).map_or(Sound::ByChannel, Sound::of));
        path.thru.set_open(params.thru.value() || watched.bypass, &mut path.output, port);

        let events = path.clock.begin(host, frames);
        let start = path.clock.span().time(0);
        let was_reset = std::mem::take(&mut self.was_reset);
        if was_reset || watched.bypass != last.bypass {
            path.capture.lose_input();
            path.triggers.reset();
        }
        if !watched.bypass {
            path.capture.flush_pending(start);
        }
        if was_reset || watched.invalidates_plan(last) {
            path.invalidate_plan(0, start, port);
        }
        let jumps = events.first.is_some_and(|event| event.cause == Cause::Locate);
        if let Some(event) = events.first {
            path.transport_event(event, port);
        }
        path.schedule.set_offset(whole((f64::from(params.output.latency_ms()) * self.samples_per_ms).round()));
        let received = path.schedule.receive(path.capture.epoch(), &path.clock.span(), &mut path.capture);
        if watched.bypass {
            path.schedule.clear_pending();
        } else {
            if received == Received::StartClock {
                path.start_clock(0, port);
            }
            watched.commands(last).for_each(|command| path.run_command(command, 0, port));
        }
        path.replay.receive();
        if watched.replays && !watched.bypass {
            path.replay.schedule(&path.clock, events.within, host.song_loop(), &mut path.schedule);
        } else {
            path.replay.pause();
        }
        path.play(&mut self.batch, watched.player_notes(), events.within, params, port);

        let end = path.clock.span().end();
        // In the first block in bypass, too: the session handles what it has got, and then hears of no time until bypass ends.
        if path.clock.motion() != Motion::Stopped && !(watched.bypass && last.bypass) {
            path.capture.tick(end, path.clock.tempo(), host.song_loop(), || params.controls());
        }
        self.meters.set(Count::Refused, path.output.refused());
        self.jumps = if jumps { self.jumps.saturating_add(1) } else { 0 };
        let issues = HostIssues::of(host, path.clock.has_sample_rate(), self.jumps >= SUSPICIOUS_JUMPS);
        self.meters.set_host_issues(if host.playing && path.clock.counts_bars() { issues.with(HostIssue::BarLines) } else { issues });
        self.meters.set_time(end, path.clock.tempo(), path.clock.motion());
    }
}

impl NotePath {
    /// Ends sounding planned notes and makes the plan stale.
    fn invalidate_plan(&mut self, sample: u32, at: MusicalTime, port: &mut impl Port) {
        self.end_planned_notes(sample, at, port);
        self.schedule.clear_pending();
        self.capture.invalidate_plan(at);
    }

    /// Gives way to the player: pending planned notes are dropped, and sounding ones end within [`FADE`].
    fn yield_plan(&mut self, at: MusicalTime) {
        self.schedule.fade(MusicalTime(at.0 + MusicalTime::from(FADE).0), &self.clock.span());
        self.capture.yield_plan(at);
    }

    /// Handles a transport change. A loop ends sounding planned notes, but the plan continues after it.
    fn transport_event(&mut self, event: TransportEvent, port: &mut impl Port) {
        let ends_epoch = !matches!(event.cause, Cause::Loop | Cause::Metre);
        if ends_epoch {
            self.end_planned_notes(event.sample, event.at, port);
            self.schedule.clear_pending();
        } else if event.cause == Cause::Loop {
            let (events, capture) = (&mut self.output, &mut self.capture);
            self.schedule.end_before(&mut NoteOutput { sample: event.sample, at: event.at, events, port, capture });
        }
        self.capture.transport_event(event, ends_epoch);
    }

    /// Ends all sounding planned notes.
    fn end_planned_notes(&mut self, sample: u32, at: MusicalTime, port: &mut impl Port) {
        self.schedule.end_all(&mut NoteOutput { sample, at, events: &mut self.output, port, capture: &mut self.capture });
    }

    /// Runs a command of the player at a sample of the block. Play starts a stopped clock.
    fn run_command(&mut self, command: Command, sample: u32, port: &mut impl Port) {
        match command {
            Command::Play => self.start_clock(sample, port),
            // The session need not be there for silence.
            Command::Stop => self.yield_plan(self.clock.span().time(sample)),
            Command::Panic => self.invalidate_plan(sample, self.clock.span().time(sample), port),
            Command::Another
            | Command::Keep
            | Command::Forget
            | Command::Step(_)
            | Command::Star(_)
            | Command::Remove(_)
            | Command::PutBack(_)
            | Command::Variation(_)
            | Command::Lock(_)
            | Command::Unlock(_)
            | Command::UnlockAll => {}
        }
        self.capture.command(command, self.clock.span().time(sample));
    }

    fn start_clock(&mut self, sample: u32, port: &mut impl Port) {
        if let Some(event) = self.clock.start(sample) {
            self.transport_event(event, port);
        }
    }

    /// Processes the samples of the block at which something happens.
    fn play(
        &mut self,
        batch: &mut Batch,
        notes: PlayerNotes,
        mut within: Option<TransportEvent>,
        params: &AntiphonParams,
        port: &mut impl Port,
    ) {
        let mut sample = 0;
        let mut next = port.next().map(normalise_note_on);
        loop {
            let happens =
                [next.map(|event| event.timing()), within.map(|event| event.sample), self.schedule.next_sample(&self.clock.span(), sample)];
            let Some(earliest) = happens.into_iter().flatten().min() else { break };
            sample = sample.max(earliest);
            if sample > 0 {
                self.thru.release_pedals(&mut self.output, port);
            }
            if let Some(event) = within.take_if(|event| event.sample <= sample) {
                self.transport_event(event, port);
            }
            while let Some(event) = next.filter(|event| event.timing() <= sample && !batch.is_full()) {
                // Bypassed, it learns nothing and passes everything.
                let input = if notes == PlayerNotes::Ignored { Input::Play } else { self.triggers.filter(&event, &params.state.triggers) };
                match input {
                    Input::Play => batch.push(event),
                    Input::Swallow => {}
                    Input::Press(button) => match button.command() {
                        Some(command) => self.run_command(command, sample, port),
                        // It takes effect with the next block, like a change of the parameter.
                        None => params.mode_switch.choose(params.play_mode().next()),
                    },
                }
                next = port.next().map(normalise_note_on);
            }
            self.play_sample(batch, sample, notes, port);
            batch.clear();
        }
        self.thru.release_pedals(&mut self.output, port);
    }

    /// Everything at one sample: note-offs, controllers, note-ons.
    fn play_sample(&mut self, batch: &Batch, sample: u32, notes: PlayerNotes, port: &mut impl Port) {
        let span = self.clock.span();
        let at = span.time(sample);
        let strikes = batch.after_offs().any(|event| matches!(event, NoteEvent::NoteOn { .. }));
        if strikes && notes == PlayerNotes::TakeOver && self.clock.motion() != Motion::Stopped {
            self.yield_plan(at);
        }
        self.schedule.end(&span, &mut NoteOutput { sample, at, events: &mut self.output, port, capture: &mut self.capture });
        if strikes && notes != PlayerNotes::Ignored {
            self.start_clock(sample, port);
        }
        // The clock may just have been started.
        let span = self.clock.span();
        let at = span.time(sample);
        // The plan's note-offs go first: events that take keys from the plan are handled before anything else is sent.
        batch.after_offs().filter(|event| takes_keys(event)).for_each(|event| self.update_keys(event, sample, port));
        for event in batch.offs().iter().chain(batch.after_offs()) {
            self.update_keys(event, sample, port);
            if notes != PlayerNotes::Ignored {
                self.capture.input(event, at);
            }
            self.thru.pass(*event, &mut self.output, port);
        }
        self.thru.release_pedals(&mut self.output, port);
        self.schedule.start(&span, &mut NoteOutput { sample, at, events: &mut self.output, port, capture: &mut self.capture });
    }

    /// Updates the key table: if the player strikes a key that the plan is sounding, the plan's note-off is sent.
    fn update_keys(&mut self, event: &Event, sample: u32, port: &mut impl Port) {
        let at = self.clock.span().time(sample);
        let mut output = NoteOutput { sample, at, events: &mut self.output, port, capture: &mut self.capture };
        match *event {
            NoteEvent::NoteOn { channel, key, .. } => {
                each_key(channel, key, |key| self.schedule.player_on(key, &mut output));
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                each_key(channel, key, |key| self.schedule.player_off(key, self.thru.is_open(), &mut output));
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, .. } if takes_keys(event) => {
                self.schedule.player_channel_off(channel, self.thru.is_open(), &mut output);
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
