//! What the audio thread tells the musician.

use std::sync::Arc;

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::Key;
use nice_plug::midi::{NoteEvent, control_change};
use ringbuf::HeapProd;
use ringbuf::traits::{Observer, Producer};

use crate::clock::{Moment, Turn};
use crate::meters::{Count, Meters};
use crate::musician::{Command, Epoch, Heard};
use crate::params::ControlValues;
use crate::port::{Event, each_key};
use crate::thru::is_pressed;
use crate::withheld::Withheld;

/// Room that events leave for what must not be lost.
const RESERVE: usize = 64;

/// The telling end of the ring.
pub struct Capture {
    heard: HeapProd<Heard>,
    meters: Arc<Meters>,
    epoch: Epoch,
    /// A turn or an end of the epoch that found no room: told when there is some.
    untold: Option<Heard>,
    /// Whether events were lost, or not listened to, since the last that was told.
    gap: bool,
    /// The last tick reached that was told.
    reached: Option<Tick>,
    /// Messages pushed into the ring.
    told: u64,
}

impl Capture {
    /// The telling end.
    #[must_use]
    pub const fn new(heard: HeapProd<Heard>, meters: Arc<Meters>) -> Self {
        Self { heard, meters, epoch: Epoch(0), untold: None, gap: false, reached: None, told: 0 }
    }

    /// The epoch it is.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Messages told since the instance was made.
    #[must_use]
    pub const fn told(&self) -> u64 {
        self.told
    }

    /// What of the player's events a musician listens to: notes and the sustain pedal.
    pub fn play(&mut self, event: &Event, at: Moment) {
        match *event {
            NoteEvent::NoteOn { channel, key, velocity, .. } => {
                each_key(channel, key, |key| self.tell(Heard::NoteOn { at, key, velocity: midi_velocity(velocity) }));
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                each_key(channel, key, |key| self.tell(Heard::NoteOff { at, key }));
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, cc: control_change::DAMPER_PEDAL, value, .. } => {
                self.tell(Heard::Pedal { at, channel, pressed: is_pressed(value) });
            }
            _ => {}
        }
    }

    /// A planned note sounds, from now to its end if nothing more is told of it. Unlike the player's events it is told in a gap, too.
    pub fn sounds(&mut self, note: Note, channel: u8, at: Moment) {
        self.tell_of_plan(Heard::Sounds { at, note, channel });
    }

    /// A planned note ended before its time.
    pub fn ends(&mut self, key: Key, at: Moment) {
        self.tell_of_plan(Heard::Ends { at, key });
    }

    /// A planned note does not sound.
    pub fn withholds(&mut self, note: Note, reason: Withheld, at: Moment) {
        self.tell_of_plan(Heard::Withheld { at, note, reason });
    }

    /// The clock turned. `ends_epoch` says whether what was planned is void.
    pub fn turn(&mut self, turn: Turn, ends_epoch: bool) {
        if ends_epoch {
            self.epoch = self.epoch.next();
        }
        self.announce(Heard::Turn { epoch: self.epoch, turn });
    }

    /// What was planned is void.
    pub fn void(&mut self, at: Moment) {
        self.epoch = self.epoch.next();
        self.announce(Heard::Void { epoch: self.epoch, at });
    }

    /// From here on nothing is known of what the player holds.
    pub const fn lose_player(&mut self) {
        self.gap = true;
    }

    /// The player asks for something.
    pub fn command(&mut self, command: Command, at: Moment) {
        self.tell(Heard::Command { at, command });
    }

    /// The clock has run to here: told once a tick.
    pub fn reach(&mut self, at: Moment, tempo: f64, controls: impl FnOnce() -> ControlValues) {
        if self.reached != Some(at.tick()) && self.push(Heard::Reached { at, tempo, controls: controls() }, RESERVE) {
            self.reached = Some(at.tick());
        }
    }

    /// Tells an event, or counts it as lost.
    fn tell(&mut self, event: Heard) {
        if self.gap || !self.push(event, RESERVE) {
            self.gap = true;
            // Where nobody listens, nothing is lost.
            self.meters.add(Count::Unheard, u64::from(self.heard.read_is_held()));
        }
    }

    fn tell_of_plan(&mut self, event: Heard) {
        if !self.push(event, RESERVE) {
            self.meters.add(Count::Unheard, u64::from(self.heard.read_is_held()));
        }
    }

    /// Tells what must not be lost. Of several that find no room the last turn is told, with the newest epoch: it says all of the others.
    fn announce(&mut self, message: Heard) {
        self.untold = match (self.untold, message) {
            (None, _) if self.push(message, 0) => None,
            (Some(Heard::Turn { turn, .. }), Heard::Void { epoch, .. }) => Some(Heard::Turn { epoch, turn }),
            _ => Some(message),
        };
    }

    /// Tells what found no room before.
    pub fn catch_up(&mut self, at: Moment) {
        if let Some(message) = self.untold
            && self.push(message, 0)
        {
            self.untold = None;
        }
        if self.gap && self.push(Heard::Gap { at }, RESERVE) {
            self.gap = false;
        }
    }

