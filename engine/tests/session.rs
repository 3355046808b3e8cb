//! A whole session without a host: events and transport in, planned notes out, by the real engine.

use std::collections::VecDeque;
use std::sync::Arc;

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::{Metre, Note, Tick};
use antiphon_engine::plan::{Cause, MidiKey, MusicalTime, Reason, SongBar, SongPosition, Step, TransportChange};
use antiphon_engine::session::{
    Archive, Command, CommandQueue, CommandSender, ControlValues, Epoch, InputEvent, PlanControls, PlannedEvent, Session, SessionPorts,
    SharedSnapshot, UnsavedArchive, take_ring,
};
use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// Ticks of a bar of 4/4.
const BAR: i64 = 96;

/// The audio thread's side: a song that rolls in 4/4 at 120 quarters a minute.
struct AudioSide {
    input: HeapProd<InputEvent>,
    planned: HeapCons<PlannedEvent>,
    session: Session,
    archive: Arc<UnsavedArchive>,
    snapshot: Arc<SharedSnapshot>,
    window: CommandSender,
    /// Events sent so far.
    sent: u64,
    now: i64,
    /// The planned notes that were not withdrawn, in the order they came.
    notes: Vec<(Note, u8)>,
}

impl AudioSide {
    fn start() -> Self {
        assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
        let (input, events) = HeapRb::new(4096).split();
        let (send, planned) = HeapRb::new(4096).split();
        let (archive, snapshot) = (Arc::new(UnsavedArchive::default()), Arc::new(SharedSnapshot::default()));
        let commands = CommandQueue::new();
        let window = commands.sender();
        let ports = SessionPorts {
            events,
            planned: send,
            commands,
            snapshot: Arc::clone(&snapshot),
            archive: Arc::clone(&archive) as Arc<dyn Archive>,
            takes: take_ring().0,
            count_ignored: Box::new(|_| ()),
        };
        let session = Session::start(ports, Vec::new());
        let mut side = Self { input, planned, session, archive, snapshot, window, sent: 0, now: 0, notes: Vec::new() };
        let bar = SongBar { start: SongPosition(0), metre: Metre::COMMON };
        let change = TransportChange { cause: Cause::Start, at: MusicalTime(0.0), song: SongPosition(0), bar };
        side.send(InputEvent::TransportChange { epoch: Epoch(1), change });
        side
    }

    fn send(&mut self, message: InputEvent) {
        assert!(self.input.try_push(message).is_ok(), "the ring is full");
        self.sent += 1;
    }

    /// Plays up to a tick, in blocks of this many ticks, with these events; waits for the session after each block.
    fn play_to(&mut self, until: i64, block: i64, events: &[InputEvent]) {
        let at = |event: &InputEvent| match event {
            InputEvent::NoteOn { at, .. } | InputEvent::NoteOff { at, .. } | InputEvent::Command { at, .. } => at.0,
            other => panic!("{other:?} is not the player's"),
        };
        let from = MusicalTime::from(Tick(self.now)).0;
        let mut events: VecDeque<InputEvent> = events.iter().filter(|event| at(event) >= from).copied().collect();
        while self.now < until {
            let end = until.min(self.now + block);
            for tick in self.now + 1..=end {
                while let Some(event) = events.pop_front_if(|event| at(event) < MusicalTime::from(Tick(tick)).0) {
                    self.send(event);
                }
                self.send(InputEvent::TimeReached { at: Tick(tick).into(), tempo: 120.0, song_loop: None, controls: controls() });
            }
            self.now = end;
            self.session.wait_for(self.sent);
            while let Some(planned) = self.planned.try_pop() {
                match planned {
                    PlannedEvent::Note { note, channel, .. } => self.notes.push((note, channel)),
                    PlannedEvent::Withdraw { from, .. } => self.notes.retain(|(note, _)| note.onset < from),
                    PlannedEvent::End { .. } | PlannedEvent::StartClock { .. } => {}
                }
            }
        }
    }
}

fn controls() -> ControlValues {
    ControlValues { plan: PlanControls { seed: Some(7), ..PlanControls::default() }, ..ControlValues::default() }
}

/// Two bars of a scale in quavers on channel 3.
fn scale() -> Vec<InputEvent> {
    let pitches = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 55];
    let strike = |(place, pitch): (i64, u8)| {
        let key = MidiKey::new(2, pitch).expect("a key of channel 3");
        let on = Tick(12 * place);
        [InputEvent::NoteOn { at: on.into(), key, velocity: 90 }, InputEvent::NoteOff { at: (on + Tick(9)).into(), key }]
    };
    (0..).zip(pitches).flat_map(strike).collect()
}

/// Plays the scale, presses Play a beat into the third bar and lets the plan play; events are sent in blocks of this many ticks.
fn perform(block: i64) -> AudioSide {
    let mut side = AudioSide::start();
    side.play_to(2 * BAR + 24, block, &scale());
    assert_eq!(side.notes, [], "nothing plays before Play is pressed");
    side.play_to(5 * BAR, block, &[InputEvent::Command { at: MusicalTime(217.0), command: Command::Play }]);
    side
}

#[test]
fn play_after_two_bars_sends_the_shown_plan_from_the_next_bar_line() {
    let side = perform(1);
    let onsets: Vec<_> = side.notes.iter().map(|(note, _)| note.onset.0).collect();
    assert!(onsets.len() >= 8, "{onsets:?}");
    assert!(onsets.iter().all(|onset| (3 * BAR..8 * BAR).contains(onset)), "{onsets:?}");
    assert!(side.notes.iter().all(|(_, channel)| *channel == 2), "plans answer on the player's channel");
    let snapshot = side.snapshot.latest();
    let shown = snapshot.plan.as_ref().unwrap();
    assert!(shown.playing);
    assert_eq!(snapshot.status.plans.late, 0);
    // The scale is in the snapshot, and the plan that plays is in the history.
    assert!(snapshot.played.iter().filter(|note| note.onset.0 < 2 * BAR).count() == 16);
    let history = side.archive.history();
    assert!(history.entries().iter().any(|entry| entry.reason() == Reason::Played));
}

#[test]
fn play_from_the_window_sends_the_same_notes_as_play_from_a_parameter() {
    let mut side = AudioSide::start();
    side.play_to(217, 1, &scale());
    side.window.send(Command::Play);
    side.play_to(5 * BAR, 1, &scale());
    assert!(!side.notes.is_empty());
    assert_eq!(side.notes, perform(1).notes);
}

#[test]
fn history_steps_from_the_window_are_made_in_the_archive() {
    let mut side = perform(1);
    let recalled = |side: &AudioSide| side.archive.history().recalled().map(|entry| entry.id());
    side.window.send(Command::Another);
    side.play_to(6 * BAR, 1, &[]);
    assert_eq!(recalled(&side), None);
    side.window.send(Command::Step(Step::Older));
    side.play_to(6 * BAR + 6, 1, &[]);
    let older = recalled(&side);
    assert!(older.is_some(), "{:?}", side.archive.history().entries().len());
    side.window.send(Command::Step(Step::Now));
    side.play_to(6 * BAR + 12, 1, &[]);
    assert_eq!(recalled(&side), None);
}

#[test]
fn planned_notes_do_not_depend_on_the_block_length() {
    let notes = [1, 5, 24].map(|block| perform(block).notes);
    assert_eq!(notes[0], notes[1]);
    assert_eq!(notes[0], notes[2]);
}
