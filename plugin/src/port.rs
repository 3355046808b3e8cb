//! Host event ports, and reliable output through them.

use antiphon_engine::music::Role;
use antiphon_engine::plan::MidiKey;
use nice_plug::midi::{Channel, Key as HostKey, NoteEvent, VoiceID, control_change};

use crate::keys::KeySet;

/// A host event, in nice-plug's common form for CLAP and VST3.
pub type Event = NoteEvent<()>;

/// Which sound of the preview synth a note uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sound {
    /// As in General MIDI: percussion on channel 10, pitched elsewhere.
    #[default]
    ByChannel,
    /// Percussion on any channel.
    Percussion,
}

impl Sound {
    /// The sound for a part with this role.
    #[must_use]
    pub fn of(role: Role) -> Self {
        if role == Role::Drums { Self::Percussion } else { Self::ByChannel }
    }
}

/// The event ports of one block.
pub trait Port {
    /// The next input event, in order of time.
    fn next(&mut self) -> Option<Event>;

    /// Sends an event to the preview synth and to the host; returns whether the host accepted it. Events must be sent in order of time: neither hosts nor nice-plug
    /// sort them.
    fn send(&mut self, event: Event, sound: Sound) -> bool;

    /// Sends an event to the host alone that it refused before; returns whether it accepted it.
    fn send_again(&mut self, event: Event) -> bool;

    /// Whether the preview synth plays what is sent, whatever the host does with it.
    fn is_heard(&self) -> bool;
}

/// Event output that repeats a note-off the host refuses in the next block, since otherwise the note would hang.
#[derive(Debug, Default)]
pub struct EventOutput {
    pending_offs: KeySet,
    refused: u64,
}

impl EventOutput {
    /// Sends the pending note-offs, at the first sample of a block.
    pub fn resend_note_offs(&mut self, port: &mut impl Port) {
        while let Some(key) = self.pending_offs.first() {
            if !port.send_again(note_off(0, key)) {
                return;
            }
            self.pending_offs.remove(key);
        }
    }

    /// Sends an event; returns whether the host accepted it.
    pub fn send(&mut self, port: &mut impl Port, event: Event) -> bool {
        self.send_as(port, event, Sound::ByChannel)
    }

    /// [`send`](Self::send), with a sound other than the channel's.
    pub fn send_as(&mut self, port: &mut impl Port, event: Event, sound: Sound) -> bool {
        let accepted = port.send(event, sound);
        match event {
            // A pending note-off of an earlier note would end this one.
            NoteEvent::NoteOn { channel, key, .. } => each_key(channel, key, |key| self.pending_offs.remove(key)),
            NoteEvent::NoteOff { channel, key, .. } if !accepted => each_key(channel, key, |key| self.pending_offs.insert(key)),
            _ => {}
        }
        self.refused += u64::from(!accepted);
        accepted
    }

    /// Number of events the host refused.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

/// A note-on event.
#[must_use]
pub fn note_on(timing: u32, key: MidiKey, velocity: u8) -> Event {
    let (channel, number) = (Channel::Number(key.channel()), HostKey::Number(key.pitch()));
    NoteEvent::NoteOn { timing, voice_id: VoiceID::Wildcard, channel, key: number, velocity: f32::from(velocity) / 127.0 }
}

/// A note-off event. Key and channel are numbers, since wildcards become -1 in VST3.
#[must_use]
pub fn note_off(timing: u32, key: MidiKey) -> Event {
    let (channel, number) = (Channel::Number(key.channel()), HostKey::Number(key.pitch()));
    NoteEvent::NoteOff { timing, voice_id: VoiceID::Wildcard, channel, key: number, velocity: 0.0 }
}

/// The event with MIDI's meaning: a note-on with velocity 0 is a note-off. Hosts pass it on as a note-on event, which would hold its key
/// forever.
///
/// ```
/// use antiphon_engine::plan::MidiKey;
/// use antiphon_plugin::port::{normalise_note_on, note_off, note_on};
///
/// let key = MidiKey::new(0, 60).expect("a MIDI key");
/// assert_eq!(normalise_note_on(note_on(7, key, 0)), note_off(7, key));
/// assert_eq!(normalise_note_on(note_on(7, key, 1)), note_on(7, key, 1));
/// ```
#[must_use]
pub fn normalise_note_on(event: Event) -> Event {
    match event {
        NoteEvent::NoteOn { timing, voice_id, channel, key, velocity } if velocity <= 0.0 => {
            NoteEvent::NoteOff { timing, voice_id, channel, key, velocity: 0.0 }
        }
        other => other,
    }
}

/// Channel mode messages (MIDI 1.0): controllers that act on the whole channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelMode {
    /// All Sound Off: silence at once, regardless of the pedal.
    SoundOff,
    /// Reset All Controllers: defaults, the pedal up.
    Reset,
    /// All Notes Off: releases all keys.
    NotesOff,
}

