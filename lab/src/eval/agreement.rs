//! How two graphs of the same weights differ: what quantisation costs.

use antiphon_engine::codec::vocabulary::{FIELDS, Field};
use serde::Serialize;

use super::model::Heard;
use crate::corpus::Piece;

/// A second graph beside the model, on the same rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Agreement {
    /// The file it is in.
    pub(super) graph: String,
    /// Its bits per note; each note weighs the same.
    pub(super) bits_per_note_micro: f64,
    /// How much more the model costs than this one, as a share of this one's bits.
    pub(super) loss: f64,
    /// Share of the predictions, of all fields that count, in which both find the same class most likely.
    pub(super) top1: f64,
}

impl Agreement {
    /// Of the model and the other graph, over the same pieces. Fields that do not count in a piece are left out.
    pub(super) fn of(graph: String, pieces: &[Piece], model: &[Vec<Heard>], other: &[Vec<Heard>]) -> Self {
        let (mut nats, mut asked, mut agreed, mut notes) = ([0.0; 2], 0_u32, 0_u32, 0_u32);
        for ((piece, mine), theirs) in pieces.iter().zip(model).zip(other) {
            let counts: Vec<usize> = Field::ALL.into_iter().filter(|field| piece.counts(*field)).map(|field| field as usize).collect();
            notes += u32::try_from(piece.notes()).unwrap_or(0);
            for (mine, theirs) in mine.iter().zip(theirs) {
                for &field in &counts {
                    nats[0] += mine.nats[field];
                    nats[1] += theirs.nats[field];
                }
                for (best, other) in mine.best.iter().zip(&theirs.best) {
                    for field in counts.iter().map(|&field| (best[field], other[field])).filter(|(best, _)| *best != UNASKED) {
                        asked += 1;
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
            top1: per(f64::from(agreed), asked),
        }
    }
}

/// Stands for the class of a field that a row does not predict.
pub(super) const UNASKED: i16 = -1;

/// The most likely class of each field of a row.
pub(super) type Best = [i16; FIELDS];

#[cfg(test)]
mod tests {
    use super::super::tests::one_note_bars;
    use super::*;

    #[test]
    fn what_counts_is_compared_and_nothing_else() {
        let mut piece = one_note_bars(2);
        piece.flat_velocity = true;
        let bar = |nats: f64, best: Best| Heard { nats: [nats; FIELDS], best: vec![best] };
        let mine = vec![bar(1.1, [1; FIELDS]), bar(1.1, [1, 1, 1, 1, 1, UNASKED, UNASKED, UNASKED])];
        let theirs = vec![bar(1.0, [1, 2, 2, 1, 1, 1, 1, 1]), bar(1.0, [1, 1, 2, 1, 1, UNASKED, UNASKED, UNASKED])];
        let agreement = Agreement::of("b".into(), &[piece], &[mine], &[theirs]);
        assert!((agreement.loss - 0.1).abs() < 1e-9);
        // Seven fields of the first bar without the velocity, one of them different; four of the second.
        assert!((agreement.top1 - 10.0 / 11.0).abs() < 1e-9, "{agreement:?}");
        assert!((agreement.bits_per_note_micro - 7.0 / std::f64::consts::LN_2).abs() < 1e-9);
    }
}
