//! The session's part: a player's events in, planned notes out, on the virtual clock.

use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::model::Model;
use antiphon_engine::music::{Note, TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::{Cause, MidiKey, MusicalTime, PlanStats, PlayMode, SongBar, SongPosition, TransportChange};
use antiphon_engine::session::{
    CommandQueue, ControlValues, Epoch, InputEvent, PlannedEvent, Planner, RenderWait, SessionPorts, SharedSnapshot, UnsavedArchive,
    take_ring,
};
use antiphon_tests::virtual_pool::{VirtualPool, VirtualWorker};
use anyhow::{Result, anyhow};
use ringbuf::HeapRb;
use ringbuf::traits::{Consumer, Producer, Split};

use crate::piece::Duet;

/// Runs of the session in a tick: some 3 ms at 120 quarters a minute.
const RUNS: u32 = 8;
/// Slots of the rings.
const SLOTS: usize = 4096;

/// What the session played.
pub(crate) struct Performance {
    /// In order of time.
    pub(crate) notes: Vec<Note>,
    /// The age of the plan of each, in beats.
    pub(crate) ages: Vec<f64>,
    /// Planned notes that came after they should have begun.
    pub(crate) late: usize,
    pub(crate) plans: PlanStats,
}

impl Performance {
    /// Share of the planned notes that were there in time.
    #[allow(clippy::cast_precision_loss, reason = "a number of notes")]
    pub(crate) fn in_time(&self) -> f64 {
        let all = self.notes.len() + self.late;
        if all == 0 { 1.0 } else { self.notes.len() as f64 / all as f64 }
    }
}

/// Plays the player's part to a session in Accompany; `change` transposes it from a tick on.
pub(crate) fn perform(model: &Arc<Model>, duet: &Duet, seed: u32, change: Option<(Tick, i16)>) -> Result<Performance> {
    let pool = VirtualPool::new(1);
    let worker = VirtualWorker::new(model, &pool);
    let (mut input, events) = HeapRb::new(SLOTS).split();
    let (send, mut planned) = HeapRb::new(SLOTS).split();
    let snapshot = Arc::new(SharedSnapshot::default());
    let ports = SessionPorts {
        events,
        planned: send,
        commands: CommandQueue::new(),
        snapshot: Arc::clone(&snapshot),
        archive: Arc::new(UnsavedArchive::default()),
        takes: take_ring().0,
        count_ignored: Box::new(|_| ()),
    };
    let mut planner = Planner::new(ports, worker, Arc::default(), Arc::new(RenderWait::default()), seed.into());
    let mut controls = ControlValues::default();
    (controls.plan.mode, controls.plan.seed) = (PlayMode::Accompany, Some(seed));
    (controls.roles.input, controls.roles.output) = (Some(duet.player_role), Some(duet.own_role));
    let mut send = |event| input.try_push(event).map_err(|_| anyhow!("the session does not read its events"));
    let first = duet.bars[0];
    let bar = SongBar { start: SongPosition(0), metre: first.metre };
    let epoch = Epoch(1);
    send(InputEvent::TransportChange {
        epoch,
        change: TransportChange { cause: Cause::Start, at: MusicalTime(0.0), song: SongPosition(0), bar },
    })?;
    let player = strokes(&duet.player_transposed(change));
    let mut ahead = player.iter().peekable();
    let mut pending: Vec<(Note, u8)> = Vec::new();
    let mut performance = Performance { notes: Vec::new(), ages: Vec::new(), late: 0, plans: PlanStats::default() };
    let end = duet.bars.last().map_or(Tick::ZERO, antiphon_engine::music::Bar::end);
    let tick_length = Duration::from_secs_f64(60.0 / duet.tempo / TICKS_PER_QUARTER as f64);
    for tick in (0..end.0).map(Tick) {
        // What the audio thread reports at the start of this tick.
        pending.sort_by_key(|(note, _)| Note::order(note));
        let due = pending.partition_point(|(note, _)| note.onset <= tick);
        for (note, channel) in pending.drain(..due) {
            send(InputEvent::NoteStarted { at: tick.into(), note, channel, deviation: antiphon_engine::plan::Deviation::default() })?;
            performance.notes.push(note);
            let made_at = snapshot.latest().plan.as_ref().map_or(tick, |shown| shown.plan.brief.made_at);
            performance.ages.push((tick - made_at).0 as f64 / TICKS_PER_QUARTER as f64);
        }
        while let Some((_, event)) = ahead.next_if(|(at, _)| *at <= tick) {
            send(*event)?;
        }
        send(InputEvent::TimeReached { at: tick.into(), tempo: duet.tempo, song_loop: None, controls })?;
        let began = tick_length * u32::try_from(tick.0)?;
        for run in 1..=RUNS {
            planner.run();
            pool.borrow_mut().advance(began + tick_length * run / RUNS);
            planner.run();
            while let Some(event) = planned.try_pop() {
                match event {
                    PlannedEvent::Note { note, .. } if note.onset <= tick => performance.late += 1,
                    PlannedEvent::Note { note, channel, .. } => pending.push((note, channel)),
                    PlannedEvent::Withdraw { from, .. } => pending.retain(|(note, _)| note.onset < from),
                    PlannedEvent::StartClock { .. } | PlannedEvent::End { .. } => {}
                }
            }
        }
    }
    performance.plans = snapshot.latest().status.plans;
    performance.notes.retain(|note| note.role == duet.own_role);
    Ok(performance)
}

/// Note-ons and note-offs with their ticks, in order of time; of notes on one key the second ends the first.
fn strokes(notes: &[Note]) -> Vec<(Tick, InputEvent)> {
    let key = |note: &Note| MidiKey::new(0, note.pitch);
    let mut events = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        let Some(key) = key(note) else { continue };
        let next = notes[index + 1..].iter().find(|other| other.pitch == note.pitch).map_or(Tick::MAX, |other| other.onset);
        if next == note.onset {
            continue;
        }
        let off = note.end().min(next);
        events.push((note.onset, 1, InputEvent::NoteOn { at: note.onset.into(), key, velocity: note.velocity.max(1) }));
        events.push((off, 0, InputEvent::NoteOff { at: off.into(), key }));
    }
    events.sort_by_key(|(at, rank, _)| (*at, *rank));
    events.into_iter().map(|(at, _, event)| (at, event)).collect()
}
