//! What the colours and the drum lanes of a piano roll mean.

use antiphon_engine::music::Role;

use super::canvas::Colour;

/// A role's colour. Neighbours in an ensemble (tune, keys, bass, drums) are far apart, also for eyes that see red and green alike.
pub(super) const fn colour(role: Role) -> Colour {
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
pub(super) fn percussion(key: u8) -> String {
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
    fn every_role_has_its_own_colour() {
        assert_eq!(Role::ALL.map(|role| colour(role).0).into_iter().collect::<HashSet<_>>().len(), Role::ALL.len());
    }

    #[test]
    fn percussion_is_named_as_general_midi_numbers_it() {
        assert_eq!([36, 38, 42, 46, 49, 51, 81].map(percussion), ["kick", "snare", "closed hat", "open hat", "crash", "ride", "triangle"]);
        assert_eq!([0, 34, 82, 127].map(percussion), ["key 0", "key 34", "key 82", "key 127"]);
    }
}
