//! Vocabulary version 7: classes and columns (docs/model-interface.md). Training reads them from the corpus file, the engine checks them against the
//! model.

use std::sync::LazyLock;

use crate::music::{Metre, TICKS_PER_QUARTER, Tick};

/// Version of the vocabulary; models of a later one are refused.
pub const VOCABULARY_VERSION: u32 = 7;

/// The version before, whose models are read too: their rows recall no bars ahead.
pub const VOCABULARY_WITHOUT_AHEAD: u32 = 6;

/// The version before that: its rows do not name chords either.
pub const VOCABULARY_WITHOUT_CHORDS: u32 = 5;

/// The oldest version whose models are read: its rows name no own roles either.
pub const VOCABULARY_WITHOUT_OWN_ROLES: u32 = 4;

/// Longest bar that a row can address, in ticks; longer ones are split.
pub const MAX_BAR_TICKS: i64 = 16 * TICKS_PER_QUARTER;

/// Fields of a note in chain order: the first four describe a row's target, the last four the note after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
#[allow(missing_docs)]
pub enum Field {
    Pitch = 0,
    Duration = 1,
    Velocity = 2,
    Offset = 3,
    Type = 4,
    Beat = 5,
    Sub = 6,
    Role = 7,
}

impl Field {
    /// All fields, in chain order.
    pub const ALL: [Self; 8] = [Self::Pitch, Self::Duration, Self::Velocity, Self::Offset, Self::Type, Self::Beat, Self::Sub, Self::Role];

    /// Number of classes.
    #[must_use]
    pub const fn classes(self) -> usize {
        match self {
            Self::Pitch => 256,
            Self::Duration => 64,
            Self::Velocity => 32,
            Self::Offset => 8,
            Self::Type => 3,
            Self::Beat | Self::Role => 16,
            Self::Sub => 24,
        }
    }

    /// Name in corpus files, model metadata and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pitch => "pitch",
            Self::Duration => "duration",
            Self::Velocity => "velocity",
            Self::Offset => "offset",
            Self::Type => "type",
            Self::Beat => "beat",
            Self::Sub => "sub",
            Self::Role => "role",
        }
    }
}

/// Number of fields.
pub const FIELDS: usize = Field::ALL.len();

/// Number of classes of all fields: width of the model's noise input.
pub const TOTAL_CLASSES: usize = 256 + 64 + 32 + 8 + 3 + 16 + 24 + 16;

/// Classes of [`Field::Type`]: the continuation after a note.
pub mod next {
    /// A note in the same bar.
    pub const NOTE: u8 = 0;
    /// The bar line.
    pub const ENDBAR: u8 = 1;
    /// The end of the piece.
    pub const EOS: u8 = 2;
}

/// Kind of a row, column 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Kind {
    /// Prefix: style or ensemble, fixed for a sequence.
    Pre = 1,
    /// Start of a bar; carries its conditioning.
    Bar = 2,
    /// A note that is predicted.
    Note = 3,
    /// A note that is known: another part, or the far side of a gap.
    Given = 4,
    /// End-of-bar summary.
    Sum = 5,
}

