//! Planned notes start and end at their exact sample and in order, and end with the plan.
//!
//! Longer than other files: all tests share the driver and what is expected of it.

use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::Deviation;
use antiphon_engine::session::{Command, Epoch, InputEvent, PlannedEvent};
use antiphon_plugin::clock::Cause;
use antiphon_plugin::meters::Count;
use antiphon_plugin::planning_session::PlanningPorts;
use antiphon_tests::linked::take_ports;
use antiphon_tests::{Block, Class, Host, Lengths, Message, Outputs, RollingTransport, Setup, Timed, Transport};
use ringbuf::traits::{Consumer, Producer};

use crate::{LENGTHS, MANUAL, Random, TEMPI, assert_in_order, playing, sorted, still_held};

/// First planned tick: beyond the longest burst of blocks at the fastest tempo.
const FIRST_TICK: i64 = 48;

/// A plan's notes in order of time, none on a key still sounding.
fn plan(seed: u32, notes: usize) -> Vec<Note> {
    let mut dice = Random(seed);
    let mut free_from = [0; 128];
    let mut onset = FIRST_TICK;
    let mut plan = Vec::new();
    while plan.len() < notes {
        onset += i64::from(dice.roll(4));
        let (pitch, duration) = (dice.byte(128), i64::from(dice.roll(40)) + 1);
        if free_from[usize::from(pitch)] > onset {
            continue;
        }
        // Offsets of up to half a tick: two notes on one key stay a tick apart.
        free_from[usize::from(pitch)] = onset + duration + 2;
        let offset = i8::try_from(dice.roll(8)).unwrap() - 4;
        plan.push(Note { onset: Tick(onset), offset, duration: Tick(duration), pitch, velocity: dice.byte(127) + 1, role: Role::Keys });
    }
    plan.sort_by(|one, other| ticks(one).0.total_cmp(&ticks(other).0));
    plan
}

/// Start and end of a note, in ticks.
fn ticks(note: &Note) -> (f64, f64) {
    let at = |tick: Tick| f64::from(i32::try_from(tick.0).unwrap()) + f64::from(note.offset) / 8.0;
    (at(note.onset), at(note.end()))
}

/// Messages a plan must produce.
fn expected(plan: &[Note], roll: &RollingTransport) -> Vec<Timed> {
    let on = |note: &Note| Message::NoteOn { channel: 0, key: note.pitch, velocity: f32::from(note.velocity) / 127.0 };
    let off = |note: &Note| Message::NoteOff { channel: 0, key: note.pitch, velocity: 0.0 };
    let ends = |note: &Note| {
        let (start, end) = ticks(note);
        [Timed { sample: roll.sample_of(start), message: on(note) }, Timed { sample: roll.sample_of(end), message: off(note) }]
    };
    sorted(&plan.iter().flat_map(ends).collect::<Vec<_>>())
}

/// The planning side of an instance, driven by the test.
struct SessionDriver {
    ports: PlanningPorts,
    epoch: Epoch,
    events: Vec<InputEvent>,
}

impl SessionDriver {
    fn new() -> Self {
        Self { ports: take_ports(), epoch: Epoch(0), events: Vec::new() }
    }

    fn receive(&mut self) {
        let before = self.events.len();
        self.events.extend(self.ports.events.pop_iter());
        for event in &self.events[before..] {
            if let InputEvent::TransportChange { epoch, .. }
            | InputEvent::PlanInvalidated { epoch, .. }
            | InputEvent::PlanYielded { epoch, .. } = *event
            {
                self.epoch = epoch;
            }
        }
    }

    fn send(&mut self, notes: &[Note]) {
        for &note in notes {
            self.ports
                .planned
                .try_push(PlannedEvent::Note { epoch: self.epoch, note, channel: 0, deviation: Deviation::default() })
                .unwrap();
        }
    }

    fn count(&self, count: Count) -> u64 {
        self.ports.meters.count(count)
    }
}

