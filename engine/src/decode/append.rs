//! Finished bars: appending them in one run, and scoring them with teacher forcing.

use super::{DecodeError, Decoder, OpenBar, error::check_bar};
use crate::{
    codec::{BarEnd, BarRows, Layout, NoteClasses, Targets, vocabulary::FIELDS},
    model::{Batch, OutputRows},
};

/// Negative log-likelihoods of a bar, teacher forced.
#[derive(Debug, Clone)]
pub struct BarScore {
    /// Its rows in order, without the SUM row. The last note's row has no targets.
    pub rows: Vec<RowScore>,
    /// Last hidden state of each of these rows, concatenated.
    pub hidden: Vec<f32>,
}

/// Negative log-likelihoods of one row.
#[derive(Debug, Clone, Copy)]
pub struct RowScore {
    /// True classes in chain order; -1 where the row has no target: the other arrays are undefined there.
    pub targets: Targets,
    /// Negative log-likelihood of each, in nats, given the true classes before it.
    pub nll: [f32; FIELDS],
    /// Likeliest class of each, given the true classes before it.
    pub best: [i64; FIELDS],
}

impl Decoder {
    /// Appends a finished bar: one run over all its rows, and one over its SUM row. Notes of other than the [own roles](Self::accompanies) are given notes;
    /// on the far side of a gap all notes are, so none of its rows has a target.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn append_bar(&mut self, bar: &BarRows) -> Result<(), DecodeError> {
        self.append(bar, &[], BarEnd::Bar, OutputRows::Last, |_, _| {})
    }

    /// Appends a finished bar with `given` notes beside its own, and returns its score. The rows of given notes have no targets.
    ///
    /// # Errors
    /// [`DecodeError`]; nothing has changed then, unless ONNX Runtime failed.
    pub fn score_bar(&mut self, bar: &BarRows, given: &[NoteClasses], end: BarEnd) -> Result<BarScore, DecodeError> {
        let mut score = BarScore { rows: Vec::new(), hidden: Vec::new() };
        self.append(bar, given, end, OutputRows::All, |batch, targets| {
            let row = |(index, &targets): (usize, &Targets)| RowScore { targets, nll: batch.nll(index), best: batch.best(index) };
            score.rows.extend(targets.iter().enumerate().map(row));
            score.hidden.extend_from_slice(batch.hidden());
        })?;
        Ok(score)
    }

    /// Appends a bar with `given` notes beside its own; on the far side of a gap its own are given too. `read` gets the run and its targets.
    pub(super) fn append(
        &mut self,
        bar: &BarRows,
        given: &[NoteClasses],
        end: BarEnd,
        outputs: OutputRows,
        read: impl FnOnce(&Batch, &[Targets]),
    ) -> Result<(), DecodeError> {
        self.check_next()?;
        if bar.index != self.cache.bar() {
            return Err(DecodeError::Order { found: bar.index, expected: self.cache.bar() });
        }
        let (bar, given, layout) = if self.cache.is_beyond() {
            let mut given = [given, bar.notes.as_slice()].concat();
            if !bar.notes.is_empty() {
                given.sort_by_key(|note| (note.tick(), note.role, note.pitch));
            }
            (BarRows { notes: Vec::new(), ..bar.clone() }, given, Layout::default())
        } else {
            let layout = self.accompanied.layout();
            let (bar, given) = layout.own.partition_given(bar, given);
            (bar, given, layout)
        };
        check_bar(&bar, &given)?;
        let open = OpenBar::new(bar, given, layout, &self.recall);
        let (rows, targets) = open.finished_rows(end);
        self.gather(rows.len())?;
        self.run_rows(&rows, &targets, outputs, |batch| read(batch, &targets))?;
        self.finish(open, &rows, targets)
    }
}
