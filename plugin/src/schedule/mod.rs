//! Playback of planned notes: each starts and ends at its own sample.
//!
//! Pending notes are sorted by time and kept across blocks, so that rounding loses none. Of a sounding note only its end is kept. The
//! player has priority on every key ([`KeyTable`]).

use std::collections::VecDeque;
use std::sync::Arc;

use antiphon_engine::music::{Note, OFFSETS_PER_TICK};
use antiphon_engine::plan::{Deviation, KeyTable, MidiKey, PlanOn, PlayerOn, Voice};
use ringbuf::HeapCons;
use ringbuf::traits::Consumer;

use crate::capture::Capture;
use crate::clock::{MusicalTime, Span};
use crate::meters::{Count, Meters};
use crate::port::{EventOutput, Port, Sound, note_off, note_on};
use antiphon_engine::session::{Epoch, PlannedEvent, Withheld};

/// Capacity for pending notes.
const PENDING_NOTES: usize = 4096;
/// Messages read per block, to bound the time a block takes when a long plan arrives.
const MESSAGES_PER_BLOCK: usize = 256;
/// Capacity for sounding planned notes: more than any instrument has voices.
const ACTIVE_NOTES: usize = 256;

/// A note that has not started yet.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PendingNote {
    on: MusicalTime,
    key: MidiKey,
    note: Note,
    deviation: Deviation,
    /// Ends the note here, if that is before its planned end.
    cut: Option<MusicalTime>,
}

/// A note that has started.
#[derive(Debug, Clone, Copy)]
struct ActiveNote {
    on: MusicalTime,
    off: MusicalTime,
    voice: Voice,
    /// Whether it ends before its planned end.
    is_cut: bool,
}

/// Output for one sample: events to the host, and reports about planned notes to the session.
pub struct NoteOutput<'a, P> {
    /// Offset from the start of the block, in samples.
    pub sample: u32,
    /// Clock time of that sample.
    pub at: MusicalTime,
    /// Event output.
    pub events: &'a mut EventOutput,
    /// The host's ports.
    pub port: &'a mut P,
    /// Event stream to the session.
    pub capture: &'a mut Capture,
}

impl<P: Port> NoteOutput<'_, P> {
    fn note_off(&mut self, key: MidiKey) {
        self.events.send(self.port, note_off(self.sample, key));
    }

    /// Reports a planned note that is not played.
    fn withhold(&mut self, note: Note, reason: Withheld) {
        self.capture.note_withheld(note, reason, self.at);
    }

    /// Ends a planned note before its planned end.
    fn cut(&mut self, key: MidiKey) {
        self.note_off(key);
        self.capture.note_ended(key, self.at);
    }
}

/// What was received before a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Received {
    /// Planned notes, or nothing.
    Events,
    /// Also a request to start the clock: Play was pressed in the window while it was stopped.
    StartClock,
}

/// Plays the plan's notes, and tracks which keys the plan and the player hold.
pub struct Schedule {
    planned: HeapCons<PlannedEvent>,
    meters: Arc<Meters>,
    /// Sorted by `on`.
    pending: VecDeque<PendingNote>,
    /// Sorted by `off`, latest first, so that the next to end is at the back.
    active: Vec<ActiveNote>,
    keys: KeyTable,
    /// Samples by which planned notes start and end after their time, or before it if negative.
    offset: i64,
    /// Sample of the block at which a note was last started. No note ends at or before it.
    started: Option<u32>,
}

impl Schedule {
    /// A player for this ring, with all memory allocated.
    #[must_use]
    pub fn new(planned: HeapCons<PlannedEvent>, meters: Arc<Meters>) -> Self {
        let (pending, active) = (VecDeque::with_capacity(PENDING_NOTES), Vec::with_capacity(ACTIVE_NOTES));
        Self { planned, meters, pending, active, keys: KeyTable::new(), offset: 0, started: None }
    }

    /// Sets the samples by which planned notes start and end after their time, or before it if negative. The plan is known ahead, so early ones need no delay of
    /// anything else; a note that would have had to start before the block is late.
    pub const fn set_offset(&mut self, samples: i64) {
        self.offset = samples;
    }

    /// Sample of the block at which a time of the plan sounds.
    fn sample(&self, span: &Span, time: MusicalTime) -> i64 {
        span.sample_after(time, self.offset)
    }

