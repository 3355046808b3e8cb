//! What a model gives to some pieces, bar by bar, as the engine itself would hear them.

use std::sync::Arc;

use antiphon_engine::cache::{CacheOptions, PagePolicy};
use antiphon_engine::codec::vocabulary::{FIELDS, Field};
use antiphon_engine::codec::{BarEnd, BarFields, BarRows, prefix_rows};
use antiphon_engine::decode::{DecodeError, Decoder};
use antiphon_engine::model::Model;
use anyhow::Context;
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::agreement::{Best, UNASKED};
use crate::baselines::FieldNats;
use crate::corpus::Piece;

/// Memory of a decoder's cache: more than any bar's view takes, so that what is measured is the model and not the engine's economy.
pub(super) const CACHE_BYTES: usize = 1 << 30;

/// A model, and what of the past it is shown.
pub(super) struct Listener {
    /// The model.
    pub(super) model: Arc<Model>,
    /// The page-selection policy.
    pub(super) policy: Arc<dyn PagePolicy>,
}

/// What a model made of a bar.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Heard {
    /// What it cost, by field.
    pub(super) nats: FieldNats,
    /// What was most likely, in each row that predicts something.
    pub(super) best: Vec<Best>,
}

impl Listener {
    /// Another model under the same policy.
    pub(super) fn with(&self, model: Model) -> Self {
        Self { model: Arc::new(model), policy: Arc::clone(&self.policy) }
    }

    /// What it makes of each bar of each piece. The progress bar advances by notes.
    ///
    /// # Errors
    /// If the model cannot be run; `names` are the pieces'.
    pub(super) fn score(&self, pieces: &[Piece], names: &[&str], progress: &ProgressBar) -> anyhow::Result<Vec<Vec<Heard>>> {
        progress.set_length(u64::try_from(pieces.iter().map(Piece::notes).sum::<usize>())?);
        let score = |(piece, name): (&Piece, &&str)| {
            self.piece(piece, progress)
                .with_context(|| format!("{name}: the model cannot be run on it; try another --model or --onnxruntime"))
        };
        let scores = pieces.par_iter().zip(names).map(score).collect();
        progress.finish_and_clear();
        scores
    }

    fn piece(&self, piece: &Piece, progress: &ProgressBar) -> Result<Vec<Heard>, DecodeError> {
        let options = CacheOptions { bytes: CACHE_BYTES, ..CacheOptions::default() };
        let mut decoder = Decoder::with_options(Arc::clone(&self.model), Arc::clone(&self.policy), &prefix_rows(0, &[]), options)?;
        let last = piece.bars.len().saturating_sub(1);
        let bars = piece.bars.iter().enumerate().map(|(index, bar)| {
            let end = if index == last { BarEnd::Piece } else { BarEnd::Bar };
            let score = decoder.score_bar(&known(bar), end)?;
            let mut heard = Heard::default();
            for row in &score.rows {
                let mut best = [UNASKED; FIELDS];
                for field in Field::ALL.map(|field| field as usize).into_iter().filter(|field| row.targets[*field] >= 0) {
                    heard.nats[field] += f64::from(row.nll[field]);
                    // Classes are fewer than 256.
                    best[field] = i16::try_from(row.best[field]).unwrap_or(i16::MAX);
                }
                heard.best.push(best);
            }
            progress.inc(u64::try_from(bar.notes.len()).unwrap_or(0));
            Ok(heard)
        });
        bars.collect()
    }
}

/// The bar as the model may know it: its metre and its past. The other controls would tell about the notes to come.
pub(super) fn known(bar: &BarRows) -> BarRows {
    BarRows { fields: BarFields { metre: bar.fields.metre, ..BarFields::default() }, ..bar.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_told_the_metre_and_nothing_else_of_a_bar() {
        let fields = BarFields { metre: 2, tempo: 3, key: 4, density: 5, register: 6, span: 7, voices: 8, mood: 9, repeats: 1 };
        let bar = BarRows { index: 5, ticks: 72, fields, notes: Vec::new() };
        assert_eq!(known(&bar), BarRows { fields: BarFields { metre: 2, ..BarFields::default() }, ..bar });
    }
}