impl ChannelMode {
    /// The channel mode of a controller, if it is one. Local Control concerns keyboards only; omni and mono mode changes imply All Notes
    /// Off.
    ///
    /// ```
    /// use antiphon_plugin::port::ChannelMode;
    ///
    /// assert_eq!(ChannelMode::of(121), Some(ChannelMode::Reset));
    /// assert_eq!(ChannelMode::of(122), None); // Local Control
    /// assert_eq!(ChannelMode::of(126), Some(ChannelMode::NotesOff)); // mono mode
    /// ```
    #[must_use]
    pub const fn of(controller: u8) -> Option<Self> {
        match controller {
            control_change::ALL_SOUND_OFF => Some(Self::SoundOff),
            control_change::RESET_ALL_CONTROLLERS => Some(Self::Reset),
            control_change::ALL_NOTES_OFF..=control_change::POLY_MODE_ON => Some(Self::NotesOff),
            _ => None,
        }
    }

    /// Whether it ends the notes of its channel.
    #[must_use]
    pub const fn ends_notes(self) -> bool {
        matches!(self, Self::SoundOff | Self::NotesOff)
    }
}

/// Calls `act` for each key of an event: one, or all that a wildcard covers. None for numbers outside MIDI.
///
/// Wildcards are rare and handled out of line: this code runs a few times a second, so its size is what costs.
pub fn each_key(channel: Channel, key: HostKey, mut act: impl FnMut(MidiKey)) {
    if let (Some(channel), Some(pitch)) = (channel.number(), key.number()) {
        if let Some(key) = MidiKey::new(channel, pitch) {
            act(key);
        }
    } else {
        each_wildcard_key(channel, key, &mut act);
    }
}

#[cold]
#[inline(never)]
fn each_wildcard_key(channel: Channel, key: HostKey, act: &mut dyn FnMut(MidiKey)) {
    let channels = channel.number().map_or(0..=15, |channel| channel..=channel);
    let pitches = key.number().map_or(0..=127, |pitch| pitch..=pitch);
    channels.flat_map(|channel| pitches.clone().filter_map(move |pitch| MidiKey::new(channel, pitch))).for_each(act);
}

#[cfg(test)]
pub(crate) mod scripted {
    use std::collections::VecDeque;

    use super::{Event, Port, Sound};

    /// Ports for tests: queued input, recorded output, refused after a number of events.
    #[derive(Default)]
    pub(crate) struct Scripted {
        pub(crate) inputs: VecDeque<Event>,
        pub(crate) outputs: Vec<Event>,
        /// Sounds of the outputs.
        pub(crate) sounds: Vec<Sound>,
        /// How many more events the host accepts; `None` for no limit.
        pub(crate) room: Option<usize>,
        /// What the preview synth plays, if there is one.
        pub(crate) preview: Option<Vec<Event>>,
    }

    impl Port for Scripted {
        fn next(&mut self) -> Option<Event> {
            self.inputs.pop_front()
        }