    fn push(&mut self, message: Heard, leave: usize) -> bool {
        let pushed = self.heard.vacant_len() > leave && self.heard.try_push(message).is_ok();
        self.told += u64::from(pushed);
        pushed
    }
}

/// A host's velocity, 0 to 1, as MIDI's, 1 to 127: a note-on with 0 would be a note-off.
fn midi_velocity(velocity: f32) -> u8 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 to 127 before")]
    let velocity = (velocity * 127.0).round().clamp(1.0, 127.0) as u8;
    // NaN becomes 0.
    velocity.max(1)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Metre;
    use antiphon_engine::plan::{SongBar, SongPosition};
    use ringbuf::traits::{Consumer, Split};
    use ringbuf::{HeapCons, HeapRb};

    use super::*;
    use crate::clock::Cause;
    use crate::params::AntiphonParams;
    use crate::port::{note_off, note_on};

    const KEY: Key = Key::new(4, 61).unwrap();

    fn capture(room: usize) -> (Capture, HeapCons<Heard>, Arc<Meters>) {
        let (heard, listen) = HeapRb::new(room).split();
        let meters = Arc::new(Meters::default());
        (Capture::new(heard, Arc::clone(&meters)), listen, meters)
    }

    fn controls() -> ControlValues {
        AntiphonParams::new(true).controls()
    }

    #[test]
    fn notes_and_the_pedal_are_told() {
        let (mut capture, mut listen, _) = capture(1000);
        let at = Moment(3.5);
        let pedal = |value| NoteEvent::MidiCC { timing: 0, channel: 4, cc: 64, value };
        for event in [note_on(0, KEY, 77), pedal(64.0 / 127.0), pedal(63.0 / 127.0), note_off(0, KEY)] {
            capture.play(&event, at);
        }
        capture.play(&NoteEvent::MidiPitchBend { timing: 0, channel: 0, value: 0.1 }, at);
        capture.play(&NoteEvent::MidiCC { timing: 0, channel: 99, cc: 64, value: 1.0 }, at);
        let heard: Vec<_> = listen.pop_iter().collect();
        let pedal = |pressed| Heard::Pedal { at, channel: 4, pressed };
        assert_eq!(heard, [Heard::NoteOn { at, key: KEY, velocity: 77 }, pedal(true), pedal(false), Heard::NoteOff { at, key: KEY }]);
    }

    #[test]
    fn velocities_are_midis() {
        for (host, midi) in [(0.0, 1), (1.0, 127), (2.0, 127), (-1.0, 1), (f32::NAN, 1), (64.0 / 127.0, 64)] {
            assert_eq!(midi_velocity(host), midi);
        }
    }

    #[test]
    fn what_is_lost_is_counted_and_told_as_a_gap() {
        let (mut capture, mut listen, meters) = capture(RESERVE + 2);
        for _ in 0..5 {
            capture.play(&note_on(0, KEY, 9), Moment(0.0));
        }
        assert_eq!(meters.count(Count::Unheard), 3);
        capture.void(Moment(1.0));
        assert_eq!(listen.pop_iter().last(), Some(Heard::Void { epoch: Epoch(1), at: Moment(1.0) }));
        capture.catch_up(Moment(2.0));
        capture.play(&note_off(0, KEY), Moment(2.0));
        let heard: Vec<_> = listen.pop_iter().collect();
        assert_eq!(heard[0], Heard::Gap { at: Moment(2.0) });
        assert_eq!(heard[1], Heard::NoteOff { at: Moment(2.0), key: KEY });
    }

    #[test]
    fn the_newest_epoch_is_told_when_there_is_room_again() {
        let (mut capture, mut listen, _) = capture(2);
        let bar = SongBar { start: SongPosition(0), metre: Metre::COMMON };
        let turn = Turn { cause: Cause::Locate, sample: 0, at: Moment(1.0), song: SongPosition(7), bar };
        for _ in 0..3 {
            capture.void(Moment(1.0));
        }
        capture.turn(turn, true);
        capture.void(Moment(1.0));
        assert_eq!(listen.pop_iter().count(), 2);
        capture.catch_up(Moment(1.5));
        assert_eq!(listen.try_pop(), Some(Heard::Turn { epoch: Epoch(5), turn }));
    }

    #[test]
    fn a_tick_is_told_once() {
        let (mut capture, mut listen, _) = capture(1000);
        for at in [0.0, 0.5, 1.0, 1.9, 1.99, 4.0] {
            capture.reach(Moment(at), 120.0, controls);
        }
        let at: Vec<_> =
            listen.pop_iter().map(|heard| if let Heard::Reached { at, .. } = heard { at.0 } else { panic!("{heard:?}") }).collect();
        assert_eq!(at, [0.0, 1.0, 4.0]);
    }

    #[test]
    fn where_nobody_listens_nothing_is_lost() {
        let (mut capture, listen, meters) = capture(RESERVE + 1);
        drop(listen);
        for _ in 0..100 {
            capture.play(&note_on(0, KEY, 9), Moment(0.0));
        }
        assert_eq!(meters.count(Count::Unheard), 0);
    }
}
