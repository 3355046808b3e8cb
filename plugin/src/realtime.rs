//! The audio thread's path through one block. Nothing here allocates, locks, waits or logs.

use std::sync::Arc;

use antiphon_engine::music::Role;
use antiphon_engine::plan::Mode;
use nice_plug::midi::NoteEvent;

use crate::capture::Capture;
use crate::clock::{Cause, Clock, HostTime, Moment, Motion, Turn};
use crate::lacks::Lacks;
use crate::meters::{Count, Meters};
use crate::musician::{Command, Ends};
use crate::params::AntiphonParams;
use crate::port::{Event, Outlet, Port, Sound, keys};
use crate::schedule::{Exit, Schedule};
use crate::thru::{Batch, Thru};

/// So many blocks in a row that begin with a jump are no player's doing.
const RESTLESS: u8 = 8;

/// What lives on the audio thread.
pub struct RealTime {
    stage: Stage,
    batch: Batch,
    meters: Arc<Meters>,
    /// The parameters as they stood in the last block; `None` before the first.
    last: Option<Watched>,
    /// A reset since the last block: it had no way to send note-offs.
    was_reset: bool,
    /// How many blocks in a row began with a jump.
    jumps: u8,
}

/// The rooms that notes pass through.
struct Stage {
    clock: Clock,
    capture: Capture,
    schedule: Schedule,
    thru: Thru,
    outlet: Outlet,
}

/// What makes something happen when it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watched {
    generation: u32,
    mode: Mode,
    bypass: bool,
    /// Play, Another, Keep.
    triggers: [bool; 3],
}

/// In the order of [`Watched::triggers`].
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

    /// Whether what was planned is void.
    fn voids(self, last: Self) -> bool {
        (self.generation, self.mode, self.bypass) != (last.generation, last.mode, last.bypass)
    }

    /// The triggers that went on. A state that is loaded with one on asks for nothing.
    fn commands(self, last: Self) -> impl Iterator<Item = Command> {
        let asked = move |&(index, _): &(usize, Command)| self.triggers[index] && !last.triggers[index];
        COMMANDS.into_iter().enumerate().filter(asked).filter(move |_| self.generation == last.generation).map(|(_, command)| command)
    }
}

impl RealTime {
    /// At rest, with all the room it will ever need.
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

    /// The host's sample rate, in hertz.
    pub fn set_sample_rate(&mut self, hertz: f32) {
        self.stage.clock.set_sample_rate(hertz);
    }

    /// Messages told to the musician since the instance was made.
    #[must_use]
    pub const fn told(&self) -> u64 {
        self.stage.capture.told()
    }

    /// The host's reset: what sounds is released with the next block.
    pub fn reset(&mut self) {
        self.stage.clock.rest();
        self.stage.schedule.forget_player();
        self.was_reset = true;
    }

    /// One block.
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
        self.meters.set_lacks(Lacks::of(host, stage.clock.has_sample_rate(), self.jumps >= RESTLESS));
        self.meters.set_time(end, stage.clock.tempo(), stage.clock.motion());
    }
}

impl Stage {
    /// What was planned is void: it ends.
    fn void(&mut self, at: Moment, port: &mut impl Port) {
        self.release(0, at, port);
        self.schedule.forget();
        self.capture.void(at);
    }

    /// The song goes on elsewhere, or not at all. A loop ends what sounds, and what was planned goes on after it.
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

