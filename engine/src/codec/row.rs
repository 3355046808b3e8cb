//! Rows: the model's input (docs/model-interface.md, section 2).

use super::vocabulary::{COLUMNS, FIELDS, Kind, column};
use crate::music::analysis::Chord;
use crate::music::{TICKS_PER_QUARTER, Tick};

/// Fields of a note as classes, 0-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoteClasses {
    /// Quarter notes from the bar line, 0 to 15.
    pub beat: u8,
    /// Ticks from the beat, 0 to 23.
    pub sub: u8,
    /// [`Role`](crate::music::Role) class, 0 to 15.
    pub role: u8,
    /// MIDI key; drums add 128.
    pub pitch: u8,
    /// Duration class, 0 to 63 ([`OPEN`](super::OPEN)).
    pub duration: u8,
    /// MIDI velocity / 4, 0 to 31.
    pub velocity: u8,
    /// Performed timing, 0 to 7; 4 is on the grid.
    pub offset: u8,
}

/// Onset in the bar and role, as classes: the target columns of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// Quarter notes from the bar line, 0 to 15.
    pub beat: u8,
    /// Ticks from the beat, 0 to 23.
    pub sub: u8,
    /// [`Role`](crate::music::Role) class, 0 to 15.
    pub role: u8,
}

impl Place {
    /// Onset from the bar line.
    #[must_use]
    pub fn tick(self) -> Tick {
        Tick(i64::from(self.beat) * TICKS_PER_QUARTER + i64::from(self.sub))
    }
}

impl NoteClasses {
    /// Its onset and role.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { beat: self.beat, sub: self.sub, role: self.role }
    }

    /// Onset from the bar line.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.place().tick()
    }
}

/// Conditioning of a bar, as column values; 0 is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BarFields {
    /// Metre, 1 to 23. Always set, on every row of the bar.
    pub metre: u8,
    /// Tempo bucket, 1 to 8.
    pub tempo: u8,
    /// Key, 1 to 24: C to B major, then C to B minor.
    pub key: u8,
    /// Notes per quarter, bucket 1 to 8.
    pub density: u8,
    /// Mean pitch, bucket 1 to 8.
    pub register: u8,
    /// Highest less lowest pitch, bucket 1 to 8.
    pub span: u8,
    /// Most notes sounding at once, 1 to 8 (8 = 8 or more).
    pub voices: u8,
    /// Mood, 1 to 9: 1 + 3 valence + arousal.
    pub mood: u8,
    /// Repetition of an earlier bar, 1 to 9: 1 is none.
    pub repeats: u8,
    /// Chords of its first and its second half.
    pub chords: [Option<Chord>; 2],
}

/// A bar as classes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct BarRows {
    /// Index from the start of the sequence: rotary position, and mod 16 the phase.
    pub index: u32,
    /// Length in ticks, 1 to 384.
    pub ticks: u16,
    /// Its conditioning.
    pub fields: BarFields,
    /// Its notes in canonical order: by onset, role, pitch.
    pub notes: Vec<NoteClasses>,
}

/// Rotary position: musical time of a row's query or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Bar index; -1 for prefix rows.
    pub bar: i64,
    /// Tick in the bar.
    pub tick: i64,
    /// Row index in the bar.
    pub index: i64,
}

/// A row of the model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Column values; 0 = absent.
    pub columns: [u16; COLUMNS],
    /// Rotary position of K: the row's own content.
    pub key: Position,
    /// Rotary position of Q: the row's target.
    pub query: Position,
}

impl Row {
    /// The note of a NOTE or GIVEN row.
    #[must_use]
    pub fn note(&self) -> Option<NoteClasses> {
        let kind = self.columns[column::KIND];
        let carries = kind == Kind::Note as u16 || kind == Kind::Given as u16;
        let class = |column: usize| u8::try_from(self.columns[column].checked_sub(1)?).ok();
        carries.then_some(NoteClasses {
            beat: class(column::BEAT)?,
            sub: class(column::SUB)?,
            role: class(column::ROLE)?,
            pitch: class(column::PITCH)?,
            duration: class(column::DURATION)?,
            velocity: class(column::VELOCITY)?,
            offset: class(column::OFFSET)?,
        })
    }

    /// Onset and role of the note it predicts, if it has a target.
    #[must_use]
    pub fn target(&self) -> Option<Place> {
        let class = |column: usize| u8::try_from(self.columns[column].checked_sub(1)?).ok();
        Some(Place { beat: class(column::TARGET_BEAT)?, sub: class(column::TARGET_SUB)?, role: class(column::TARGET_ROLE)? })
    }
}

/// Targets of a row in chain order, -1 for none: the classes for teacher forcing, and the mask of the loss.
pub type Targets = [i16; FIELDS];
