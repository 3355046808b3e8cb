//! The plug-in in a CLAP host and a VST3 host.

#![allow(clippy::unwrap_used, reason = "Clippy takes what helps a test for no test")]

mod bad_input;
mod classes;
mod controllers;
mod editor;
mod engine;
mod guard;
mod history;
mod memory;
mod metres;
mod modes;
mod offline;
mod preview;
mod relative_path;
mod schedule;
mod state;
mod take;
mod thru;
mod unload;

use antiphon_tests::{ClapHost, Class, Host, Lengths, Message, Setup, Timed, Vst3Host};

/// Creates a host with an instance.
type Make = fn(Class, Setup) -> Box<dyn Host>;

/// Both formats, from the built library.
const LOADED: [(&str, Make); 2] =
    [("CLAP", |class, setup| Box::new(ClapHost::loaded(class, setup))), ("VST3", |class, setup| Box::new(Vst3Host::loaded(class, setup)))];

/// Both formats, with a session driven by the test.
const MANUAL: [(&str, Make); 2] = [
    ("CLAP", |class, setup| Box::new(ClapHost::with_manual_session(class, setup))),
    ("VST3", |class, setup| Box::new(Vst3Host::with_manual_session(class, setup))),
];

/// Both formats, with the real session under observation.
const OBSERVED: [(&str, Make); 2] = [
    ("CLAP", |class, setup| Box::new(ClapHost::observed(class, setup))),
    ("VST3", |class, setup| Box::new(Vst3Host::observed(class, setup))),
];

/// Block lengths of real hosts, and random ones.
const LENGTHS: [Lengths; 7] = [
    Lengths::Fixed(16),
    Lengths::Fixed(64),
    Lengths::Fixed(441),
    Lengths::Fixed(512),
    Lengths::Fixed(2048),
    Lengths::Random(1),
    Lengths::Random(2),
];

/// Tempi and sample rates; with the first, positions drift if they are rounded block by block.
const TEMPI: [(f64, f64); 5] = [(133.0, 44_100.0), (120.0, 48_000.0), (97.3, 96_000.0), (61.0, 22_050.0), (240.0, 44_100.0)];

/// A repeatable pseudo-random generator: Numerical Recipes'.
struct Random(u32);

impl Random {
    /// A number from 0 to `sides` - 1.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % sides
    }

    fn byte(&mut self, sides: u32) -> u8 {
        u8::try_from(self.roll(sides)).unwrap()
    }
}

/// A player who plays keys and moves every controller, up to this sample. In the end every key is released. No controller is set to its
/// current value, since that is no event in VST3.
fn playing(seed: u32, until: u64, channels: u32) -> Vec<Timed> {
    let mut dice = Random(seed);
    let mut held: Vec<(u8, u8)> = Vec::new();
    let mut messages: Vec<Timed> = Vec::new();
    let mut sample = 0;
    while sample < until {
        // Several messages per sample are common, but not two on the same subject: VST3 hosts cannot express that.
        sample += u64::from(dice.roll(3) * dice.roll(300));
        let channel = dice.byte(channels);
        let message = match dice.roll(8) {
            0..3 => {
                let key = dice.byte(128);
                if held.contains(&(channel, key)) {
                    continue;
                }
                Message::NoteOn { channel, key, velocity: f32::from(dice.byte(127) + 1) / 127.0 }
            }
            3..5 if !held.is_empty() => {
                let (channel, key) = held[dice.roll(u32::try_from(held.len()).unwrap()) as usize];
                Message::NoteOff { channel, key, velocity: f32::from(dice.byte(128)) / 127.0 }
            }
            5 => Message::Bend { channel, value: u16::try_from(dice.roll(16_384)).unwrap() },
            6 => Message::ChannelPressure { channel, value: dice.byte(128) },
            7 if !held.is_empty() => {
                let (channel, key) = held[dice.roll(u32::try_from(held.len()).unwrap()) as usize];
                Message::KeyPressure { channel, key, pressure: f32::from(dice.byte(128)) / 127.0 }
            }
            _ => Message::Control { channel, controller: [1, 7, 11, 64, 74][dice.roll(5) as usize], value: dice.byte(128) },
        };
        let is_about = |other: &Timed| other.sample == sample && other.message.subject() == message.subject();
        if messages.iter().rev().take(40).any(is_about) || stands_at(&messages, &message) {
            continue;
        }
        match message {
            Message::NoteOn { channel, key, .. } => held.push((channel, key)),
            Message::NoteOff { channel, key, .. } => held.retain(|&other| other != (channel, key)),
            _ => {}
        }
        messages.push(Timed { sample, message });
    }
    messages.retain(|timed| timed.sample < until - 1);
    let struck = |channel, key| Message::NoteOff { channel, key, velocity: 0.0 };
    messages.extend(still_held(&messages).into_iter().map(|(channel, key)| Timed { sample: until - 1, message: struck(channel, key) }));
    messages
}

/// Whether a controller already has this value, from an earlier message or by MIDI's defaults.
fn stands_at(before: &[Timed], message: &Message) -> bool {
    let last = before.iter().rev().map(|timed| timed.message).find(|other| other.subject() == message.subject());
    match *message {
        Message::Control { channel, controller, .. } => {
            let value = match controller {
                7 => 100,
                11 => 127,
                _ => 0,
            };
            last.unwrap_or(Message::Control { channel, controller, value }) == *message
        }
        Message::Bend { channel, .. } => last.unwrap_or(Message::Bend { channel, value: 8192 }) == *message,
        Message::ChannelPressure { channel, .. } => last.unwrap_or(Message::ChannelPressure { channel, value: 0 }) == *message,
        _ => false,
    }
}

/// Keys without a note-off after their last note-on, in order of their note-ons. Panics if a sounding key is struck, or a silent one
/// released.
fn still_held(messages: &[Timed]) -> Vec<(u8, u8)> {
    let mut held = Vec::new();
    for (index, timed) in messages.iter().enumerate() {
        match timed.message {
            Message::NoteOn { channel, key, .. } => {
                assert!(!held.contains(&(channel, key)), "message {index}: {timed:?} strikes a key that is sounding");
                held.push((channel, key));
            }
            Message::NoteOff { channel, key, .. } => {
                assert!(held.contains(&(channel, key)), "message {index}: {timed:?} releases a key that is not sounding");
                held.retain(|&other| other != (channel, key));
            }
            _ => {}
        }
    }
    held
}

/// Asserts that messages are in order: samples ascend, and within a sample note-offs precede controllers, and these note-ons.
fn assert_in_order(messages: &[Timed]) {
    for pair in messages.windows(2) {
        let place = |timed: &Timed| (timed.sample, timed.message.rank());
        assert!(place(&pair[0]) <= place(&pair[1]), "{:?} was sent before {:?}", pair[0], pair[1]);
    }
}

/// Messages in a canonical order.
fn sorted(messages: &[Timed]) -> Vec<Timed> {
    let mut messages = messages.to_vec();
    messages.sort_by_key(|timed| (timed.sample, timed.message.rank(), timed.message.subject()));
    messages
}
