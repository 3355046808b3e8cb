//! Learnt triggers: keys, pedals and controllers that press a button of Antiphon. They are swallowed, not passed on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use antiphon_engine::music::pitch_name;
use antiphon_engine::session::Command;
use nice_plug::midi::NoteEvent;
use serde::{Deserialize, Serialize};

use crate::keys::KeySet;
use crate::port::Event;
use antiphon_engine::plan::{MidiKey, Variation};

/// Controller value from which a pedal or button counts as down.
const DOWN: f32 = 64.0 / 127.0;
/// First of the channel mode messages, which are no controllers.
const FIRST_MODE_MESSAGE: u8 = 120;

/// Buttons that a trigger can press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// Play.
    Play,
    /// Another.
    Another,
    /// Keep.
    Keep,
    /// Stop.
    Stop,
    /// Panic.
    Panic,
    /// Variation A.
    VariationA,
    /// Variation B.
    VariationB,
    /// Variation C.
    VariationC,
    /// Variation D.
    VariationD,
    /// The next mode.
    Mode,
}

impl Button {
    /// All buttons.
    pub const ALL: [Self; 10] = [
        Self::Play,
        Self::Another,
        Self::Keep,
        Self::Stop,
        Self::Panic,
        Self::VariationA,
        Self::VariationB,
        Self::VariationC,
        Self::VariationD,
        Self::Mode,
    ];

    /// The button of a variation.
    #[must_use]
    pub const fn of(variation: Variation) -> Self {
        match variation {
            Variation::A => Self::VariationA,
            Variation::B => Self::VariationB,
            Variation::C => Self::VariationC,
            Variation::D => Self::VariationD,
        }
    }

    /// The command it gives; `None` for the mode, which is a control.
    #[must_use]
    pub const fn command(self) -> Option<Command> {
        Some(match self {
            Self::Mode => return None,
            Self::Play => Command::Play,
            Self::Another => Command::Another,
            Self::Keep => Command::Keep,
            Self::Stop => Command::Stop,
            Self::Panic => Command::Panic,
            Self::VariationA => Command::Variation(Variation::A),
            Self::VariationB => Command::Variation(Variation::B),
            Self::VariationC => Command::Variation(Variation::C),
            Self::VariationD => Command::Variation(Variation::D),
        })
    }

    /// Display name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Play => "Play",
            Self::Another => "Another",
            Self::Keep => "Keep",
            Self::Stop => "Stop",
            Self::Panic => "Panic",
            Self::VariationA => "Variation A",
            Self::VariationB => "Variation B",
            Self::VariationC => "Variation C",
            Self::VariationD => "Variation D",
            Self::Mode => "Mode",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u8
    }
}

/// What is pressed on the player's keyboard or controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A key.
    Key {
        /// MIDI channel, 0 to 15.
        channel: u8,
        /// MIDI pitch, 0 to 127.
        pitch: u8,
    },
    /// A pedal, pad or button that sends a controller.
    Controller {
        /// MIDI channel, 0 to 15.
        channel: u8,
        /// MIDI controller, 0 to 119.
        number: u8,
    },
}

impl Trigger {
    /// The trigger that an event belongs to, and whether the event presses it. `None` for events that cannot be learnt, and for wildcards.
    fn of(event: &Event) -> Option<(Self, bool)> {
        let key = |channel: u8, pitch: u8| MidiKey::new(channel, pitch).map(|_| Self::Key { channel, pitch });
        match *event {
            NoteEvent::NoteOn { channel, key: pitch, .. } => Some((key(channel.number()?, pitch.number()?)?, true)),
            NoteEvent::NoteOff { channel, key: pitch, .. } => Some((key(channel.number()?, pitch.number()?)?, false)),
            NoteEvent::MidiCC { channel: channel @ 0..16, cc, value, .. } if cc < FIRST_MODE_MESSAGE => {
                Some((Self::Controller { channel, number: cc }, value >= DOWN))
            }
            _ => None,
        }
    }

    /// As a number other than 0, for an atomic.
    const fn pack(self) -> u32 {
        let (kind, channel, number) = match self {
            Self::Key { channel, pitch } => (1, channel, pitch),
            Self::Controller { channel, number } => (2, channel, number),
        };
        kind << 16 | (channel as u32) << 8 | number as u32
    }

    const fn unpack(packed: u32) -> Option<Self> {
        let [number, channel, kind, _] = packed.to_le_bytes();
        match kind {
            1 => Some(Self::Key { channel, pitch: number }),
            2 => Some(Self::Controller { channel, number }),
            _ => None,
        }
    }

