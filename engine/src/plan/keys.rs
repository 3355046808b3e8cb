//! Ownership of sounding keys. Lives on the audio thread: it never allocates, and every call takes constant time.

/// One key of one MIDI channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MidiKey {
    /// 0 to 15.
    channel: u8,
    /// 0 to 127.
    pitch: u8,
}

impl MidiKey {
    /// A key, if the channel is below 16 and the pitch below 128.
    #[must_use]
    pub const fn new(channel: u8, pitch: u8) -> Option<Self> {
        if channel < 16 && pitch < 128 { Some(Self { channel, pitch }) } else { None }
    }

    /// MIDI channel, 0 to 15.
    #[must_use]
    pub const fn channel(self) -> u8 {
        self.channel
    }

    /// MIDI key, 0 to 127.
    #[must_use]
    pub const fn pitch(self) -> u8 {
        self.pitch
    }

    const fn bit(self) -> u128 {
        1 << self.pitch
    }
}

/// A started note of the plan; its note-off must present it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Voice {
    key: MidiKey,
    /// Which of the notes on this key. It wraps: an old voice is mistaken for a new one only after 2^32 notes on one key.
    number: u32,
}

impl Voice {
    /// The key it sounds.
    #[must_use]
    pub const fn key(self) -> MidiKey {
        self.key
    }
}

/// Action before the player's note-on is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a note-off that is not sent is a note that hangs"]
pub enum PlayerOn {
    /// Nothing.
    Clear,
    /// The plan sounds this key: its note-off goes out first, in the same sample.
    ReleasePlan,
}

/// Result of starting a note of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a voice that is not kept cannot be released"]
pub enum PlanOn {
    /// The player holds the key, or a note of the plan sounds there that was not [released](KeyTable::plan_ends): the note is left out.
    Refused,
    /// Start it.
    Start(Voice),
}

/// Sounding keys: 16 channels by 128 pitches. The player takes precedence over the plan.
///
/// ```
/// use antiphon_engine::plan::{MidiKey, KeyTable, PlanOn, PlayerOn};
///
/// let key = MidiKey::new(0, 60).expect("a key");
/// let mut keys = KeyTable::new();
/// let PlanOn::Start(voice) = keys.plan_on(key) else { panic!("the key is free") };
/// // The player takes the key: the plan's note-off goes out first.
/// assert_eq!(keys.player_on(key), PlayerOn::ReleasePlan);
/// // So the end of that note, when its time comes, is not sent: it would end the player's note.
/// assert!(!keys.plan_off(voice));
/// assert_eq!(keys.plan_on(key), PlanOn::Refused);
/// ```
#[derive(Debug, Clone)]
pub struct KeyTable {
    /// Keys that the player holds, one bit per pitch, by channel.
    player: [u128; 16],
    /// Keys that the plan sounds. Never one that the player holds.
    plan: [u128; 16],
    /// The number of the last voice on each key.
    voices: [[u32; 128]; 16],
}

impl KeyTable {
    /// A silent table.
    #[must_use]
    pub const fn new() -> Self {
        Self { player: [0; 16], plan: [0; 16], voices: [[0; 128]; 16] }
    }

    /// Note-on of the player, who owns the key from now on.
    pub fn player_on(&mut self, key: MidiKey) -> PlayerOn {
        let channel = usize::from(key.channel);
        self.player[channel] |= key.bit();
        if self.plan[channel] & key.bit() == 0 {
            return PlayerOn::Clear;
        }
        self.plan[channel] &= !key.bit();
        PlayerOn::ReleasePlan
    }

    /// Note-off of the player. It is always passed on, so a note of the plan on this key ends with it; returns whether one did.
    pub fn player_off(&mut self, key: MidiKey) -> bool {
        self.player[usize::from(key.channel)] &= !key.bit();
        self.plan_ends(key)
    }

    /// Ends the plan's note on this key; returns whether there was one, whose note-off must be sent.
    pub fn plan_ends(&mut self, key: MidiKey) -> bool {
        let keys = &mut self.plan[usize::from(key.channel)];
        let sounded = *keys & key.bit() != 0;
        *keys &= !key.bit();
        sounded
    }

    /// Starts a note of the plan.
    pub fn plan_on(&mut self, key: MidiKey) -> PlanOn {
        let channel = usize::from(key.channel);
        if (self.player[channel] | self.plan[channel]) & key.bit() != 0 {
            return PlanOn::Refused;
        }
        let number = &mut self.voices[channel][usize::from(key.pitch)];
        *number = number.wrapping_add(1);
        self.plan[channel] |= key.bit();
        PlanOn::Start(Voice { key, number: *number })
    }

