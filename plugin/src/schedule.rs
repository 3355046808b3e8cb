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

use crate::clock::{Moment, Span};
use crate::meters::{Count, Meters};
use crate::musician::{Epoch, Planned};
use crate::port::{Outlet, Port, note_off, note_on};

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
    off: Moment,
    key: Key,
    velocity: u8,
}

/// A note that sounds.
#[derive(Debug, Clone, Copy)]
struct Sounding {
    off: Moment,
    voice: Voice,
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

    /// Takes in what the musician sent, before a block is played.
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
                        note.off = at.into();
                    }
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

    /// Ends the notes whose time has come at this sample.
    pub fn end(&mut self, span: &Span, sample: u32, outlet: &mut Outlet, port: &mut impl Port) {
        if self.started == Some(sample) {
            return;
        }
        while let Some(note) = self.sounding.pop_if(|note| span.sample(note.off) <= i64::from(sample)) {
            if self.keys.plan_off(note.voice) {
                outlet.send(port, note_off(sample, note.voice.key()));
            }
        }
    }

    /// Starts the notes whose time has come at this sample, where the player leaves the key free.
    pub fn start(&mut self, span: &Span, sample: u32, outlet: &mut Outlet, port: &mut impl Port) {
        while let Some(note) = self.waiting.pop_front_if(|note| span.sample(note.on) <= i64::from(sample)) {
            if self.sounding.len() == SOUNDING {
                self.meters.add(Count::Crowded, 1);
                continue;
            }
            let voice = match self.keys.plan_on(note.key) {
                PlanOn::Refused => {
                    self.meters.add(Count::Yielded, 1);
                    continue;
                }
                PlanOn::Start(voice) => voice,
                PlanOn::Restart(voice) => {
                    outlet.send(port, note_off(sample, note.key));
                    voice
                }
            };
            self.started = Some(sample);
            let place = self.sounding.partition_point(|other| other.off > note.off);
            self.sounding.insert(place, Sounding { off: note.off, voice });
            if outlet.send(port, note_on(sample, note.key, note.velocity)) {
                self.meters.add(Count::Sounded, 1);
            }
        }
    }

    /// The player strikes a key: a note of the plan that sounds there ends first.
    pub fn player_on(&mut self, key: Key, sample: u32, outlet: &mut Outlet, port: &mut impl Port) {
        if self.keys.player_on(key) == PlayerOn::ReleasePlan {
            outlet.send(port, note_off(sample, key));
        }
    }

    /// The player lets a key go. A note-off that goes out ends what the plan sounds there; one that does not, does not.
    pub fn player_off(&mut self, key: Key, goes_out: bool) {
        if goes_out || self.keys.player_holds(key) {
            self.keys.player_off(key);
        }
    }

    /// Ends everything that sounds.
    pub fn release(&mut self, sample: u32, outlet: &mut Outlet, port: &mut impl Port) {
        while let Some(key) = self.keys.release_plan() {
            outlet.send(port, note_off(sample, key));
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
        let offset = f64::from(note.offset) / OFFSETS_PER_TICK as f64;
        let (on, off) = (Moment(Moment::from(note.onset).0 + offset), Moment(Moment::from(note.end()).0 + offset));
        let Some(key) = Key::new(channel, note.pitch) else { return };
        if span.sample(on) < 0 {
            self.meters.add(Count::Late, 1);
        } else if self.waiting.len() == WAITING {
            self.meters.add(Count::Crowded, 1);
        } else {
            // Behind those of the same moment: they start in the order they came.
            let place = self.waiting.partition_point(|other| other.on <= on);
            self.waiting.insert(place, Waiting { on, off, key, velocity: note.velocity.clamp(1, 127) });
        }
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{Role, Tick};
    use nice_plug::midi::NoteEvent;
    use ringbuf::traits::{Producer, Split};
    use ringbuf::{HeapProd, HeapRb};

    use super::*;
    use crate::clock::{Clock, HostTime, Position};
    use crate::port::Event;
    use crate::port::scripted::Scripted;

    /// A schedule, its musician, and a clock that runs 1000 samples a tick.
    struct Desk {
        schedule: Schedule,
        musician: HeapProd<Planned>,
        meters: Arc<Meters>,
        clock: Clock,
        host: HostTime,
        outlet: Outlet,
    }

    impl Desk {
        fn new() -> Self {
            let (musician, planned) = HeapRb::new(2 * WAITING).split();
            let meters = Arc::new(Meters::default());
            let mut clock = Clock::new();
            clock.set_sample_rate(48_000.0);
            let position = Position::Musical(0.0);
            let host = HostTime { playing: true, tempo: Some(120.0), metre: None, position, bar_line: None, cycle: None };
            let schedule = Schedule::new(planned, Arc::clone(&meters));
            Self { schedule, musician, meters, clock, host, outlet: Outlet::default() }
        }

        fn plan(&mut self, onset: i64, offset: i8, duration: i64, pitch: u8) {
            let note = Note { onset: Tick(onset), offset, duration: Tick(duration), pitch, velocity: 64, role: Role::Keys };
            self.send(Planned::Note { epoch: Epoch(0), note, channel: 0 });
        }

        fn send(&mut self, message: Planned) {
            self.musician.try_push(message).unwrap();
        }

        /// Plays a block: the samples from its start at which pitches started (positive) or ended (negative).
        fn block(&mut self, frames: u32) -> Vec<(u32, i16)> {
            self.clock.begin(&self.host, frames);
            let span = self.clock.span();
            if let Position::Musical(ticks) = &mut self.host.position {
                *ticks = span.end().0;
            }
            let mut port = Scripted::default();
            self.schedule.receive(Epoch(0), &span);
            let mut sample = 0;
            while let Some(next) = self.schedule.next_sample(&span, sample) {
                sample = next;
                self.schedule.end(&span, sample, &mut self.outlet, &mut port);
                self.schedule.start(&span, sample, &mut self.outlet, &mut port);
            }
            let seen = |event: &Event| match *event {
                NoteEvent::NoteOn { timing, key, .. } => (timing, i16::from(key.number_or_middle_c())),
                NoteEvent::NoteOff { timing, key, .. } => (timing, -i16::from(key.number_or_middle_c())),
                _ => panic!("{event:?}"),
            };
            port.outputs.iter().map(seen).collect()
        }
    }

    #[test]
    fn offsets_are_eighths_of_a_tick() {
        let mut desk = Desk::new();
        desk.plan(2, -4, 1, 60);
        desk.plan(2, 3, 1, 61);
        assert_eq!(desk.block(4000), [(1500, 60), (2375, 61), (2500, -60), (3375, -61)]);
    }

    #[test]
    fn notes_come_in_any_order_and_leave_in_order_of_time() {
        let mut desk = Desk::new();
        for (onset, pitch) in [(5, 65), (1, 61), (3, 63), (1, 71)] {
            desk.plan(onset, 0, 1, pitch);
        }
        let out = desk.block(7000);
        assert_eq!(out[..4], [(1000, 61), (1000, 71), (2000, -61), (2000, -71)]);
        assert_eq!(out[4..], [(3000, 63), (4000, -63), (5000, 65), (6000, -65)]);
    }

    #[test]
    fn the_next_note_is_kept_across_blocks() {
        let mut desk = Desk::new();
        desk.plan(1, 0, 1, 60);
        let out: Vec<_> = [999, 1, 1, 998, 2].into_iter().map(|frames| desk.block(frames)).collect();
        assert_eq!(out, [vec![], vec![], vec![(0, 60)], vec![], vec![(1, -60)]]);
    }

    #[test]
    fn what_comes_late_is_counted_and_not_played() {
        let mut desk = Desk::new();
        desk.block(2500);
        desk.plan(2, 0, 10, 60);
        desk.plan(3, 0, 1, 61);
        assert_eq!(desk.block(1000), [(500, 61)]);
        assert_eq!((desk.meters.count(Count::Late), desk.meters.count(Count::Sounded)), (1, 1));
    }

    #[test]
    fn withdrawn_notes_do_not_sound_and_those_that_sound_stay() {
        let mut desk = Desk::new();
        for (onset, pitch) in [(1, 61), (2, 62), (3, 63), (4, 64), (5, 65)] {
            desk.plan(onset, 0, 10, pitch);
        }
        desk.block(2500);
        desk.send(Planned::Withdraw { epoch: Epoch(0), from: Tick(4) });
        desk.plan(4, 0, 1, 70);
        assert_eq!(desk.block(3000), [(500, 63), (1500, 70), (2500, -70)]);
    }

    #[test]
    fn a_cut_ends_what_sounds() {
        let mut desk = Desk::new();
        desk.plan(1, 0, 100, 60);
        desk.plan(1, 0, 2, 61);
        desk.block(1500);
        desk.send(Planned::Cut { epoch: Epoch(0), at: Tick(4) });
        assert_eq!(desk.block(5000), [(1500, -61), (2500, -60)]);
    }

    #[test]
    fn a_note_that_starts_again_ends_first() {
        let mut desk = Desk::new();
        desk.plan(1, 0, 5, 60);
        desk.plan(2, 0, 1, 60);
        assert_eq!(desk.block(8000), [(1000, 60), (2000, -60), (2000, 60), (3000, -60)]);
    }

    #[test]
    fn a_note_without_length_still_ends_after_it_started() {
        let mut desk = Desk::new();
        desk.plan(2, 0, 0, 60);
        desk.plan(3, 0, 0, 61);
        assert_eq!(desk.block(3001), [(2000, 60), (2001, -60), (3000, 61)]);
        assert_eq!(desk.block(10), [(0, -61)]);
    }

    #[test]
    fn a_standing_clock_plays_nothing() {
        let mut desk = Desk::new();
        desk.host.playing = false;
        desk.plan(0, 0, 1, 60);
        desk.plan(1, 0, 1, 61);
        assert_eq!(desk.block(5000), []);
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let mut desk = Desk::new();
        for _ in 0..WAITING + 5 {
            desk.plan(9, 0, 1, 60);
        }
        for _ in 0..=WAITING / MESSAGES_PER_BLOCK {
            desk.block(10);
        }
        assert_eq!(desk.meters.count(Count::Crowded), 5);
    }

    #[test]
    fn keys_outside_midi_are_left_out() {
        let mut desk = Desk::new();
        desk.plan(1, 0, 1, 200);
        assert_eq!(desk.block(5000), []);
    }
}