/// Sends notes in order of time, each at most `ahead` ticks before it starts, at intervals of at least `every` samples.
struct Stream<'a> {
    session: &'a mut SessionDriver,
    left: &'a [Note],
    ahead: f64,
    every: u64,
    next: u64,
    per_tick: f64,
}

impl Stream<'_> {
    fn act(&mut self, now: u64) {
        self.session.receive();
        if self.session.epoch == Epoch(0) || now < self.next {
            return;
        }
        self.next = now + self.every;
        let until = now as f64 / self.per_tick + self.ahead;
        let due = self.left.partition_point(|note| ticks(note).0 < until);
        let (now, later) = self.left.split_at(due);
        self.session.send(now);
        self.left = later;
    }
}

#[test]
fn planned_notes_are_sent_at_their_samples_at_any_block_length() {
    for (format, make) in MANUAL {
        for (index, (lengths, (tempo, sample_rate))) in LENGTHS.into_iter().flat_map(|l| TEMPI.map(|t| (l, t))).enumerate() {
            let plan = plan(u32::try_from(index).unwrap() + 1, 250);
            let mut roll = RollingTransport::new(tempo, sample_rate);
            let expected = expected(&plan, &roll);
            let until = expected.last().unwrap().sample + 1;
            let mut host = make(Class::ALL[index % 2], Setup { sample_rate, ..Setup::default() });
            let mut session = SessionDriver::new();
            // All at once; or just in time, once per block; or just in time every 200 ms, as with anticipative hosts.
            let (ahead, every) = [(f64::INFINITY, 0), (40.0, 0), (40.0, roll.sample_of(4.8 * tempo / 60.0))][index % 3];
            let mut stream = Stream { session: &mut session, left: &plan, ahead, every, next: 0, per_tick: roll.samples_per_tick() };
            let sent = roll.play(&mut *host, lengths, &[], until, |now, _| stream.act(now));
            assert_eq!(stream.left, [], "{format}, {lengths:?}");
            assert_in_order(&sent);
            assert_eq!(sorted(&sent), expected, "{format}, {lengths:?}, {tempo} bpm at {sample_rate} Hz");
            assert_eq!((session.count(Count::Played), session.count(Count::Late)), (250, 0));
        }
    }
}

#[test]
fn plan_gives_way_to_the_player_in_answer_at_the_same_samples_at_any_block_length() {
    for (format, make) in MANUAL {
        for (index, lengths) in LENGTHS.into_iter().enumerate() {
            let plan = plan(u32::try_from(index).unwrap() + 50, 250);
            let mut roll = RollingTransport::new(120.0, 48_000.0);
            // A tick is 1,000 samples. The player returns in the middle of a tick, while some notes sound that last longer than a beat.
            let (back, until) = (150_500, 300_000);
            let struck = [
                Timed { sample: back, message: Message::NoteOn { channel: 5, key: 60, velocity: 1.0 } },
                Timed { sample: back + 7, message: Message::NoteOff { channel: 5, key: 60, velocity: 0.0 } },
            ];
            let started: Vec<_> = plan.iter().filter(|note| ticks(note).0 < 150.5).copied().collect();
            assert!(started.iter().any(|note| ticks(note).1 > 174.5) && started.len() < plan.len());
            let cut = |timed: Timed| match timed.message {
                Message::NoteOff { .. } => Timed { sample: timed.sample.min(back + 24_000), ..timed },
                _ => timed,
            };
            let whole: Vec<_> = expected(&started, &roll).into_iter().map(cut).chain(struck).collect();
            let mut host = make(Class::ALL[index % 2], Setup::default());
            host.set("Mode", 0.25);
            let mut session = SessionDriver::new();
            let mut stream =
                Stream { session: &mut session, left: &plan, ahead: f64::INFINITY, every: 0, next: 0, per_tick: roll.samples_per_tick() };
            let sent = roll.play(&mut *host, lengths, &struck, until, |now, _| stream.act(now));
            assert_in_order(&sent);
            assert_eq!(sorted(&sent), sorted(&whole), "{format}, {lengths:?}");
            assert_eq!(still_held(&sent), []);
        }
    }
}

