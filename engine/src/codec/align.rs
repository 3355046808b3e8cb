//! Aligned rows: each row carries a note and predicts the next (docs/model-interface.md, section 2).
//!
//! `align` and `align_given` lay out a finished bar, for training and for prefill. The decoder, which chooses its targets one by one, builds the same
//! rows with the same functions.

use super::phase::phase;
use super::row::{BarFields, BarRows, NoteClasses, Place, Position, Row, Targets};
use super::vocabulary::{COLUMNS, FIELDS, Field, Kind, STYLES, column, next};
use crate::music::analysis::Chord;
use crate::music::{Role, Tick};

/// Semitones in an octave.
const OCTAVE: u8 = 12;

/// Values of the columns pitch class and octave for drums, whose pitch names an instrument.
const DRUM_PITCH_CLASS: u16 = 13;
const DRUM_OCTAVE: u16 = 12;

/// Continuation after a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarEnd {
    /// Another bar, or unknown.
    Bar,
    /// The end of the piece.
    Piece,
}

/// Rows of a finished bar with their targets: BAR, then, if there are notes, BAR and the NOTEs, then SUM.
///
/// The SUM row is the summary of all rows before it.
///
/// ```
/// use antiphon_engine::codec::{BarEnd, BarRows, NoteClasses, align};
///
/// let note = NoteClasses { beat: 2, sub: 0, role: 0, pitch: 60, duration: 23, velocity: 20, offset: 4 };
/// let (rows, _) = align(&BarRows { ticks: 96, notes: vec![note], ..BarRows::default() }, BarEnd::Bar);
/// // BAR, BAR with the note as its target, NOTE, SUM.
/// assert_eq!(rows.len(), 4);
/// assert_eq!((rows[1].key.tick, rows[1].query.tick), (0, 48));
/// assert_eq!(rows[2].note(), Some(note));
/// ```
#[must_use]
pub fn align(bar: &BarRows, end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
    align_given(bar, &[], end)
}

/// Like [`align`], for a bar of which some notes are `given`: known in advance, in canonical order, and not among the bar's own.
///
/// Their GIVEN rows come first and have no targets; the targets are the bar's own notes. A bar on the far side of a gap has given notes only; the
/// target of its BAR row, the bar line, is not used.
#[must_use]
pub fn align_given(bar: &BarRows, given: &[NoteClasses], end: BarEnd) -> (Vec<Row>, Vec<Targets>) {
    let target = |index: usize| bar.notes.get(index).map(NoteClasses::place);
    let mut rows: Vec<Row> = given.iter().enumerate().map(|(index, note)| bar.given_row(index, note)).collect();
    let mut targets = vec![NO_TARGETS; given.len()];
    rows.push(bar.bar_row(None));
    targets.push(self::targets(bar, None, 0, end));
    if !bar.notes.is_empty() {
        rows.push(bar.bar_row(target(0)));
        targets.push(targets_of(bar, 0, end));
    }
    for (index, note) in bar.notes.iter().enumerate() {
        rows.push(bar.note_row(index, note, target(index + 1)));
        targets.push(targets_of(bar, index + 1, end));
    }
    rows.push(bar.sum_row());
    targets.push(NO_TARGETS);
    (rows, targets)
}

/// Prefix of a sequence: one row with the style (or none), then a row for each role of the ensemble, if stated.
///
/// `style` is a column value from the model's metadata: 1 to 15; 0, or any above 15, is unset.
#[must_use]
pub fn prefix_rows(style: u8, roles: &[Role]) -> Vec<Row> {
    let row = |index: i64| Row::new(Kind::Pre, Position { bar: -1, tick: index, index: 0 });
    let mut first = row(0);
    first.columns[column::STYLE] = if style <= STYLES { style.into() } else { 0 };
    let members = (1..).zip(roles).map(|(index, role)| {
        let mut member = row(index);
        member.columns[column::ROLE] = value(role.class());
        member
    });
    std::iter::once(first).chain(members).collect()
}

impl BarRows {
    /// The BAR row. Without a target it predicts whether and where the first note comes; with a target, the content of that note.
    #[must_use]
    pub fn bar_row(&self, target: Option<Place>) -> Row {
        self.row(Kind::Bar, Tick::ZERO, i64::from(target.is_some()))
            .with_conditioning(&self.fields)
            .with_target(target)
            .with_chord(self.chord_at(target))
    }

