//! The host's event ports, and what leaves through them.

use antiphon_engine::music::Role;
use antiphon_engine::plan::Key;
use nice_plug::midi::{Channel, Key as HostKey, NoteEvent, VoiceID, control_change};

use crate::keys::KeySet;

/// A host event: what nice-plug makes of CLAP's and VST3's.
pub type Event = NoteEvent<()>;

/// What a note sounds on, where the plug-in sounds by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sound {
    /// What General MIDI has on its channel: percussion on the tenth, pitches elsewhere.
    #[default]
    ByChannel,
    /// Percussion, on any channel.
    Percussion,
}

impl Sound {
    /// What a part of this role sounds on.
    #[must_use]
    pub fn of(role: Role) -> Self {
        if role == Role::Drums { Self::Percussion } else { Self::ByChannel }
    }
}

/// The event ports of one block.
pub trait Port {
    /// The next event in, in order of time.
    fn next(&mut self) -> Option<Event>;

    /// Sends an event out; whether the host took it. Events must come in order of time: hosts and nice-plug do not sort them.
    fn send(&mut self, event: Event, sound: Sound) -> bool;
}

/// The way out. A note-off that the host refuses is owed, and sent again with the next block: otherwise its note would hang.
#[derive(Debug, Default)]
pub struct Outlet {
    owed: KeySet,
    refused: u64,
}

impl Outlet {
    /// Sends what is owed, at the first sample of a block.
    pub fn settle(&mut self, port: &mut impl Port) {
        while let Some(key) = self.owed.first() {
            if !port.send(note_off(0, key), Sound::ByChannel) {
                return;
            }
            self.owed.forget(key);
        }
    }

    /// Sends an event; whether the host took it.
    pub fn send(&mut self, port: &mut impl Port, event: Event) -> bool {
        self.send_as(port, event, Sound::ByChannel)
    }

    /// [`send`](Self::send), for what does not sound by its channel.
    pub fn send_as(&mut self, port: &mut impl Port, event: Event, sound: Sound) -> bool {
        let taken = port.send(event, sound);
        match event {
            // A note-off of an older note would cut this one.
            NoteEvent::NoteOn { channel, key, .. } if taken => each_key(channel, key, |key| self.owed.forget(key)),
            NoteEvent::NoteOff { channel, key, .. } if !taken => each_key(channel, key, |key| self.owed.insert(key)),
            _ => {}
        }
        self.refused += u64::from(!taken);
        taken
    }

    /// How many events the host refused.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

/// A note-on as hosts write it.
#[must_use]
pub fn note_on(timing: u32, key: Key, velocity: u8) -> Event {
    let (channel, number) = (Channel::Number(key.channel()), HostKey::Number(key.pitch()));
    NoteEvent::NoteOn { timing, voice_id: VoiceID::Wildcard, channel, key: number, velocity: f32::from(velocity) / 127.0 }
}

/// A note-off as hosts write it: key and channel are numbers, since wildcards become -1 in VST3.
#[must_use]
pub fn note_off(timing: u32, key: Key) -> Event {
    let (channel, number) = (Channel::Number(key.channel()), HostKey::Number(key.pitch()));
    NoteEvent::NoteOff { timing, voice_id: VoiceID::Wildcard, channel, key: number, velocity: 0.0 }
}

/// An event as MIDI means it: a note-on of velocity 0 is a note-off. Hosts pass MIDI's on as note events without looking at the velocity; taken as
/// a strike, it would hold its key for ever.
#[must_use]
pub fn as_midi(event: Event) -> Event {
    match event {
        NoteEvent::NoteOn { timing, voice_id, channel, key, velocity } if velocity <= 0.0 => {
            NoteEvent::NoteOff { timing, voice_id, channel, key, velocity: 0.0 }
        }
        other => other,
    }
}

/// What a controller's number asks of a channel, beyond its own value (MIDI 1.0, channel mode messages).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelMode {
    /// Everything falls silent, whatever the pedal.
    SoundOff,
    /// Controllers go back to where they begin, the pedal up.
    Reset,
    /// All keys are let go.
    NotesOff,
}

