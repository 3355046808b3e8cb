//! The plug-in in a CLAP host and a VST3 host.

#![allow(clippy::unwrap_used, reason = "Clippy takes what helps a test for no test")]

mod bad_input;
mod classes;
mod controllers;
mod editor;
mod engine;
mod guard;
mod history;
mod offline;
mod preview;
mod relative_path;
mod schedule;
mod state;
mod thru;
mod unload;

use antiphon_tests::{ClapHost, Class, Host, Lengths, Message, Setup, Timed, Vst3Host};

/// How a host gets its instance.
type Make = fn(Class, Setup) -> Box<dyn Host>;

/// Both formats, from the built library.
const LOADED: [(&str, Make); 2] =
    [("CLAP", |class, setup| Box::new(ClapHost::loaded(class, setup))), ("VST3", |class, setup| Box::new(Vst3Host::loaded(class, setup)))];

/// Both formats, with a musician that is played by hand.
const BY_HAND: [(&str, Make); 2] = [
    ("CLAP", |class, setup| Box::new(ClapHost::by_hand(class, setup))),
    ("VST3", |class, setup| Box::new(Vst3Host::by_hand(class, setup))),
];

/// Both formats, with the real musician looked over its shoulder.
const WATCHED: [(&str, Make); 2] = [
    ("CLAP", |class, setup| Box::new(ClapHost::watched(class, setup))),
    ("VST3", |class, setup| Box::new(Vst3Host::watched(class, setup))),
];

/// Block lengths of real hosts, and some of none.
const LENGTHS: [Lengths; 7] = [
    Lengths::Fixed(16),
    Lengths::Fixed(64),
    Lengths::Fixed(441),
    Lengths::Fixed(512),
    Lengths::Fixed(2048),
    Lengths::Random(1),
    Lengths::Random(2),
];

/// Tempi and sample rates; the first is the one that drifts when positions are rounded block by block.
const TEMPI: [(f64, f64); 5] = [(133.0, 44_100.0), (120.0, 48_000.0), (97.3, 96_000.0), (61.0, 22_050.0), (240.0, 44_100.0)];

/// Repeatable chance: the generator of Numerical Recipes.
struct Dice(u32);

impl Dice {
    /// A number from 0 on, below `sides`.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % sides
    }

    fn byte(&mut self, sides: u32) -> u8 {
        u8::try_from(self.roll(sides)).unwrap()
    }
}

/// A player who strikes and lets go of keys and moves everything there is, up to this sample. In the end every key is let go. No controller is
/// moved to where it stands: in VST3 that is no event.
fn playing(seed: u32, until: u64, channels: u32) -> Vec<Timed> {
    let mut dice = Dice(seed);
    let mut held: Vec<(u8, u8)> = Vec::new();
    let mut messages: Vec<Timed> = Vec::new();
    let mut sample = 0;
    while sample < until {
        // Often several in one sample, but nothing twice in one: hosts of VST3 cannot say that.
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
        let is_about = |other: &Timed| other.sample == sample && subject(&other.message) == subject(&message);
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

/// Whether a controller stands there already, by the message before or by MIDI's defaults.
fn stands_at(before: &[Timed], message: &Message) -> bool {
    let last = before.iter().rev().map(|timed| timed.message).find(|other| subject(other) == subject(message));
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

/// What a message is about: a key, or one of a channel's controllers.
fn subject(message: &Message) -> (u8, u8, u8) {
    match *message {
        Message::NoteOn { channel, key, .. } | Message::NoteOff { channel, key, .. } | Message::KeyPressure { channel, key, .. } => {
            (0, channel, key)
        }
        Message::Control { channel, controller, .. } => (1, channel, controller),
        Message::Bend { channel, .. } => (2, channel, 0),
        Message::ChannelPressure { channel, .. } => (3, channel, 0),
    }
}

/// The keys whose last note-on has no note-off, in the order they were struck. Panics where a key is struck that sounds, or let go that does
/// not.
fn still_held(messages: &[Timed]) -> Vec<(u8, u8)> {
    let mut held = Vec::new();
    for (index, timed) in messages.iter().enumerate() {
        match timed.message {
            Message::NoteOn { channel, key, .. } => {
                assert!(!held.contains(&(channel, key)), "message {index}: {timed:?} strikes a key that sounds");
                held.push((channel, key));
            }
            Message::NoteOff { channel, key, .. } => {
                assert!(held.contains(&(channel, key)), "message {index}: {timed:?} lets go of a key that does not sound");
                held.retain(|&other| other != (channel, key));
            }
            _ => {}
        }
    }
    held
}

/// Checks that what was sent is in order: samples do not fall, and within one note-offs go before controllers and these before note-ons.
fn assert_in_order(messages: &[Timed]) {
    for pair in messages.windows(2) {
        let place = |timed: &Timed| (timed.sample, timed.message.rank());
        assert!(place(&pair[0]) <= place(&pair[1]), "{:?} was sent before {:?}", pair[0], pair[1]);
    }
}

/// Messages in one order, whatever the order of equals.
fn sorted(messages: &[Timed]) -> Vec<Timed> {
    let mut messages = messages.to_vec();
    messages.sort_by_key(|timed| (timed.sample, timed.message.rank(), subject(&timed.message)));
    messages
}