        fn send(&mut self, event: Event, sound: Sound) -> bool {
            self.preview.iter_mut().for_each(|played| played.push(event));
            let accepted = self.send_again(event);
            self.sounds.extend(accepted.then_some(sound));
            accepted
        }

        fn is_heard(&self) -> bool {
            self.preview.is_some()
        }

        fn send_again(&mut self, event: Event) -> bool {
            match &mut self.room {
                Some(0) => return false,
                Some(room) => *room -= 1,
                None => {}
            }
            self.outputs.push(event);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::scripted::Scripted;
    use super::*;

    const KEY: MidiKey = MidiKey::new(2, 60).unwrap();

    #[test]
    fn note_on_with_velocity_0_is_a_note_off() {
        let silent = |velocity| {
            let (channel, key) = (Channel::Number(2), HostKey::Number(60));
            NoteEvent::NoteOn { timing: 3, voice_id: VoiceID::Wildcard, channel, key, velocity }
        };
        for velocity in [0.0, -0.0, -1.0] {
            assert_eq!(normalise_note_on(silent(velocity)), note_off(3, KEY));
        }
        assert_eq!(normalise_note_on(silent(0.001)), silent(0.001));
    }

    #[test]
    fn channel_mode_messages_are_those_of_midi() {
        let modes = (0..=u8::MAX).filter_map(|controller| Some((controller, ChannelMode::of(controller)?)));
        let expected = [(120, ChannelMode::SoundOff), (121, ChannelMode::Reset)];
        let notes_off = (123..=127).map(|controller| (controller, ChannelMode::NotesOff));
        assert!(modes.eq(expected.into_iter().chain(notes_off)));
    }

    #[test]
    fn refused_note_off_is_sent_with_the_next_block() {
        let (mut output, mut port) = (EventOutput::default(), Scripted { room: Some(0), ..Scripted::default() });
        assert!(!output.send(&mut port, note_off(7, KEY)));
        output.resend_note_offs(&mut port);
        port.room = None;
        output.resend_note_offs(&mut port);
        output.resend_note_offs(&mut port);
        assert_eq!(port.outputs, [note_off(0, KEY)]);
        assert_eq!(output.refused(), 1);
    }

    #[test]
    fn preview_plays_each_note_as_it_is_struck_in_a_host_that_takes_no_events() {
        let (mut output, mut port) = (EventOutput::default(), Scripted { room: Some(0), preview: Some(Vec::new()), ..Scripted::default() });
        let played = [note_on(0, KEY, 90), note_off(3, KEY), note_on(5, KEY, 80)];
        for event in played {
            output.send(&mut port, event);
            output.resend_note_offs(&mut port);
        }
        assert_eq!(port.preview.unwrap(), played, "no note-off comes twice");
    }

    #[test]
    fn pending_note_off_does_not_end_a_newer_note() {
        let (mut output, mut port) = (EventOutput::default(), Scripted { room: Some(0), ..Scripted::default() });
        output.send(&mut port, note_off(7, KEY));
        port.room = None;
        output.send(&mut port, note_on(9, KEY, 80));
        output.resend_note_offs(&mut port);
        assert_eq!(port.outputs, [note_on(9, KEY, 80)]);
    }

    #[test]
    fn wildcard_matches_every_key() {
        let keys = |channel, key| {
            let mut keys = Vec::new();
            each_key(channel, key, |key| keys.push(key));
            keys
        };
        assert_eq!(keys(Channel::Wildcard, HostKey::Wildcard).len(), 2048);
        assert_eq!(keys(Channel::Number(3), HostKey::Wildcard).len(), 128);
        assert_eq!(keys(Channel::Wildcard, HostKey::Number(60)).len(), 16);
        assert_eq!(keys(Channel::Number(2), HostKey::Number(60)), [KEY]);
        assert_eq!(keys(Channel::Number(2), HostKey::Number(200)), []);
    }
}