    /// Reads the session's messages. Called before a block is played. Returns whether the clock must be started.
    pub fn receive(&mut self, epoch: Epoch, span: &Span, capture: &mut Capture) -> Received {
        self.started = None;
        let mut received = Received::Events;
        for _ in 0..MESSAGES_PER_BLOCK {
            let Some(message) = self.planned.try_pop() else { break };
            if message.epoch() != epoch {
                self.meters.add(Count::Stale, 1);
                continue;
            }
            match message {
                PlannedEvent::Note { note, channel, deviation, .. } => {
                    if let Err(reason) = self.enqueue(&note, channel, deviation, span) {
                        capture.note_withheld(note, reason, span.time(0));
                    }
                }
                PlannedEvent::StartClock { .. } => received = Received::StartClock,
                // By the onset on the grid: a note that sounds a little early belongs to the plan that is withdrawn, one that sounds late to what was before.
                PlannedEvent::Withdraw { from, .. } => self.pending.retain(|pending| pending.note.onset < from),
                PlannedEvent::End { at, .. } => {
                    // What is planned before it and would start later does not start.
                    self.pending.retain(|pending| pending.on < at.into() || pending.note.onset >= at);
                    for note in self.pending.iter_mut().filter(|pending| pending.note.onset < at) {
                        let earlier = note.cut.is_some_and(|cut| cut < at.into());
                        note.cut = note.cut.filter(|_| earlier).or(Some(at.into()));
                    }
                    self.end_active_by(at.into());
                }
            }
        }
        received
    }

    /// The next sample of the block, from `from` on, at which a planned note starts or ends.
    #[must_use]
    pub fn next_sample(&self, span: &Span, from: u32) -> Option<u32> {
        let on = self.pending.front().map(|note| self.sample(span, note.on));
        let off = self.active.last().map(|note| self.sample(span, note.off).max(self.started.map_or(0, |sample| i64::from(sample) + 1)));
        let next = on.into_iter().chain(off).min()?.max(i64::from(from));
        u32::try_from(next).ok().filter(|&sample| sample < span.frames())
    }

    /// Ends the notes due at this sample, and those whose key is about to be struck again.
    pub fn end<P: Port>(&mut self, span: &Span, output: &mut NoteOutput<'_, P>) {
        if self.started == Some(output.sample) {
            return;
        }
        let sample = i64::from(output.sample);
        while let Some(note) = self.active.last().copied().filter(|note| self.sample(span, note.off) <= sample) {
            self.active.pop();
            let key = note.voice.key();
            match self.keys.plan_off(note.voice) {
                true if note.is_cut => output.cut(key),
                true => output.note_off(key),
                false => {}
            }
        }
        // A repeated key is released first, and before anything starts.
        for note in &self.pending {
            if self.sample(span, note.on) > sample {
                break;
            }
            if self.keys.plan_ends(note.key) {
                output.cut(note.key);
            }
        }
    }

    /// Starts the notes due at this sample, unless the player holds the key.
    pub fn start<P: Port>(&mut self, span: &Span, output: &mut NoteOutput<'_, P>) {
        let sample = i64::from(output.sample);
        while let Some(PendingNote { on, key, note, deviation, cut }) =
            self.pending.front().copied().filter(|note| self.sample(span, note.on) <= sample)
        {
            self.pending.pop_front();
            if self.active.len() == ACTIVE_NOTES {
                self.meters.add(Count::NoRoom, 1);
                output.withhold(note, Withheld::NoRoom);
                continue;
            }
            let PlanOn::Start(voice) = self.keys.plan_on(key) else {
                // The player holds the key, or the plan strikes it twice at once.
                let (count, reason) = match self.keys.player_holds(key) {
                    true => (Count::Yielded, Withheld::KeyHeld),
                    false => (Count::NoRoom, Withheld::NoRoom),
                };
                self.meters.add(count, 1);
                output.withhold(note, reason);
                continue;
            };
            self.started = Some(output.sample);
            let end = end_of(&note, deviation);
            let (off, is_cut) = cut.filter(|cut| *cut < end).map_or((end, false), |cut| (cut, true));
            let place = self.active.partition_point(|other| other.off > off);
            self.active.insert(place, ActiveNote { on, off, voice, is_cut });
            let accepted =
                output.events.send_as(output.port, note_on(output.sample, key, deviation.played_velocity(&note)), Sound::of(note.role));
            // Some hosts have no event output; then the preview synth alone plays it.
            if accepted || output.port.is_heard() {
                self.meters.add(Count::Played, 1);
                output.capture.note_started(note, key.channel(), deviation, output.at);
            }
        }
    }

    /// The player strikes a key: a planned note sounding there ends first.
    pub fn player_on<P: Port>(&mut self, key: MidiKey, output: &mut NoteOutput<'_, P>) {
        if self.keys.player_on(key) == PlayerOn::ReleasePlan {
            output.cut(key);
        }
    }

    /// The player releases a key. If the note-off is passed on, it also ends a planned note sounding there.
    pub fn player_off<P: Port>(&mut self, key: MidiKey, goes_out: bool, output: &mut NoteOutput<'_, P>) {
        if (goes_out || self.keys.player_holds(key)) && self.keys.player_off(key) {
            output.capture.note_ended(key, output.at);
        }
    }