/// Columns of a row: name and table size (highest value + 1). New ones are appended, so that the embeddings of the others keep their positions.
pub const COLUMN_TABLE: [(&str, usize); COLUMNS] = [
    ("kind", 6),
    ("beat", 17),
    ("sub", 25),
    ("role", 17),
    ("pitch", 257),
    ("duration", 65),
    ("velocity", 33),
    ("offset", 9),
    ("pitch_class", 14),
    ("octave", 13),
    ("target_beat", 17),
    ("target_sub", 25),
    ("target_role", 17),
    ("phase", 17),
    ("metre", 24),
    ("tempo", 9),
    ("key", 25),
    ("density", 9),
    ("register", 9),
    ("span", 9),
    ("voices", 9),
    ("style", 16),
    ("mood", 10),
    ("repeats", 10),
    ("recall_bars_1", 9),
    ("recall_pitch_1", 1281),
    ("recall_duration_1", 321),
    ("recall_velocity_1", 161),
    ("recall_bars_2", 9),
    ("recall_pitch_2", 1281),
    ("recall_duration_2", 321),
    ("recall_velocity_2", 161),
    ("recall_beat_1", 86),
    ("recall_sub_1", 121),
    ("recall_role_1", 81),
    ("recall_beat_2", 86),
    ("recall_sub_2", 121),
    ("recall_role_2", 81),
    ("own_1", 17),
    ("own_2", 17),
    ("own_3", 17),
    ("chord_root", 13),
    ("chord_third", 13),
    ("chord_fifth", 13),
    ("chord_seventh", 13),
    ("ahead_bars_1", 9),
    ("ahead_pitch_1", 1281),
    ("ahead_duration_1", 321),
    ("ahead_velocity_1", 161),
    ("ahead_bars_2", 9),
    ("ahead_pitch_2", 1281),
    ("ahead_duration_2", 321),
    ("ahead_velocity_2", 161),
    ("ahead_beat_1", 86),
    ("ahead_sub_1", 121),
    ("ahead_role_1", 81),
    ("ahead_beat_2", 86),
    ("ahead_sub_2", 121),
    ("ahead_role_2", 81),
];

/// Number of columns of a row.
pub const COLUMNS: usize = 59;

/// Most roles that can be named as own roles.
pub const OWN_ROLES: usize = 3;

/// Number of columns on recalled bars of one side.
pub const RECALL_COLUMNS: usize = 14;

/// Most tones of a chord: root, third, fifth and seventh, each in a column of its own.
pub const CHORD_TONES: usize = 4;

/// Indices of columns.
#[allow(missing_docs)]
pub mod column {
    pub const KIND: usize = 0;
    pub const BEAT: usize = 1;
    pub const SUB: usize = 2;
    pub const ROLE: usize = 3;
    pub const PITCH: usize = 4;
    pub const DURATION: usize = 5;
    pub const VELOCITY: usize = 6;
    pub const OFFSET: usize = 7;
    pub const PITCH_CLASS: usize = 8;
    pub const OCTAVE: usize = 9;
    pub const TARGET_BEAT: usize = 10;
    pub const TARGET_SUB: usize = 11;
    pub const TARGET_ROLE: usize = 12;
    pub const PHASE: usize = 13;
    pub const METRE: usize = 14;
    pub const TEMPO: usize = 15;
    pub const KEY: usize = 16;
    pub const DENSITY: usize = 17;
    pub const REGISTER: usize = 18;
    pub const SPAN: usize = 19;
    pub const VOICES: usize = 20;
    pub const STYLE: usize = 21;
    pub const MOOD: usize = 22;
    pub const REPEATS: usize = 23;
    /// First of the columns on bars back: two groups of four on recalled notes, then two of three on recalled places.
    pub const RECALL: usize = 24;
    /// First of the three columns that name the own roles.
    pub const OWN: usize = 38;
    /// First of the four columns with the tones of a chord.
    pub const CHORD: usize = 41;
    /// First of the columns on bars ahead, which are those from [`RECALL`] on once more.
    pub const AHEAD: usize = 45;
}

/// Highest value of the style column.
pub const STYLES: u8 = 15;

/// Duration class of a note without an end: still sounding at the cut.
pub const OPEN: u8 = 63;

/// Offset class of a note on the grid.
pub const ON_GRID: u8 = 4;

/// Durations in ticks of classes 0 to 62: every value up to 24 that music uses, then common values in about equal ratios.
pub const DURATIONS: [u16; 63] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 30, 32, 34, 36, 40, 42, 44, 48, 51, 54,
    57, 60, 64, 68, 72, 78, 84, 90, 96, 102, 108, 120, 132, 144, 156, 168, 180, 192, 216, 240, 288, 336, 384, 432, 480, 576, 768,
];

/// Duration class of each duration in ticks up to the longest: nearest on a log scale.
static DURATION_CLASS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let last = DURATIONS[DURATIONS.len() - 1];
    (0..=last)
        .map(|ticks| {
            let log = f64::from(ticks.max(1)).ln();
            let distance = |class: &u8| (f64::from(DURATIONS[usize::from(*class)]).ln() - log).abs();
            (0..OPEN).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
        })
        .collect()
});

