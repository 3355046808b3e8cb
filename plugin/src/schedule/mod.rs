//! Playback of planned notes: each starts and ends at its own sample.
//!
//! Pending notes are sorted by time and kept across blocks, so that rounding loses none. Of a sounding note only its end is kept. The
//! player has priority on every key ([`KeyTable`]).

use std::collections::VecDeque;
use std::sync::Arc;

use antiphon_engine::music::{Note, OFFSETS_PER_TICK};
use antiphon_engine::plan::{Key, KeyTable, PlanOn, PlayerOn, Voice};
use ringbuf::HeapCons;
use ringbuf::traits::Consumer;

use crate::capture::Capture;
use crate::clock::{Moment, Span};
use crate::meters::{Count, Meters};
use crate::port::{Outlet, Port, Sound, note_off, note_on};
use antiphon_engine::session::{Epoch, Planned, Withheld};

/// Capacity for pending notes.
const WAITING: usize = 4096;
/// Messages read per block, to bound the time a block takes when a long plan arrives.
const MESSAGES_PER_BLOCK: usize = 256;
/// Capacity for sounding planned notes: more than any instrument has voices.
const SOUNDING: usize = 256;

/// A note that has not started yet.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Waiting {
    on: Moment,
    key: Key,
    note: Note,
    /// Ends the note here, if that is before its planned end.
    cut: Option<Moment>,
}

/// A note that has started.
#[derive(Debug, Clone, Copy)]
struct Sounding {
    off: Moment,
    voice: Voice,
    /// Whether it ends before its planned end.
    is_cut: bool,
}

/// Output for one sample: events to the host, and reports about planned notes to the session.
pub struct Exit<'a, P> {
    /// Offset from the start of the block, in samples.
    pub sample: u32,
    /// Clock time of that sample.
    pub at: Moment,
    /// Event output.
    pub outlet: &'a mut Outlet,
    /// The host's ports.
    pub port: &'a mut P,
    /// Event stream to the session.
    pub capture: &'a mut Capture,
}

impl<P: Port> Exit<'_, P> {
    fn note_off(&mut self, key: Key) {
        self.outlet.send(self.port, note_off(self.sample, key));
    }

    /// Reports a planned note that is not played.
    fn withhold(&mut self, note: Note, reason: Withheld) {
        self.capture.withholds(note, reason, self.at);
    }

    /// Ends a planned note before its planned end.
    fn cut(&mut self, key: Key) {
        self.note_off(key);
        self.capture.ends(key, self.at);
    }
}

/// Plays the plan's notes, and tracks which keys the plan and the player hold.
pub struct Schedule {
    planned: HeapCons<Planned>,
    meters: Arc<Meters>,
    /// Sorted by `on`.
    waiting: VecDeque<Waiting>,
    /// Sorted by `off`, latest first, so that the next to end is at the back.
    sounding: Vec<Sounding>,
    keys: KeyTable,
    /// Sample of the block at which a note was last started. No note ends at or before it.
    started: Option<u32>,
}

impl Schedule {
    /// A player for this ring, with all memory allocated.
    #[must_use]
    pub fn new(planned: HeapCons<Planned>, meters: Arc<Meters>) -> Self {
        let (waiting, sounding) = (VecDeque::with_capacity(WAITING), Vec::with_capacity(SOUNDING));
        Self { planned, meters, waiting, sounding, keys: KeyTable::new(), started: None }
    }

    /// Reads the session's messages. Called before a block is played.
    pub fn receive(&mut self, epoch: Epoch, span: &Span) {
        self.started = None;
        for _ in 0..MESSAGES_PER_BLOCK {
            let Some(message) = self.planned.try_pop() else { return };
            if message.epoch() != epoch {
                self.meters.add(Count::Stale, 1);
                continue;
            }
            match message {
                Planned::Note { note, channel, .. } => self.wait(&note, channel, span),
                Planned::Withdraw { from, .. } => {
                    self.waiting.truncate(self.waiting.partition_point(|note| note.on < from.into()));
                }
                Planned::Cut { at, .. } => {
                    for note in self.sounding.iter_mut().filter(|note| note.off > at.into()) {
                        (note.off, note.is_cut) = (at.into(), true);
                    }
                    for note in self.waiting.iter_mut().take_while(|note| note.on < at.into()) {
                        let earlier = note.cut.is_some_and(|cut| cut < at.into());
                        note.cut = note.cut.filter(|_| earlier).or(Some(at.into()));
                    }
                    // Restores the order.
                    self.sounding.sort_unstable_by(|one, other| other.off.0.total_cmp(&one.off.0));
                }
            }
        }
    }

    /// The next sample of the block, from `from` on, at which a planned note starts or ends.
    #[must_use]
    pub fn next_sample(&self, span: &Span, from: u32) -> Option<u32> {
        let on = self.waiting.front().map(|note| span.sample(note.on));
        let off = self.sounding.last().map(|note| span.sample(note.off).max(self.started.map_or(0, |sample| i64::from(sample) + 1)));
        let next = on.into_iter().chain(off).min()?.max(i64::from(from));
        u32::try_from(next).ok().filter(|&sample| sample < span.frames())
    }

