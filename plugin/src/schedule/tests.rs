use antiphon_engine::music::{Role, Tick};
use nice_plug::midi::NoteEvent;
use ringbuf::traits::{Producer, Split};
use ringbuf::{HeapProd, HeapRb};

use super::*;
use crate::clock::{Clock, HostTime, Position};
use crate::port::Event;
use crate::port::scripted::Scripted;
use antiphon_engine::session::InputEvent;

/// A schedule with the session's end of its rings, and a clock at 1000 samples per tick.
struct Fixture {
    schedule: Schedule,
    session: HeapProd<PlannedEvent>,
    meters: Arc<Meters>,
    clock: Clock,
    host: HostTime,
    output: EventOutput,
    capture: Capture,
    events: HeapCons<InputEvent>,
}

impl Fixture {
    fn new() -> Self {
        let (session, planned) = HeapRb::new(2 * PENDING_NOTES).split();
        let meters = Arc::new(Meters::default());
        let mut clock = Clock::new();
        clock.set_sample_rate(48_000.0);
        let position = Position::Musical(0.0);
        let host = HostTime { playing: true, tempo: Some(120.0), metre: None, position, bar_line: None, cycle: None };
        let schedule = Schedule::new(planned, Arc::clone(&meters));
        let (producer, consumer) = HeapRb::new(2 * PENDING_NOTES).split();
        let capture = Capture::new(producer, Arc::clone(&meters));
        Self { schedule, session, meters, clock, host, output: EventOutput::default(), capture, events: consumer }
    }

    fn plan(&mut self, onset: i64, offset: i8, duration: i64, pitch: u8) {
        let note = Note { onset: Tick(onset), offset, duration: Tick(duration), pitch, velocity: 64, role: Role::Keys };
        self.send(PlannedEvent::Note { epoch: Epoch(0), note, channel: 0, deviation: Deviation::default() });
    }

    fn send(&mut self, message: PlannedEvent) {
        self.session.try_push(message).unwrap();
    }

    /// Plays a block; returns samples from its start and pitches that started (positive) or ended (negative).
    fn block(&mut self, frames: u32) -> Vec<(u32, i16)> {
        self.clock.begin(&self.host, frames);
        let span = self.clock.span();
        if let Position::Musical(ticks) = &mut self.host.position {
            *ticks = span.end().0;
        }
        let mut port = Scripted::default();
        assert_eq!(self.schedule.receive(Epoch(0), &span, &mut self.capture), Received::Events);
        let mut sample = 0;
        while let Some(next) = self.schedule.next_sample(&span, sample) {
            sample = next;
            let (events, capture) = (&mut self.output, &mut self.capture);
            let mut output = NoteOutput { sample, at: span.time(sample), events, port: &mut port, capture };
            self.schedule.end(&span, &mut output);
            self.schedule.start(&span, &mut output);
        }
        let seen = |event: &Event| match *event {
            NoteEvent::NoteOn { timing, key, .. } => (timing, i16::from(key.number_or_middle_c())),
            NoteEvent::NoteOff { timing, key, .. } => (timing, -i16::from(key.number_or_middle_c())),
            _ => panic!("{event:?}"),
        };
        port.outputs.iter().map(seen).collect()
    }

    /// Reports to the session: times and pitches that started (positive), ended early (negative) or were late (above 1000).
    fn reports(&mut self) -> Vec<(f64, i16)> {
        let seen = |event| match event {
            InputEvent::NoteStarted { at, note, .. } => (at.0, i16::from(note.pitch)),
            InputEvent::NoteEnded { at, key } => (at.0, -i16::from(key.pitch())),
            InputEvent::Withheld { at, note, reason: Withheld::Late } => (at.0, 1000 + i16::from(note.pitch)),
            _ => panic!("{event:?}"),
        };
        self.events.pop_iter().map(seen).collect()
    }
}

#[test]
fn notes_that_start_or_end_early_are_reported() {
    let mut fixture = Fixture::new();
    fixture.plan(1, 0, 9, 60);
    // Cut below, ends by itself, is repeated.
    fixture.plan(2, 0, 1, 61);
    fixture.plan(5, 0, 5, 62);
    fixture.plan(6, 0, 2, 62);
    fixture.block(1500);
    // Late.
    fixture.plan(1, 0, 9, 63);
    fixture.send(PlannedEvent::End { epoch: Epoch(0), at: Tick(5) });
    fixture.block(10_000);
    assert_eq!(fixture.reports(), [(1.0, 60), (1.5, 1063), (2.0, 61), (5.0, -60), (5.0, 62), (6.0, -62), (6.0, 62)]);
}

#[test]
fn offsets_are_eighths_of_a_tick() {
    let mut fixture = Fixture::new();
    fixture.plan(2, -4, 1, 60);
    fixture.plan(2, 3, 1, 61);
    assert_eq!(fixture.block(4000), [(1500, 60), (2375, 61), (2500, -60), (3375, -61)]);
}

#[test]
fn notes_received_in_any_order_are_played_in_order_of_time() {
    let mut fixture = Fixture::new();
    for (onset, pitch) in [(5, 65), (1, 61), (3, 63), (1, 71)] {
        fixture.plan(onset, 0, 1, pitch);
    }
    let out = fixture.block(7000);
    assert_eq!(out[..4], [(1000, 61), (1000, 71), (2000, -61), (2000, -71)]);
    assert_eq!(out[4..], [(3000, 63), (4000, -63), (5000, 65), (6000, -65)]);
}

