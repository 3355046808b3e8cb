//! Generation of a bar note by note, and rollback of notes and bars.

use super::{
    DecodeError, Decoder, OpenBar,
    decoder::Finished,
    error::{check_bar, check_notes},
    open_bar::{FREE, Next, content, next_of},
};
use crate::{
    cache::{GapError, RewindTooFar},
    codec::{BarEnd, BarFields, BarRecall, BarRows, GivenOrder, Layout, NoteClasses, Row, Targets, vocabulary::Field},
    model::{MASKED, OutputRows},
    music::{Tick, analysis::NEW_BAR},
};

/// Outcome of [`Decoder::sample`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// This note was added to the open bar.
    Note(NoteClasses),
    /// The model ended the bar; no note was added.
    BarEnd,
}

/// The fields with a `repeats` that the sequence allows: unset if the bar referred to does not exist, unset after a passage that sounded twice in succession,
/// [`NEW_BAR`] after the third time.
fn with_feasible_repeats(fields: BarFields, recall: &BarRecall) -> BarFields {
    let repeats = match recall.loop_count() {
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
        let bar = BarRows { index: self.cache.bar(), ticks, fields, notes: Vec::new() };
        self.open_bar(bar, &[], GivenOrder::Planned(Tick::ZERO))
    }

    /// Opens the next bar with its known notes, own and `given`, and runs their rows; the newest one samples the continuation.
    pub(super) fn open_bar(&mut self, bar: BarRows, given: &[NoteClasses], order: GivenOrder) -> Result<(), DecodeError> {
        self.check_next()?;
        if self.cache.is_beyond() {
            return Err(GapError::Known { bar: self.cache.bar() }.into());
        }
        let fields = with_feasible_repeats(bar.fields, &self.recall.begin(bar.index));
        let bar = BarRows { fields, ..bar };
        check_bar(&bar, given)?;
        let layout = Layout { given: order, ..self.accompanied.layout() };
        let mut open = OpenBar::new(bar, given.to_vec(), layout, &self.recall);
        self.gather(open.rows())?;
        self.run_open_rows(&mut open)?;
        self.open = Some(open);
        Ok(())
    }

    /// Runs the rows of an open bar, none of which is in the cache.
    fn run_open_rows(&mut self, open: &mut OpenBar) -> Result<(), DecodeError> {
        let (rows, targets) = open.earlier_rows();
        if !rows.is_empty() {
            self.run_rows(&rows, &targets, OutputRows::Last, |_| {})?;
        }
        let (row, forced) = open.newest_row();
        open.next = Some(self.run_step(open, &row, &forced)?);
        open.is_cached = true;
        Ok(())
    }

    /// Brings the cache up to the newest row of an open bar, so that notes can be added.
    fn make_ready(&mut self, open: &mut OpenBar) -> Result<(), DecodeError> {
        open.grow(&self.recall);
        if open.is_cached {
            return Ok(());
        }
        self.keep_rows(0);
        self.run_open_rows(open)
    }

    /// Replaces the conditioning of the open bar. A bar with own notes keeps its conditioning: they were generated under it.
    ///
    /// # Errors
    /// [`DecodeError::NoOpenBar`]; [`DecodeError::Fields`], and nothing has changed then.
    pub fn recondition(&mut self, fields: BarFields) -> Result<(), DecodeError> {
        let open = self.open.as_mut().ok_or(DecodeError::NoOpenBar)?;
        if open.bar.notes.is_empty() {
            let bar = BarRows { fields: with_feasible_repeats(fields, &open.recall), ..open.bar.clone() };
            check_bar(&bar, &open.given)?;
            open.bar = bar;
            // The newest row is the BAR row; it is run again with the new conditioning.
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
        self.make_ready(open)?;
        let known = open.bar.notes.len();
        open.bar.notes.extend_from_slice(notes);
        if let Err(error) = check_notes(&open.bar, known) {
            open.bar.notes.truncate(known);
            return Err(error);
        }
        if notes.first().is_some_and(|note| open.is_before_plan(note)) {
            open.invalidate_rows(&self.recall);
            return Ok(());
        }
        notes.iter().for_each(|note| open.recall.push(note));
        let rows: Vec<Row> =
            (known..open.bar.notes.len()).map(|index| open.row_for(&open.bar.notes[..index], open.bar.notes[index].place())).collect();
        let forced: Vec<Targets> = notes.iter().map(content).collect();
        match (rows.as_slice(), forced.as_slice()) {
            ([], _) => {}
            ([row], [forced]) => open.next = Some(self.run_step(open, row, forced)?),
            _ => {
                self.run_rows(&rows, &forced, OutputRows::Last, |_| {})?;
                open.next = None;
            }
        }
        Ok(())
    }

    /// Samples the open bar's next note, in at most two runs: a caller can stop or do other work between notes.
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
        self.make_ready(open)?;
        let next = match open.next {
            Some(next) => next,
            None => {
                // The newest row is run again in its own place, to choose under the current sampling rules.
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
        open.recall.push(&note);
        open.next = Some(next_of(&choice));
        Ok(Step::Note(note))
    }

    /// Keeps the open bar's first `notes` notes and rolls back the others.
    ///
    /// # Errors
    /// [`DecodeError::NoOpenBar`].
    pub fn truncate(&mut self, notes: usize) -> Result<(), DecodeError> {
        let open = self.open.as_mut().ok_or(DecodeError::NoOpenBar)?;
        if notes < open.bar.notes.len() {
            open.truncate(notes, &self.recall);
            if open.is_cached {
                let rows = open.rows();
                self.keep_rows(rows);
            }
        }
        Ok(())
    }

    /// Ends the open bar, and returns it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn end_bar(&mut self) -> Result<BarRows, DecodeError> {
        let mut open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        if !open.is_cached {
            self.make_ready(&mut open)?;
        }
        let (rows, targets) = open.finished_rows(BarEnd::Bar);
        if !open.bar.notes.is_empty() {
            // The last note's own row has no target; it is run because later bars attend to it.
            self.step_over(&rows[rows.len() - 1], &FREE)?;
        }
        let bar = open.bar.clone();
        self.finish(open, &rows, targets)?;
        Ok(bar)
    }

    /// Goes back to a finished bar, one of the last [`REWIND_BARS`](crate::cache::REWIND_BARS) at most, and opens it again with its first `notes` notes. It and
    /// the bars after it are rolled back. On the open bar this is [`truncate`](Self::truncate).
    ///
    /// # Errors
    /// [`DecodeError::Rewind`] if the bar is too long ago, lies outside of the gap that is being filled, or pages it attended to were dropped for memory;
    /// nothing has changed then.
    pub fn rewind(&mut self, bar: u32, notes: usize) -> Result<(), DecodeError> {
        if self.open.as_ref().is_some_and(|open| open.bar.index == bar) {
            return self.truncate(notes);
        }
        let Some(at) = self.finished.iter().position(|finished| finished.bar.index == bar) else {
            let oldest = self.finished.front().map_or(self.cache.bar(), |finished| finished.bar.index);
            return Err(DecodeError::Rewind(RewindTooFar { bar, oldest }));
        };
        let Finished { bar: finished, given, .. } = &self.finished[at];
        self.reopen(bar, given.len() + 1 + finished.notes.len())?;
        if let Some(Finished { line, bar, given, layout }) = self.finished.drain(at..).next() {
            self.line = line;
            self.recall.rewind(bar.index);
            self.open = Some(OpenBar { is_cached: true, ..OpenBar::new(bar, given, layout, &self.recall) });
        }
        self.truncate(notes)
    }

    /// Number of pitches likelier than that of `note`, given the open bar and the note's onset and role, without constraints; `None` from `most` on. The note
    /// is not added, and the state stays the same. Each likelier pitch costs a run.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn likelier_pitches(&mut self, note: &NoteClasses, most: usize) -> Result<Option<usize>, DecodeError> {
        let mut open = self.open.take().ok_or(DecodeError::NoOpenBar)?;
        let counted = self.count_likelier(&mut open, note, most);
        self.open = Some(open);
        counted
    }

    fn count_likelier(&mut self, open: &mut OpenBar, note: &NoteClasses, most: usize) -> Result<Option<usize>, DecodeError> {
        self.make_ready(open)?;
        let mut with = open.bar.clone();
        with.notes.push(*note);
        check_notes(&with, open.bar.notes.len())?;
        let row = open.row_for(&open.bar.notes, note.place());
        let inputs = self.step.sampling();
        inputs.temperature.fill(1.0);
        inputs.log_min_p.fill(MASKED);
        inputs.noise.fill(0.0);
        inputs.pitch.fill(0.0);
        if let Some(memory) = &mut self.memory {
            memory.keep_away(0.0);
        }
        for likelier in 0..most {
            self.step_over(&row, &FREE)?;
            self.keep_rows(open.rows());
            let best = self.step.choice(0)[Field::Pitch as usize];
            if best == i64::from(note.pitch) {
                return Ok(Some(likelier));
            }
            // The next run chooses the likeliest of the remaining pitches.
            if let Some(mask) = usize::try_from(best).ok().and_then(|best| self.step.sampling().pitch.get_mut(best)) {
                *mask = MASKED;
            }
        }
        Ok(None)
    }
}