/// Duration class nearest on a log scale; the longest class for anything longer.
///
/// ```
/// use antiphon_engine::codec::vocabulary::{duration_class, duration_ticks};
/// use antiphon_engine::music::Tick;
///
/// // There is no class for 100 ticks: 102 is nearer than 96 in ratio.
/// assert_eq!(duration_ticks(duration_class(Tick(100))), Some(Tick(102)));
/// assert_eq!(duration_ticks(duration_class(Tick(5000))), Some(Tick(768)));
/// ```
#[must_use]
pub fn duration_class(length: Tick) -> u8 {
    let last = DURATION_CLASS.len() - 1;
    let index = usize::try_from(length.0.max(1)).unwrap_or(last).min(last);
    DURATION_CLASS[index]
}

/// Duration of a class; `None` for [`OPEN`] and beyond.
#[must_use]
pub fn duration_ticks(class: u8) -> Option<Tick> {
    DURATIONS.get(usize::from(class)).map(|&ticks| Tick(i64::from(ticks)))
}

/// Metres with a value of their own; any other is [`OTHER_METRE`].
const METRES: [(u8, u8); 22] = [
    (4, 4),
    (3, 4),
    (2, 4),
    (6, 8),
    (2, 2),
    (3, 8),
    (12, 8),
    (9, 8),
    (2, 1),
    (3, 2),
    (6, 4),
    (5, 4),
    (1, 4),
    (4, 2),
    (7, 8),
    (4, 8),
    (3, 1),
    (5, 8),
    (2, 8),
    (1, 2),
    (7, 4),
    (8, 8),
];

/// Column value of any other metre.
pub const OTHER_METRE: u8 = 23;

/// Column value (1 to 23) of a metre.
#[must_use]
pub fn metre_value(metre: Metre) -> u8 {
    let wanted = (metre.numerator(), metre.denominator());
    (1..OTHER_METRE).zip(METRES).find(|(_, m)| *m == wanted).map_or(OTHER_METRE, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_fields_columns_and_durations_are_consistent() {
        assert_eq!(Field::ALL.iter().map(|f| f.classes()).sum::<usize>(), TOTAL_CLASSES);
        assert!(DURATIONS.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(COLUMN_TABLE[column::STYLE], ("style", usize::from(STYLES) + 1));
        assert_eq!(COLUMN_TABLE[column::OWN].0, "own_1");
        assert_eq!(column::OWN + OWN_ROLES, column::CHORD);
        assert_eq!(COLUMN_TABLE[column::CHORD].0, "chord_root");
        assert_eq!(column::CHORD + CHORD_TONES, column::AHEAD);
        assert_eq!(column::RECALL + RECALL_COLUMNS, column::OWN);
        assert_eq!(column::AHEAD + RECALL_COLUMNS, COLUMNS);
        for (back, ahead) in COLUMN_TABLE[column::RECALL..column::OWN].iter().zip(&COLUMN_TABLE[column::AHEAD..]) {
            assert_eq!((back.0.strip_prefix("recall"), back.1), (ahead.0.strip_prefix("ahead"), ahead.1));
        }
        for (index, field) in Field::ALL.iter().enumerate() {
            assert_eq!(*field as usize, index);
        }
    }

    #[test]
    fn listed_durations_are_their_own_classes() {
        for (class, &ticks) in (0u8..).zip(&DURATIONS) {
            assert_eq!(duration_class(Tick(i64::from(ticks))), class);
            assert_eq!(duration_ticks(class), Some(Tick(i64::from(ticks))));
        }
        assert_eq!(duration_class(Tick(0)), 0);
        assert_eq!(duration_class(Tick::MAX), 62);
        assert_eq!(duration_ticks(OPEN), None);
    }

    #[test]
    fn metre_values_are_those_of_the_table_or_other() {
        assert_eq!(metre_value(Metre::COMMON), 1);
        assert_eq!(Metre::new(7, 8).map(metre_value), Some(15));
        assert_eq!(Metre::new(11, 16).map(metre_value), Some(OTHER_METRE));
        assert_eq!(COLUMN_TABLE[column::METRE].1, usize::from(OTHER_METRE) + 1);
    }
}
