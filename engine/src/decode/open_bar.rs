//! The bar that is growing: which rows it has, and what its newest row expects.

use super::control::RowContext;
use crate::codec::{
    BarEnd, BarRecall, BarRows, GivenOrder, Layout, NoteClasses, Place, Recall, Row, Targets,
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
    /// How its rows are laid out.
    pub(super) layout: Layout,
    /// Of its notes in the order of their rows.
    pub(super) recall: BarRecall,
    /// Whether the cache holds its rows; otherwise they are run anew before anything else is.
    pub(super) is_laid: bool,
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

    /// A bar with notes that are known, none of whose rows has been run.
    pub(super) fn new(bar: BarRows, given: Vec<NoteClasses>, layout: Layout, recall: &Recall) -> Self {
        let mut open = Self { recall: recall.begin(bar.index), bar, given, layout, is_laid: false, next: None };
        open.aligned(BarEnd::Bar).0.iter().filter_map(Row::note).for_each(|note| open.recall.push(&note));
        open
    }

    /// The bar's rows as if it ended here, without what is recalled, and what is true in them.
    fn aligned(&self, end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
        self.layout.align(&self.bar, &self.given, end)
    }

    /// Its rows if it ends here, in order and without the SUM row, and what is true in them.
    pub(super) fn finished_rows(&self, end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
        let (mut rows, mut targets) = self.aligned(end);
        self.recall.fill_columns(&mut rows);
        rows.pop();
        targets.pop();
        (rows, targets)
    }

    /// The rows before the newest one, and what is known of their targets.
    pub(super) fn earlier_rows(&self) -> (Vec<Row>, Vec<Targets>) {
        let (mut rows, mut targets) = self.finished_rows(BarEnd::Bar);
        rows.truncate(self.rows() - 1);
        targets.truncate(self.rows() - 1);
        (rows, targets)
    }

    /// Whether the newest row is the last one: not in a bar that was heard to its end.
    pub(super) fn is_growing(&self) -> bool {
        self.layout.given != GivenOrder::Heard
    }

    /// Lets the bar grow from its end on: nothing that was heard of it came later.
    pub(super) fn grow(&mut self, recall: &Recall) {
        if !self.is_growing() {
            self.layout.given = GivenOrder::Planned(Tick(self.bar.ticks.into()));
            self.lay_anew(recall);
        }
    }

    /// Whether a note lies before the plan: the place of its row depends on what was heard.
    pub(super) fn is_before_plan(&self, note: &NoteClasses) -> bool {
        matches!(self.layout.given, GivenOrder::Planned(from) if note.tick() < from)
    }

    /// Lets the rows be run anew, for notes that are not those of the rows in the cache.
    pub(super) fn lay_anew(&mut self, recall: &Recall) {
        *self = Self::new(self.bar.clone(), std::mem::take(&mut self.given), self.layout, recall);
    }

    /// Keeps its first `notes` notes.
    pub(super) fn truncate(&mut self, notes: usize, recall: &Recall) {
        self.grow(recall);
        self.bar.notes.truncate(notes);
        self.next = None;
        // Rows of given notes stand before that of the last own note which was known.
        let is_interleaved = self.layout.given != GivenOrder::First && !self.given.is_empty();
        if is_interleaved && self.bar.notes.last().is_none_or(|note| self.is_before_plan(note)) {
            self.lay_anew(recall);
        } else {
            self.recall.truncate(self.given.len() + notes);
        }
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
        self.layout.own.mark(&mut row);
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
