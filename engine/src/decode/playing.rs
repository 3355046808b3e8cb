//! Making a bar note by note, and taking back.

use super::{
    DecodeError, Decoder, OpenBar,
    decoder::Finished,
    error::{check_bar, check_notes},
    open_bar::{FREE, Next, content, next_of},
};
use crate::{
    cache::{GapError, RewindTooFar},
    codec::{BarEnd, BarFields, BarRecall, BarRows, NoteClasses, Row, Targets, align_given, vocabulary::Field},
    model::{Asked, OFF_LOGIT},
    music::analysis::NEW_BAR,
};

/// What [`Decoder::sample`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It added this note to the open bar.
    Note(NoteClasses),
    /// No further note belongs into the bar; nothing was added.
    BarEnd,
}

/// The fields without a repeat that cannot be. A passage that was played twice in succession need not be repeated, and after the third time something else is due.
fn possible(fields: BarFields, recall: &BarRecall) -> BarFields {
    let repeats = match recall.turns() {
        0 | 1 if !recall.can_repeat(fields.repeats) => 0,
        0 | 1 => fields.repeats,
        2 => 0,
        _ => NEW_BAR,
    };
    BarFields { repeats, ..fields }
}

impl Decoder {
    /// Opens the next bar.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn begin_bar(&mut self, ticks: u16, fields: BarFields) -> Result<(), DecodeError> {
        self.open_bar(ticks, fields, &[])
    }

    /// Opens the next bar, of which some notes are `given`: their rows come first, in one run.
    pub(super) fn open_bar(&mut self, ticks: u16, fields: BarFields, given: &[NoteClasses]) -> Result<(), DecodeError> {
        self.check_next()?;
        if self.cache.is_beyond() {
            return Err(GapError::Known { bar: self.cache.bar() }.into());
        }
        let mut recall = self.recall.begin(self.cache.bar());
        let bar = BarRows { index: self.cache.bar(), ticks, fields: possible(fields, &recall), notes: Vec::new() };
        check_bar(&bar, given)?;
        self.lay_out(given.len() + 1)?;
        if !given.is_empty() {
            let rows: Vec<Row> = given.iter().enumerate().map(|(index, note)| bar.given_row(index, note)).collect();
            self.run_rows(&rows, &vec![FREE; rows.len()], Asked::Last, |_| {})?;
        }
        given.iter().for_each(|note| recall.hear(note));
        let open = OpenBar { bar, given: given.to_vec(), recall, next: None };
        let next = self.run_step(&open, &open.newest_row().0, &FREE)?;
        self.open = Some(OpenBar { next: Some(next), ..open });
        Ok(())
    }

    /// Conditions the open bar on other fields. One that has notes of its own keeps those it has: they were chosen by them.
    ///
    /// # Errors
    /// [`DecodeError::NoOpenBar`]; [`DecodeError::Fields`], and nothing has changed then.
    pub fn recondition(&mut self, fields: BarFields) -> Result<(), DecodeError> {
        let open = self.open.as_mut().ok_or(DecodeError::NoOpenBar)?;
        if open.bar.notes.is_empty() {
            let bar = BarRows { fields: possible(fields, &open.recall), ..open.bar.clone() };
            check_bar(&bar, &open.given)?;
            open.bar = bar;
            // Its newest row is its BAR row, which is run again with them.
            open.next = None;
        }
        Ok(())
    }

    /// Adds known notes to the open bar, in one run.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn push(&mut self, notes: &[NoteClasses]) -> Result<(), DecodeError> {
        let mut open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let pushed = self.push_to(&mut open, notes);
        self.open = Some(open);
        pushed
    }

    fn push_to(&mut self, open: &mut OpenBar, notes: &[NoteClasses]) -> Result<(), DecodeError> {
        let known = open.bar.notes.len();
        open.bar.notes.extend_from_slice(notes);
        if let Err(error) = check_notes(&open.bar, known) {
            open.bar.notes.truncate(known);
            return Err(error);
        }
        notes.iter().for_each(|note| open.recall.hear(note));
        let rows: Vec<Row> =
            (known..open.bar.notes.len()).map(|index| open.row_for(&open.bar.notes[..index], open.bar.notes[index].place())).collect();
        let forced: Vec<Targets> = notes.iter().map(content).collect();
        match (rows.as_slice(), forced.as_slice()) {
            ([], _) => {}
            ([row], [forced]) => open.next = Some(self.run_step(open, row, forced)?),
            _ => {
                self.run_rows(&rows, &forced, Asked::Last, |_| {})?;
                open.next = None;
            }
        }
        Ok(())
    }

    /// Lets the model choose the open bar's next note. One note is at most two runs: the caller can do something else in between.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn sample(&mut self) -> Result<Step, DecodeError> {
        let mut open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let sampled = self.sample_in(&mut open);
        self.open = Some(open);
        sampled
    }

    fn sample_in(&mut self, open: &mut OpenBar) -> Result<Step, DecodeError> {
        let next = match open.next {
            Some(next) => next,
            None => {
                // The newest row is run again over itself, to choose under the rules of now.
                self.keep_rows(open.rows() - 1);
                let (row, forced) = open.newest_row();
                self.run_step(open, &row, &forced)?
            }
        };
        open.next = Some(next);
        let Next::Note(place) = next else { return Ok(Step::BarEnd) };
        let row = open.row_for(&open.bar.notes, place);
        let choice = self.run_one(&row, &FREE, &open.row_context(self.line, &open.bar.notes, Some(place)))?;
        let class = |field: Field| u8::try_from(choice[field as usize]).unwrap_or(0);
        let note = NoteClasses {
            beat: place.beat,
            sub: place.sub,
            role: place.role,
            pitch: class(Field::Pitch),
            duration: class(Field::Duration),
            velocity: class(Field::Velocity),
            offset: class(Field::Offset),
        };
        open.bar.notes.push(note);
        open.recall.hear(&note);
        open.next = Some(next_of(&choice));
        Ok(Step::Note(note))
    }

    /// Keeps the open bar's first `notes` notes: the others were never there.
    ///
    /// # Errors
    /// [`DecodeError::NoOpenBar`].
    pub fn truncate(&mut self, notes: usize) -> Result<(), DecodeError> {
        let open = self.open.as_mut().ok_or(DecodeError::NoOpenBar)?;
        if notes < open.bar.notes.len() {
            open.bar.notes.truncate(notes);
            open.recall.truncate(open.given.len() + notes);
            open.next = None;
            let rows = open.rows();
            self.keep_rows(rows);
        }
        Ok(())
    }

    /// Ends the open bar, and returns it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn end_bar(&mut self) -> Result<BarRows, DecodeError> {
        let open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let OpenBar { bar, given, recall, .. } = open;
        let (mut rows, _) = align_given(&bar, &given, BarEnd::Bar);
        recall.tell(&mut rows);
        let rows = &rows[..rows.len() - 1];
        if !bar.notes.is_empty() {
            // The last note's own row: nothing asks it, later bars see it.
            self.step_over(&rows[rows.len() - 1], &FREE)?;
        }
        self.finish(bar.clone(), given, recall, rows)?;
        Ok(bar)
    }

    /// Goes back to a finished bar, one of the last [`REWIND_BARS`](crate::cache::REWIND_BARS) at most, and opens it again with its first `notes` notes. It and
    /// what followed it are as if they had never been finished. With no bar to go back over, this is [`truncate`](Self::truncate).
    ///
    /// # Errors
    /// [`DecodeError::Rewind`] if the bar is too long ago, lies outside of the gap that is being filled, or what it saw had to be dropped for memory; nothing
    /// has changed then.
    pub fn rewind(&mut self, bar: u32, notes: usize) -> Result<(), DecodeError> {
        if self.open.as_ref().is_some_and(|open| open.bar.index == bar) {
            return self.truncate(notes);
        }
        let Some(at) = self.finished.iter().position(|finished| finished.bar.index == bar) else {
            let oldest = self.finished.front().map_or(self.cache.bar(), |finished| finished.bar.index);
            return Err(DecodeError::Rewind(RewindTooFar { bar, oldest }));
        };
        let Finished { bar: finished, given, .. } = &self.finished[at];
        let notes = notes.min(finished.notes.len());
        let rows = given.len() + 1 + notes;
        self.reopen(bar, rows)?;
        if let Some(Finished { line, mut bar, given }) = self.finished.drain(at..).next() {
            bar.notes.truncate(notes);
            self.line = line;
            self.recall.rewind(bar.index);
            let mut recall = self.recall.begin(bar.index);
            given.iter().chain(&bar.notes).for_each(|note| recall.hear(note));
            self.open = Some(OpenBar { bar, given, recall, next: None });
        }
        Ok(())
    }

    /// How many pitches the model finds likelier than that of `note`, given the open bar and the note's onset and role, whatever the constraints; `None` if there
    /// are `most` or more. The note is not added, and nothing changes. Each likelier pitch costs a run.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn likelier_pitches(&mut self, note: &NoteClasses, most: usize) -> Result<Option<usize>, DecodeError> {
        let open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let counted = self.count_likelier(&open, note, most);
        self.open = Some(open);
        counted
    }

    fn count_likelier(&mut self, open: &OpenBar, note: &NoteClasses, most: usize) -> Result<Option<usize>, DecodeError> {
        let mut with = open.bar.clone();
        with.notes.push(*note);
        check_notes(&with, open.bar.notes.len())?;
        let row = open.row_for(&open.bar.notes, note.place());
        let inputs = self.step.sampling();
        inputs.temperature.fill(1.0);
        inputs.log_min_p.fill(OFF_LOGIT);
        inputs.noise.fill(0.0);
        inputs.pitch.fill(0.0);
        for likelier in 0..most {
            self.step_over(&row, &FREE)?;
            self.keep_rows(open.rows());
            let best = self.step.choice(0)[Field::Pitch as usize];
            if best == i64::from(note.pitch) {
                return Ok(Some(likelier));
            }
            // The likeliest of those that are left.
            if let Some(mask) = usize::try_from(best).ok().and_then(|best| self.step.sampling().pitch.get_mut(best)) {
                *mask = OFF_LOGIT;
            }
        }
        Ok(None)
    }
}