    /// Ends a note of the plan at its time. Returns whether its note-off must be sent: not if the player or a later note took the key.
    #[must_use]
    pub fn plan_off(&mut self, voice: Voice) -> bool {
        let (channel, bit) = (usize::from(voice.key.channel), voice.key.bit());
        let sounds = self.plan[channel] & bit != 0 && self.voices[channel][usize::from(voice.key.pitch)] == voice.number;
        if sounds {
            self.plan[channel] &= !bit;
        }
        sounds
    }

    /// Takes one key that the plan sounds off the table: its note-off goes out. `None` when the plan is silent.
    ///
    /// ```
    /// # use antiphon_engine::plan::{MidiKey, KeyTable, PlanOn};
    /// let mut keys = KeyTable::new();
    /// let key = MidiKey::new(0, 60).expect("middle C");
    /// let PlanOn::Start(voice) = keys.plan_on(key) else { panic!("the key is free") };
    /// assert_eq!(keys.release_plan(), Some(key));
    /// assert_eq!(keys.release_plan(), None);
    /// // The note's own end comes later, and is not sent twice.
    /// assert!(!keys.plan_off(voice));
    /// ```
    #[must_use]
    pub fn release_plan(&mut self) -> Option<MidiKey> {
        release(&mut self.plan)
    }

    /// Takes one key that the player holds off the table, for bypass and reset: its note-off goes out. `None` when none is held.
    #[must_use]
    pub fn release_player(&mut self) -> Option<MidiKey> {
        release(&mut self.player)
    }

    /// Whether the player holds this key.
    #[must_use]
    pub const fn player_holds(&self, key: MidiKey) -> bool {
        self.player[key.channel as usize] & key.bit() != 0
    }

    /// How many keys the player holds.
    #[must_use]
    pub fn player_keys(&self) -> u32 {
        self.player.iter().map(|keys| keys.count_ones()).sum()
    }

    /// How many keys the plan sounds.
    #[must_use]
    pub fn plan_keys(&self) -> u32 {
        self.plan.iter().map(|keys| keys.count_ones()).sum()
    }
}

impl Default for KeyTable {
    fn default() -> Self {
        Self::new()
    }
}