    /// Ends the notes due at this sample, and those whose key is about to be struck again.
    pub fn end<P: Port>(&mut self, span: &Span, exit: &mut Exit<'_, P>) {
        if self.started == Some(exit.sample) {
            return;
        }
        while let Some(note) = self.sounding.pop_if(|note| span.sample(note.off) <= i64::from(exit.sample)) {
            let key = note.voice.key();
            match self.keys.plan_off(note.voice) {
                true if note.is_cut => exit.cut(key),
                true => exit.note_off(key),
                false => {}
            }
        }
        // A repeated key is released first, and before anything starts.
        let sample = i64::from(exit.sample);
        for note in self.waiting.iter().take_while(|note| span.sample(note.on) <= sample) {
            if self.keys.plan_ends(note.key) {
                exit.cut(note.key);
            }
        }
    }

    /// Starts the notes due at this sample, unless the player holds the key.
    pub fn start<P: Port>(&mut self, span: &Span, exit: &mut Exit<'_, P>) {
        while let Some(Waiting { key, note, cut, .. }) = self.waiting.pop_front_if(|note| span.sample(note.on) <= i64::from(exit.sample)) {
            if self.sounding.len() == SOUNDING {
                self.meters.add(Count::Crowded, 1);
                exit.withhold(note, Withheld::NoRoom);
                continue;
            }
            let PlanOn::Start(voice) = self.keys.plan_on(key) else {
                // The player holds the key, or the plan strikes it twice at once.
                let (count, reason) = match self.keys.player_holds(key) {
                    true => (Count::Yielded, Withheld::KeyHeld),
                    false => (Count::Crowded, Withheld::NoRoom),
                };
                self.meters.add(count, 1);
                exit.withhold(note, reason);
                continue;
            };
            self.started = Some(exit.sample);
            let end = end_of(&note);
            let (off, is_cut) = cut.filter(|cut| *cut < end).map_or((end, false), |cut| (cut, true));
            let place = self.sounding.partition_point(|other| other.off > off);
            self.sounding.insert(place, Sounding { off, voice, is_cut });
            if exit.outlet.send_as(exit.port, note_on(exit.sample, key, velocity(&note)), Sound::of(note.role)) {
                self.meters.add(Count::Sounded, 1);
                exit.capture.sounds(note, key.channel(), exit.at);
            }
        }
    }

    /// The player strikes a key: a planned note sounding there ends first.
    pub fn player_on<P: Port>(&mut self, key: Key, exit: &mut Exit<'_, P>) {
        if self.keys.player_on(key) == PlayerOn::ReleasePlan {
            exit.cut(key);
        }
    }

    /// The player releases a key. If the note-off is passed on, it also ends a planned note sounding there.
    pub fn player_off<P: Port>(&mut self, key: Key, goes_out: bool, exit: &mut Exit<'_, P>) {
        if (goes_out || self.keys.player_holds(key)) && self.keys.player_off(key) {
            exit.capture.ends(key, exit.at);
        }
    }

    /// A channel mode message of the player releases all keys of a channel. If it is passed on, planned notes sounding there end, too.
    pub fn player_channel_off<P: Port>(&mut self, channel: u8, goes_out: bool, exit: &mut Exit<'_, P>) {
        for key in (0..128).filter_map(|pitch| Key::new(channel, pitch)) {
            if goes_out && self.keys.plan_ends(key) {
                exit.cut(key);
            }
            if self.keys.player_holds(key) {
                // The plan never sounds a key that the player holds.
                let _ = self.keys.player_off(key);
            }
        }
    }

    /// Ends all sounding notes.
    pub fn release<P: Port>(&mut self, exit: &mut Exit<'_, P>) {
        while let Some(key) = self.keys.release_plan() {
            exit.cut(key);
        }
        self.sounding.clear();
    }

    /// Drops all pending notes.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Marks all of the player's keys as released: after a reset no host sends note-offs.
    pub fn forget_player(&mut self) {
        while self.keys.release_player().is_some() {}
    }

    /// Inserts a note by time, unless it is late.
    fn wait(&mut self, note: &Note, channel: u8, span: &Span) {
        let on = start_of(note);
        let Some(key) = Key::new(channel, note.pitch) else { return };
        if span.sample(on) < 0 {
            self.meters.add(Count::Late, 1);
        } else if self.waiting.len() == WAITING {
            self.meters.add(Count::Crowded, 1);
        } else {
            // After those at the same time, so that they start in order of arrival.
            let place = self.waiting.partition_point(|other| other.on <= on);
            self.waiting.insert(place, Waiting { on, key, note: *note, cut: None });
        }
    }
}

/// Start time of a note, including its offset.
fn start_of(note: &Note) -> Moment {
    Moment(Moment::from(note.onset).0 + offset(note))
}

/// End time of a note: shifted by the same offset as its start.
fn end_of(note: &Note) -> Moment {
    Moment(Moment::from(note.end()).0 + offset(note))
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
