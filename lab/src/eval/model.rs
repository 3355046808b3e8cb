//! The model under evaluation, and its teacher-forced predictions, made by the engine's own decoder.

use std::sync::Arc;

use antiphon_engine::cache::{CacheOptions, PagePolicy};
use antiphon_engine::codec::vocabulary::{FIELDS, Field};
use antiphon_engine::codec::{BarEnd, BarFields, BarRows, prefix_rows};
use antiphon_engine::decode::{DecodeError, Decoder};
use antiphon_engine::model::Model;
use anyhow::Context;
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::agreement::{Best, NOT_PREDICTED};
use crate::baselines::FieldNats;
use crate::corpus::Piece;

/// Memory limit of a decoder's cache. More than any bar can attend to, so that the numbers do not depend on the engine's memory limit.
pub(super) const CACHE_BYTES: usize = 1 << 30;

/// A model and its page-selection policy.
pub(super) struct EvalModel {
    pub(super) model: Arc<Model>,
    pub(super) policy: Arc<dyn PagePolicy>,
}

/// Predictions of one bar, all fields given the true notes before.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct BarPrediction {
    /// Negative log-likelihood in nats, by field.
    pub(super) nats: FieldNats,
    /// Most likely class of each field, for each row that predicts something.
    pub(super) best: Vec<Best>,
}

impl EvalModel {
    /// Another model under the same policy.
    pub(super) fn with(&self, model: Model) -> Self {
        Self { model: Arc::new(model), policy: Arc::clone(&self.policy) }
    }

    /// Predictions of each bar of each piece. The progress bar advances by notes.
    ///
    /// # Errors
    /// If the model cannot be run; the message has the piece's name, from `names`.
    pub(super) fn predict(&self, pieces: &[Piece], names: &[&str], progress: &ProgressBar) -> anyhow::Result<Vec<Vec<BarPrediction>>> {
        progress.set_length(u64::try_from(pieces.iter().map(Piece::notes).sum::<usize>())?);
        let predict = |(piece, name): (&Piece, &&str)| {
            self.predict_piece(piece, progress)
                .with_context(|| format!("{name}: the model cannot be run on it; try another --model or --onnxruntime"))
        };
        let predictions = pieces.par_iter().zip(names).map(predict).collect();
        progress.finish_and_clear();
        predictions
    }

    fn predict_piece(&self, piece: &Piece, progress: &ProgressBar) -> Result<Vec<BarPrediction>, DecodeError> {
        let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
        let mut decoder = Decoder::with_options(Arc::clone(&self.model), Arc::clone(&self.policy), &prefix_rows(0, &[]), options)?;
        let last = piece.bars.len().saturating_sub(1);
        let bars = piece.bars.iter().enumerate().map(|(index, bar)| {
            let end = if index == last { BarEnd::Piece } else { BarEnd::Bar };
            let score = decoder.score_bar(&with_metre_only(bar), &[], end)?;
            let mut prediction = BarPrediction::default();
            for row in &score.rows {
                let mut best = [NOT_PREDICTED; FIELDS];
                for field in Field::ALL.map(|field| field as usize).into_iter().filter(|field| row.targets[*field] >= 0) {
                    prediction.nats[field] += f64::from(row.nll[field]);
                    // A field has fewer than 512 classes.
                    best[field] = i16::try_from(row.best[field]).unwrap_or(i16::MAX);
                }
                prediction.best.push(best);
            }
            progress.inc(u64::try_from(bar.notes.len()).unwrap_or(0));
            Ok(prediction)
        });
        bars.collect()
    }
}

/// The bar with its metre as the only conditioning: density, register and the rest are measured on the notes that are to be predicted.
pub(super) fn with_metre_only(bar: &BarRows) -> BarRows {
    BarRows { fields: BarFields { metre: bar.fields.metre, ..BarFields::default() }, ..bar.clone() }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::analysis::Chord;

    use super::*;

    #[test]
    fn bar_with_metre_only_keeps_notes_and_metre_and_no_other_conditioning() {
        let fields = BarFields {
            metre: 2,
            tempo: 3,
            key: 4,
            density: 5,
            register: 6,
            span: 7,
            voices: 8,
            mood: 9,
            repeats: 1,
            chords: [Chord::named("C"); 2],
        };
        let bar = BarRows { index: 5, ticks: 72, fields, notes: Vec::new() };
        assert_eq!(with_metre_only(&bar), BarRows { fields: BarFields { metre: 2, ..BarFields::default() }, ..bar });
    }
}
