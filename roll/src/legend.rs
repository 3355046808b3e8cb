//! What the colours and the drum lanes of a piano roll mean: the same in the command line's pictures and in the editor.

use antiphon_engine::music::Role;

/// An opaque colour, `0xRRGGBB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(pub u32);

/// Behind everything.
pub const PAPER: Colour = Colour(0x00FB_FAF6);
/// The ground of what was played.
pub const BEFORE: Colour = Colour(0x00EE_ECE4);
/// The ground of what is to come.
pub const AFTER: Colour = Colour(0x00FF_FFFF);
/// Letters and lines.
pub const INK: Colour = Colour(0x0022_242A);
/// Letters that may be overlooked.
pub const FAINT_INK: Colour = Colour(0x0074_767C);

impl Colour {
    /// Red, green and blue.
    #[must_use]
    pub const fn channels(self) -> [u8; 3] {
        let [_, red, green, blue] = self.0.to_be_bytes();
        [red, green, blue]
    }

    /// This colour laid over `ground`, `opacity` 0 to 1.
    #[must_use]
    pub fn over(self, ground: Self, opacity: f32) -> Self {
        let mut mixed = [0; 4];
        for (out, (top, bottom)) in mixed[1..].iter_mut().zip(self.channels().into_iter().zip(ground.channels())) {
            let value = f32::from(top) * opacity + f32::from(bottom) * (1.0 - opacity);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two values of a byte")]
            let value = value.round() as u8;
            *out = value;
        }
        Self(u32::from_be_bytes(mixed))
    }
}

/// A role's colour. Neighbours in an ensemble (tune, keys, bass, drums) are far apart, also for eyes that see red and green alike.
#[must_use]
pub const fn colour(role: Role) -> Colour {
    Colour(match role {
        Role::Melody => 0x00C8_3E4D,
        Role::Chords => 0x0082_6AA6,
        Role::Bass => 0x001F_4E9E,
        Role::Drums => 0x0055_565B,
        Role::Lead => 0x00E0_7A1F,
        Role::Pad => 0x006F_A8B0,
        Role::Arp => 0x00B5_9A2A,
        Role::Strings => 0x002E_8B57,
        Role::LowStrings => 0x001F_6154,
        Role::Keys => 0x003A_8FD0,
        Role::LeftHand => 0x006C_74D8,
        Role::Guitar => 0x00A6_5A1E,
        Role::Organ => 0x009C_4F96,
        Role::Winds => 0x0059_A85F,
        Role::Brass => 0x00CF_9A12,
        Role::Other => 0x0077_7777,
    })
}

/// The short name of a General MIDI percussion key, or its number beyond the standard's range.
#[must_use]
pub fn percussion(key: u8) -> String {
    const FIRST: u8 = 35;
    #[rustfmt::skip]
    const NAMES: [&str; 47] = [
        "kick 2", "kick", "side stick", "snare", "clap", "snare 2", "floor tom 2", "closed hat", "floor tom", "pedal hat", "low tom", "open hat",
        "mid tom 2", "mid tom", "crash", "high tom", "ride", "china", "ride bell", "tambourine", "splash", "cowbell", "crash 2", "vibraslap",
        "ride 2", "high bongo", "low bongo", "mute conga", "open conga", "low conga", "high timbale", "low timbale", "high agogo", "low agogo",
        "cabasa", "maracas", "short whistle", "long whistle", "short guiro", "long guiro", "claves", "high block", "low block", "mute cuica",
        "open cuica", "mute triangle", "triangle",
    ];
    match key.checked_sub(FIRST).and_then(|index| NAMES.get(usize::from(index))) {
        Some(name) => (*name).into(),
        None => format!("key {key}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn colours_mix_by_opacity() {
        assert_eq!(INK.over(PAPER, 0.0), PAPER);
        assert_eq!(INK.over(PAPER, 1.0), INK);
        assert_eq!(Colour(0x00FF_0000).over(Colour(0), 0.5), Colour(0x0080_0000));
    }

    #[test]
    fn every_role_has_its_own_colour() {
        assert_eq!(Role::ALL.map(|role| colour(role).0).into_iter().collect::<HashSet<_>>().len(), Role::ALL.len());
    }

    #[test]
    fn percussion_is_named_as_general_midi_numbers_it() {
        assert_eq!([36, 38, 42, 46, 49, 51, 81].map(percussion), ["kick", "snare", "closed hat", "open hat", "crash", "ride", "triangle"]);
        assert_eq!([0, 34, 82, 127].map(percussion), ["key 0", "key 34", "key 82", "key 127"]);
    }
}
