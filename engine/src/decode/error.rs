//! Errors of a decoder, and the checks of bars and notes before a run.

use crate::{
    cache::{GapError, ReopenError, RewindTooFar},
    codec::{
        BarFields, BarRows, NoteClasses,
        vocabulary::{Field, MAX_BAR_TICKS},
    },
};

/// Error of an operation of a decoder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// ONNX Runtime failed.
    #[error("ONNX Runtime failed: {0}")]
    Runtime(#[from] ort::Error),
    /// A bar is out of order.
    #[error("bar {found} was given where bar {expected} follows")]
    Order {
        /// Index of the bar given.
        found: u32,
        /// Index of the next one.
        expected: u32,
    },
    /// A bar has an impossible length.
    #[error("bar {bar} is {ticks} ticks long; a bar has 1 to {MAX_BAR_TICKS}")]
    Length {
        /// Its index.
        bar: u32,
        /// Its length.
        ticks: u16,
    },
    /// A bar's controls are not in the vocabulary.
    #[error("bar {bar} has a control outside of its range: {fields:?}")]
    Fields {
        /// Its index.
        bar: u32,
        /// Its controls.
        fields: BarFields,
    },
    /// A note is not in the vocabulary, outside of its bar, or not after the one before it.
    #[error("note {note} of bar {bar} is out of range or out of order: {classes:?}")]
    Note {
        /// The bar's index.
        bar: u32,
        /// The note's place in its bar.
        note: usize,
        /// The note.
        classes: NoteClasses,
    },
    /// The call needs an open bar.
    #[error("no bar is open")]
    NoOpenBar,
    /// The call needs the open bar to be ended first.
    #[error("bar {0} is still open")]
    StillOpen(u32),
    /// The page policy chooses by queries, and the model's graph does not give them.
    #[error(
        "the page policy {policy} needs the queries of the model {model}, whose graph does not give them: export it again, or choose another"
    )]
    NoQueries {
        /// The policy's name.
        policy: String,
        /// The model's name.
        model: String,
    },
    /// The model was trained before rows could name own roles.
    #[error("the model {model} predicts the next note of any role and has no input for the roles to generate: use a newer model")]
    NoOwnRoles {
        /// The model's name.
        model: String,
    },
    /// The bar is too long ago.
    #[error(transparent)]
    Rewind(RewindTooFar),
    /// The operation is not possible with a gap, or without one.
    #[error(transparent)]
    Gap(#[from] GapError),
}

impl From<ReopenError> for DecodeError {
    fn from(error: ReopenError) -> Self {
        match error {
            ReopenError::TooFar(error) => Self::Rewind(error),
            ReopenError::Runtime(error) => Self::Runtime(error),
        }
    }
}

/// Checks a bar, its own notes, and its given notes.
pub(super) fn check_bar(bar: &BarRows, given: &[NoteClasses]) -> Result<(), DecodeError> {
    if !(1..=MAX_BAR_TICKS).contains(&i64::from(bar.ticks)) {
        return Err(DecodeError::Length { bar: bar.index, ticks: bar.ticks });
    }
    let BarFields { metre, tempo, key, density, register, span, voices, mood, repeats, chords: _ } = bar.fields;
    if metre > 23 || key > 24 || [tempo, density, register, span, voices].iter().any(|&value| value > 8) || mood > 9 || repeats > 9 {
        return Err(DecodeError::Fields { bar: bar.index, fields: bar.fields });
    }
    check(bar, given, 0)?;
    check_notes(bar, 0)
}

/// Checks the bar's own notes from number `known` on.
pub(super) fn check_notes(bar: &BarRows, known: usize) -> Result<(), DecodeError> {
    check(bar, &bar.notes, known)
}

fn check(bar: &BarRows, notes: &[NoteClasses], known: usize) -> Result<(), DecodeError> {
    let order = |note: &NoteClasses| (note.tick(), note.role, note.pitch);
    for (index, note) in notes.iter().enumerate().skip(known) {
        let NoteClasses { beat, sub, role, pitch: _, duration, velocity, offset } = *note;
        let in_range = [
            (beat, Field::Beat),
            (sub, Field::Sub),
            (role, Field::Role),
            (duration, Field::Duration),
            (velocity, Field::Velocity),
            (offset, Field::Offset),
        ]
        .iter()
        .all(|&(class, field)| usize::from(class) < field.classes());
        let in_order = index == 0 || order(&notes[index - 1]) < order(note);
        if !in_range || !in_order || note.tick().0 >= i64::from(bar.ticks) {
            return Err(DecodeError::Note { bar: bar.index, note: index, classes: *note });
        }
    }
    Ok(())
}
