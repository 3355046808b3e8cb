//! The measured controls, and the distance between requested and measured values.

use antiphon_engine::codec::BarFields;
use antiphon_engine::decode::{RequestedControls, RequestedKey};
use antiphon_engine::music::analysis::{KeySignature, Mood, ScaleMode};

/// A control that bars are conditioned on and that can be measured on the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Control {
    Density,
    Register,
    Span,
    Voices,
    Key,
    Mood,
}

impl Control {
    /// All, in the order of the report.
    pub(super) const ALL: [Self; 6] = [Self::Density, Self::Register, Self::Span, Self::Voices, Self::Key, Self::Mood];

    /// Name in the report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Density => "density",
            Self::Register => "register",
            Self::Span => "span",
            Self::Voices => "voices",
            Self::Key => "key",
            Self::Mood => "mood",
        }
    }

    /// Largest value; values are 1 to this.
    pub(super) const fn values(self) -> u8 {
        match self {
            Self::Density | Self::Register | Self::Span | Self::Voices => 8,
            Self::Key => 24,
            Self::Mood => 9,
        }
    }

    /// Value of this control in a bar's conditioning; 0 if it has none.
    pub(super) const fn of(self, fields: &BarFields) -> u8 {
        match self {
            Self::Density => fields.density,
            Self::Register => fields.register,
            Self::Span => fields.span,
            Self::Voices => fields.voices,
            Self::Key => fields.key,
            Self::Mood => fields.mood,
        }
    }

    /// Conditioning with this value, metre and tempo, and nothing else.
    pub(super) fn only(self, fields: &BarFields, value: u8) -> BarFields {
        let mut alone = without_controls(fields);
        let field = match self {
            Self::Density => &mut alone.density,
            Self::Register => &mut alone.register,
            Self::Span => &mut alone.span,
            Self::Voices => &mut alone.voices,
            Self::Key => &mut alone.key,
            Self::Mood => &mut alone.mood,
        };
        *field = value;
        alone
    }

    /// The logit biases towards this value; none for controls that act by conditioning only.
    pub(super) fn requested(self, value: u8) -> RequestedControls {
        let none = RequestedControls::default();
        match self {
            Self::Density => RequestedControls { density: Some(value), ..none },
            Self::Register => RequestedControls { register: Some(value), ..none },
            Self::Voices => RequestedControls { voices: Some(value), ..none },
            Self::Span => RequestedControls { span: Some(value), ..none },
            Self::Key => RequestedControls { key: KeySignature::from_value(value).map(RequestedKey::of), ..none },
            Self::Mood => none,
        }
    }

    /// Whether it applies to music with drums only.
    pub(super) fn is_of_drums(self) -> bool {
        self == Self::Density
    }

    /// Whether a measured value is at most one step from the requested one: the next bucket; for keys the relative key or one a fifth away; for moods
    /// one step brighter or darker, livelier or calmer. False for a bar without a value.
    pub(super) fn is_near(self, requested: u8, measured: u8) -> bool {
        let near = match self {
            Self::Density | Self::Register | Self::Span | Self::Voices => (measured > 0).then(|| requested.abs_diff(measured) <= 1),
            Self::Key => KeySignature::from_value(requested)
                .zip(KeySignature::from_value(measured))
                .map(|(requested, measured)| are_related(requested, measured)),
            Self::Mood => Mood::from_value(requested).zip(Mood::from_value(measured)).map(|(requested, measured)| {
                let steps = |one: u8, other: u8| one.abs_diff(other);
                steps(requested.valence as u8, measured.valence as u8) + steps(requested.arousal as u8, measured.arousal as u8) <= 1
            }),
        };
        near.unwrap_or(false)
    }
}

/// Conditioning with metre and tempo only.
pub(super) fn without_controls(fields: &BarFields) -> BarFields {
    BarFields { metre: fields.metre, tempo: fields.tempo, ..BarFields::default() }
}

/// Whether two keys are equal, relative, or of one mode and a fifth apart.
fn are_related(one: KeySignature, other: KeySignature) -> bool {
    let up = (12 + other.tonic() - one.tonic()) % 12;
    match (one.mode(), other.mode()) {
        (ScaleMode::Major, ScaleMode::Minor) => up == 9,
        (ScaleMode::Minor, ScaleMode::Major) => up == 3,
        _ => [0, 5, 7].contains(&up),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tonic: u8, mode: ScaleMode) -> u8 {
        KeySignature::new(tonic, mode).unwrap().value()
    }

    #[test]
    fn next_bucket_is_near_and_no_value_is_not() {
        assert!(Control::Density.is_near(4, 5) && Control::Density.is_near(4, 3) && Control::Density.is_near(4, 4));
        assert!(!Control::Density.is_near(4, 6) && !Control::Density.is_near(1, 0));
    }

    #[test]
    fn equal_relative_and_fifth_related_keys_are_near() {
        let near = |one, other| Control::Key.is_near(one, other);
        let c = key(0, ScaleMode::Major);
        for related in [c, key(7, ScaleMode::Major), key(5, ScaleMode::Major), key(9, ScaleMode::Minor)] {
            assert!(near(c, related) && near(related, c));
        }
        for other in [key(2, ScaleMode::Major), key(0, ScaleMode::Minor), key(4, ScaleMode::Minor), 0] {
            assert!(!near(c, other));
        }
    }

    #[test]
    fn mood_is_near_one_step_away_in_one_direction() {
        // 5 is the middle of valence and of arousal.
        let near: Vec<u8> = (0..=9).filter(|measured| Control::Mood.is_near(5, *measured)).collect();
        assert_eq!(near, [2, 4, 5, 6, 8]);
    }

    #[test]
    fn requested_value_is_the_only_conditioning_beside_metre_and_tempo() {
        let fields =
            BarFields { metre: 1, tempo: 2, key: 3, density: 4, register: 5, span: 6, voices: 7, mood: 8, repeats: 9, chords: [None; 2] };
        for control in Control::ALL {
            let conditioned = control.only(&fields, 2);
            assert_eq!((conditioned.metre, conditioned.tempo, control.of(&conditioned)), (1, 2, 2));
            let others = Control::ALL.iter().filter(|other| **other != control);
            assert!(others.map(|other| other.of(&conditioned)).all(|value| value == 0) && conditioned.repeats == 0);
        }
    }
}
