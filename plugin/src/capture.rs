//! Event stream from the audio thread to the session: the player's notes and pedal, transport changes, and what became of planned notes.

use std::sync::Arc;

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::{Deviation, MidiKey, SongLoop};
use nice_plug::midi::{NoteEvent, control_change};
use ringbuf::HeapProd;
use ringbuf::traits::{Observer, Producer};

use crate::clock::{MusicalTime, TransportEvent};
use crate::keys::KeySet;
use crate::meters::{Count, Meters};
use crate::port::{ChannelMode, Event, each_key};
use crate::thru::is_pressed;
use antiphon_engine::session::{Command, ControlValues, Epoch, InputEvent, Withheld};

/// Slots of the ring kept free of note events, so that transport changes and epoch changes still fit.
const RESERVED: usize = 64;

/// Producer of the event ring, owned by the audio thread.
pub struct Capture {
    events: HeapProd<InputEvent>,
    meters: Arc<Meters>,
    epoch: Epoch,
    /// Transport change or epoch change that did not fit into the ring; sent as soon as there is room.
    pending: Option<InputEvent>,
    /// Whether player events were dropped, or not captured, since the last event sent. The next event is then preceded by [`InputEvent::InputLost`].
    gap: bool,
    /// Last clock tick sent, so that each tick is sent once.
    last_tick: Option<Tick>,
    /// Messages pushed into the ring since the instance was created.
    sent: u64,
    /// Keys the player holds.
    held: KeySet,
    /// Channels whose sustain pedal is down, one bit each.
    pedals: u16,
}

impl Capture {
    /// A producer for this ring, at epoch 0.
    #[must_use]
    pub fn new(events: HeapProd<InputEvent>, meters: Arc<Meters>) -> Self {
        let (held, pedals) = (KeySet::default(), 0);
        Self { events, meters, epoch: Epoch(0), pending: None, gap: false, last_tick: None, sent: 0, held, pedals }
    }

