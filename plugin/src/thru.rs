//! Pass-through of the player's events at their own sample.

use nice_plug::midi::{Key as HostKey, NoteEvent, control_change};

use crate::keys::KeySet;
use crate::port::{ChannelMode, Event, EventOutput, Port, Sound, each_key, note_off};

/// Events of one sample that are sorted together. More are sent in several batches, each sorted.
const BATCH: usize = 512;

/// The player's events of one sample, in output order: note-offs, controllers, note-ons.
///
/// Events for a key that was struck at this same sample follow its note-on: the note-off of a zero-length note, or a note's own tuning.
#[derive(Debug)]
pub struct Batch {
    offs: Vec<Event>,
    controllers: Vec<Event>,
    ons: Vec<Event>,
    after: Vec<Event>,
    struck: KeySet,
}

#[allow(clippy::new_without_default, reason = "a default that takes memory invites `mem::take` on the audio thread")]
impl Batch {
    /// An empty batch with all memory allocated.
    #[must_use]
    pub fn new() -> Self {
        let [offs, controllers, ons, after] = [(); 4].map(|()| Vec::with_capacity(BATCH));
        Self { offs, controllers, ons, after, struck: KeySet::default() }
    }

    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        let is_about_struck_key = || match (event.channel(), key_of(&event)) {
            (Some(channel), Some(key)) => {
                let mut any = false;
                each_key(channel, key, |key| any |= self.struck.contains(key));
                any
            }
            _ => false,
        };
        let place = match event {
            NoteEvent::NoteOn { channel, key, .. } => {
                each_key(channel, key, |key| self.struck.insert(key));
                // Struck, released and struck again within a sample: the second note-on follows the first note-off.
                if self.after.is_empty() { &mut self.ons } else { &mut self.after }
            }
            _ if is_about_struck_key() => &mut self.after,
            NoteEvent::NoteOff { .. } | NoteEvent::Choke { .. } => &mut self.offs,
            _ => &mut self.controllers,
        };
        place.push(event);
    }

    /// Whether it must be cleared before the next event.
    #[must_use]
    pub fn is_full(&self) -> bool {
        [&self.offs, &self.controllers, &self.ons, &self.after].iter().any(|events| events.len() == BATCH)
    }

    /// Note-offs.
    #[must_use]
    pub fn offs(&self) -> &[Event] {
        &self.offs
    }

    /// Events after the note-offs: controllers, note-ons, and what follows those.
    pub fn after_offs(&self) -> impl Iterator<Item = &Event> {
        self.controllers.iter().chain(&self.ons).chain(&self.after)
    }

    /// Removes all events.
    pub fn clear(&mut self) {
        for events in [&mut self.offs, &mut self.controllers, &mut self.ons, &mut self.after] {
            events.clear();
        }
        self.struck.clear();
    }
}

/// The key of a per-note event.
const fn key_of(event: &Event) -> Option<HostKey> {
    match event {
        NoteEvent::NoteOn { key, .. }
        | NoteEvent::NoteOff { key, .. }
        | NoteEvent::Choke { key, .. }
        | NoteEvent::PolyPressure { key, .. }
        | NoteEvent::PolyVolume { key, .. }
        | NoteEvent::PolyPan { key, .. }
        | NoteEvent::PolyTuning { key, .. }
        | NoteEvent::PolyVibrato { key, .. }
        | NoteEvent::PolyExpression { key, .. }
        | NoteEvent::PolyBrightness { key, .. } => Some(*key),
        _ => None,
    }
}

/// Passes the player's events to the output while it is open.
#[derive(Debug)]
pub struct Thru {
    open: bool,
    /// Keys whose note-on was sent, but not yet the note-off.
    sounding: KeySet,
    /// Channels whose pedal was sent as pressed, one bit each.
    pedals: u16,
    /// Channels whose pedal is still to be released, because the gate was closed.
    closing_pedals: u16,
    /// Preview sound of the player's notes.
    sound: Sound,
}

impl Thru {
    /// An open gate.
    #[must_use]
    pub fn new() -> Self {
        Self { open: true, sounding: KeySet::default(), pedals: 0, closing_pedals: 0, sound: Sound::ByChannel }
    }

    /// Whether events pass.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Sets the preview sound of the player's notes from here on.
    pub const fn set_sound(&mut self, sound: Sound) {
        self.sound = sound;
    }

    /// Opens or closes the gate. Closing it releases sounding notes, since their note-offs will not pass; pedals follow with
    /// [`release_pedals`](Self::release_pedals).
    pub fn set_open(&mut self, open: bool, output: &mut EventOutput, port: &mut impl Port) {
        if self.open && !open {
            while let Some(key) = self.sounding.first() {
                self.sounding.remove(key);
                output.send(port, note_off(0, key));
            }
            self.closing_pedals = std::mem::take(&mut self.pedals);
        }
        self.open = open;
    }

    /// Releases the pedals of a gate that was closed at the start of the block: after every note-off of the first sample, as controllers are.
    pub fn release_pedals(&mut self, output: &mut EventOutput, port: &mut impl Port) {
        if self.closing_pedals == 0 {
            return;
        }
        let pedals = std::mem::take(&mut self.closing_pedals);
        for channel in (0..16).filter(|channel| pedals & (1 << channel) != 0) {
            output.send(port, NoteEvent::MidiCC { timing: 0, channel, cc: control_change::DAMPER_PEDAL, value: 0.0 });
        }
    }