#[test]
fn position_an_hour_into_the_song_has_no_drift() {
    for (format, make) in MANUAL {
        let mut roll = RollingTransport::new(133.0, 44_100.0);
        roll.from = 133.0 * 60.0 - 16.0;
        let mut host = make(Class::Instrument, Setup { sample_rate: 44_100.0, ..Setup::default() });
        let mut session = SessionDriver::new();
        let note = |onset| Note { onset: Tick(onset), offset: 0, duration: Tick(1), pitch: 60, velocity: 1, role: Role::Keys };
        // The clock starts with the transport, without a fraction of a tick.
        let plan: Vec<_> = (4..40).map(|beat| note(beat * 24)).collect();
        let expected = expected(&plan, &roll);
        let until = expected.last().unwrap().sample + 1;
        let mut sent_yet = false;
        let sent = roll.play(&mut *host, Lengths::Fixed(480), &[], until, |now, _| {
            session.receive();
            if now > 0 && !std::mem::replace(&mut sent_yet, true) {
                session.send(&plan);
            }
        });
        assert_eq!(sent, expected, "{format}");
    }
}

#[test]
fn late_and_stale_notes_are_counted_and_not_played() {
    for (format, make) in MANUAL {
        let plan = plan(5, 100);
        let mut roll = RollingTransport::new(120.0, 48_000.0);
        let until = expected(&plan, &roll).last().unwrap().sample + 1;
        let mut host = make(Class::Instrument, Setup::default());
        let mut session = SessionDriver::new();
        let mut left = &plan[..];
        let per_tick = roll.samples_per_tick();
        let played = playing(3, until, 16);
        let sent = roll.play(&mut *host, Lengths::Fixed(256), &played, until, |now, _| {
            session.receive();
            // One sample late, and again for an outdated epoch.
            let due = left.partition_point(|note| (ticks(note).0 * per_tick).ceil() < now as f64);
            session.send(&left[..due]);
            let epoch = std::mem::replace(&mut session.epoch, Epoch(u32::MAX));
            session.send(&left[..due]);
            session.epoch = epoch;
            left = &left[due..];
        });
        assert_eq!(sorted(&sent), sorted(&played), "{format}");
        let late = u64::try_from(plan.len() - left.len()).unwrap();
        assert!(late > 90);
        assert_eq!([Count::Played, Count::Late, Count::Stale].map(|count| session.count(count)), [0, late, late], "{format}");
    }
}

#[test]
fn keys_shared_by_player_and_plan_leave_no_hanging_note() {
    for (format, make) in MANUAL {
        for (lengths, seed) in LENGTHS.into_iter().zip(1..) {
            let plan = plan(seed, 300);
            let mut roll = RollingTransport::new(133.0, 44_100.0);
            let until = expected(&plan, &roll).last().unwrap().sample + 1;
            // The player plays on the plan's channel.
            let played = playing(seed + 100, until, 1);
            let mut host = make(Class::Instrument, Setup { sample_rate: 44_100.0, ..Setup::default() });
            let mut session = SessionDriver::new();
            let mut stream =
                Stream { session: &mut session, left: &plan, ahead: 40.0, every: 0, next: 0, per_tick: roll.samples_per_tick() };
            let sent = roll.play(&mut *host, lengths, &played, until, |now, _| stream.act(now));
            assert_in_order(&sent);
            assert_eq!(still_held(&sent), [], "{format}, {lengths:?}");
            // All of the player's events are passed.
            let sent = sorted(&sent);
            assert!(played.iter().all(|timed| sent.contains(timed)), "{format}");
            assert_eq!(session.count(Count::Played) + session.count(Count::Yielded), 300, "{format}");
            assert!(session.count(Count::Played) > 150 && session.count(Count::Yielded) > 0, "{format}");
        }
    }
}

