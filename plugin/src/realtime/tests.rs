use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::{Deviation, MidiKey};
use nice_plug::params::Params;
use ringbuf::traits::{Consumer, Producer};

use super::*;
use crate::clock::Position;
use crate::planning_session::{PlanningPorts, rings};
use crate::port::scripted::Scripted;
use crate::port::{note_off, note_on};
use crate::triggers::{Button, Trigger};
use antiphon_engine::session::{Epoch, InputEvent, PlannedEvent};

const KEY: MidiKey = MidiKey::new(0, 60).unwrap();
/// At 120 bpm and 48 kHz: 1000 samples per tick.
const FRAMES: u32 = 1000;

/// An instance with the planning side's ports and a simulated host. One tick per block.
struct Instance {
    realtime: RealTime,
    session: PlanningPorts,
    params: AntiphonParams,
    port: Scripted,
    host: HostTime,
}

impl Instance {
    fn new() -> Self {
        let params = AntiphonParams::new(false);
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
    assert!(matches!(instance.sent_events()[..], [InputEvent::NoteEnded { key: KEY, .. }, InputEvent::PlanInvalidated { .. }]));
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
    let [InputEvent::TransportChange { epoch: Epoch(1), .. }, on, off, InputEvent::TimeReached { at, tempo, controls }] = events[..] else {
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
    instance.set("play", 1.0);
    instance.params.deserialize_fields(&instance.params.serialize_fields());
    assert_eq!(instance.commands(), []);
}

#[test]
fn panic_drops_pending_notes_and_tells_the_session_after_the_new_epoch() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.plan(1, 3, 1);
    instance.block(&[]);
    instance.sent_events();
    instance.set("panic", 1.0);
    instance.plan(1, 4, 1);
    assert!((0..4).all(|_| instance.block(&[]).is_empty()));
    let events = instance.sent_events();
    let at = MusicalTime(2.0);
    let expected = [InputEvent::PlanInvalidated { epoch: Epoch(2), at }, InputEvent::Command { at, command: Command::Panic }];
    assert_eq!(events[..2], expected);
}

#[test]
fn output_offset_moves_planned_notes_and_not_the_players() {
    // Normalised value and samples: 10 ms either way.
    for (value, offset) in [(0.4, -480i64), (0.6, 480)] {
        let mut instance = Instance::new();
        instance.set("latency_ms", value);
        instance.block(&[]);
        instance.plan(1, 3, 2);
        let other = MidiKey::new(0, 72).unwrap();
        let mut out = Vec::new();
        for block in 1..8i64 {
            let player = if block == 3 { vec![note_on(100, other, 50)] } else { Vec::new() };
            let base = block * i64::from(FRAMES);
            out.extend(instance.block(&player).into_iter().map(|event| (base + i64::from(event.timing()), event)));
        }
        let at = |sample: i64, event: fn(u32, MidiKey) -> Event| (sample, event(u32::try_from(sample % i64::from(FRAMES)).unwrap(), KEY));
        let mut expected =
            vec![(3100, note_on(100, other, 50)), at(3000 + offset, |at, key| note_on(at, key, 90)), at(5000 + offset, note_off)];
        expected.sort_by_key(|(sample, _)| *sample);
        assert_eq!(out, expected, "offset {offset}");
    }
}

#[test]
fn early_note_that_would_start_in_the_past_is_late() {
    let mut instance = Instance::new();
    instance.set("latency_ms", 0.0);
    instance.block(&[]);
    // 50 ms are 2.4 ticks.
    instance.plan_pitch(1, 3, 1, 60);
    instance.plan_pitch(1, 4, 1, 61);
    instance.block(&[]);
    let sounds = instance.port.sounds.len();
    assert_eq!((sounds, instance.realtime.meters.count(Count::Late)), (1, 1));
}

#[test]
fn loop_ends_the_notes_before_it_and_not_early_ones_of_the_next_round() {
    let mut instance = Instance::new();
    instance.set("latency_ms", 0.4);
    instance.host.cycle = Some((0.0, 4.0));
    instance.block(&[]);
    let other = MidiKey::new(0, 62).unwrap();
    instance.plan_pitch(1, 2, 100, 60);
    instance.plan_pitch(1, 4, 2, 62);
    instance.block(&[]);
    instance.block(&[]);
    assert_eq!(instance.block(&[]), [note_on(520, other, 90)]);
    instance.host.position = Position::Musical(0.0);
    assert_eq!(instance.block(&[]), [note_off(0, KEY)]);
    assert_eq!(instance.block(&[]), [note_off(520, other)]);
}

#[test]
fn note_with_the_transport_stopped_starts_the_clock() {
    let mut instance = Instance::new();
    instance.host.playing = false;
    instance.block(&[]);
    assert_eq!(instance.sent_events(), []);
    instance.block(&[note_on(400, KEY, 9)]);
    let events = instance.sent_events();
    let [InputEvent::TransportChange { change, .. }, InputEvent::NoteOn { at, .. }] = events[..2] else { panic!("{events:?}") };
    assert_eq!((change.cause, at), (Cause::Wake, change.at));
    // A note planned one tick after the first played one.
    let planned = MidiKey::new(0, 50).unwrap();
    instance.plan_pitch(1, 1, 1, planned.pitch());
    assert_eq!(instance.block(&[]), [note_on(400, planned, 90)]);
}

#[test]
fn play_in_the_window_starts_a_stopped_clock() {
    let mut instance = Instance::new();
    instance.host.playing = false;
    instance.block(&[]);
    let start = |epoch| PlannedEvent::StartClock { epoch: Epoch(epoch) };
    instance.session.planned.try_push(start(7)).unwrap();
    instance.block(&[]);
    assert_eq!(instance.sent_events(), [], "outdated epoch");
    instance.set("bypass", 1.0);
    instance.block(&[]);
    instance.sent_events();
    instance.session.planned.try_push(start(1)).unwrap();
    instance.block(&[]);
    assert_eq!(instance.sent_events(), [], "a bypassed instance keeps its clock stopped");
    instance.set("bypass", 0.0);
    instance.block(&[]);
    instance.sent_events();
    instance.session.planned.try_push(start(2)).unwrap();
    instance.block(&[]);
    let events = instance.sent_events();
    let [InputEvent::TransportChange { epoch: Epoch(3), change }, InputEvent::TimeReached { .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(change.cause, Cause::Wake);
    // It is running already.
    instance.session.planned.try_push(start(3)).unwrap();
    instance.block(&[]);
    assert!(matches!(instance.sent_events()[..], [InputEvent::TimeReached { .. }]));
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

/// An instance in Answer, with a planned note that sounds from tick 1 to 1001 and one that starts at tick 9.
fn answering() -> Instance {
    let mut instance = Instance::new();
    instance.set("mode", 0.25);
    instance.sound();
    instance.plan_pitch(1, 9, 5, 48);
    instance.block(&[]);
    instance.sent_events();
    instance
}

#[test]
fn player_who_returns_in_answer_drops_the_plan_and_what_sounds_ends_a_beat_later() {
    let mut instance = answering();
    let played = note_on(250, MidiKey::new(0, 72).unwrap(), 90);
    assert_eq!(instance.block(&[played]), [played], "what sounds is not cut");
    let events = instance.sent_events();
    let at = MusicalTime(3.25);
    assert_eq!(events[0], InputEvent::PlanYielded { epoch: Epoch(2), at });
    assert!(matches!(events[1], InputEvent::NoteOn { at: on, .. } if on == at));
    // What the session sent before it knew.
    instance.plan_pitch(1, 12, 5, 50);
    let out: Vec<_> = (0..60).flat_map(|tick| instance.block(&[]).into_iter().map(move |event| (tick + 4, event))).collect();
    assert_eq!(out, [(27, note_off(250, KEY))]);
    assert!(instance.sent_events().contains(&InputEvent::NoteEnded { at: MusicalTime(27.25), key: KEY }));
    assert_eq!(instance.session.meters.count(Count::Stale), 1);
    // What it sends then, plays.
    instance.plan_pitch(2, 65, 5, 50);
    assert_eq!((0..3).flat_map(|_| instance.block(&[])).count(), 1);
}

#[test]
fn note_that_ends_before_the_beat_is_over_keeps_its_end_in_answer() {
    let mut instance = Instance::new();
    instance.set("mode", 0.25);
    instance.block(&[]);
    instance.plan(1, 1, 10);
    instance.block(&[]);
    instance.block(&[note_on(0, MidiKey::new(0, 72).unwrap(), 90)]);
    let out: Vec<_> = (3..20).flat_map(|tick| instance.block(&[]).into_iter().map(move |event| (tick, event))).collect();
    assert_eq!(out, [(11, note_off(0, KEY))]);
    assert!(!instance.sent_events().iter().any(|event| matches!(event, InputEvent::NoteEnded { .. })));
}

#[test]
fn planned_note_due_when_the_player_returns_does_not_start() {
    let mut instance = Instance::new();
    instance.set("mode", 0.25);
    instance.block(&[]);
    instance.plan(1, 1, 10);
    let played = note_on(0, MidiKey::new(0, 72).unwrap(), 90);
    assert_eq!(instance.block(&[played]), [played]);
}

#[test]
fn plan_does_not_give_way_in_other_modes() {
    for mode in [0.0, 0.5, 0.75] {
        let mut instance = Instance::new();
        instance.set("mode", mode);
        instance.sound();
        instance.sent_events();
        instance.block(&[note_on(250, MidiKey::new(0, 72).unwrap(), 90)]);
        assert!(!instance.sent_events().iter().any(|event| matches!(event, InputEvent::PlanYielded { .. })), "{mode}");
    }
}

#[test]
fn note_ends_a_beat_after_the_player_returns_whatever_the_output_offset() {
    for step in [0.3, 0.5, 0.7] {
        let mut instance = Instance::new();
        instance.set("mode", 0.25);
        // 20 milliseconds early, none, or late.
        instance.set("latency_ms", step);
        instance.block(&[]);
        instance.plan(1, 2, 1000);
        for _ in 1..6 {
            instance.block(&[]);
        }
        instance.block(&[note_on(250, MidiKey::new(0, 72).unwrap(), 90)]);
        let out: Vec<_> = (7..60).flat_map(|tick| instance.block(&[]).into_iter().map(move |event| (tick, event))).collect();
        assert_eq!(out, [(30, note_off(250, KEY))], "at step {step}");
    }
}

#[test]
fn learnt_triggers_press_their_buttons_at_their_sample_and_go_no_further() {
    let mut instance = Instance::new();
    let pedal = |timing, value| NoteEvent::MidiCC { timing, channel: 0, cc: 64, value };
    let key = MidiKey::new(0, 24).unwrap();
    let learnt =
        [(Button::Play, Trigger::Key { channel: 0, pitch: 24 }), (Button::Another, Trigger::Controller { channel: 0, number: 64 })];
    instance.params.state.triggers.restore(&learnt.into());
    instance.host.playing = false;
    instance.block(&[]);
    instance.sent_events();
    let played = [note_on(300, key, 90), pedal(400, 1.0), note_on(500, KEY, 90), note_off(600, key), pedal(700, 0.0)];
    assert_eq!(instance.block(&played), [note_on(500, KEY, 90)]);
    let sent = instance.sent_events();
    let [
        InputEvent::TransportChange { .. },
        InputEvent::Command { command: Command::Play, at },
        InputEvent::Command { command: Command::Another, at: later },
        InputEvent::NoteOn { key: KEY, .. },
        ..,
    ] = sent[..]
    else {
        panic!("{sent:?}")
    };
    // The clock started with Play.
    assert!((later.0 - at.0 - 0.1).abs() < 1e-6, "{at:?} {later:?}");
    // Bypassed, everything passes.
    instance.set("bypass", 1.0);
    instance.block(&[]);
    instance.sent_events();
    assert_eq!(instance.block(&[note_on(0, key, 90), note_off(1, key)]), [note_on(0, key, 90), note_off(1, key)]);
    assert!(!instance.sent_events().iter().any(|event| matches!(event, InputEvent::Command { .. })));
}

#[test]
fn next_key_is_learnt_by_the_button_that_waits_and_presses_from_then_on() {
    let mut instance = Instance::new();
    instance.block(&[]);
    instance.params.state.triggers.learn(Some(Button::Keep));
    assert_eq!(instance.block(&[note_on(0, KEY, 90), note_off(1, KEY)]), []);
    let commands = |instance: &mut Instance| {
        let command = |event| if let InputEvent::Command { command, .. } = event { Some(command) } else { None };
        instance.sent_events().into_iter().filter_map(command).collect::<Vec<_>>()
    };
    assert_eq!(commands(&mut instance), []);
    assert_eq!(instance.block(&[note_on(0, KEY, 90), note_off(1, KEY)]), []);
    assert_eq!(commands(&mut instance), [Command::Keep]);
}
