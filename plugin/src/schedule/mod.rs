//! Playback of planned notes: each starts and ends at its own sample.
//!
//! Pending notes are sorted by time and kept across blocks, so that rounding loses none. Of a sounding note only its end is kept. The
//! player has priority on every key ([`KeyTable`]).

use std::collections::VecDeque;
use std::sync::Arc;

use antiphon_engine::music::{Note, OFFSETS_PER_TICK};
use antiphon_engine::plan::{KeyTable, MidiKey, PlanOn, PlayerOn, Voice};
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
    /// Ends the note here, if that is before its planned end.
    cut: Option<MusicalTime>,
}

/// A note that has started.
#[derive(Debug, Clone, Copy)]
struct ActiveNote {
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
    /// Sample of the block at which a note was last started. No note ends at or before it.
    started: Option<u32>,
}

impl Schedule {
    /// A player for this ring, with all memory allocated.
    #[must_use]
    pub fn new(planned: HeapCons<PlannedEvent>, meters: Arc<Meters>) -> Self {
        let (pending, active) = (VecDeque::with_capacity(PENDING_NOTES), Vec::with_capacity(ACTIVE_NOTES));
        Self { planned, meters, pending, active, keys: KeyTable::new(), started: None }
    }

    /// Reads the session's messages. Called before a block is played. Returns whether the clock must be started.
    pub fn receive(&mut self, epoch: Epoch, span: &Span) -> Received {
        self.started = None;
        let mut received = Received::Events;
        for _ in 0..MESSAGES_PER_BLOCK {
            let Some(message) = self.planned.try_pop() else { break };
            if message.epoch() != epoch {
                self.meters.add(Count::Stale, 1);
                continue;
            }
            match message {
                PlannedEvent::Note { note, channel, .. } => self.enqueue(&note, channel, span),
                PlannedEvent::StartClock { .. } => received = Received::StartClock,
                PlannedEvent::Withdraw { from, .. } => {
                    self.pending.truncate(self.pending.partition_point(|note| note.on < from.into()));
                }
                PlannedEvent::End { at, .. } => {
                    for note in self.active.iter_mut().filter(|note| note.off > at.into()) {
                        (note.off, note.is_cut) = (at.into(), true);
                    }
                    for note in self.pending.iter_mut().take_while(|note| note.on < at.into()) {
                        let earlier = note.cut.is_some_and(|cut| cut < at.into());
                        note.cut = note.cut.filter(|_| earlier).or(Some(at.into()));
                    }
                    // Restores the order.
                    self.active.sort_unstable_by(|one, other| other.off.0.total_cmp(&one.off.0));
                }
            }
        }
        received
    }

    /// The next sample of the block, from `from` on, at which a planned note starts or ends.
    #[must_use]
    pub fn next_sample(&self, span: &Span, from: u32) -> Option<u32> {
        let on = self.pending.front().map(|note| span.sample(note.on));
        let off = self.active.last().map(|note| span.sample(note.off).max(self.started.map_or(0, |sample| i64::from(sample) + 1)));
        let next = on.into_iter().chain(off).min()?.max(i64::from(from));
        u32::try_from(next).ok().filter(|&sample| sample < span.frames())
    }

    /// Ends the notes due at this sample, and those whose key is about to be struck again.
    pub fn end<P: Port>(&mut self, span: &Span, output: &mut NoteOutput<'_, P>) {
        if self.started == Some(output.sample) {
            return;
        }
        while let Some(note) = self.active.pop_if(|note| span.sample(note.off) <= i64::from(output.sample)) {
            let key = note.voice.key();
            match self.keys.plan_off(note.voice) {
                true if note.is_cut => output.cut(key),
                true => output.note_off(key),
                false => {}
            }
        }
        // A repeated key is released first, and before anything starts.
        let sample = i64::from(output.sample);
        for note in self.pending.iter().take_while(|note| span.sample(note.on) <= sample) {
            if self.keys.plan_ends(note.key) {
                output.cut(note.key);
            }
        }
    }

    /// Starts the notes due at this sample, unless the player holds the key.
    pub fn start<P: Port>(&mut self, span: &Span, output: &mut NoteOutput<'_, P>) {
        while let Some(PendingNote { key, note, cut, .. }) =
            self.pending.pop_front_if(|note| span.sample(note.on) <= i64::from(output.sample))
        {
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
            let end = end_of(&note);
            let (off, is_cut) = cut.filter(|cut| *cut < end).map_or((end, false), |cut| (cut, true));
            let place = self.active.partition_point(|other| other.off > off);
            self.active.insert(place, ActiveNote { off, voice, is_cut });
            if output.events.send_as(output.port, note_on(output.sample, key, velocity(&note)), Sound::of(note.role)) {
                self.meters.add(Count::Played, 1);
                output.capture.note_started(note, key.channel(), output.at);
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

    /// Drops all pending notes.
    pub fn clear_pending(&mut self) {
        self.pending.clear();
    }

    /// Marks all of the player's keys as released: after a reset no host sends note-offs.
    pub fn clear_player_keys(&mut self) {
        while self.keys.release_player().is_some() {}
    }

    /// Inserts a note by time, unless it is late.
    fn enqueue(&mut self, note: &Note, channel: u8, span: &Span) {
        let on = start_of(note);
        let Some(key) = MidiKey::new(channel, note.pitch) else { return };
        if span.sample(on) < 0 {
            self.meters.add(Count::Late, 1);
        } else if self.pending.len() == PENDING_NOTES {
            self.meters.add(Count::NoRoom, 1);
        } else {
            // After those at the same time, so that they start in order of arrival.
            let place = self.pending.partition_point(|other| other.on <= on);
            self.pending.insert(place, PendingNote { on, key, note: *note, cut: None });
        }
    }
}

/// Start time of a note, including its offset.
fn start_of(note: &Note) -> MusicalTime {
    MusicalTime(MusicalTime::from(note.onset).0 + offset(note))
}

/// End time of a note: shifted by the same offset as its start.
fn end_of(note: &Note) -> MusicalTime {
    MusicalTime(MusicalTime::from(note.end()).0 + offset(note))
}

fn offset(note: &Note) -> f64 {
    f64::from(note.offset) / OFFSETS_PER_TICK as f64
}

/// At least 1: a note-on with velocity 0 is a note-off.
fn velocity(note: &Note) -> u8 {
    note.velocity.clamp(1, 127)
}

#[cfg(test)]
mod tests;