    /// The NOTE row of note `index`. It predicts the content of its target and the place of the note after that.
    #[must_use]
    pub fn note_row(&self, index: usize, note: &NoteClasses, target: Option<Place>) -> Row {
        let row = self.content_row(Kind::Note, index, note).with_conditioning(&self.fields);
        row.with_target(target).with_chord(self.chord_at(target))
    }

    /// The GIVEN row of given note `index`. It predicts nothing.
    #[must_use]
    pub fn given_row(&self, index: usize, note: &NoteClasses) -> Row {
        self.content_row(Kind::Given, index, note)
    }

    /// A row with the content of note `index` of its kind.
    fn content_row(&self, kind: Kind, index: usize, note: &NoteClasses) -> Row {
        // Two BAR rows precede the first note. Given notes are counted in the same way, so that the first note of a chord has the same index in
        // either kind.
        let mut row = self.row(kind, note.tick(), i64::try_from(index).unwrap_or(i64::MAX - 3) + 2);
        let drums = note.role == Role::Drums.class();
        let content = [
            (column::BEAT, value(note.beat)),
            (column::SUB, value(note.sub)),
            (column::ROLE, value(note.role)),
            (column::PITCH, value(note.pitch)),
            (column::DURATION, value(note.duration)),
            (column::VELOCITY, value(note.velocity)),
            (column::OFFSET, value(note.offset)),
            (column::PITCH_CLASS, if drums { DRUM_PITCH_CLASS } else { value(note.pitch % OCTAVE) }),
            (column::OCTAVE, if drums { DRUM_OCTAVE } else { value(note.pitch / OCTAVE) }),
        ];
        for (column, value) in content {
            row.columns[column] = value;
        }
        row
    }

    /// The SUM row: the summary that bars attend to coarsely.
    #[must_use]
    pub fn sum_row(&self) -> Row {
        self.row(Kind::Sum, Tick(self.ticks.into()), 0)
    }

    /// The chord of the half of the bar that a target lies in.
    fn chord_at(&self, target: Option<Place>) -> Option<Chord> {
        let is_late = 2 * target?.tick().0 >= i64::from(self.ticks);
        self.fields.chords[usize::from(is_late)]
    }

    /// A row with the columns that all rows of the bar have.
    fn row(&self, kind: Kind, tick: Tick, index: i64) -> Row {
        let mut row = Row::new(kind, Position { bar: self.index.into(), tick: tick.0, index });
        // At most 16.
        row.columns[column::PHASE] = u16::try_from(phase(self.index) + 1).unwrap_or(0);
        row.columns[column::METRE] = self.fields.metre.into();
        row
    }
}

impl Row {
    /// A row without content and target.
    fn new(kind: Kind, position: Position) -> Self {
        let mut columns = [0; COLUMNS];
        columns[column::KIND] = kind as u16;
        Self { columns, key: position, query: position }
    }

    /// This row with the conditioning of its bar: for the rows that predict.
    fn with_conditioning(mut self, fields: &BarFields) -> Self {
        let controls = [
            (column::TEMPO, fields.tempo),
            (column::KEY, fields.key),
            (column::DENSITY, fields.density),
            (column::REGISTER, fields.register),
            (column::SPAN, fields.span),
            (column::VOICES, fields.voices),
            (column::MOOD, fields.mood),
            (column::REPEATS, fields.repeats),
        ];
        for (column, value) in controls {
            self.columns[column] = value.into();
        }
        self
    }

    /// This row with a target: its query position moves there, one index after its own.
    fn with_target(mut self, target: Option<Place>) -> Self {
        if let Some(target) = target {
            self.columns[column::TARGET_BEAT] = value(target.beat);
            self.columns[column::TARGET_SUB] = value(target.sub);
            self.columns[column::TARGET_ROLE] = value(target.role);
            self.query = Position { bar: self.key.bar, tick: target.tick().0, index: self.key.index + 1 };
        }
        self
    }

    /// This row with the tones of the chord at its target: a pitch class in each column, so that every chord shares what is learnt of its tones.
    fn with_chord(mut self, chord: Option<Chord>) -> Self {
        let tones = chord.into_iter().flat_map(Chord::tones);
        self.columns[column::CHORD..column::AHEAD].iter_mut().zip(tones).for_each(|(column, tone)| *column = value(tone));
        self
    }
}

