//! Scales as sets of pitch classes, for the scale lock.

use super::{KeySignature, ScaleMode};

/// All twelve bits.
const ALL: u16 = 0x0FFF;

/// Scales by name, on any tonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ScaleKind {
    /// Major.
    #[default]
    Major,
    /// Natural minor with the raised seventh, its leading note, beside the natural one.
    Minor,
    /// Minor with a major sixth.
    Dorian,
    /// Minor with a minor second.
    Phrygian,
    /// Major with an augmented fourth.
    Lydian,
    /// Major with a minor seventh.
    Mixolydian,
    /// Major without its fourth and seventh.
    MajorPentatonic,
    /// Natural minor without its second and sixth.
    MinorPentatonic,
    /// Minor pentatonic with the diminished fifth.
    Blues,
}

impl ScaleKind {
    /// Every kind. The order is that of the parameter's steps and never changes.
    pub const ALL: [Self; 9] = [
        Self::Major,
        Self::Minor,
        Self::Dorian,
        Self::Phrygian,
        Self::Lydian,
        Self::Mixolydian,
        Self::MajorPentatonic,
        Self::MinorPentatonic,
        Self::Blues,
    ];

    /// Name, as musicians write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Major => "Major",
            Self::Minor => "Minor",
            Self::Dorian => "Dorian",
            Self::Phrygian => "Phrygian",
            Self::Lydian => "Lydian",
            Self::Mixolydian => "Mixolydian",
            Self::MajorPentatonic => "Major pentatonic",
            Self::MinorPentatonic => "Minor pentatonic",
            Self::Blues => "Blues",
        }
    }

    /// Mode of the key that is nearest to it.
    #[must_use]
    pub const fn mode(self) -> ScaleMode {
        match self {
            Self::Major | Self::Lydian | Self::Mixolydian | Self::MajorPentatonic => ScaleMode::Major,
            Self::Minor | Self::Dorian | Self::Phrygian | Self::MinorPentatonic | Self::Blues => ScaleMode::Minor,
        }
    }

    /// The scale on a tonic, a pitch class.
    #[must_use]
    pub fn on(self, tonic: u8) -> Scale {
        let on_c: &[u8] = match self {
            Self::Major => &[0, 2, 4, 5, 7, 9, 11],
            Self::Minor => &[0, 2, 3, 5, 7, 8, 10, 11],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
            Self::Phrygian => &[0, 1, 3, 5, 7, 8, 10],
            Self::Lydian => &[0, 2, 4, 6, 7, 9, 11],
            Self::Mixolydian => &[0, 2, 4, 5, 7, 9, 10],
            Self::MajorPentatonic => &[0, 2, 4, 7, 9],
            Self::MinorPentatonic => &[0, 3, 5, 7, 10],
            Self::Blues => &[0, 3, 5, 6, 7, 10],
        };
        Scale::new(on_c.iter().copied()).transposed(tonic)
    }
}

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
        let kind = match key.mode() {
            ScaleMode::Major => ScaleKind::Major,
            ScaleMode::Minor => ScaleKind::Minor,
        };
        kind.on(key.tonic())
    }

    /// Whether a MIDI key belongs to it.
    #[must_use]
    pub const fn contains(self, pitch: u8) -> bool {
        self.classes >> (pitch % 12) & 1 == 1
    }

    /// The pitches of both: a scale with the tones of a chord, for instance.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self { classes: self.classes | other.classes }
    }

    /// The same scale so many semitones higher.
    #[must_use]
    pub const fn transposed(self, semitones: u8) -> Self {
        let up = semitones % 12;
        Self { classes: (self.classes << up | self.classes >> (12 - up)) & ALL }
    }

    /// Its pitch classes as bits: bit 0 is C, bit 11 is B.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.classes
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
    fn scale_of_each_kind_has_the_tonic_and_the_third_of_its_mode() {
        for kind in ScaleKind::ALL {
            let scale = kind.on(9);
            let third = if kind.mode() == ScaleMode::Major { 4 } else { 3 };
            assert!(scale.contains(9) && scale.contains(9 + third) && !scale.contains(9 + 7 - third), "{}", kind.name());
        }
        assert!(ScaleKind::Blues.on(0).pitch_classes().eq([0, 3, 5, 6, 7, 10]));
    }

    #[test]
    fn union_has_the_pitches_of_both() {
        let (c_major, a_flat) = (ScaleKind::Major.on(0), Scale::new([68, 60, 63]));
        assert!(c_major.union(a_flat).pitch_classes().eq([0, 2, 3, 4, 5, 7, 8, 9, 11]));
        assert_eq!((a_flat.union(c_major), c_major.union(c_major)), (c_major.union(a_flat), c_major));
        assert_eq!(c_major.union(Scale::CHROMATIC), Scale::CHROMATIC);
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