#[test]
fn pending_note_is_kept_across_blocks() {
    let mut fixture = Fixture::new();
    fixture.plan(1, 0, 1, 60);
    let out: Vec<_> = [999, 1, 1, 998, 2].into_iter().map(|frames| fixture.block(frames)).collect();
    assert_eq!(out, [vec![], vec![], vec![(0, 60)], vec![], vec![(1, -60)]]);
}

#[test]
fn late_note_is_counted_and_not_played() {
    let mut fixture = Fixture::new();
    fixture.block(2500);
    fixture.plan(2, 0, 10, 60);
    fixture.plan(3, 0, 1, 61);
    assert_eq!(fixture.block(1000), [(500, 61)]);
    assert_eq!((fixture.meters.count(Count::Late), fixture.meters.count(Count::Played)), (1, 1));
}

#[test]
fn withdrawal_removes_pending_notes_but_not_sounding_ones() {
    let mut fixture = Fixture::new();
    for (onset, pitch) in [(1, 61), (2, 62), (3, 63), (4, 64), (5, 65)] {
        fixture.plan(onset, 0, 10, pitch);
    }
    fixture.block(2500);
    fixture.send(PlannedEvent::Withdraw { epoch: Epoch(0), from: Tick(4) });
    fixture.plan(4, 0, 1, 70);
    assert_eq!(fixture.block(3000), [(500, 63), (1500, 70), (2500, -70)]);
}

#[test]
fn withdrawal_goes_by_the_onset_whatever_the_offset() {
    let mut fixture = Fixture::new();
    fixture.plan(3, 4, 1, 61);
    fixture.plan(3, -4, 1, 62);
    fixture.send(PlannedEvent::Withdraw { epoch: Epoch(0), from: Tick(3) });
    fixture.plan(2, 7, 1, 63);
    fixture.send(PlannedEvent::Withdraw { epoch: Epoch(0), from: Tick(3) });
    fixture.plan(3, -4, 1, 64);
    assert_eq!(fixture.block(5000), [(2500, 64), (2875, 63), (3500, -64), (3875, -63)]);
}

#[test]
fn cut_goes_by_the_onset_whatever_the_offset() {
    let mut fixture = Fixture::new();
    fixture.plan(2, 12, 5, 61);
    fixture.plan(2, 0, 5, 62);
    fixture.plan(3, -4, 2, 63);
    fixture.send(PlannedEvent::End { epoch: Epoch(0), at: Tick(3) });
    // What would start late does not start; what belongs to the next plan is not cut.
    assert_eq!(fixture.block(5000), [(2000, 62), (2500, 63), (3000, -62), (4500, -63)]);
}

#[test]
fn cut_ends_sounding_notes_at_its_tick() {
    let mut fixture = Fixture::new();
    fixture.plan(1, 0, 100, 60);
    fixture.plan(1, 0, 2, 61);
    // Not started when the cut is ordered, but ends there all the same.
    fixture.plan(2, 0, 100, 62);
    fixture.block(1500);
    fixture.send(PlannedEvent::End { epoch: Epoch(0), at: Tick(4) });
    fixture.plan(4, 0, 1, 63);
    assert_eq!(fixture.block(5000), [(500, 62), (1500, -61), (2500, -60), (2500, -62), (2500, 63), (3500, -63)]);
}

#[test]
fn repeated_note_ends_before_it_restarts() {
    let mut fixture = Fixture::new();
    fixture.plan(1, 0, 5, 60);
    fixture.plan(2, 0, 1, 60);
    fixture.plan(2, 0, 1, 59);
    fixture.plan(2, 0, 1, 60);
    let out = fixture.block(8000);
    assert_eq!(out, [(1000, 60), (2000, -60), (2000, 60), (2000, 59), (3000, -60), (3000, -59)]);
    assert_eq!(fixture.meters.count(Count::NoRoom), 1, "one key was planned twice at once");
}

#[test]
fn note_without_length_ends_one_sample_after_its_start() {
    let mut fixture = Fixture::new();
    fixture.plan(2, 0, 0, 60);
    fixture.plan(3, 0, 0, 61);
    assert_eq!(fixture.block(3001), [(2000, 60), (2001, -60), (3000, 61)]);
    assert_eq!(fixture.block(10), [(0, -61)]);
}

#[test]
fn stopped_clock_plays_nothing() {
    let mut fixture = Fixture::new();
    fixture.host.playing = false;
    fixture.plan(0, 0, 1, 60);
    fixture.plan(1, 0, 1, 61);
    assert_eq!(fixture.block(5000), []);
}

#[test]
fn notes_beyond_capacity_are_counted() {
    let mut fixture = Fixture::new();
    for _ in 0..PENDING_NOTES + 5 {
        fixture.plan(9, 0, 1, 60);
    }
    for _ in 0..=PENDING_NOTES / MESSAGES_PER_BLOCK {
        fixture.block(10);
    }
    assert_eq!(fixture.meters.count(Count::NoRoom), 5);
}

#[test]
fn keys_outside_midi_are_ignored() {
    let mut fixture = Fixture::new();
    fixture.plan(1, 0, 1, 200);
    assert_eq!(fixture.block(5000), []);
}