/// Targets of a row that predicts nothing.
const NO_TARGETS: Targets = [-1; FIELDS];

/// Targets of the row whose target is note `index`; none if the bar has no such note.
fn targets_of(bar: &BarRows, index: usize, end: BarEnd) -> Targets {
    if index < bar.notes.len() { targets(bar, Some(index), index + 1, end) } else { NO_TARGETS }
}

/// Targets of a row: the content of one note, and whether and where the `following` one comes.
fn targets(bar: &BarRows, content: Option<usize>, following: usize, end: BarEnd) -> Targets {
    let mut targets = NO_TARGETS;
    let mut set = |field: Field, class: u8| targets[field as usize] = class.into();
    if let Some(note) = content.and_then(|index| bar.notes.get(index)) {
        set(Field::Pitch, note.pitch);
        set(Field::Duration, note.duration);
        set(Field::Velocity, note.velocity);
        set(Field::Offset, note.offset);
    }
    match (bar.notes.get(following), end) {
        (Some(note), _) => {
            set(Field::Type, next::NOTE);
            set(Field::Beat, note.beat);
            set(Field::Sub, note.sub);
            set(Field::Role, note.role);
        }
        (None, BarEnd::Bar) => set(Field::Type, next::ENDBAR),
        (None, BarEnd::Piece) => set(Field::Type, next::EOS),
    }
    targets
}