    /// A channel mode message of the player releases all keys of a channel. If it is passed on, planned notes sounding there end, too.
    pub fn player_channel_off<P: Port>(&mut self, channel: u8, goes_out: bool, output: &mut NoteOutput<'_, P>) {
        for key in (0..128).filter_map(|pitch| MidiKey::new(channel, pitch)) {
            if goes_out && self.keys.plan_ends(key) {
                output.cut(key);
            }
            if self.keys.player_holds(key) {
                // The plan never sounds a key that the player holds.
                let _ = self.keys.player_off(key);
            }
        }
    }

    /// Ends all sounding notes.
    pub fn end_all<P: Port>(&mut self, output: &mut NoteOutput<'_, P>) {
        while let Some(key) = self.keys.release_plan() {
            output.cut(key);
        }
        self.active.clear();
    }

    /// The player takes over: drops all pending notes; those that sound end by themselves, and at the latest at this time of the clock.
    pub fn fade(&mut self, by: MusicalTime, span: &Span) {
        self.pending.clear();
        self.end_active_by(MusicalTime(by.0 - span.ticks(self.offset)));
    }

    /// Sounding notes end at this time, unless they end before it.
    fn end_active_by(&mut self, by: MusicalTime) {
        for note in self.active.iter_mut().filter(|note| note.off > by) {
            (note.off, note.is_cut) = (by, true);
        }
        // Restores the order.
        self.active.sort_unstable_by(|one, other| other.off.0.total_cmp(&one.off.0));
    }

    /// Ends the sounding notes that are planned before the output's time; later ones may sound early.
    pub fn end_before<P: Port>(&mut self, output: &mut NoteOutput<'_, P>) {
        for note in &self.active {
            if note.on < output.at && self.keys.plan_off(note.voice) {
                output.cut(note.voice.key());
            }
        }
        self.active.retain(|note| note.on >= output.at);
    }

    /// Drops all pending notes.
    pub fn clear_pending(&mut self) {
        self.pending.clear();
    }

    /// Marks all of the player's keys as released: after a reset no host sends note-offs.
    pub fn clear_player_keys(&mut self) {
        while self.keys.release_player().is_some() {}
    }

    /// Ticks by which notes sound before their time.
    #[must_use]
    pub fn lead(&self, span: &Span) -> f64 {
        span.ticks((-self.offset).max(0))
    }

    /// Drops pending notes from this time on.
    pub fn drop_from(&mut self, time: MusicalTime) {
        self.pending.truncate(self.pending.partition_point(|note| note.on < time));
    }

    /// Adds a note of the take, which ends at `cut` if that is before its planned end. One that would have had to start before the block starts at once.
    pub fn replay(&mut self, note: &Note, channel: u8, cut: Option<MusicalTime>) {
        // The count of those without room says enough.
        let _ = self.insert(note, channel, Deviation::default(), cut);
    }

    /// Inserts a note by time, unless it is late or there is no room.
    fn enqueue(&mut self, note: &Note, channel: u8, deviation: Deviation, span: &Span) -> Result<(), Withheld> {
        if self.sample(span, start_of(note, deviation)) < 0 {
            self.meters.add(Count::Late, 1);
            return Err(Withheld::Late);
        }
        self.insert(note, channel, deviation, None)
    }

    /// Inserts a note by time, unless there is no room. A key outside of MIDI is ignored.
    fn insert(&mut self, note: &Note, channel: u8, deviation: Deviation, cut: Option<MusicalTime>) -> Result<(), Withheld> {
        let on = start_of(note, deviation);
        let Some(key) = MidiKey::new(channel, note.pitch) else { return Ok(()) };
        if self.pending.len() == PENDING_NOTES {
            self.meters.add(Count::NoRoom, 1);
            return Err(Withheld::NoRoom);
        }
        // After those at the same time, so that they start in order of arrival.
        let place = self.pending.partition_point(|other| other.on <= on);
        self.pending.insert(place, PendingNote { on, key, note: *note, deviation, cut });
        Ok(())
    }
}

/// Start time of a note played so, including its offset.
fn start_of(note: &Note, deviation: Deviation) -> MusicalTime {
    MusicalTime(MusicalTime::from(note.onset).0 + offset(note, deviation))
}

/// End time of a note: shifted by the same offset as its start.
fn end_of(note: &Note, deviation: Deviation) -> MusicalTime {
    MusicalTime(MusicalTime::from(note.end()).0 + offset(note, deviation))
}

fn offset(note: &Note, deviation: Deviation) -> f64 {
    f64::from(i16::from(note.offset) + i16::from(deviation.eighths)) / OFFSETS_PER_TICK as f64
}

#[cfg(test)]
mod tests;
