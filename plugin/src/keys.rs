//! Sets of MIDI keys.

use antiphon_engine::plan::MidiKey;

/// A set of keys: 256 bytes, no heap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeySet {
    /// One bit per pitch, by channel.
    channels: [u128; 16],
}

impl KeySet {
    /// Whether the key is in the set.
    #[must_use]
    pub fn contains(&self, key: MidiKey) -> bool {
        self.channels[usize::from(key.channel())] & bit(key) != 0
    }

    /// Adds a key.
    pub fn insert(&mut self, key: MidiKey) {
        self.channels[usize::from(key.channel())] |= bit(key);
    }

    /// Removes a key, if present.
    pub fn remove(&mut self, key: MidiKey) {
        self.channels[usize::from(key.channel())] &= !bit(key);
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        self.channels = [0; 16];
    }

    /// The lowest key on the lowest channel; `None` if empty.
    ///
    /// ```
    /// use antiphon_engine::plan::MidiKey;
    /// use antiphon_plugin::keys::KeySet;
    ///
    /// let (low_channel, low_pitch) = (MidiKey::new(1, 90).expect("a MIDI key"), MidiKey::new(2, 30).expect("a MIDI key"));
    /// let mut keys = KeySet::default();
    /// keys.insert(low_pitch);
    /// keys.insert(low_channel);
    /// assert_eq!(keys.first(), Some(low_channel));
    /// ```
    #[must_use]
    pub fn first(&self) -> Option<MidiKey> {
        (0u8..16).find_map(|channel| self.first_on(channel))
    }

    /// The lowest key on this channel; `None` if there is none.
    #[must_use]
    pub fn first_on(&self, channel: u8) -> Option<MidiKey> {
        let pitches = self.channels.get(usize::from(channel)).filter(|pitches| **pitches != 0)?;
        MidiKey::new(channel, u8::try_from(pitches.trailing_zeros()).ok()?)
    }

    /// Removes all keys of a channel.
    pub fn clear_channel(&mut self, channel: u8) {
        if let Some(pitches) = self.channels.get_mut(usize::from(channel)) {
            *pitches = 0;
        }
    }
}

const fn bit(key: MidiKey) -> u128 {
    1 << key.pitch()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_contains_exactly_the_inserted_keys() {
        let all: Vec<_> = (0..16).flat_map(|channel| (0..128).map(move |pitch| MidiKey::new(channel, pitch).unwrap())).collect();
        let some: Vec<_> = all.iter().copied().step_by(7).collect();
        let mut set = KeySet::default();
        for &key in &some {
            set.insert(key);
        }
        assert!(all.iter().all(|&key| set.contains(key) == some.contains(&key)));
        for &key in &some {
            assert_eq!(set.first(), Some(key));
            set.remove(key);
            set.remove(key);
        }
        assert_eq!(set, KeySet::default());
    }

    #[test]
    fn clearing_a_channel_keeps_the_others() {
        let mut set = KeySet::default();
        let keys = [(3, 9), (3, 127), (4, 9)].map(|(channel, pitch)| MidiKey::new(channel, pitch).unwrap());
        keys.iter().for_each(|&key| set.insert(key));
        assert_eq!((set.first_on(3), set.first_on(2), set.first_on(16)), (Some(keys[0]), None, None));
        set.clear_channel(3);
        set.clear_channel(16);
        assert_eq!((set.first_on(3), set.first()), (None, Some(keys[2])));
    }
}