impl ChannelMode {
    /// What a controller asks for, if it is no mere controller. Local control concerns a keyboard alone; a change of the omni or mono mode
    /// lets all keys go.
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

/// Does something to each key that an event is about: one, or all that a wildcard stands for. None for numbers that MIDI has not.
///
/// Nearly all events are about one key. The rest stands apart, so that the code of a note is short: it runs a few times a second, and each line of
/// it must be fetched anew.
pub fn each_key(channel: Channel, key: HostKey, mut act: impl FnMut(Key)) {
    if let (Some(channel), Some(pitch)) = (channel.number(), key.number()) {
        if let Some(key) = Key::new(channel, pitch) {
            act(key);
        }
    } else {
        each_key_meant(channel, key, &mut act);
    }
}

#[cold]
#[inline(never)]
fn each_key_meant(channel: Channel, key: HostKey, act: &mut dyn FnMut(Key)) {
    let channels = channel.number().map_or(0..=15, |channel| channel..=channel);
    let pitches = key.number().map_or(0..=127, |pitch| pitch..=pitch);
    channels.flat_map(|channel| pitches.clone().filter_map(move |pitch| Key::new(channel, pitch))).for_each(act);
}

#[cfg(test)]
pub(crate) mod scripted {
    use std::collections::VecDeque;

    use super::{Event, Port, Sound};

    /// Ports for tests: events in by hand, events out kept, refused beyond a number.
    #[derive(Default)]
    pub(crate) struct Scripted {
        pub(crate) inputs: VecDeque<Event>,
        pub(crate) outputs: Vec<Event>,
        /// What the outputs sound on.
        pub(crate) sounds: Vec<Sound>,
        /// How many more events the host takes; `None` for any number.
        pub(crate) room: Option<usize>,
    }

    impl Port for Scripted {
        fn next(&mut self) -> Option<Event> {
            self.inputs.pop_front()
        }

        fn send(&mut self, event: Event, sound: Sound) -> bool {
            match &mut self.room {
                Some(0) => return false,
                Some(room) => *room -= 1,
                None => {}
            }
            self.outputs.push(event);
            self.sounds.push(sound);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::scripted::Scripted;
    use super::*;

    const KEY: Key = Key::new(2, 60).unwrap();

    #[test]
    fn note_on_of_velocity_0_is_a_note_off() {
        let silent = |velocity| {
            let (channel, key) = (Channel::Number(2), HostKey::Number(60));
            NoteEvent::NoteOn { timing: 3, voice_id: VoiceID::Wildcard, channel, key, velocity }
        };
        for velocity in [0.0, -0.0, -1.0] {
            assert_eq!(as_midi(silent(velocity)), note_off(3, KEY));
        }
        assert_eq!(as_midi(silent(0.001)), silent(0.001));
    }

    #[test]
    fn channel_modes_are_midis() {
        let modes = (0..=u8::MAX).filter_map(|controller| Some((controller, ChannelMode::of(controller)?)));
        let expected = [(120, ChannelMode::SoundOff), (121, ChannelMode::Reset)];
        let notes_off = (123..=127).map(|controller| (controller, ChannelMode::NotesOff));
        assert!(modes.eq(expected.into_iter().chain(notes_off)));
    }

    #[test]
    fn a_refused_note_off_is_sent_again() {
        let (mut outlet, mut port) = (Outlet::default(), Scripted { room: Some(0), ..Scripted::default() });
        assert!(!outlet.send(&mut port, note_off(7, KEY)));
        outlet.settle(&mut port);
        port.room = None;
        outlet.settle(&mut port);
        outlet.settle(&mut port);
        assert_eq!(port.outputs, [note_off(0, KEY)]);
        assert_eq!(outlet.refused(), 1);
    }

    #[test]
    fn what_is_owed_does_not_cut_a_newer_note() {
        let (mut outlet, mut port) = (Outlet::default(), Scripted { room: Some(0), ..Scripted::default() });
        outlet.send(&mut port, note_off(7, KEY));
        port.room = None;
        outlet.send(&mut port, note_on(9, KEY, 80));
        outlet.settle(&mut port);
        assert_eq!(port.outputs, [note_on(9, KEY, 80)]);
    }

    #[test]
    fn wildcards_stand_for_every_key() {
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
