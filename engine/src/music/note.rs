//! Notes and the roles they play.

use serde::{Deserialize, Serialize};

use super::Tick;

/// Function of a note in the ensemble. The discriminant is the model's class and the canonical order of notes that start together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Role {
    /// The tune: a singer, a first violin, the melody of a lead sheet.
    Melody = 0,
    /// Harmony in block or broken chords without an instrument of its own.
    Chords = 1,
    /// The lowest line of a band or ensemble.
    Bass = 2,
    /// General MIDI percussion: its pitches name instruments. Every other role has real pitches.
    Drums = 3,
    /// A second tune, a counter-melody, a synthesiser lead.
    Lead = 4,
    /// Held synthesiser or choir sound.
    Pad = 5,
    /// Sequenced or plucked figures.
    Arp = 6,
    /// Upper strings.
    Strings = 7,
    /// Viola, cello and the like below the upper strings.
    LowStrings = 8,
    /// Piano or keyboard: the right hand, or both.
    Keys = 9,
    /// The left hand where it is written apart.
    LeftHand = 10,
    /// Guitar.
    Guitar = 11,
    /// Organ, accordion.
    Organ = 12,
    /// Woodwind.
    Winds = 13,
    /// Brass.
    Brass = 14,
    /// Anything else.
    Other = 15,
}

impl Role {
    /// Every role, in canonical order.
    pub const ALL: [Self; 16] = [
        Self::Melody,
        Self::Chords,
        Self::Bass,
        Self::Drums,
        Self::Lead,
        Self::Pad,
        Self::Arp,
        Self::Strings,
        Self::LowStrings,
        Self::Keys,
        Self::LeftHand,
        Self::Guitar,
        Self::Organ,
        Self::Winds,
        Self::Brass,
        Self::Other,
    ];

    /// The role with this class, if there is one.
    #[must_use]
    pub fn from_class(class: u8) -> Option<Self> {
        Self::ALL.get(usize::from(class)).copied()
    }

    /// The model's class, 0 to 15.
    #[must_use]
    pub const fn class(self) -> u8 {
        self as u8
    }

    /// Its name as a musician writes it, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Melody => "melody",
            Self::Chords => "chords",
            Self::Bass => "bass",
            Self::Drums => "drums",
            Self::Lead => "lead",
            Self::Pad => "pad",
            Self::Arp => "arp",
            Self::Strings => "strings",
            Self::LowStrings => "low strings",
            Self::Keys => "keys",
            Self::LeftHand => "left hand",
            Self::Guitar => "guitar",
            Self::Organ => "organ",
            Self::Winds => "winds",
            Self::Brass => "brass",
            Self::Other => "other",
        }
    }

    /// The role with this [`name`](Self::name); capitals do not count, and a hyphen or underscore counts as a blank.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let wanted = name.replace(['-', '_'], " ").to_lowercase();
        Self::ALL.into_iter().find(|role| role.name() == wanted)
    }
}

/// One note. The sustain pedal is already folded into its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Note {
    /// Where it starts on the grid.
    pub onset: Tick,
    /// Performed timing: eighths of a tick before (negative) or after the grid, -4 to 3.
    pub offset: i8,
    /// How long it sounds, at least one tick. [`Tick::MAX`] while the key is still held.
    pub duration: Tick,
    /// MIDI key, 0 to 127. For [`Role::Drums`] the General MIDI percussion instrument.
    pub pitch: u8,
    /// MIDI velocity, 1 to 127.
    pub velocity: u8,
    /// Function in the ensemble.
    pub role: Role,
}

impl Note {
    /// The first tick at which it no longer sounds; [`Tick::MAX`] while held.
    #[must_use]
    pub const fn end(&self) -> Tick {
        self.onset.saturating_add(self.duration)
    }

    /// Canonical order inside a piece: onset, role, pitch.
    #[must_use]
    pub const fn order(&self) -> (Tick, Role, u8) {
        (self.onset, self.role, self.pitch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_roles() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
            assert_eq!(Role::from_class(role.class()), Some(role));
        }
        assert_eq!(Role::from_name("Left-Hand"), Some(Role::LeftHand));
        assert_eq!(Role::from_name("kazoo"), None);
    }
}