/// An instance in which a long planned note is sounding: host, session, and transport of the next block.
fn sounding(make: crate::Make) -> (Box<dyn Host>, SessionDriver, RollingTransport) {
    let mut host = make(Class::NoteFx, Setup::default());
    let mut session = SessionDriver::new();
    let mut roll = RollingTransport::new(120.0, 48_000.0);
    roll.play(&mut *host, Lengths::Fixed(500), &[], 1000, |_, _| ());
    session.receive();
    let long = Note { onset: Tick(3), offset: 0, duration: Tick(10_000), pitch: 61, velocity: 100, role: Role::Keys };
    session.send(&[long]);
    let sent = roll.play(&mut *host, Lengths::Fixed(500), &[], 4000, |_, _| ());
    assert_eq!(still_held(&sent), [(0, 61)]);
    (host, session, roll)
}

#[test]
fn sounding_note_is_released_at_once_by_every_event_that_ends_a_plan() {
    type End = (&'static str, fn(&mut dyn Host, &mut RollingTransport) -> Transport);
    let ends: [End; 8] = [
        ("stop", |_, roll| Transport { playing: false, ..roll.transport() }),
        ("locate", |_, roll| Transport { position: Some(77.3), ..roll.transport() }),
        ("loop", |_, roll| Transport { position: Some(0.0), cycle: Some((0.0, roll.transport().position.unwrap())), ..roll.transport() }),
        ("bypass", |host, roll| {
            host.set("Bypass", 1.0);
            roll.transport()
        }),
        ("reset", |host, roll| {
            host.reset();
            roll.transport()
        }),
        ("deactivation", |host, roll| {
            host.reactivate();
            roll.transport()
        }),
        ("mode", |host, roll| {
            host.set("Mode", 0.5);
            roll.transport()
        }),
        ("state", |host, roll| {
            let chunk = host.save();
            assert!(host.load(&chunk));
            roll.transport()
        }),
    ];
    for (format, make) in MANUAL {
        for (name, end) in ends {
            let (mut host, _desk, mut roll) = sounding(make);
            let transport = end(&mut *host, &mut roll);
            let sent = host.process(&Block { frames: 64, transport: Some(transport), ..Block::default() }).messages;
            let off = Timed { sample: 0, message: Message::NoteOff { channel: 0, key: 61, velocity: 0.0 } };
            assert_eq!(sent, [off], "{format}, {name}");
        }
    }
}

/// The clock runs by itself, and is stopped after reactivation: it never reaches the end of the note.
#[test]
fn deactivation_with_the_transport_stopped_releases_sounding_notes() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let mut session = SessionDriver::new();
        let stopped = Transport { playing: false, ..RollingTransport::new(120.0, 48_000.0).transport() };
        let play = |host: &mut dyn Host, messages: &[Timed]| {
            host.process(&Block { frames: 5000, transport: Some(stopped), messages, ..Block::default() }).messages
        };
        play(&mut *host, &[Timed { sample: 0, message: Message::NoteOn { channel: 1, key: 50, velocity: 1.0 } }]);
        session.receive();
        session.send(&[Note { onset: Tick(7), offset: 0, duration: Tick(10_000), pitch: 61, velocity: 100, role: Role::Keys }]);
        assert_eq!(still_held(&play(&mut *host, &[])), [(0, 61)], "{format}");
        host.reactivate();
        let off = Timed { sample: 0, message: Message::NoteOff { channel: 0, key: 61, velocity: 0.0 } };
        assert_eq!([play(&mut *host, &[]), play(&mut *host, &[])], [vec![off], vec![]], "{format}");
    }
}

/// Live gives deactivated devices no audio outputs. A CLAP host must always provide them.
#[test]
fn block_without_audio_outputs_releases_notes_and_passes_events() {
    let [_, (format, make)] = MANUAL;
    let (mut host, _desk, roll) = sounding(make);
    let on = Timed { sample: 3, message: Message::NoteOn { channel: 2, key: 50, velocity: 1.0 } };
    let off = |sample, channel, key| Timed { sample, message: Message::NoteOff { channel, key, velocity: 0.0 } };
    host.set("Bypass", 1.0);
    let block = Block { frames: 64, transport: Some(roll.transport()), outputs: Outputs::None, ..Block::default() };
    assert_eq!(host.process(&Block { messages: &[on], ..block }).messages, [off(0, 0, 61), on], "{format}");
    assert_eq!(host.process(&Block { messages: &[off(9, 2, 50)], ..block }).messages, [off(9, 2, 50)], "{format}");
}