/// Column value of a class; 0 is reserved for absent.
fn value(class: u8) -> u16 {
    u16::from(class) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::BarFields;

    const FIELDS_OF_BAR: BarFields =
        BarFields { metre: 2, tempo: 3, key: 4, density: 5, register: 6, span: 7, voices: 8, mood: 9, repeats: 1, chords: [None; 2] };

    fn note(beat: u8, sub: u8, role: Role, pitch: u8) -> NoteClasses {
        NoteClasses { beat, sub, role: role.class(), pitch, duration: 23, velocity: 20, offset: 4 }
    }

    fn at(bar: i64, tick: i64, index: i64) -> Position {
        Position { bar, tick, index }
    }

    #[test]
    fn rows_of_a_bar_have_the_positions_and_columns_of_the_interface() {
        let notes = vec![note(0, 12, Role::Melody, 60), note(2, 0, Role::Drums, 128 + 36)];
        let bar = BarRows { index: 17, ticks: 72, fields: FIELDS_OF_BAR, notes };
        let (rows, targets) = align(&bar, BarEnd::Bar);

        let kinds: Vec<u16> = rows.iter().map(|row| row.columns[column::KIND]).collect();
        assert_eq!(kinds, [2, 2, 3, 3, 5]);
        let keys: Vec<Position> = rows.iter().map(|row| row.key).collect();
        assert_eq!(keys, [at(17, 0, 0), at(17, 0, 1), at(17, 12, 2), at(17, 48, 3), at(17, 72, 0)]);
        let queries: Vec<Position> = rows.iter().map(|row| row.query).collect();
        assert_eq!(queries, [at(17, 0, 0), at(17, 12, 2), at(17, 48, 3), at(17, 48, 3), at(17, 72, 0)]);
        assert_eq!(
            targets,
            [[-1, -1, -1, -1, 0, 0, 12, 0], [60, 23, 20, 4, 0, 2, 0, 3], [164, 23, 20, 4, 1, -1, -1, -1], [-1; FIELDS], [-1; FIELDS],]
        );
        assert_eq!(rows[0].columns[..column::RECALL], [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 3, 4, 5, 6, 7, 8, 0, 9, 1]);
        assert_eq!(rows[1].columns[..column::RECALL], [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 13, 1, 2, 2, 3, 4, 5, 6, 7, 8, 0, 9, 1]);
        assert_eq!(rows[2].columns[..column::RECALL], [3, 1, 13, 1, 61, 24, 21, 5, 1, 6, 3, 1, 4, 2, 2, 3, 4, 5, 6, 7, 8, 0, 9, 1]);
        assert_eq!(rows[3].columns[..column::RECALL], [3, 3, 1, 4, 165, 24, 21, 5, 13, 12, 0, 0, 0, 2, 2, 3, 4, 5, 6, 7, 8, 0, 9, 1]);
        assert_eq!(rows[4].columns[..column::RECALL], [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn row_names_the_tones_of_the_chord_in_the_half_bar_of_its_target() {
        let chords = ["Am", "G7"].map(Chord::named);
        let notes = vec![note(0, 0, Role::Melody, 60), note(1, 23, Role::Melody, 62), note(2, 0, Role::Melody, 64)];
        let bar = BarRows { index: 3, ticks: 96, fields: BarFields { chords, ..FIELDS_OF_BAR }, notes };
        let (rows, _) = align(&bar, BarEnd::Bar);
        let named: Vec<&[u16]> = rows.iter().map(|row| &row.columns[column::CHORD..column::AHEAD]).collect();
        let (a_minor, g_seventh, unset) = ([10, 1, 5, 0], [8, 12, 3, 6], [0; 4]);
        assert_eq!(named, [unset, a_minor, a_minor, g_seventh, unset, unset]);
        let without = align(&BarRows { fields: FIELDS_OF_BAR, ..bar }, BarEnd::Bar).0;
        assert!(rows.iter().zip(&without).all(|(with, without)| with.columns[..column::CHORD] == without.columns[..column::CHORD]));
    }

    #[test]
    fn empty_bar_is_one_row_and_a_summary_with_the_bar_end_as_target() {
        let bar = BarRows { ticks: 96, ..BarRows::default() };
        for (end, class) in [(BarEnd::Bar, next::ENDBAR), (BarEnd::Piece, next::EOS)] {
            let (rows, targets) = align(&bar, end);
            assert_eq!(rows, [bar.bar_row(None), bar.sum_row()]);
            assert_eq!(targets[0][Field::Type as usize], i16::from(class));
            assert_eq!(targets[1], NO_TARGETS);
        }
    }

    #[test]
    fn given_notes_precede_the_bar_and_have_no_targets() {
        let own = vec![note(0, 12, Role::Melody, 60), note(2, 0, Role::Melody, 64)];
        let given = [note(0, 0, Role::Bass, 40), note(1, 6, Role::Drums, 128 + 36)];
        let bar = BarRows { index: 17, ticks: 72, fields: FIELDS_OF_BAR, notes: own };
        let (rows, targets) = align_given(&bar, &given, BarEnd::Bar);

        let kinds: Vec<u16> = rows.iter().map(|row| row.columns[column::KIND]).collect();
        assert_eq!(kinds, [4, 4, 2, 2, 3, 3, 5]);
        assert_eq!(targets[..2], [NO_TARGETS; 2]);
        for (row, key) in rows.iter().zip([at(17, 0, 2), at(17, 30, 3)]) {
            assert_eq!((row.key, row.query), (key, key));
        }
        assert_eq!(rows[1].columns[..column::RECALL], [4, 2, 7, 4, 165, 24, 21, 5, 13, 12, 0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        // The predicted rows are the same as without given notes.
        let alone = align(&bar, BarEnd::Bar);
        assert_eq!((&rows[2..], &targets[2..]), (&alone.0[..], &alone.1[..]));
    }

    #[test]
    fn bar_of_given_notes_only_has_one_bar_row() {
        let bar = BarRows { ticks: 96, ..BarRows::default() };
        let given = [note(0, 0, Role::Keys, 60), note(0, 0, Role::Keys, 64)];
        let (rows, targets) = align_given(&bar, &given, BarEnd::Bar);
        assert_eq!(rows, [bar.given_row(0, &given[0]), bar.given_row(1, &given[1]), bar.bar_row(None), bar.sum_row()]);
        assert!(targets[..2].iter().chain(&targets[3..]).all(|targets| *targets == NO_TARGETS));
    }

    #[test]
    fn prefix_has_a_row_for_the_style_and_for_each_role() {
        let rows = prefix_rows(3, &[Role::Melody, Role::Drums]);
        assert_eq!(rows.iter().map(|row| row.columns[column::STYLE]).collect::<Vec<_>>(), [3, 0, 0]);
        assert_eq!(rows.iter().map(|row| row.columns[column::ROLE]).collect::<Vec<_>>(), [0, 1, 4]);
        assert_eq!(rows.iter().map(|row| row.key).collect::<Vec<_>>(), [at(-1, 0, 0), at(-1, 1, 0), at(-1, 2, 0)]);
        assert!(rows.iter().all(|row| row.columns[column::KIND] == 1 && row.key == row.query));

        let unset = prefix_rows(0, &[]);
        assert_eq!(unset.len(), 1);
        assert_eq!(unset, prefix_rows(STYLES + 1, &[]));
    }
}
