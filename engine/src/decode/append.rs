//! Taking in whole bars, and what the model thinks of them.

use super::{DecodeError, Decoder, OpenBar, error::check_bar};
use crate::{
    codec::{BarEnd, BarRows, Layout, NoteClasses, Targets, vocabulary::FIELDS},
    model::{Batch, OutputRows},
};

/// What the model thought of a bar that it was shown.
#[derive(Debug, Clone)]
pub struct BarScore {
    /// Its rows in order, without the summary. The last note's row has no targets.
    pub rows: Vec<RowScore>,
    /// The last hidden state of each of these rows, one after the other.
    pub hidden: Vec<f32>,
}

/// What the model thought of the truth at one row.
#[derive(Debug, Clone, Copy)]
pub struct RowScore {
    /// The true classes in chain order; -1 where the row has none, and the other arrays mean nothing.
    pub targets: Targets,
    /// Minus the log probability of each, in nats, given those before it.
    pub nll: [f32; FIELDS],
    /// The likeliest class of each, given the true ones before it.
    pub best: [i64; FIELDS],
}

impl Decoder {
    /// Appends a finished bar: one run over all its rows, and its summary. Notes of other roles than [those generated](Self::accompanies) are given. On the far
    /// side of a gap all are, and nothing of it is predicted.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn append_bar(&mut self, bar: &BarRows) -> Result<(), DecodeError> {
        self.append(bar, &[], BarEnd::Bar, OutputRows::Last, |_, _| {})
    }

    /// Appends a finished bar and says what the model thought of it.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn score_bar(&mut self, bar: &BarRows, end: BarEnd) -> Result<BarScore, DecodeError> {
        self.score(bar, &[], end)
    }

    /// The same for a bar of which some notes are `given`.
    pub(super) fn score(&mut self, bar: &BarRows, given: &[NoteClasses], end: BarEnd) -> Result<BarScore, DecodeError> {
        let mut score = BarScore { rows: Vec::new(), hidden: Vec::new() };
        self.append(bar, given, end, OutputRows::All, |batch, targets| {
            let row = |(index, &targets): (usize, &Targets)| RowScore { targets, nll: batch.nll(index), best: batch.best(index) };
            score.rows.extend(targets.iter().enumerate().map(row));
            score.hidden.extend_from_slice(batch.hidden());
        })?;
        Ok(score)
    }

    /// Appends a bar whose `given` notes are known beforehand, as all are on the far side of a gap; `read` is shown the run and what was true in it.
    pub(super) fn append(
        &mut self,
        bar: &BarRows,
        given: &[NoteClasses],
        end: BarEnd,
        asked: OutputRows,
        read: impl FnOnce(&Batch, &[Targets]),
    ) -> Result<(), DecodeError> {
        self.check_next()?;
        if bar.index != self.cache.bar() {
            return Err(DecodeError::Order { found: bar.index, expected: self.cache.bar() });
        }
        let (mut bar, mut given) = (bar.clone(), given.to_vec());
        let mut layout = self.accompanied.layout();
        let mut others;
        if self.cache.is_beyond() {
            layout = Layout::default();
            others = std::mem::take(&mut bar.notes);
        } else {
            (bar, others) = layout.own.part(&bar);
        }
        if !others.is_empty() {
            given.append(&mut others);
            given.sort_by_key(|note| (note.tick(), note.role, note.pitch));
        }
        check_bar(&bar, &given)?;
        let heard = OpenBar::new(bar, given, layout, &self.recall);
        let (rows, targets) = heard.finished_rows(end);
        self.lay_out(rows.len())?;
        self.run_rows(&rows, &targets, asked, |batch| read(batch, &targets))?;
        self.finish(heard, &rows, targets)
    }
}