    /// Whether its numbers are MIDI's.
    const fn is_valid(self) -> bool {
        match self {
            Self::Key { channel, pitch } => channel < 16 && pitch < 128,
            Self::Controller { channel, number } => channel < 16 && number < FIRST_MODE_MESSAGE,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Key { channel, pitch } => write!(f, "key {} on channel {}", pitch_name(pitch), channel + 1),
            Self::Controller { channel, number: 64 } => write!(f, "the sustain pedal on channel {}", channel + 1),
            Self::Controller { channel, number } => write!(f, "controller {number} on channel {}", channel + 1),
        }
    }
}

/// The trigger of each button, and the button that waits to learn one. Read and written from any thread without locks.
#[derive(Debug, Default)]
pub struct Triggers {
    /// In the order of [`Button::ALL`]; 0 is none.
    learnt: [AtomicU32; Button::ALL.len()],
    /// Place of the button in [`Button::ALL`] plus 1; 0 while none waits.
    waiting: AtomicU8,
}

impl Triggers {
    /// The next key or controller that is pressed becomes this button's trigger; `None` waits no longer.
    pub fn learn(&self, button: Option<Button>) {
        self.waiting.store(button.map_or(0, |button| button as u8 + 1), Ordering::Relaxed);
    }

    /// The button that waits to learn its trigger.
    #[must_use]
    pub fn waiting(&self) -> Option<Button> {
        let place = usize::from(self.waiting.load(Ordering::Relaxed)).checked_sub(1)?;
        Button::ALL.get(place).copied()
    }

    /// Removes a button's trigger.
    pub fn forget(&self, button: Button) {
        self.slot(button).store(0, Ordering::Relaxed);
    }

    /// A button's trigger.
    #[must_use]
    pub fn of(&self, button: Button) -> Option<Trigger> {
        Trigger::unpack(self.slot(button).load(Ordering::Relaxed))
    }

    /// All triggers, as the project saves them.
    #[must_use]
    pub fn saved(&self) -> BTreeMap<Button, Trigger> {
        Button::ALL.into_iter().filter_map(|button| Some((button, self.of(button)?))).collect()
    }

    /// Restores the triggers of a project. Invalid ones are left out.
    pub fn restore(&self, saved: &BTreeMap<Button, Trigger>) {
        for button in Button::ALL {
            let trigger = saved.get(&button).filter(|trigger| trigger.is_valid());
            self.slot(button).store(trigger.map_or(0, |trigger| trigger.pack()), Ordering::Relaxed);
        }
    }

    /// Makes this the trigger of the button that waits, if one does, and of no other.
    fn teach(&self, trigger: Trigger) -> bool {
        let Some(button) = self.waiting() else { return false };
        for other in Button::ALL.into_iter().filter(|other| self.of(*other) == Some(trigger)) {
            self.forget(other);
        }
        self.slot(button).store(trigger.pack(), Ordering::Relaxed);
        self.learn(None);
        true
    }

    fn slot(&self, button: Button) -> &AtomicU32 {
        &self.learnt[button as usize]
    }
}

/// What becomes of an event of the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// It is played.
    Play,
    /// It belongs to a trigger and goes no further.
    Swallow,
    /// The same, and it presses a button.
    Press(Button),
}

/// The audio thread's filter of learnt triggers.
#[derive(Debug, Default)]
pub struct TriggerFilter {
    /// Keys whose note-on was swallowed.
    keys: KeySet,
    /// Buttons whose controller is down.
    down: u16,
}

impl TriggerFilter {
    /// Decides on an event.
    pub fn filter(&mut self, event: &Event, triggers: &Triggers) -> Input {
        let Some((trigger, presses)) = Trigger::of(event) else { return Input::Play };
        let key = match trigger {
            Trigger::Key { channel, pitch } => MidiKey::new(channel, pitch),
            Trigger::Controller { .. } => None,
        };
        // The note-off follows its note-on, whatever was learnt or forgotten in between.
        if let Some(key) = key.filter(|key| !presses && self.keys.contains(*key)) {
            self.keys.remove(key);
            return Input::Swallow;
        }
        if presses && triggers.teach(trigger) {
            self.hold(key, triggers, trigger);
            return Input::Swallow;
        }
        let Some(button) = Button::ALL.into_iter().find(|button| triggers.of(*button) == Some(trigger)) else { return Input::Play };
        match key {
            // A key that went down before it was learnt ends.
            Some(_) if !presses => Input::Play,
            Some(key) => {
                self.keys.insert(key);
                Input::Press(button)
            }
            None => {
                let was_down = self.down & button.bit() != 0;
                self.down = if presses { self.down | button.bit() } else { self.down & !button.bit() };
                if presses && !was_down { Input::Press(button) } else { Input::Swallow }
            }
        }
    }

