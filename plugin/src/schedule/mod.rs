//! What is to sound: the musician's notes, each at its own sample, on and off.
//!
//! Notes wait in order of time; the next one is kept across blocks, so that rounding loses none. Of a note that sounds only its end is kept.
//! The player owns the keys ([`KeyTable`]).

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

/// Notes that can wait.
const WAITING: usize = 4096;
/// Messages taken in with one block, so that a long plan does not make a long block.
const MESSAGES_PER_BLOCK: usize = 256;
/// Planned notes that can sound at once: more than any instrument has voices.
const SOUNDING: usize = 256;

/// A note that waits for its time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Waiting {
    on: Moment,
    key: Key,
    note: Note,
    /// It ends here, if that is before its time.
    cut: Option<Moment>,
}

/// A note that sounds.
#[derive(Debug, Clone, Copy)]
struct Sounding {
    off: Moment,
    voice: Voice,
    /// It ends before its time.
    is_cut: bool,
}

/// The way out for one sample: to the host, and, for what sounds of the plan, to the musician.
pub struct Exit<'a, P> {
    /// In samples from the start of the block.
    pub sample: u32,
    /// The same on the clock.
    pub at: Moment,
    /// The way to the host.
    pub outlet: &'a mut Outlet,
    /// The host.
    pub port: &'a mut P,
    /// The way to the musician.
    pub capture: &'a mut Capture,
}

impl<P: Port> Exit<'_, P> {
    fn note_off(&mut self, key: Key) {
        self.outlet.send(self.port, note_off(self.sample, key));
    }

    /// A note of the plan is left out.
    fn withhold(&mut self, note: Note, reason: Withheld) {
        self.capture.withholds(note, reason, self.at);
    }

    /// A note of the plan ends before its time.
    fn cut(&mut self, key: Key) {
        self.note_off(key);
        self.capture.ends(key, self.at);
    }
}

/// What came before a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Received {
    /// Planned events, or nothing.
    Events,
    /// Besides, Play was pressed in the window while the clock stood.
    StartClock,
}

/// The playing end of the ring.
pub struct Schedule {
    planned: HeapCons<Planned>,
    meters: Arc<Meters>,
    /// In order of `on`.
    waiting: VecDeque<Waiting>,
    /// In falling order of `off`, so that the next one is the last.
    sounding: Vec<Sounding>,
    keys: KeyTable,
    /// No note of the plan ends at or before this sample of the block: one was started there.
    started: Option<u32>,
}

impl Schedule {
    /// The playing end, with all the room it will ever need.
    #[must_use]
    pub fn new(planned: HeapCons<Planned>, meters: Arc<Meters>) -> Self {
        let (waiting, sounding) = (VecDeque::with_capacity(WAITING), Vec::with_capacity(SOUNDING));
        Self { planned, meters, waiting, sounding, keys: KeyTable::new(), started: None }
    }

    /// Takes in what the session sent, before a block is played. Says whether the clock is to start.
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
                Planned::Note { note, channel, .. } => self.wait(&note, channel, span),
                Planned::StartClock { .. } => received = Received::StartClock,
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
                    // Those that end at once are in their order again.
                    self.sounding.sort_unstable_by(|one, other| other.off.0.total_cmp(&one.off.0));
                }
            }
        }
        received
    }

    /// The next sample of the block, from `from` on, at which a planned note starts or ends.
    #[must_use]
    pub fn next_sample(&self, span: &Span, from: u32) -> Option<u32> {
        let on = self.waiting.front().map(|note| span.sample(note.on));
        let off = self.sounding.last().map(|note| span.sample(note.off).max(self.started.map_or(0, |sample| i64::from(sample) + 1)));
        let next = on.into_iter().chain(off).min()?.max(i64::from(from));
        u32::try_from(next).ok().filter(|&sample| sample < span.frames())
    }

    /// Ends the notes whose time has come at this sample, and those on whose keys others are about to start.
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
        // A key that is struck again is let go first, and before anything starts.
        let sample = i64::from(exit.sample);
        for note in self.waiting.iter().take_while(|note| span.sample(note.on) <= sample) {
            if self.keys.plan_ends(note.key) {
                exit.cut(note.key);
            }
        }
    }

    /// Starts the notes whose time has come at this sample, where the player leaves the key free.
    pub fn start<P: Port>(&mut self, span: &Span, exit: &mut Exit<'_, P>) {
        while let Some(Waiting { key, note, cut, .. }) = self.waiting.pop_front_if(|note| span.sample(note.on) <= i64::from(exit.sample)) {
            if self.sounding.len() == SOUNDING {
                self.meters.add(Count::Crowded, 1);
                exit.withhold(note, Withheld::NoRoom);
                continue;
            }
            let PlanOn::Start(voice) = self.keys.plan_on(key) else {
                // The player's, or a key that was planned twice at once.
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

    /// The player strikes a key: a note of the plan that sounds there ends first.
    pub fn player_on<P: Port>(&mut self, key: Key, exit: &mut Exit<'_, P>) {
        if self.keys.player_on(key) == PlayerOn::ReleasePlan {
            exit.cut(key);
        }
    }

    /// The player lets a key go. A note-off that goes out ends what the plan sounds there; one that does not, does not.
    pub fn player_off<P: Port>(&mut self, key: Key, goes_out: bool, exit: &mut Exit<'_, P>) {
        if (goes_out || self.keys.player_holds(key)) && self.keys.player_off(key) {
            exit.capture.ends(key, exit.at);
        }
    }

    /// A channel mode message of the player's lets all keys of a channel go. One that goes out ends what the plan sounds there, too.
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

    /// Ends everything that sounds.
    pub fn release<P: Port>(&mut self, exit: &mut Exit<'_, P>) {
        while let Some(key) = self.keys.release_plan() {
            exit.cut(key);
        }
        self.sounding.clear();
    }

    /// Forgets what waits.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// Forgets which keys the player holds: after a reset no host says.
    pub fn forget_player(&mut self) {
        while self.keys.release_player().is_some() {}
    }

    /// Puts a note in its place, if its time is not over.
    fn wait(&mut self, note: &Note, channel: u8, span: &Span) {
        let on = start_of(note);
        let Some(key) = Key::new(channel, note.pitch) else { return };
        if span.sample(on) < 0 {
            self.meters.add(Count::Late, 1);
        } else if self.waiting.len() == WAITING {
            self.meters.add(Count::Crowded, 1);
        } else {
            // Behind those of the same moment: they start in the order they came.
            let place = self.waiting.partition_point(|other| other.on <= on);
            self.waiting.insert(place, Waiting { on, key, note: *note, cut: None });
        }
    }
}

/// When a note starts, with its offset.
fn start_of(note: &Note) -> Moment {
    Moment(Moment::from(note.onset).0 + offset(note))
}

/// When a note ends: as much off the grid as its start.
fn end_of(note: &Note) -> Moment {
    Moment(Moment::from(note.end()).0 + offset(note))
}

fn offset(note: &Note) -> f64 {
    f64::from(note.offset) / OFFSETS_PER_TICK as f64
}

/// A note-on with velocity 0 would be a note-off.
fn velocity(note: &Note) -> u8 {
    note.velocity.clamp(1, 127)
}

#[cfg(test)]
mod tests;
