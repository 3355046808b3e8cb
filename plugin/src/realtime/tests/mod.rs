mod answer;
mod output;
mod stopped;
mod triggers;

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::{Deviation, MidiKey};
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Params, PluginState};
use ringbuf::traits::{Consumer, Producer};

use super::*;
use crate::clock::Position;
use crate::params::HostParams;
use crate::planning_session::{PlanningPorts, rings};
use crate::port::scripted::Scripted;
use crate::port::{note_off, note_on};
use crate::state::admit;
use crate::triggers::{Button, Trigger};
use antiphon_engine::session::{Epoch, InputEvent, PlannedEvent};

const KEY: MidiKey = MidiKey::new(0, 60).unwrap();
/// At 120 bpm and 48 kHz: 1000 samples per tick.
const FRAMES: u32 = 1000;

/// An instance with the planning side's ports and a simulated host. One tick per block.
struct Instance {
    realtime: RealTime,
    session: PlanningPorts,
    params: Arc<AntiphonParams>,
    port: Scripted,
    host: HostTime,
}

impl Instance {
    fn new() -> Self {
        let params = Arc::new(AntiphonParams::new(false));
        let (audio_ports, session) = rings(Arc::clone(&params.state));
        let mut realtime = RealTime::new(audio_ports);
        realtime.set_sample_rate(48_000.0);
        let position = Position::Musical(0.0);
        let host = HostTime { playing: true, tempo: Some(120.0), metre: None, position, bar_line: None, cycle: None };
        Self { realtime, session, params, port: Scripted::default(), host }
    }

    /// Plays one tick; returns the output.
    fn block(&mut self, inputs: &[Event]) -> Vec<Event> {
        self.port.inputs.extend(inputs);
        self.realtime.process(&self.params, &self.host, FRAMES, &mut self.port);
        if let (true, Position::Musical(ticks)) = (self.host.playing, &mut self.host.position) {
            *ticks += 1.0;
        }
        std::mem::take(&mut self.port.outputs)
    }

    fn sent_events(&mut self) -> Vec<InputEvent> {
        self.session.events.pop_iter().collect()
    }

    fn plan(&mut self, epoch: u32, onset: i64, duration: i64) {
        self.plan_pitch(epoch, onset, duration, KEY.pitch());
    }

    fn plan_pitch(&mut self, epoch: u32, onset: i64, duration: i64, pitch: u8) {
        let note = Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 90, role: Role::Keys };
        self.session
            .planned
            .try_push(PlannedEvent::Note { epoch: Epoch(epoch), note, channel: 0, deviation: Deviation::default() })
            .unwrap();
    }

    /// Sets a parameter as a host does.
    fn set(&self, id: &str, normalised: f32) {
        let (_, param, _) = self.params.param_map().into_iter().find(|(name, ..)| name == id).unwrap();
        // SAFETY: the pointer lives as long as `params`.
        unsafe { param._internal_set_normalized_value(normalised) };
    }

    /// Plays until a long planned note sounds.
    fn sound(&mut self) {
        self.block(&[]);
        self.plan(1, 1, 1000);
        assert_eq!(self.block(&[]), [note_on(0, KEY, 90)]);
    }

    /// Commands sent to the session in one block.
    fn commands(&mut self) -> Vec<Command> {
        self.block(&[]);
        let command = |event| if let InputEvent::Command { command, .. } = event { Some(command) } else { None };
        self.sent_events().into_iter().filter_map(command).collect()
    }
}

#[test]
fn planned_note_starts_at_its_tick() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.plan(1, 2, 3);
    let out: Vec<_> = (0..6).map(|_| instance.block(&[])).collect();
    assert_eq!(out, [vec![], vec![note_on(0, KEY, 90)], vec![], vec![], vec![note_off(0, KEY)], vec![]]);
}

