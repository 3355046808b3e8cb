//! The controls, and how near to what was asked a bar has come.

use antiphon_engine::codec::BarFields;
use antiphon_engine::decode::RequestedControls;
use antiphon_engine::music::analysis::{Key, Mode, Mood};

/// A control that is told to bars and measured on them.
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

    /// Its name in the report.
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

    /// It has the values 1 to this.
    pub(super) const fn values(self) -> u8 {
        match self {
            Self::Density | Self::Register | Self::Span | Self::Voices => 8,
            Self::Key => 24,
            Self::Mood => 9,
        }
    }

    /// A bar's value of it; 0 where it has none.
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

    /// Bars of the metre and tempo of `fields` that are told this value, and nothing else.
    pub(super) fn alone(self, fields: &BarFields, value: u8) -> BarFields {
        let mut alone = unasked(fields);
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

    /// The control requested of bars that are to have this value.
    pub(super) fn requested(self, value: u8) -> RequestedControls {
        let none = RequestedControls::default();
        match self {
            Self::Density => RequestedControls { density: Some(value), ..none },
            Self::Register => RequestedControls { register: Some(value), ..none },
            Self::Voices => RequestedControls { voices: Some(value), ..none },
            Self::Span => RequestedControls { span: Some(value), ..none },
            Self::Key | Self::Mood => none,
        }
    }

    /// Whether drums have it.
    pub(super) fn is_of_drums(self) -> bool {
        self == Self::Density
    }

    /// Whether a bar is at most one step from what was asked: the next bucket; of keys the relative one, or one a fifth away; of moods one step brighter
    /// or darker, livelier or calmer. A bar without a value is not.
    pub(super) fn is_near(self, asked: u8, measured: u8) -> bool {
        let near = match self {
            Self::Density | Self::Register | Self::Span | Self::Voices => (measured > 0).then(|| asked.abs_diff(measured) <= 1),
            Self::Key => Key::from_value(asked).zip(Key::from_value(measured)).map(|(asked, measured)| are_related(asked, measured)),
            Self::Mood => Mood::from_value(asked).zip(Mood::from_value(measured)).map(|(asked, measured)| {
                let steps = |one: u8, other: u8| one.abs_diff(other);
                steps(asked.valence as u8, measured.valence as u8) + steps(asked.arousal as u8, measured.arousal as u8) <= 1
            }),
        };
        near.unwrap_or(false)
    }
}

/// Bars that are told their metre and tempo, and nothing else.
pub(super) fn unasked(fields: &BarFields) -> BarFields {
    BarFields { metre: fields.metre, tempo: fields.tempo, ..BarFields::default() }
}

/// Whether two keys are the same, relative, or of one mode a fifth apart.
fn are_related(one: Key, other: Key) -> bool {
    let up = (12 + other.tonic() - one.tonic()) % 12;
    match (one.mode(), other.mode()) {
        (Mode::Major, Mode::Minor) => up == 9,
        (Mode::Minor, Mode::Major) => up == 3,
        _ => [0, 5, 7].contains(&up),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tonic: u8, mode: Mode) -> u8 {
        Key::new(tonic, mode).unwrap().value()
    }

    #[test]
    fn the_next_bucket_is_near_and_no_bucket_is_not() {
        assert!(Control::Density.is_near(4, 5) && Control::Density.is_near(4, 3) && Control::Density.is_near(4, 4));
        assert!(!Control::Density.is_near(4, 6) && !Control::Density.is_near(1, 0));
    }

    #[test]
    fn related_keys_are_near() {
        let near = |one, other| Control::Key.is_near(one, other);
        let c = key(0, Mode::Major);
        for related in [c, key(7, Mode::Major), key(5, Mode::Major), key(9, Mode::Minor)] {
            assert!(near(c, related) && near(related, c));
        }
        for other in [key(2, Mode::Major), key(0, Mode::Minor), key(4, Mode::Minor), 0] {
            assert!(!near(c, other));
        }
    }

    #[test]
    fn a_mood_is_near_in_one_direction() {
        // 5 is the middle of both.
        let near: Vec<u8> = (0..=9).filter(|measured| Control::Mood.is_near(5, *measured)).collect();
        assert_eq!(near, [2, 4, 5, 6, 8]);
    }

    #[test]
    fn what_is_asked_is_told_alone() {
        let fields = BarFields { metre: 1, tempo: 2, key: 3, density: 4, register: 5, span: 6, voices: 7, mood: 8, repeats: 9 };
        for control in Control::ALL {
            let told = control.alone(&fields, 2);
            assert_eq!((told.metre, told.tempo, control.of(&told)), (1, 2, 2));
            let others = Control::ALL.iter().filter(|other| **other != control);
            assert!(others.map(|other| other.of(&told)).all(|value| value == 0) && told.repeats == 0);
        }
    }
}