fn release(keys: &mut [u128; 16]) -> Option<MidiKey> {
    let (channel, keys) = (0u8..).zip(keys).find(|(_, keys)| **keys != 0)?;
    // A word that is not 0 has at most 127 trailing zeros.
    let pitch = u8::try_from(keys.trailing_zeros()).ok()?;
    *keys &= *keys - 1;
    Some(MidiKey { channel, pitch })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const KEY: MidiKey = MidiKey { channel: 3, pitch: 60 };

    #[test]
    fn key_outside_midi_is_none() {
        assert!(MidiKey::new(15, 127).is_some());
        assert_eq!(MidiKey::new(16, 0), None);
        assert_eq!(MidiKey::new(0, 128), None);
    }

    #[test]
    fn plan_note_on_a_held_key_is_refused() {
        let mut keys = KeyTable::new();
        assert_eq!(keys.player_on(KEY), PlayerOn::Clear);
        assert_eq!(keys.plan_on(KEY), PlanOn::Refused);
        keys.player_off(KEY);
        assert!(matches!(keys.plan_on(KEY), PlanOn::Start(_)));
    }

    #[test]
    fn player_note_on_takes_the_key_from_the_plan() {
        let mut keys = KeyTable::new();
        let PlanOn::Start(voice) = keys.plan_on(KEY) else { panic!("refused") };
        assert_eq!(keys.player_on(KEY), PlayerOn::ReleasePlan);
        // The plan's end must not cut the player's note.
        assert!(!keys.plan_off(voice));
        assert!(keys.player_holds(KEY));
    }

    #[test]
    fn note_off_of_an_old_voice_does_not_end_a_new_note() {
        let mut keys = KeyTable::new();
        let PlanOn::Start(old) = keys.plan_on(KEY) else { panic!("refused") };
        assert_eq!(keys.plan_on(KEY), PlanOn::Refused, "the old one sounds");
        assert!(keys.plan_ends(KEY) && !keys.plan_ends(KEY));
        let PlanOn::Start(new) = keys.plan_on(KEY) else { panic!("refused") };
        assert!(!keys.plan_off(old));
        assert!(keys.plan_off(new));
        assert!(!keys.plan_off(new));
    }

    #[test]
    fn voice_number_wraps_around() {
        let mut keys = KeyTable::new();
        keys.voices[usize::from(KEY.channel)][usize::from(KEY.pitch)] = u32::MAX;
        let PlanOn::Start(voice) = keys.plan_on(KEY) else { panic!("refused") };
        assert!(keys.plan_off(voice));
    }

    #[derive(Debug, Clone, Copy)]
    enum Act {
        PlayerOn(MidiKey),
        PlayerOff(MidiKey),
        PlanOn(MidiKey),
        PlanOff(usize),
        PlanEnds(MidiKey),
        ReleasePlan,
        ReleasePlayer,
    }

    fn act() -> impl Strategy<Value = Act> {
        // Few keys, at the corners, so that they meet.
        let key = (prop::sample::select(vec![0u8, 9, 15]), prop::sample::select(vec![0u8, 60, 127]))
            .prop_map(|(channel, pitch)| MidiKey { channel, pitch });
        prop_oneof![
            2 => key.clone().prop_map(Act::PlayerOn),
            2 => key.clone().prop_map(Act::PlayerOff),
            3 => key.clone().prop_map(Act::PlanOn),
            1 => key.prop_map(Act::PlanEnds),
            3 => (0..8usize).prop_map(Act::PlanOff),
            1 => Just(Act::ReleasePlan),
            1 => Just(Act::ReleasePlayer),
        ]
    }

    /// A sounding note at the receiver.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Sound {
        Player,
        Plan(Voice),
    }

    impl Sound {
        fn is_plan(&self) -> bool {
            matches!(self, Self::Plan(_))
        }
    }

    proptest! {
        /// Against a model of the receiver: the plan never starts where something sounds, every note-off of the plan ends a note of the plan, and
        /// after the release nothing sounds.
        #[test]
        fn every_note_on_has_its_note_off(acts in prop::collection::vec(act(), 0..200)) {
            let mut keys = KeyTable::new();
            let mut sounding: HashMap<MidiKey, Sound> = HashMap::new();
            let mut voices: Vec<Voice> = Vec::new();
            for act in acts {
                match act {
                    Act::PlayerOn(key) => {
                        let before = keys.player_on(key);
                        let sounded = sounding.insert(key, Sound::Player);
                        prop_assert_eq!(before == PlayerOn::ReleasePlan, sounded.is_some_and(|sound| sound.is_plan()));
                    }
                    Act::PlayerOff(key) => {
                        let ended = sounding.remove(&key).is_some_and(|sound| sound.is_plan());
                        prop_assert_eq!(keys.player_off(key), ended);
                    }
                    Act::PlanOn(key) => match keys.plan_on(key) {
                        PlanOn::Refused => prop_assert!(sounding.contains_key(&key)),
                        PlanOn::Start(voice) => {
                            prop_assert_eq!(sounding.insert(key, Sound::Plan(voice)), None);
                            voices.push(voice);
                        }
                    },
                    Act::PlanEnds(key) => {
                        let sounds = sounding.get(&key).is_some_and(Sound::is_plan);
                        prop_assert_eq!(keys.plan_ends(key), sounds);
                        if sounds {
                            sounding.remove(&key);
                        }
                    }
                    Act::PlanOff(_) if voices.is_empty() => {}
                    Act::PlanOff(which) => {
                        let voice = voices.swap_remove(which % voices.len());
                        let sounds = sounding.get(&voice.key()) == Some(&Sound::Plan(voice));
                        prop_assert_eq!(keys.plan_off(voice), sounds);
                        if sounds {
                            sounding.remove(&voice.key());
                        }
                    }
                    Act::ReleasePlan => {
                        let expected = sounding.values().any(Sound::is_plan);
                        let released = keys.release_plan();
                        prop_assert_eq!(released.is_some(), expected);
                        if let Some(key) = released {
                            prop_assert!(sounding.remove(&key).is_some_and(|sound| sound.is_plan()));
                        }
                    }
                    Act::ReleasePlayer => {
                        let expected = sounding.values().any(|sound| !sound.is_plan());
                        let released = keys.release_player();
                        prop_assert_eq!(released.is_some(), expected);
                        if let Some(key) = released {
                            prop_assert_eq!(sounding.remove(&key), Some(Sound::Player));
                        }
                    }
                }
                let plan = sounding.values().filter(|sound| sound.is_plan()).count();
                prop_assert_eq!(usize::try_from(keys.plan_keys()).unwrap(), plan);
                prop_assert_eq!(usize::try_from(keys.player_keys()).unwrap(), sounding.len() - plan);
            }
            while let Some(key) = keys.release_plan() {
                prop_assert!(sounding.remove(&key).is_some_and(|sound| sound.is_plan()));
            }
            while let Some(key) = keys.release_player() {
                prop_assert_eq!(sounding.remove(&key), Some(Sound::Player));
            }
            prop_assert!(sounding.is_empty());
        }
    }
}
