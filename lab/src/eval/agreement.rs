//! Comparison of two graphs of the same weights: the cost of quantisation.

use antiphon_engine::codec::vocabulary::{FIELDS, Field};
use serde::Serialize;

use super::model::BarPrediction;
use crate::corpus::Piece;

/// Results of a second graph on the same rows as the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Agreement {
    /// Its file.
    pub(super) graph: String,
    /// Its bits per note, over all notes.
    pub(super) bits_per_note_micro: f64,
    /// Bits of the model over bits of this graph, less 1. Positive: this graph predicts better.
    pub(super) loss: f64,
    /// Share of predictions for which both graphs rank the same class first; 0..=1.
    pub(super) top1: f64,
}

impl Agreement {
    /// Compares the model with the other graph on the same pieces. Fields that do not count in a piece are left out.
    pub(super) fn of(graph: String, pieces: &[Piece], model: &[Vec<BarPrediction>], other: &[Vec<BarPrediction>]) -> Self {
        let (mut nats, mut predictions, mut agreed, mut notes) = ([0.0; 2], 0_u32, 0_u32, 0_u32);
        for ((piece, mine), theirs) in pieces.iter().zip(model).zip(other) {
            let counts: Vec<usize> = Field::ALL.into_iter().filter(|field| piece.counts(*field)).map(|field| field as usize).collect();
            notes += u32::try_from(piece.notes()).unwrap_or(0);
            for (mine, theirs) in mine.iter().zip(theirs) {
                for &field in &counts {
                    nats[0] += mine.nats[field];
                    nats[1] += theirs.nats[field];
                }
                for (best, other) in mine.best.iter().zip(&theirs.best) {
                    for field in counts.iter().map(|&field| (best[field], other[field])).filter(|(best, _)| *best != NOT_PREDICTED) {
                        predictions += 1;
                        agreed += u32::from(field.0 == field.1);
                    }
                }
            }
        }
        let per = |sum: f64, count: u32| sum / f64::from(count.max(1));
        Self {
            graph,
            bits_per_note_micro: per(nats[1] / std::f64::consts::LN_2, notes),
            loss: (nats[0] - nats[1]) / nats[1].max(f64::MIN_POSITIVE),
            top1: per(f64::from(agreed), predictions),
        }
    }
}

/// Placeholder in [`Best`] for a field that the row does not predict.
pub(super) const NOT_PREDICTED: i16 = -1;

/// Most likely class of each field of a row, or [`NOT_PREDICTED`].
pub(super) type Best = [i16; FIELDS];

#[cfg(test)]
mod tests {
    use super::super::tests::one_note_bars;
    use super::*;

    #[test]
    fn agreement_compares_only_predicted_fields_that_count() {
        let mut piece = one_note_bars(2);
        piece.flat_velocity = true;
        let bar = |nats: f64, best: Best| BarPrediction { nats: [nats; FIELDS], best: vec![best] };
        let mine = vec![bar(1.1, [1; FIELDS]), bar(1.1, [1, 1, 1, 1, 1, NOT_PREDICTED, NOT_PREDICTED, NOT_PREDICTED])];
        let theirs = vec![bar(1.0, [1, 2, 2, 1, 1, 1, 1, 1]), bar(1.0, [1, 1, 2, 1, 1, NOT_PREDICTED, NOT_PREDICTED, NOT_PREDICTED])];
        let agreement = Agreement::of("b".into(), &[piece], &[mine], &[theirs]);
        assert!((agreement.loss - 0.1).abs() < 1e-9);
        // Seven fields of the first bar without the velocity, one of them different; four of the second.
        assert!((agreement.top1 - 10.0 / 11.0).abs() < 1e-9, "{agreement:?}");
        assert!((agreement.bits_per_note_micro - 7.0 / std::f64::consts::LN_2).abs() < 1e-9);
    }
}
