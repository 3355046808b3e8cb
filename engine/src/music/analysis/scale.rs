//! Scales as sets of pitch classes, for the scale lock.

use super::{KeySignature, ScaleMode};

/// All twelve bits.
const ALL: u16 = 0x0FFF;

/// A set of pitch classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scale {
    /// Bit n is pitch class n, C = 0.
    classes: u16,
}

impl Scale {
    /// Every pitch.
    pub const CHROMATIC: Self = Self { classes: ALL };

    /// The scale of these pitch classes or MIDI keys, octaves disregarded.
    #[must_use]
    pub fn new(pitches: impl IntoIterator<Item = u8>) -> Self {
        Self { classes: pitches.into_iter().fold(0, |classes, pitch| classes | 1 << (pitch % 12)) }
    }

    /// The scale of a key: of a minor one the natural scale and the raised seventh, its leading note.
    #[must_use]
    pub fn of_key(key: KeySignature) -> Self {
        let on_c = match key.mode() {
            ScaleMode::Major => Self::new([0, 2, 4, 5, 7, 9, 11]),
            ScaleMode::Minor => Self::new([0, 2, 3, 5, 7, 8, 10, 11]),
        };
        on_c.transposed(key.tonic())
    }

    /// Whether a MIDI key belongs to it.
    #[must_use]
    pub const fn contains(self, pitch: u8) -> bool {
        self.classes >> (pitch % 12) & 1 == 1
    }

    /// The same scale so many semitones higher.
    #[must_use]
    pub const fn transposed(self, semitones: u8) -> Self {
        let up = semitones % 12;
        Self { classes: (self.classes << up | self.classes >> (12 - up)) & ALL }
    }

    /// Its pitch classes, rising from C.
    pub fn pitch_classes(self) -> impl Iterator<Item = u8> {
        (0..12).filter(move |&class| self.contains(class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_scales() {
        let d_major = Scale::of_key(KeySignature::new(2, ScaleMode::Major).unwrap());
        assert!(d_major.pitch_classes().eq([1, 2, 4, 6, 7, 9, 11]));
        let a_minor = Scale::of_key(KeySignature::new(9, ScaleMode::Minor).unwrap());
        assert!(a_minor.pitch_classes().eq([0, 2, 4, 5, 7, 8, 9, 11]));
        assert!(d_major.contains(61) && d_major.contains(121) && !d_major.contains(60));
    }

    #[test]
    fn transposing_goes_round() {
        let scale = Scale::new([0, 4, 7]);
        assert_eq!(scale.transposed(0), scale);
        assert_eq!(scale.transposed(12), scale);
        assert_eq!(scale.transposed(7).transposed(5), scale);
        assert_eq!(Scale::CHROMATIC.transposed(5), Scale::CHROMATIC);
        assert_eq!(Scale::CHROMATIC.pitch_classes().count(), 12);
    }
}