#[test]
fn loop_within_a_block_releases_at_its_sample_and_the_plan_continues() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let mut session = SessionDriver::new();
        let mut roll = RollingTransport { cycle: Some((0.0, 4.0)), ..RollingTransport::new(120.0, 48_000.0) };
        let note =
            |onset, duration| Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch: 60, velocity: 127, role: Role::Bass };
        // A bar has 96,000 samples. One note crosses the loop end, one follows it.
        let sent = roll.play(&mut *host, Lengths::Fixed(4096), &[], 192_000, |now, _| {
            session.receive();
            if now == 4096 {
                session.send(&[note(90, 20), note(100, 4)]);
            }
        });
        let on = |sample| Timed { sample, message: Message::NoteOn { channel: 0, key: 60, velocity: 1.0 } };
        let off = |sample| Timed { sample, message: Message::NoteOff { channel: 0, key: 60, velocity: 0.0 } };
        assert_eq!(sent, [on(90_000), off(96_000), on(100_000), off(104_000)], "{format}");
        let causes: Vec<_> = session
            .events
            .iter()
            .filter_map(|event| if let InputEvent::TransportChange { change, .. } = event { Some(change.cause) } else { None })
            .collect();
        assert_eq!(causes, [Cause::Start, Cause::Loop], "{format}");
    }
}

#[test]
fn captured_notes_have_the_musical_time_of_their_samples() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup { sample_rate: 44_100.0, ..Setup::default() });
        let mut session = SessionDriver::new();
        let mut roll = RollingTransport::new(133.0, 44_100.0);
        let played = playing(11, 200_000, 2);
        roll.play(&mut *host, Lengths::Random(4), &played, 200_000, |_, _| session.receive());
        session.receive();
        let mut struck: Vec<_> = session
            .events
            .iter()
            .filter_map(|event| match event {
                InputEvent::NoteOn { at, key, .. } => Some((at.0 * roll.samples_per_tick(), key.channel(), key.pitch())),
                _ => None,
            })
            .collect();
        struck.sort_by(|one, other| one.partial_cmp(other).unwrap());
        let mut expected: Vec<_> = played
            .iter()
            .filter_map(|timed| match timed.message {
                Message::NoteOn { channel, key, .. } => Some((timed.sample as f64, channel, key)),
                _ => None,
            })
            .collect();
        expected.sort_by(|one, other| one.partial_cmp(other).unwrap());
        assert_eq!(struck.len(), expected.len(), "{format}");
        for (captured, played) in struck.iter().zip(&expected) {
            assert!(
                (captured.0 - played.0).abs() < 0.01 && (captured.1, captured.2) == (played.1, played.2),
                "{format}: {captured:?} for {played:?}"
            );
        }
    }
}

#[test]
fn button_presses_are_captured_once() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let mut session = SessionDriver::new();
        let mut roll = RollingTransport::new(120.0, 48_000.0);
        for (name, value) in [("Play", 1.0), ("Play", 0.0), ("Another", 1.0), ("Keep", 1.0), ("Play", 1.0)] {
            roll.play(&mut *host, Lengths::Fixed(64), &[], roll.played + 200, |_, _| ());
            host.set(name, value);
        }
        roll.play(&mut *host, Lengths::Fixed(64), &[], roll.played + 200, |_, _| ());
        session.receive();
        let commands: Vec<_> = session
            .events
            .iter()
            .filter_map(|event| if let InputEvent::Command { command, .. } = event { Some(*command) } else { None })
            .collect();
        assert_eq!(commands, [Command::Play, Command::Another, Command::Keep, Command::Play], "{format}");
    }
}