    /// Passes an event on at its own sample, if the gate is open.
    pub fn pass(&mut self, event: Event, output: &mut EventOutput, port: &mut impl Port) {
        if !self.open {
            return;
        }
        match event {
            NoteEvent::NoteOn { channel, key, .. } => each_key(channel, key, |key| self.sounding.insert(key)),
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                each_key(channel, key, |key| self.sounding.remove(key));
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, cc: control_change::DAMPER_PEDAL, value, .. } => {
                let bit = 1 << channel;
                self.pedals = if is_pressed(value) { self.pedals | bit } else { self.pedals & !bit };
            }
            NoteEvent::MidiCC { channel: channel @ 0..16, cc, .. } => match ChannelMode::of(cc) {
                Some(ChannelMode::SoundOff | ChannelMode::NotesOff) => self.sounding.clear_channel(channel),
                Some(ChannelMode::Reset) => self.pedals &= !(1 << channel),
                None => {}
            },
            _ => {}
        }
        output.send_as(port, sendable(event), self.sound);
    }
}

impl Default for Thru {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a pedal value, 0 to 1, counts as pressed: 64 and above of 127 (MIDI 1.0, switch controllers).
///
/// ```
/// use antiphon_plugin::thru::is_pressed;
///
/// assert!(is_pressed(64.0 / 127.0));
/// assert!(!is_pressed(63.0 / 127.0));
/// ```
#[must_use]
pub fn is_pressed(value: f32) -> bool {
    value * 127.0 >= 63.5
}

/// The event as it can be sent. nice-plug cannot send a choke; the closest is a note-off.
const fn sendable(event: Event) -> Event {
    match event {
        NoteEvent::Choke { timing, voice_id, channel, key } => NoteEvent::NoteOff { timing, voice_id, channel, key, velocity: 0.0 },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::plan::MidiKey;
    use nice_plug::midi::{Channel, VoiceID};

    use super::*;
    use crate::port::note_on;
    use crate::port::scripted::Scripted;

    const LOW: MidiKey = MidiKey::new(0, 40).unwrap();
    const HIGH: MidiKey = MidiKey::new(0, 80).unwrap();

    fn pedal(channel: u8, value: f32) -> Event {
        NoteEvent::MidiCC { timing: 5, channel, cc: 64, value }
    }

    fn sorted(events: &[Event]) -> Vec<Event> {
        let mut batch = Batch::new();
        for &event in events {
            batch.push(event);
        }
        batch.offs().iter().chain(batch.after_offs()).copied().collect()
    }

    #[test]
    fn batch_sorts_note_offs_controllers_note_ons() {
        let (off, bend, on) = (note_off(5, LOW), NoteEvent::MidiPitchBend { timing: 5, channel: 0, value: 0.7 }, note_on(5, HIGH, 9));
        assert_eq!(sorted(&[on, bend, off]), [off, bend, on]);
    }

    #[test]
    fn events_for_a_key_struck_in_the_same_sample_follow_its_note_on() {
        let tuning = NoteEvent::PolyTuning {
            timing: 5,
            voice_id: VoiceID::ID(3),
            channel: Channel::Number(0),
            key: HostKey::Number(HIGH.pitch()),
            tuning: 0.25,
        };
        let played = [note_on(5, HIGH, 9), tuning, note_off(5, HIGH), note_on(5, HIGH, 10)];
        assert_eq!(sorted(&played), played);
        // A key that was held before is released first, as played.
        assert_eq!(sorted(&[note_off(5, HIGH), note_on(5, HIGH, 9)]), [note_off(5, HIGH), note_on(5, HIGH, 9)]);
    }

    #[test]
    fn closing_the_gate_releases_keys_and_pedals() {
        let (mut thru, mut output, mut port) = (Thru::new(), EventOutput::default(), Scripted::default());
        for event in [note_on(5, LOW, 9), note_on(5, HIGH, 9), note_off(5, LOW), pedal(0, 1.0), pedal(3, 1.0), pedal(3, 0.0)] {
            thru.pass(event, &mut output, &mut port);
        }
        port.outputs.clear();
        thru.set_open(false, &mut output, &mut port);
        thru.pass(note_off(6, HIGH), &mut output, &mut port);
        for _ in 0..2 {
            thru.release_pedals(&mut output, &mut port);
        }
        assert_eq!(port.outputs, [note_off(0, HIGH), NoteEvent::MidiCC { timing: 0, channel: 0, cc: 64, value: 0.0 }]);
    }

    #[test]
    fn choke_is_sent_as_a_note_off() {
        let (mut thru, mut output, mut port) = (Thru::new(), EventOutput::default(), Scripted::default());
        let choke =
            NoteEvent::Choke { timing: 5, voice_id: VoiceID::Wildcard, channel: Channel::Number(0), key: HostKey::Number(LOW.pitch()) };
        thru.pass(choke, &mut output, &mut port);
        assert_eq!(port.outputs, [note_off(5, LOW)]);
    }
}