    /// Ends everything that sounds of the plan.
    fn release(&mut self, sample: u32, at: Moment, port: &mut impl Port) {
        self.schedule.release(&mut Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture });
    }

    /// The player's commands, at the start of the block. Play sets a clock going that only listened.
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

    /// Plays the samples of the block at which something happens.
    fn play(&mut self, batch: &mut Batch, bypass: bool, mut within: Option<Turn>, port: &mut impl Port) {
        let mut sample = 0;
        let mut next = port.next();
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
                next = port.next();
            }
            self.play_sample(batch, sample, bypass, port);
            batch.clear();
        }
    }

    /// Everything of one sample: note-offs, controllers, note-ons.
    fn play_sample(&mut self, batch: &Batch, sample: u32, bypass: bool, port: &mut impl Port) {
        let span = self.clock.span();
        let at = span.moment(sample);
        self.schedule.end(&span, &mut Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture });
        let strikes = || batch.rest().filter(|event| matches!(event, NoteEvent::NoteOn { .. }));
        if !bypass && strikes().next().is_some() {
            self.wake(sample, port);
        }
        // The clock may have begun to run just now.
        let span = self.clock.span();
        let at = span.moment(sample);
        strikes().for_each(|event| self.own(event, sample, port));
        for event in batch.offs().iter().chain(batch.rest()) {
            self.own(event, sample, port);
            if !bypass {
                self.capture.play(event, at);
            }
            self.thru.pass(*event, &mut self.outlet, port);
        }
        self.schedule.start(&span, &mut Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture });
    }

    /// Keeps the table of keys: where the player strikes one that the plan sounds, the plan's note-off goes out.
    fn own(&mut self, event: &Event, sample: u32, port: &mut impl Port) {
        let at = self.clock.span().moment(sample);
        let mut exit = Exit { sample, at, outlet: &mut self.outlet, port, capture: &mut self.capture };
        match *event {
            NoteEvent::NoteOn { channel, key, .. } => {
                keys(channel, key).for_each(|key| self.schedule.player_on(key, &mut exit));
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                keys(channel, key).for_each(|key| self.schedule.player_off(key, self.thru.is_open(), &mut exit));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Note, Tick};
    use antiphon_engine::plan::Key;
    use nice_plug::params::Params;
    use ringbuf::traits::{Consumer, Producer};

    use super::*;
    use crate::clock::Position;
    use crate::musician::{Epoch, Heard, Planned, Seat, rings};
    use crate::port::scripted::Scripted;
    use crate::port::{note_off, note_on};

    const KEY: Key = Key::new(0, 60).unwrap();
    /// 120 bpm at 48 kHz: 1000 samples a tick.
    const FRAMES: u32 = 1000;

    /// An instance, its musician's seat and its host, a tick per block.
    struct Instance {
        realtime: RealTime,
        seat: Seat,
        params: AntiphonParams,
        port: Scripted,
        host: HostTime,
    }

    impl Instance {
        fn new() -> Self {
            let params = AntiphonParams::new(false);
            let (ends, seat) = rings(Arc::clone(&params.state));
            let mut realtime = RealTime::new(ends);
            realtime.set_sample_rate(48_000.0);
            let position = Position::Musical(0.0);
            let host = HostTime { playing: true, tempo: Some(120.0), metre: None, position, bar_line: None, cycle: None };
            Self { realtime, seat, params, port: Scripted::default(), host }
        }

        /// One tick; what came out.
        fn block(&mut self, inputs: &[Event]) -> Vec<Event> {
            self.port.inputs.extend(inputs);
            self.realtime.process(&self.params, &self.host, FRAMES, &mut self.port);
            if let (true, Position::Musical(ticks)) = (self.host.playing, &mut self.host.position) {
                *ticks += 1.0;
            }
            std::mem::take(&mut self.port.outputs)
        }

        fn heard(&mut self) -> Vec<Heard> {
            self.seat.heard.pop_iter().collect()
        }

        fn plan(&mut self, epoch: u32, onset: i64, duration: i64) {
            self.plan_pitch(epoch, onset, duration, KEY.pitch());
        }

        fn plan_pitch(&mut self, epoch: u32, onset: i64, duration: i64, pitch: u8) {
            let note = Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 90, role: Role::Keys };
            self.seat.planned.try_push(Planned::Note { epoch: Epoch(epoch), note, channel: 0 }).unwrap();
        }

        /// Sets a parameter as a host does.
        fn set(&self, id: &str, normalised: f32) {
            let (_, param, _) = self.params.param_map().into_iter().find(|(name, ..)| name == id).unwrap();
            // SAFETY: the pointer lives as long as `params`.
            unsafe { param._internal_set_normalized_value(normalised) };
        }

        /// Plays until a planned note sounds that would last a long time.
        fn sound(&mut self) {
            self.block(&[]);
            self.plan(1, 1, 1000);
            assert_eq!(self.block(&[]), [note_on(0, KEY, 90)]);
        }

        /// The commands that the musician heard of in one block.
        fn asked(&mut self) -> Vec<Command> {
            self.block(&[]);
            let command = |heard| if let Heard::Command { command, .. } = heard { Some(command) } else { None };
            self.heard().into_iter().filter_map(command).collect()
        }
    }

    #[test]
    fn a_planned_note_sounds_on_its_tick() {
        let mut instance = Instance::new();
        instance.block(&[]);
        instance.plan(1, 2, 3);
        let out: Vec<_> = (0..6).map(|_| instance.block(&[])).collect();
        assert_eq!(out, [vec![], vec![note_on(0, KEY, 90)], vec![], vec![], vec![note_off(0, KEY)], vec![]]);
    }

    #[test]
    fn drums_sound_as_drums_on_any_channel() {
        let mut instance = Instance::new();
        instance.block(&[note_on(0, KEY, 9)]);
        assert_eq!(instance.port.sounds, [Sound::ByChannel]);
        instance.set("input_role", 0.75);
        instance.block(&[note_on(0, KEY, 9)]);
        assert_eq!(instance.port.sounds[1..], [Sound::Percussion]);
        let note = Note { onset: Tick(3), offset: 0, duration: Tick(1), pitch: 40, velocity: 90, role: Role::Drums };
        for note in [note, Note { pitch: 41, role: Role::Bass, ..note }] {
            instance.seat.planned.try_push(Planned::Note { epoch: Epoch(1), note, channel: 0 }).unwrap();
        }
        instance.port.sounds.clear();
        instance.block(&[]);
        instance.block(&[]);
        assert_eq!(instance.port.sounds, [Sound::Percussion, Sound::ByChannel]);
    }

    #[test]
    fn everything_that_ends_a_plan_releases_it() {
        type End = (&'static str, fn(&mut Instance));
        let ends: [End; 8] = [
            ("stop", |instance| instance.host.playing = false),
            ("locate", |instance| instance.host.position = Position::Musical(500.25)),
            ("backwards", |instance| instance.host.position = Position::Musical(-9.0)),
            ("loop", |instance| {
                instance.host.cycle = Some((0.0, 2.0));
                instance.host.position = Position::Musical(0.0);
            }),
            ("bypass", |instance| instance.set("bypass", 1.0)),
            ("reset", |instance| instance.realtime.reset()),
            ("mode", |instance| instance.set("mode", 0.25)),
            ("state", |instance| instance.params.deserialize_fields(&instance.params.serialize_fields())),
        ];
        for (name, end) in ends {
            let mut instance = Instance::new();
            instance.sound();
            end(&mut instance);
            assert_eq!(instance.block(&[]), [note_off(0, KEY)], "{name}");
            for _ in 0..3 {
                assert_eq!(instance.block(&[]), [], "{name}");
            }
        }
    }

    #[test]
    fn what_was_planned_before_a_locate_is_stale_after_it() {
        let mut instance = Instance::new();
        instance.block(&[]);
        instance.plan(1, 3, 1);
        instance.block(&[]);
        instance.host.position = Position::Musical(500.0);
        instance.block(&[]);
        instance.plan(1, 3, 1);
        assert_eq!((0..5).flat_map(|_| instance.block(&[])).count(), 0);
        assert_eq!(instance.seat.meters.count(Count::Stale), 1);
    }

    #[test]
    fn what_was_planned_goes_on_after_a_loop() {
        let mut instance = Instance::new();
        instance.sound();
        instance.plan(1, 3, 1);
        instance.host.cycle = Some((0.0, 2.0));
        instance.host.position = Position::Musical(0.0);
        let out: Vec<_> = (0..3).map(|_| instance.block(&[])).collect();
        assert_eq!(out, [vec![note_off(0, KEY)], vec![note_on(0, KEY, 90)], vec![note_off(0, KEY)]]);
    }

    #[test]
    fn the_player_takes_a_key_and_keeps_it() {
        let mut instance = Instance::new();
        instance.block(&[]);
        instance.plan(1, 1, 2);
        instance.plan(1, 4, 1);
        instance.block(&[]);
        let played = note_on(500, KEY, 20);
        assert_eq!(instance.block(&[played]), [note_off(500, KEY), played]);
        // Neither the end of the planned note nor the next one gets in the way.
        assert_eq!((0..4).flat_map(|_| instance.block(&[])).count(), 0);
        assert_eq!(instance.seat.meters.count(Count::Yielded), 1);
        assert_eq!(instance.block(&[note_off(7, KEY)]), [note_off(7, KEY)]);
        let of_plan = |heard: &Heard| matches!(heard, Heard::Sounds { .. } | Heard::Ends { .. });
        let told: Vec<_> = instance.heard().into_iter().filter(of_plan).collect();
        let note = Note { onset: Tick(1), offset: 0, duration: Tick(2), pitch: KEY.pitch(), velocity: 90, role: Role::Keys };
        assert_eq!(told, [Heard::Sounds { at: Moment(1.0), note, channel: 0 }, Heard::Ends { at: Moment(2.5), key: KEY }]);
    }

    #[test]
    fn the_end_of_what_sounds_is_told_before_what_ended_it() {
        let mut instance = Instance::new();
        instance.sound();
        instance.heard();
        instance.host.position = Position::Musical(500.0);
        instance.block(&[]);
        assert!(matches!(instance.heard()[..], [Heard::Ends { at: Moment(2.0), key: KEY }, Heard::Turn { .. }, Heard::Reached { .. }]));
        let mut instance = Instance::new();
        instance.sound();
        instance.heard();
        instance.set("bypass", 1.0);
        instance.block(&[]);
        assert!(matches!(instance.heard()[..], [Heard::Ends { key: KEY, .. }, Heard::Void { .. }]));
    }

    #[test]
    fn a_stray_note_off_behind_a_closed_gate_leaves_no_note_hanging() {
        let mut instance = Instance::new();
        instance.set("thru", 0.0);
        instance.block(&[]);
        instance.plan(1, 1, 2);
        instance.block(&[]);
        assert_eq!(instance.block(&[note_off(5, KEY)]), []);
        assert_eq!(instance.block(&[]), [note_off(0, KEY)]);
    }

    #[test]
    fn within_a_sample_offs_go_first_then_controllers_then_ons() {
        let mut instance = Instance::new();
        let (held, struck) = (Key::new(0, 70).unwrap(), Key::new(0, 71).unwrap());
        instance.block(&[]);
        instance.plan_pitch(1, 1, 1, KEY.pitch());
        instance.plan_pitch(1, 2, 1, KEY.pitch());
        // The player takes this one from the plan.
        instance.plan_pitch(1, 1, 9, struck.pitch());
        instance.block(&[note_on(0, held, 1)]);
        let bend = NoteEvent::MidiPitchBend { timing: 0, channel: 0, value: 0.25 };
        let out = instance.block(&[note_on(0, struck, 5), bend, note_off(0, held)]);
        let ons = [note_on(0, struck, 5), note_on(0, KEY, 90)];
        assert_eq!(out, [note_off(0, KEY), note_off(0, struck), note_off(0, held), bend, ons[0], ons[1]]);
    }

    #[test]
    fn the_musician_hears_in_order_of_time() {
        let mut instance = Instance::new();
        instance.block(&[note_on(250, KEY, 33), note_off(750, KEY)]);
        let heard = instance.heard();
        let [Heard::Turn { epoch: Epoch(1), .. }, on, off, Heard::Reached { at, tempo, controls }] = heard[..] else { panic!("{heard:?}") };
        assert_eq!(on, Heard::NoteOn { at: Moment(0.25), key: KEY, velocity: 33 });
        assert_eq!(off, Heard::NoteOff { at: Moment(0.75), key: KEY });
        assert_eq!((at, tempo, controls), (Moment(1.0), 120.0, instance.params.controls()));
    }

    #[test]
    fn triggers_ask_once_and_a_loaded_state_asks_for_nothing() {
        let mut instance = Instance::new();
        assert_eq!(instance.asked(), []);
        instance.set("play", 1.0);
        assert_eq!(instance.asked(), [Command::Play]);
        assert_eq!(instance.asked(), []);
        instance.set("play", 0.0);
        instance.set("keep", 1.0);
        instance.set("another", 1.0);
        assert_eq!(instance.asked(), [Command::Another, Command::Keep]);
        instance.set("play", 1.0);
        instance.params.deserialize_fields(&instance.params.serialize_fields());
        assert_eq!(instance.asked(), []);
    }

    #[test]
    fn with_the_transport_stopped_the_player_sets_the_clock_going() {
        let mut instance = Instance::new();
        instance.host.playing = false;
        instance.block(&[]);
        assert_eq!(instance.heard(), []);
        instance.block(&[note_on(400, KEY, 9)]);
        let heard = instance.heard();
        let [Heard::Turn { turn, .. }, Heard::NoteOn { at, .. }] = heard[..2] else { panic!("{heard:?}") };
        assert_eq!((turn.cause, turn.sample, at), (Cause::Wake, 400, turn.at));
        // A note planned one tick after the first played one.
        let planned = Key::new(0, 50).unwrap();
        instance.plan_pitch(1, 1, 1, planned.pitch());
        assert_eq!(instance.block(&[]), [note_on(400, planned, 90)]);
    }

    #[test]
    fn what_is_held_is_forgotten_after_a_bypass_and_a_reset() {
        let mut instance = Instance::new();
        instance.block(&[note_on(0, KEY, 9)]);
        instance.set("bypass", 1.0);
        instance.block(&[note_off(0, KEY)]);
        instance.heard();
        instance.set("bypass", 0.0);
        instance.block(&[]);
        assert!(matches!(instance.heard()[..], [Heard::Gap { .. }, Heard::Void { .. }, Heard::Reached { .. }]));
        instance.realtime.reset();
        instance.block(&[]);
        assert!(matches!(instance.heard()[..], [Heard::Gap { .. }, Heard::Void { .. }, Heard::Turn { .. }, Heard::Reached { .. }]));
    }

    #[test]
    fn a_bypassed_instance_only_passes_on() {
        let mut instance = Instance::new();
        instance.set("bypass", 1.0);
        instance.set("thru", 0.0);
        instance.block(&[]);
        instance.heard();
        instance.plan(1, 2, 1);
        instance.plan(2, 2, 1);
        let played = [note_on(1, KEY, 9), note_off(2, KEY)];
        assert_eq!(instance.block(&played), played);
        assert_eq!(instance.block(&[]), []);
        assert_eq!(instance.heard(), []);
    }
}
