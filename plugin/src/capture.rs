//! What the audio thread tells the musician.

use std::sync::Arc;

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::Key;
use nice_plug::midi::{NoteEvent, control_change};
use ringbuf::HeapProd;
use ringbuf::traits::{Observer, Producer};

use crate::clock::{Moment, Turn};
use crate::keys::KeySet;
use crate::meters::{Count, Meters};
use crate::musician::{Command, Epoch, Heard};
use crate::params::ControlValues;
use crate::port::{ChannelMode, Event, each_key};
use crate::thru::is_pressed;

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
    /// Keys that the player holds.
    held: KeySet,
    /// Channels whose sustain pedal is down, a bit each.
    pedals: u16,
}

impl Capture {
    /// The telling end.
    #[must_use]
    pub fn new(heard: HeapProd<Heard>, meters: Arc<Meters>) -> Self {
        let (held, pedals) = (KeySet::default(), 0);
        Self { heard, meters, epoch: Epoch(0), untold: None, gap: false, reached: None, told: 0, held, pedals }
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

    /// What of the player's events a musician listens to: notes, the sustain pedal, and what ends them.
    pub fn play(&mut self, event: &Event, at: Moment) {
        match *event {
            NoteEvent::NoteOn { channel, key, velocity, .. } => {
                each_key(channel, key, |key| self.strike(key, midi_velocity(velocity), at));
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                each_key(channel, key, |key| self.let_go(key, at));
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, cc: control_change::DAMPER_PEDAL, value, .. } => {
                self.pedal(channel, is_pressed(value), at);
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, cc, .. } => {
                if let Some(mode) = ChannelMode::of(cc) {
                    self.set_channel_mode(channel, mode, at);
                }
            }
            _ => {}
        }
    }

    fn strike(&mut self, key: Key, velocity: u8, at: Moment) {
        self.held.insert(key);
        self.tell(Heard::NoteOn { at, key, velocity });
    }

    fn let_go(&mut self, key: Key, at: Moment) {
        self.held.forget(key);
        self.tell(Heard::NoteOff { at, key });
    }

    fn pedal(&mut self, channel: u8, pressed: bool, at: Moment) {
        let bit = 1 << channel;
        self.pedals = if pressed { self.pedals | bit } else { self.pedals & !bit };
        self.tell(Heard::Pedal { at, channel, pressed });
    }

    /// What the message ends has ended, also what a host or a keyboard forgot to let go.
    fn set_channel_mode(&mut self, channel: u8, mode: ChannelMode, at: Moment) {
        if mode.ends_notes() {
            while let Some(key) = self.held.first_on(channel) {
                self.let_go(key, at);
            }
        }
        let is_down = self.pedals >> channel & 1 == 1;
        if mode != ChannelMode::NotesOff {
            self.pedal(channel, false, at);
        }
        // The foot has not moved.
        if mode == ChannelMode::SoundOff && is_down {
            self.pedal(channel, true, at);
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
    pub fn lose_player(&mut self) {
        self.gap = true;
        self.held.clear();
        self.pedals = 0;
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
    fn channel_mode_messages_end_what_is_held() {
        let (mut capture, mut listen, _) = capture(1000);
        let at = Moment(1.0);
        let control = |cc, value| NoteEvent::MidiCC { timing: 0, channel: 4, cc, value };
        let other = Key::new(5, 61).unwrap();
        let pedal = |pressed| Heard::Pedal { at, channel: 4, pressed };
        let off = Heard::NoteOff { at, key: KEY };
        let ends: [(u8, &[Heard]); 5] =
            [(120, &[off, pedal(false), pedal(true)]), (121, &[pedal(false)]), (122, &[]), (123, &[off]), (126, &[off])];
        for (controller, ended) in ends {
            for event in [note_on(0, KEY, 77), note_on(0, other, 77), control(64, 1.0)] {
                capture.play(&event, at);
            }
            listen.pop_iter().for_each(drop);
            capture.play(&control(controller, 0.0), at);
            assert_eq!(listen.pop_iter().collect::<Vec<_>>(), ended, "controller {controller}");
        }
        // What was lost is held by nobody.
        capture.lose_player();
        capture.catch_up(at);
        capture.play(&control(123, 0.0), at);
        assert_eq!(listen.pop_iter().collect::<Vec<_>>(), [Heard::Gap { at }]);
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