    /// The current epoch. Planned notes of an older one are stale.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Messages pushed into the ring since the instance was created.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Captures what matters for the context: notes, the sustain pedal and channel mode messages. Other events are ignored.
    pub fn input(&mut self, event: &Event, at: MusicalTime) {
        match *event {
            NoteEvent::NoteOn { channel, key, velocity, .. } => {
                each_key(channel, key, |key| self.note_on(key, midi_velocity(velocity), at));
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                each_key(channel, key, |key| self.note_off(key, at));
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

    fn note_on(&mut self, key: MidiKey, velocity: u8, at: MusicalTime) {
        self.held.insert(key);
        self.send(InputEvent::NoteOn { at, key, velocity });
    }

    fn note_off(&mut self, key: MidiKey, at: MusicalTime) {
        self.held.remove(key);
        self.send(InputEvent::NoteOff { at, key });
    }

    fn pedal(&mut self, channel: u8, pressed: bool, at: MusicalTime) {
        let bit = 1 << channel;
        self.pedals = if pressed { self.pedals | bit } else { self.pedals & !bit };
        self.send(InputEvent::Pedal { at, channel, pressed });
    }

    /// Sends the note-offs and pedal changes a channel mode message implies, including note-offs the host or keyboard omitted.
    fn set_channel_mode(&mut self, channel: u8, mode: ChannelMode, at: MusicalTime) {
        if mode.ends_notes() {
            while let Some(key) = self.held.first_on(channel) {
                self.note_off(key, at);
            }
        }
        let is_down = self.pedals >> channel & 1 == 1;
        if mode != ChannelMode::NotesOff {
            self.pedal(channel, false, at);
        }
        // All Sound Off leaves the pedal itself where it is.
        if mode == ChannelMode::SoundOff && is_down {
            self.pedal(channel, true, at);
        }
    }

    /// A planned note was started. Sent even while player events are being dropped.
    pub fn note_started(&mut self, note: Note, channel: u8, deviation: Deviation, at: MusicalTime) {
        self.send_report(InputEvent::NoteStarted { at, note, channel, deviation });
    }

    /// A planned note ended before its planned end.
    pub fn note_ended(&mut self, key: MidiKey, at: MusicalTime) {
        self.send_report(InputEvent::NoteEnded { at, key });
    }

    /// A planned note was not played.
    pub fn note_withheld(&mut self, note: Note, reason: Withheld, at: MusicalTime) {
        self.send_report(InputEvent::Withheld { at, note, reason });
    }

    /// The transport changed. With `ends_epoch`, everything planned so far becomes stale.
    pub fn transport_event(&mut self, event: TransportEvent, ends_epoch: bool) {
        if ends_epoch {
            self.epoch = self.epoch.next();
        }
        self.send_or_keep(InputEvent::TransportChange { epoch: self.epoch, change: event.change() });
    }

    /// Starts a new epoch: everything planned so far becomes stale.
    pub fn invalidate_plan(&mut self, at: MusicalTime) {
        self.epoch = self.epoch.next();
        self.send_or_keep(InputEvent::PlanInvalidated { epoch: self.epoch, at });
    }

    /// The player takes over in Answer: what was sent becomes stale. Sent before the note-on.
    pub fn yield_plan(&mut self, at: MusicalTime) {
        self.epoch = self.epoch.next();
        self.send_or_keep(InputEvent::PlanYielded { epoch: self.epoch, at });
    }

    /// Player events were missed: the set of held keys is unknown from here on. The tick is sent again, so that the session hears of it at once.
    pub fn lose_input(&mut self) {
        self.gap = true;
        self.held.clear();
        self.pedals = 0;
        self.last_tick = None;
    }

    /// A command of the player.
    pub fn command(&mut self, command: Command, at: MusicalTime) {
        self.send(InputEvent::Command { at, command });
    }

    /// The clock reached this time. Sent once per tick, with the controls as they stand.
    pub fn tick(&mut self, at: MusicalTime, tempo: f64, song_loop: Option<SongLoop>, controls: impl FnOnce() -> ControlValues) {
        if self.last_tick != Some(at.tick()) && self.push(InputEvent::TimeReached { at, tempo, song_loop, controls: controls() }, RESERVED)
        {
            self.last_tick = Some(at.tick());
        }
    }

    /// Sends a player event. If the ring is full, drops it and all that follow until [`flush_pending`](Self::flush_pending) has sent a gap.
    fn send(&mut self, event: InputEvent) {
        if self.gap || !self.push(event, RESERVED) {
            self.gap = true;
            // Without a consumer nothing is lost.
            self.meters.add(Count::DroppedInput, u64::from(self.events.read_is_held()));
        }
    }

    fn send_report(&mut self, event: InputEvent) {
        if !self.push(event, RESERVED) {
            self.meters.add(Count::DroppedInput, u64::from(self.events.read_is_held()));
        }
    }

    /// Sends a message that must not be lost, or keeps it. Of several kept, only the last transport change and the newest epoch matter.
    fn send_or_keep(&mut self, message: InputEvent) {
        self.pending = match (self.pending, message) {
            (None, _) if self.push(message, 0) => None,
            (
                Some(InputEvent::TransportChange { change, .. }),
                InputEvent::PlanInvalidated { epoch, .. } | InputEvent::PlanYielded { epoch, .. },
            ) => Some(InputEvent::TransportChange { epoch, change }),
            (Some(InputEvent::PlanInvalidated { at, .. }), InputEvent::PlanYielded { epoch, .. }) => {
                Some(InputEvent::PlanInvalidated { epoch, at })
            }
            _ => Some(message),
        };
    }

    /// Sends what did not fit before: a kept transport or epoch change first, then the gap.
    pub fn flush_pending(&mut self, at: MusicalTime) {
        if let Some(message) = self.pending
            && self.push(message, 0)
        {
            self.pending = None;
        }
        if self.gap && self.push(InputEvent::InputLost { at }, RESERVED) {
            self.gap = false;
        }
    }

    fn push(&mut self, message: InputEvent, reserve: usize) -> bool {
        let pushed = self.events.vacant_len() > reserve && self.events.try_push(message).is_ok();
        self.sent += u64::from(pushed);
        pushed
    }
}

/// A host velocity (0 to 1) as MIDI (1 to 127). Never 0, since a note-on with velocity 0 is a note-off.
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

    const KEY: MidiKey = MidiKey::new(4, 61).unwrap();

    fn capture(room: usize) -> (Capture, HeapCons<InputEvent>, Arc<Meters>) {
        let (producer, consumer) = HeapRb::new(room).split();
        let meters = Arc::new(Meters::default());
        (Capture::new(producer, Arc::clone(&meters)), consumer, meters)
    }

    fn controls() -> ControlValues {
        AntiphonParams::new(true).controls()
    }

    #[test]
    fn events_of_the_player_are_sent_as_note_and_pedal_messages_only() {
        let (mut capture, mut consumer, _) = capture(1000);
        let at = MusicalTime(3.5);
        let pedal = |value| NoteEvent::MidiCC { timing: 0, channel: 4, cc: 64, value };
        for event in [note_on(0, KEY, 77), pedal(64.0 / 127.0), pedal(63.0 / 127.0), note_off(0, KEY)] {
            capture.input(&event, at);
        }
        capture.input(&NoteEvent::MidiPitchBend { timing: 0, channel: 0, value: 0.1 }, at);
        capture.input(&NoteEvent::MidiCC { timing: 0, channel: 99, cc: 64, value: 1.0 }, at);
        let events: Vec<_> = consumer.pop_iter().collect();
        let pedal = |pressed| InputEvent::Pedal { at, channel: 4, pressed };
        assert_eq!(
            events,
            [InputEvent::NoteOn { at, key: KEY, velocity: 77 }, pedal(true), pedal(false), InputEvent::NoteOff { at, key: KEY }]
        );
    }

    #[test]
    fn channel_mode_message_sends_the_note_offs_and_pedal_changes_it_implies() {
        let (mut capture, mut consumer, _) = capture(1000);
        let at = MusicalTime(1.0);
        let control = |cc, value| NoteEvent::MidiCC { timing: 0, channel: 4, cc, value };
        let other = MidiKey::new(5, 61).unwrap();
        let pedal = |pressed| InputEvent::Pedal { at, channel: 4, pressed };
        let off = InputEvent::NoteOff { at, key: KEY };
        let ends: [(u8, &[InputEvent]); 5] =
            [(120, &[off, pedal(false), pedal(true)]), (121, &[pedal(false)]), (122, &[]), (123, &[off]), (126, &[off])];
        for (controller, ended) in ends {
            for event in [note_on(0, KEY, 77), note_on(0, other, 77), control(64, 1.0)] {
                capture.input(&event, at);
            }
            consumer.pop_iter().for_each(drop);
            capture.input(&control(controller, 0.0), at);
            assert_eq!(consumer.pop_iter().collect::<Vec<_>>(), ended, "controller {controller}");
        }
        // After a gap no key counts as held.
        capture.lose_input();
        capture.flush_pending(at);
        capture.input(&control(123, 0.0), at);
        assert_eq!(consumer.pop_iter().collect::<Vec<_>>(), [InputEvent::InputLost { at }]);
    }

    #[test]
    fn host_velocity_is_clamped_to_1_to_127() {
        for (host, midi) in [(0.0, 1), (1.0, 127), (2.0, 127), (-1.0, 1), (f32::NAN, 1), (64.0 / 127.0, 64)] {
            assert_eq!(midi_velocity(host), midi);
        }
    }

    #[test]
    fn dropped_events_are_counted_and_followed_by_a_gap() {
        let (mut capture, mut consumer, meters) = capture(RESERVED + 2);
        for _ in 0..5 {
            capture.input(&note_on(0, KEY, 9), MusicalTime(0.0));
        }
        assert_eq!(meters.count(Count::DroppedInput), 3);
        capture.invalidate_plan(MusicalTime(1.0));
        assert_eq!(consumer.pop_iter().last(), Some(InputEvent::PlanInvalidated { epoch: Epoch(1), at: MusicalTime(1.0) }));
        capture.flush_pending(MusicalTime(2.0));
        capture.input(&note_off(0, KEY), MusicalTime(2.0));
        let events: Vec<_> = consumer.pop_iter().collect();
        assert_eq!(events[0], InputEvent::InputLost { at: MusicalTime(2.0) });
        assert_eq!(events[1], InputEvent::NoteOff { at: MusicalTime(2.0), key: KEY });
    }

    #[test]
    fn epoch_change_in_a_full_ring_is_sent_once_there_is_room() {
        let (mut capture, mut consumer, _) = capture(2);
        let bar = SongBar { start: SongPosition(0), metre: Metre::COMMON };
        let event = TransportEvent { cause: Cause::Locate, sample: 0, at: MusicalTime(1.0), song: SongPosition(7), bar };
        for _ in 0..3 {
            capture.invalidate_plan(MusicalTime(1.0));
        }
        capture.transport_event(event, true);
        capture.invalidate_plan(MusicalTime(1.0));
        assert_eq!(consumer.pop_iter().count(), 2);
        capture.flush_pending(MusicalTime(1.5));
        assert_eq!(consumer.try_pop(), Some(InputEvent::TransportChange { epoch: Epoch(5), change: event.change() }));
    }

    #[test]
    fn yield_kept_behind_a_stronger_change_only_renews_its_epoch() {
        let (mut capture, mut consumer, _) = capture(1);
        let at = MusicalTime(1.0);
        capture.yield_plan(at);
        assert_eq!(consumer.try_pop(), Some(InputEvent::PlanYielded { epoch: Epoch(1), at }));
        for _ in 0..2 {
            capture.invalidate_plan(at);
        }
        capture.yield_plan(MusicalTime(2.0));
        consumer.clear();
        capture.flush_pending(MusicalTime(3.0));
        assert_eq!(consumer.try_pop(), Some(InputEvent::PlanInvalidated { epoch: Epoch(4), at }));
    }

    #[test]
    fn tick_reached_in_several_blocks_is_sent_once() {
        let (mut capture, mut consumer, _) = capture(1000);
        for at in [0.0, 0.5, 1.0, 1.9, 1.99, 4.0] {
            capture.tick(MusicalTime(at), 120.0, None, controls);
        }
        let at: Vec<_> = consumer
            .pop_iter()
            .map(|event| if let InputEvent::TimeReached { at, .. } = event { at.0 } else { panic!("{event:?}") })
            .collect();
        assert_eq!(at, [0.0, 1.0, 4.0]);
    }

    #[test]
    fn dropped_events_without_a_consumer_are_not_counted() {
        let (mut capture, consumer, meters) = capture(RESERVED + 1);
        drop(consumer);
        for _ in 0..100 {
            capture.input(&note_on(0, KEY, 9), MusicalTime(0.0));
        }
        assert_eq!(meters.count(Count::DroppedInput), 0);
    }
}
