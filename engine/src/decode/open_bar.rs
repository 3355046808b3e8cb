//! Open bar: its notes, its rows, and the choice of its newest row.

use super::control::RowContext;
use crate::codec::{
    BarEnd, BarRecall, BarRows, GivenOrder, Layout, NoteClasses, Place, Recall, Row, Targets,
    vocabulary::{FIELDS, Field, next},
};
use crate::music::Tick;

/// A row with nothing forced.
pub(super) const FREE: Targets = [-1; FIELDS];

/// Bar that is being decoded note by note.
#[derive(Debug, Clone)]
pub struct OpenBar {
    pub(super) bar: BarRows,
    /// Given notes: those of other roles.
    pub(super) given: Vec<NoteClasses>,
    /// Row layout.
    pub(super) layout: Layout,
    /// Recall state of its notes, in the order of their rows.
    pub(super) recall: BarRecall,
    /// Whether the cache holds its rows; otherwise they are run again before anything else.
    pub(super) is_cached: bool,
    /// Newest row's choice of the next place or the end of the bar; `None` if that row must be run again.
    pub(super) next: Option<Next>,
}

impl OpenBar {
    /// Bar with the own notes so far.
    #[must_use]
    pub fn bar(&self) -> &BarRows {
        &self.bar
    }

    /// Given notes: those of other roles.
    #[must_use]
    pub fn given(&self) -> &[NoteClasses] {
        &self.given
    }

    /// Context, for the controls, of the row after the notes `before` whose target starts at `target`. `line` is the bar line.
    pub(super) fn row_context<'a>(&'a self, line: Tick, before: &'a [NoteClasses], target: Option<Place>) -> RowContext<'a> {
        let Self { bar, given, recall, .. } = self;
        RowContext { line, ticks: bar.ticks, conditioning: bar.fields, target, before, given, recall }
    }

    /// A bar with known notes, none of whose rows has been run.
    pub(super) fn new(bar: BarRows, given: Vec<NoteClasses>, layout: Layout, recall: &Recall) -> Self {
        let mut open = Self { recall: recall.begin(bar.index), bar, given, layout, is_cached: false, next: None };
        open.aligned(BarEnd::Bar).0.iter().filter_map(Row::note).for_each(|note| open.recall.push(&note));
        open
    }

    /// Rows and targets of the bar if it ends here, without the recall columns.
    fn aligned(&self, end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
        self.layout.align(&self.bar, &self.given, end)
    }

    /// Rows and targets of the bar if it ends here, in order, with recall columns and without the SUM row.
    pub(super) fn finished_rows(&self, end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
        let (mut rows, mut targets) = self.aligned(end);
        self.recall.fill_columns(&mut rows);
        rows.pop();
        targets.pop();
        (rows, targets)
    }

    /// Rows before the newest one, and their targets.
    pub(super) fn earlier_rows(&self) -> (Vec<Row>, Vec<Targets>) {
        let (mut rows, mut targets) = self.finished_rows(BarEnd::Bar);
        rows.truncate(self.rows() - 1);
        targets.truncate(self.rows() - 1);
        (rows, targets)
    }

    /// Whether the newest row is the last one: not so in a finished bar whose given notes are ordered by beat.
    pub(super) fn is_growing(&self) -> bool {
        self.layout.given != GivenOrder::ByBeat
    }

    /// Makes a finished bar open for notes again: all its given notes come before the row that chooses next.
    pub(super) fn grow(&mut self, recall: &Recall) {
        if !self.is_growing() {
            self.layout.given = GivenOrder::Planned(Tick(self.bar.ticks.into()));
            self.invalidate_rows(recall);
        }
    }

    /// Whether a note lies before the planned part, where the place of its row depends on the given notes.
    pub(super) fn is_before_plan(&self, note: &NoteClasses) -> bool {
        matches!(self.layout.given, GivenOrder::Planned(from) if note.tick() < from)
    }

    /// Marks the rows in the cache as out of date: the notes have changed.
    pub(super) fn invalidate_rows(&mut self, recall: &Recall) {
        *self = Self::new(self.bar.clone(), std::mem::take(&mut self.given), self.layout, recall);
    }

    /// Keeps its first `notes` own notes.
    pub(super) fn truncate(&mut self, notes: usize, recall: &Recall) {
        self.grow(recall);
        self.bar.notes.truncate(notes);
        self.next = None;
        // Rows of given notes precede the row of the last own note before the planned part.
        let is_interleaved = self.layout.given != GivenOrder::First && !self.given.is_empty();
        if is_interleaved && self.bar.notes.last().is_none_or(|note| self.is_before_plan(note)) {
            self.invalidate_rows(recall);
        } else {
            self.recall.truncate(self.given.len() + notes);
        }
    }

    /// Rows it has in the cache: one per given note, a BAR row without a target, and one row per own note, which has that note as its target.
    pub(super) fn rows(&self) -> usize {
        self.given.len() + 1 + self.bar.notes.len()
    }

    /// Newest row, and the known classes of its target.
    pub(super) fn newest_row(&self) -> (Row, Targets) {
        match self.bar.notes.split_last() {
            None => (self.row(&[], None), FREE),
            Some((note, before)) => (self.row_for(before, note.place()), content(note)),
        }
    }

    /// Row after the notes `before` whose target starts at `target`.
    pub(super) fn row_for(&self, before: &[NoteClasses], target: Place) -> Row {
        self.row(before, Some(target))
    }

    /// Row after the notes `before`.
    fn row(&self, before: &[NoteClasses], target: Option<Place>) -> Row {
        let mut row = match before.split_last() {
            None => self.bar.bar_row(target),
            Some((note, others)) => self.bar.note_row(others.len(), note, target),
        };
        self.layout.own.mark(&mut row);
        self.recall.fill_row(self.given.len() + before.len(), &mut row);
        row
    }
}

/// Continuation after a note: the place of the next one, or the end of the bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Note(Place),
    BarEnd,
}

/// Continuation after the target of a row, from its sampled classes.
pub(super) fn next_of(choice: &[i64; FIELDS]) -> Next {
    let class = |field: Field| u8::try_from(choice[field as usize]).unwrap_or(0);
    if class(Field::Type) == next::NOTE {
        Next::Note(Place { beat: class(Field::Beat), sub: class(Field::Sub), role: class(Field::Role) })
    } else {
        Next::BarEnd
    }
}

/// Forced classes of a note's content; the fields of the continuation are free.
pub(super) fn content(note: &NoteClasses) -> Targets {
    let mut forced = FREE;
    let fields =
        [(Field::Pitch, note.pitch), (Field::Duration, note.duration), (Field::Velocity, note.velocity), (Field::Offset, note.offset)];
    for (field, class) in fields {
        forced[field as usize] = class.into();
    }
    forced
}