#[test]
fn thru_switched_off_as_the_plan_ends_releases_pedals_after_the_plans_note_off() {
    let pedal = |value| NoteEvent::MidiCC { timing: 0, channel: 3, cc: 64, value };
    for ends_plan in [true, false] {
        let mut instance = Instance::new();
        instance.sound();
        instance.block(&[pedal(1.0)]);
        instance.set("thru", 0.0);
        instance.host.playing = !ends_plan;
        let expected = if ends_plan { vec![note_off(0, KEY), pedal(0.0)] } else { vec![pedal(0.0)] };
        assert_eq!(instance.block(&[note_on(5, KEY, 9)][..usize::from(ends_plan)]), expected);
    }
}

#[test]
fn drum_roles_use_the_percussion_sound_on_any_channel() {
    let mut instance = Instance::new();
    instance.block(&[note_on(0, KEY, 9)]);
    assert_eq!(instance.port.sounds, [Sound::ByChannel]);
    instance.set("input_role", 0.75);
    instance.block(&[note_on(0, KEY, 9)]);
    assert_eq!(instance.port.sounds[1..], [Sound::Percussion]);
    let note = Note { onset: Tick(3), offset: 0, duration: Tick(1), pitch: 40, velocity: 90, role: Role::Drums };
    for note in [note, Note { pitch: 41, role: Role::Bass, ..note }] {
        instance
            .session
            .planned
            .try_push(PlannedEvent::Note { epoch: Epoch(1), note, channel: 0, deviation: Deviation::default() })
            .unwrap();
    }
    instance.port.sounds.clear();
    instance.block(&[]);
    instance.block(&[]);
    assert_eq!(instance.port.sounds, [Sound::Percussion, Sound::ByChannel]);
}

