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
use crate::musician::{Epoch, Planned};
use crate::port::{Outlet, Port, Sound, note_off, note_on};

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

    /// A note of the plan ends before its time.
    fn cut(&mut self, key: Key) {
        self.note_off(key);
        self.capture.ends(key, self.at);
    }
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
                continue;
            }
            let PlanOn::Start(voice) = self.keys.plan_on(key) else {
                // The player's, or a key that was planned twice at once.
                let reason = if self.keys.player_holds(key) { Count::Yielded } else { Count::Crowded };
                self.meters.add(reason, 1);
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
mod tests {
    use antiphon_engine::music::{Role, Tick};
    use nice_plug::midi::NoteEvent;
    use ringbuf::traits::{Producer, Split};
    use ringbuf::{HeapProd, HeapRb};

    use super::*;
    use crate::clock::{Clock, HostTime, Position};
    use crate::musician::Heard;
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
        capture: Capture,
        heard: HeapCons<Heard>,
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
            let (heard, listen) = HeapRb::new(2 * WAITING).split();
            let capture = Capture::new(heard, Arc::clone(&meters));
            Self { schedule, musician, meters, clock, host, outlet: Outlet::default(), capture, heard: listen }
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
                let (outlet, capture) = (&mut self.outlet, &mut self.capture);
                let mut exit = Exit { sample, at: span.moment(sample), outlet, port: &mut port, capture };
                self.schedule.end(&span, &mut exit);
                self.schedule.start(&span, &mut exit);
            }
            let seen = |event: &Event| match *event {
                NoteEvent::NoteOn { timing, key, .. } => (timing, i16::from(key.number_or_middle_c())),
                NoteEvent::NoteOff { timing, key, .. } => (timing, -i16::from(key.number_or_middle_c())),
                _ => panic!("{event:?}"),
            };
            port.outputs.iter().map(seen).collect()
        }

        /// What the musician was told: when pitches began to sound (positive) or ended before their time (negative).
        fn told(&mut self) -> Vec<(f64, i16)> {
            let seen = |heard| match heard {
                Heard::Sounds { at, note, .. } => (at.0, i16::from(note.pitch)),
                Heard::Ends { at, key } => (at.0, -i16::from(key.pitch())),
                _ => panic!("{heard:?}"),
            };
            self.heard.pop_iter().map(seen).collect()
        }
    }

    #[test]
    fn the_musician_is_told_what_sounds_and_what_ends_early() {
        let mut desk = Desk::new();
        desk.plan(1, 0, 9, 60);
        // Cut below, ends by itself, starts again.
        desk.plan(2, 0, 1, 61);
        desk.plan(5, 0, 5, 62);
        desk.plan(6, 0, 2, 62);
        desk.block(1500);
        // Late.
        desk.plan(1, 0, 9, 63);
        desk.send(Planned::Cut { epoch: Epoch(0), at: Tick(5) });
        desk.block(10_000);
        assert_eq!(desk.told(), [(1.0, 60), (2.0, 61), (5.0, -60), (5.0, 62), (6.0, -62), (6.0, 62)]);
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
        // Not begun when the cut is ordered: it ends there all the same.
        desk.plan(2, 0, 100, 62);
        desk.block(1500);
        desk.send(Planned::Cut { epoch: Epoch(0), at: Tick(4) });
        desk.plan(4, 0, 1, 63);
        assert_eq!(desk.block(5000), [(500, 62), (1500, -61), (2500, -60), (2500, -62), (2500, 63), (3500, -63)]);
    }

    #[test]
    fn a_note_that_starts_again_ends_first() {
        let mut desk = Desk::new();
        desk.plan(1, 0, 5, 60);
        desk.plan(2, 0, 1, 60);
        desk.plan(2, 0, 1, 59);
        desk.plan(2, 0, 1, 60);
        let out = desk.block(8000);
        assert_eq!(out, [(1000, 60), (2000, -60), (2000, 60), (2000, 59), (3000, -60), (3000, -59)]);
        assert_eq!(desk.meters.count(Count::Crowded), 1, "one key was planned twice at once");
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
