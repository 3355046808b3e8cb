//! The bar that is growing: which rows it has, and what its newest row expects.

use super::control::RowContext;
use crate::codec::{
    BarRecall, BarRows, NoteClasses, Place, Row, Targets,
    vocabulary::{FIELDS, Field, next},
};
use crate::music::Tick;

/// A row with nothing forced.
pub(super) const FREE: Targets = [-1; FIELDS];

/// The bar that is growing.
#[derive(Debug, Clone)]
pub struct OpenBar {
    pub(super) bar: BarRows,
    /// Notes of it that are known, beside its own.
    pub(super) given: Vec<NoteClasses>,
    /// Of the given notes, then of its own.
    pub(super) recall: BarRecall,
    /// What the newest row says comes next, unless that row must be asked anew.
    pub(super) next: Option<Next>,
}

impl OpenBar {
    /// The bar so far.
    #[must_use]
    pub fn bar(&self) -> &BarRows {
        &self.bar
    }

    /// Notes of it that are known, beside its own.
    #[must_use]
    pub fn given(&self) -> &[NoteClasses] {
        &self.given
    }

    /// The row that stands after the notes `before` and asks what starts at `target`, as controls see it. `line` is the bar line.
    pub(super) fn row_context<'a>(&'a self, line: Tick, before: &'a [NoteClasses], target: Option<Place>) -> RowContext<'a> {
        let Self { bar, given, recall, .. } = self;
        RowContext { line, ticks: bar.ticks, conditioning: bar.fields, target, before, given, recall }
    }

    /// Rows it has in the cache: those of given notes, a BAR row that asks where the first note is, and one row for each note that asks what it is.
    pub(super) fn rows(&self) -> usize {
        self.given.len() + 1 + self.bar.notes.len()
    }

    /// The newest row, and what is known of its target.
    pub(super) fn newest_row(&self) -> (Row, Targets) {
        match self.bar.notes.split_last() {
            None => (self.row(&[], None), FREE),
            Some((note, before)) => (self.row_for(before, note.place()), content(note)),
        }
    }

    /// The row that stands after the notes `before` and asks what starts at `target`.
    pub(super) fn row_for(&self, before: &[NoteClasses], target: Place) -> Row {
        self.row(before, Some(target))
    }

    /// The row that stands after the notes `before`.
    fn row(&self, before: &[NoteClasses], target: Option<Place>) -> Row {
        let mut row = match before.split_last() {
            None => self.bar.bar_row(target),
            Some((note, others)) => self.bar.note_row(others.len(), note, target),
        };
        self.recall.fill_row(self.given.len() + before.len(), &mut row);
        row
    }
}

/// What follows a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Note(Place),
    BarEnd,
}

/// What a row chose to follow its target.
pub(super) fn next_of(choice: &[i64; FIELDS]) -> Next {
    let class = |field: Field| u8::try_from(choice[field as usize]).unwrap_or(0);
    if class(Field::Type) == next::NOTE {
        Next::Note(Place { beat: class(Field::Beat), sub: class(Field::Sub), role: class(Field::Role) })
    } else {
        Next::BarEnd
    }
}

/// Forces a note's content and leaves open what follows it.
pub(super) fn content(note: &NoteClasses) -> Targets {
    let mut forced = FREE;
    let fields =
        [(Field::Pitch, note.pitch), (Field::Duration, note.duration), (Field::Velocity, note.velocity), (Field::Offset, note.offset)];
    for (field, class) in fields {
        forced[field as usize] = class.into();
    }
    forced
}