#[test]
fn sounding_note_is_released_by_every_event_that_ends_a_plan() {
    type End = (&'static str, fn(&mut Instance));
    let ends: [End; 9] = [
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
        ("panic", |instance| instance.set("panic", 1.0)),
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
fn plan_made_before_a_locate_is_stale_after_it() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.plan(1, 3, 1);
    instance.block(&[]);
    instance.host.position = Position::Musical(500.0);
    instance.block(&[]);
    instance.plan(1, 3, 1);
    assert_eq!((0..5).flat_map(|_| instance.block(&[])).count(), 0);
    assert_eq!(instance.session.meters.count(Count::Stale), 1);
}

#[test]
fn plan_continues_after_a_loop() {
    let mut instance = Instance::new();
    instance.sound();
    instance.plan(1, 3, 1);
    instance.host.cycle = Some((0.0, 2.0));
    instance.host.position = Position::Musical(0.0);
    let out: Vec<_> = (0..3).map(|_| instance.block(&[])).collect();
    assert_eq!(out, [vec![note_off(0, KEY)], vec![note_on(0, KEY, 90)], vec![note_off(0, KEY)]]);
}

#[test]
fn key_struck_by_the_player_is_taken_from_the_plan() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.plan(1, 1, 2);
    instance.plan(1, 4, 1);
    instance.block(&[]);
    let played = note_on(500, KEY, 20);
    assert_eq!(instance.block(&[played]), [note_off(500, KEY), played]);
    // Neither the end of the planned note nor the next planned note affects the player's key.
    assert_eq!((0..4).flat_map(|_| instance.block(&[])).count(), 0);
    assert_eq!(instance.session.meters.count(Count::Yielded), 1);
    assert_eq!(instance.block(&[note_off(7, KEY)]), [note_off(7, KEY)]);
    let of_plan = |event: &InputEvent| matches!(event, InputEvent::NoteStarted { .. } | InputEvent::NoteEnded { .. });
    let reports: Vec<_> = instance.sent_events().into_iter().filter(of_plan).collect();
    let note = Note { onset: Tick(1), offset: 0, duration: Tick(2), pitch: KEY.pitch(), velocity: 90, role: Role::Keys };
    assert_eq!(
        reports,
        [
            InputEvent::NoteStarted { at: MusicalTime(1.0), note, channel: 0, deviation: Deviation::default() },
            InputEvent::NoteEnded { at: MusicalTime(2.5), key: KEY }
        ]
    );
}

#[test]
fn note_end_is_sent_before_the_event_that_caused_it() {
    let mut instance = Instance::new();
    instance.sound();
    instance.sent_events();
    instance.host.position = Position::Musical(500.0);
    instance.block(&[]);
    assert!(matches!(
        instance.sent_events()[..],
        [InputEvent::NoteEnded { at: MusicalTime(2.0), key: KEY }, InputEvent::TransportChange { .. }, InputEvent::TimeReached { .. }]
    ));
    let mut instance = Instance::new();
    instance.sound();
    instance.sent_events();
    instance.set("bypass", 1.0);
    instance.block(&[]);
    assert!(matches!(
        instance.sent_events()[..],
        [InputEvent::NoteEnded { key: KEY, .. }, InputEvent::PlanInvalidated { .. }, InputEvent::TimeReached { .. }]
    ));
}

#[test]
fn stray_note_off_with_thru_off_leaves_no_hanging_note() {
    let mut instance = Instance::new();
    instance.set("thru", 0.0);
    instance.block(&[]);
    instance.plan(1, 1, 2);
    instance.block(&[]);
    assert_eq!(instance.block(&[note_off(5, KEY)]), []);
    assert_eq!(instance.block(&[]), [note_off(0, KEY)]);
}

#[test]
fn events_of_one_sample_are_sent_as_note_offs_controllers_note_ons() {
    let mut instance = Instance::new();
    let (held, struck) = (MidiKey::new(0, 70).unwrap(), MidiKey::new(0, 71).unwrap());
    instance.block(&[]);
    instance.plan_pitch(1, 1, 1, KEY.pitch());
    instance.plan_pitch(1, 2, 1, KEY.pitch());
    // The player takes this key from the plan.
    instance.plan_pitch(1, 1, 9, struck.pitch());
    instance.block(&[note_on(0, held, 1)]);
    let bend = NoteEvent::MidiPitchBend { timing: 0, channel: 0, value: 0.25 };
    let out = instance.block(&[note_on(0, struck, 5), bend, note_off(0, held)]);
    let ons = [note_on(0, struck, 5), note_on(0, KEY, 90)];
    assert_eq!(out, [note_off(0, KEY), note_off(0, struck), note_off(0, held), bend, ons[0], ons[1]]);
}

#[test]
fn channel_mode_message_ends_the_plan_and_frees_the_keys_of_its_channel() {
    let free = MidiKey::new(0, 50).unwrap();
    for controller in [120, 123, 127] {
        let mut instance = Instance::new();
        let message = NoteEvent::MidiCC { timing: 7, channel: 0, cc: controller, value: 0.0 };
        let bend = NoteEvent::MidiPitchBend { timing: 7, channel: 0, value: 0.25 };
        instance.block(&[note_on(0, free, 9)]);
        instance.plan(1, 1, 1000);
        instance.block(&[]);
        assert_eq!(instance.block(&[bend, message]), [note_off(7, KEY), bend, message], "{controller}");
        // The player's key counts as released, so the plan may use it.
        instance.plan_pitch(1, 3, 1, free.pitch());
        assert_eq!(instance.block(&[]), [note_on(0, free, 90)], "{controller}");
    }
    let mut instance = Instance::new();
    instance.set("thru", 0.0);
    instance.sound();
    assert_eq!(instance.block(&[NoteEvent::MidiCC { timing: 7, channel: 0, cc: 123, value: 0.0 }]), [], "it stays inside");
}

#[test]
fn note_on_with_velocity_0_releases_its_key() {
    let mut instance = Instance::new();
    instance.block(&[note_on(0, KEY, 9)]);
    instance.sent_events();
    assert_eq!(instance.block(&[note_on(5, KEY, 0)]), [note_off(5, KEY)]);
    let off = |event: &InputEvent| matches!(event, InputEvent::NoteOff { key: KEY, .. });
    assert!(instance.sent_events().iter().any(off));
    instance.plan(1, 2, 1);
    assert_eq!(instance.block(&[]), [note_on(0, KEY, 90)]);
}

#[test]
fn captured_events_are_in_order_of_time() {
    let mut instance = Instance::new();
    instance.block(&[note_on(250, KEY, 33), note_off(750, KEY)]);
    let events = instance.sent_events();
    let [InputEvent::TransportChange { epoch: Epoch(1), .. }, on, off, InputEvent::TimeReached { at, tempo, controls, .. }] = events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(on, InputEvent::NoteOn { at: MusicalTime(0.25), key: KEY, velocity: 33 });
    assert_eq!(off, InputEvent::NoteOff { at: MusicalTime(0.75), key: KEY });
    assert_eq!((at, tempo, controls), (MusicalTime(1.0), 120.0, instance.params.controls()));
}

#[test]
fn trigger_sends_one_command_and_a_loaded_state_none() {
    let mut instance = Instance::new();
    assert_eq!(instance.commands(), []);
    instance.set("play", 1.0);
    assert_eq!(instance.commands(), [Command::Play]);
    assert_eq!(instance.commands(), []);
    instance.set("play", 0.0);
    instance.set("keep", 1.0);
    instance.set("another", 1.0);
    assert_eq!(instance.commands(), [Command::Another, Command::Keep]);
    // Within one block.
    for value in [1.0, 0.0, 1.0] {
        instance.set("play", value);
    }
    assert_eq!(instance.commands(), [Command::Play; 2]);
    for trigger in TRIGGERS {
        instance.set(trigger, 0.0);
    }
    let values = TRIGGERS.map(|trigger| (trigger.to_owned(), ParamValue::Bool(true)));
    let mut chunk = PluginState { version: String::new(), params: values.into(), fields: instance.params.serialize_fields() };
    admit(&mut chunk);
    assert!(chunk.params.is_empty(), "nice-plug sets the parameters first; a block may run before it hands over the fields");
    HostParams(Arc::clone(&instance.params)).deserialize_fields(&chunk.fields);
    assert_eq!(instance.commands(), []);
    instance.set("play", 0.0);
    instance.set("play", 1.0);
    assert_eq!(instance.commands(), [Command::Play], "the state is loaded");
}

#[test]
fn gap_is_sent_after_a_bypass_and_a_reset() {
    let mut instance = Instance::new();
    instance.block(&[note_on(0, KEY, 9)]);
    instance.set("bypass", 1.0);
    instance.block(&[note_off(0, KEY)]);
    instance.sent_events();
    instance.set("bypass", 0.0);
    instance.block(&[]);
    assert!(matches!(
        instance.sent_events()[..],
        [InputEvent::InputLost { .. }, InputEvent::PlanInvalidated { .. }, InputEvent::TimeReached { .. }]
    ));
    instance.realtime.reset();
    instance.block(&[]);
    assert!(matches!(
        instance.sent_events()[..],
        [
            InputEvent::InputLost { .. },
            InputEvent::PlanInvalidated { .. },
            InputEvent::TransportChange { .. },
            InputEvent::TimeReached { .. }
        ]
    ));
}

#[test]
fn bypassed_instance_passes_events_and_sends_none() {
    let mut instance = Instance::new();
    instance.set("bypass", 1.0);
    instance.set("thru", 0.0);
    instance.block(&[]);
    instance.sent_events();
    instance.plan(1, 2, 1);
    instance.plan(2, 2, 1);
    let played = [note_on(1, KEY, 9), note_off(2, KEY)];
    assert_eq!(instance.block(&played), played);
    assert_eq!(instance.block(&[]), []);
    assert_eq!(instance.sent_events(), []);
}