    /// Marks what was just learnt as down.
    fn hold(&mut self, key: Option<MidiKey>, triggers: &Triggers, trigger: Trigger) {
        if let Some(key) = key {
            self.keys.insert(key);
        } else if let Some(button) = Button::ALL.into_iter().find(|button| triggers.of(*button) == Some(trigger)) {
            self.down |= button.bit();
        }
    }

    /// Forgets what is down: after a reset no host sends note-offs, and a bypass passes them.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{note_off, note_on};

    const KEY: MidiKey = MidiKey::new(0, 36).unwrap();
    const OTHER: MidiKey = MidiKey::new(1, 36).unwrap();

    fn controller(cc: u8, value: f32) -> Event {
        NoteEvent::MidiCC { timing: 0, channel: 0, cc, value }
    }

    fn learnt(button: Button, event: &Event) -> (TriggerFilter, Triggers) {
        let (mut filter, triggers) = (TriggerFilter::default(), Triggers::default());
        triggers.learn(Some(button));
        assert_eq!(filter.filter(event, &triggers), Input::Swallow, "what is learnt does not press yet");
        assert_eq!(triggers.waiting(), None);
        (filter, triggers)
    }

    #[test]
    fn learnt_key_presses_its_button_and_is_swallowed() {
        let (mut filter, triggers) = learnt(Button::Play, &note_on(0, KEY, 90));
        let mut after = |event: Event| filter.filter(&event, &triggers);
        assert_eq!(after(note_off(0, KEY)), Input::Swallow);
        assert_eq!(after(note_on(0, KEY, 90)), Input::Press(Button::Play));
        assert_eq!(after(note_off(0, KEY)), Input::Swallow);
        assert_eq!(after(note_on(0, OTHER, 90)), Input::Play, "the same key on another channel");
        assert_eq!(after(note_off(0, OTHER)), Input::Play);
    }

    #[test]
    fn learnt_pedal_presses_once_each_time_it_goes_down() {
        let (mut filter, triggers) = learnt(Button::Another, &controller(64, 1.0));
        let values = [0.0, 0.3, 0.6, 1.0, 0.4, 0.9];
        let inputs = values.map(|value| filter.filter(&controller(64, value), &triggers));
        let press = Input::Press(Button::Another);
        assert_eq!(inputs, [Input::Swallow, Input::Swallow, press, Input::Swallow, Input::Swallow, press]);
        assert_eq!(filter.filter(&controller(1, 1.0), &triggers), Input::Play);
    }

    #[test]
    fn pedal_that_goes_up_and_mode_messages_are_not_learnt() {
        let (mut filter, triggers) = (TriggerFilter::default(), Triggers::default());
        triggers.learn(Some(Button::Keep));
        for event in [controller(64, 0.1), controller(123, 1.0), note_off(0, KEY)] {
            assert_eq!(filter.filter(&event, &triggers), Input::Play);
        }
        assert_eq!(triggers.waiting(), Some(Button::Keep));
    }

    #[test]
    fn trigger_belongs_to_the_button_that_learnt_it_last() {
        let (mut filter, triggers) = learnt(Button::Play, &note_on(0, KEY, 90));
        triggers.learn(Some(Button::Keep));
        filter.filter(&note_on(0, KEY, 90), &triggers);
        assert_eq!((triggers.of(Button::Play), triggers.of(Button::Keep)), (None, Some(Trigger::Key { channel: 0, pitch: 36 })));
        triggers.forget(Button::Keep);
        assert_eq!(filter.filter(&note_off(0, KEY), &triggers), Input::Swallow, "its note-on was swallowed");
        assert_eq!(filter.filter(&note_on(0, KEY, 90), &triggers), Input::Play);
    }

    #[test]
    fn triggers_are_restored_from_a_project_and_invalid_ones_left_out() {
        let (_, triggers) = learnt(Button::Play, &note_on(0, KEY, 90));
        let text = serde_json::to_string(&triggers.saved()).unwrap();
        assert_eq!(text, r#"{"play":{"key":{"channel":0,"pitch":36}}}"#);
        let other = Triggers::default();
        other.restore(&serde_json::from_str(&text).unwrap());
        assert_eq!(other.saved(), triggers.saved());
        other.restore(&serde_json::from_str(r#"{"keep":{"controller":{"channel":16,"number":4}}}"#).unwrap());
        assert!(other.saved().is_empty());
    }

    #[test]
    fn names_are_those_of_keyboards() {
        let names = [
            Trigger::Key { channel: 0, pitch: 60 },
            Trigger::Controller { channel: 9, number: 64 },
            Trigger::Controller { channel: 0, number: 80 },
        ];
        assert_eq!(
            names.map(|trigger| trigger.to_string()),
            ["key C4 on channel 1", "the sustain pedal on channel 10", "controller 80 on channel 1"]
        );
    }
}
