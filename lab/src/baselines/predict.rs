//! Predictions of the baselines.

use antiphon_engine::codec::vocabulary::Field;
use anyhow::Result;
use indicatif::ProgressBar;

use super::event::events;
use super::fit::{all_copies, copy_observation, field_events, ngram_observations};
use super::{Baselines, FieldNats};
use crate::corpus::Piece;

/// Negative log-likelihoods of a piece by bar, in nats by field; 0 for fields that do not count in the piece.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BaselineNats {
    /// Of the n-gram.
    pub(crate) ngram: Vec<FieldNats>,
    /// Of n-gram + copy.
    pub(crate) ngram_copy: Vec<FieldNats>,
}

impl Baselines {
    /// Predicts pieces. The progress bar advances once per field.
    ///
    /// # Errors
    /// If a table is damaged.
    pub(crate) fn predict(&self, pieces: &[Piece], progress: &ProgressBar) -> Result<Vec<BaselineNats>> {
        let zeros = |piece: &Piece| vec![FieldNats::default(); piece.bars.len()];
        let mut nats: Vec<_> = pieces.iter().map(|piece| BaselineNats { ngram: zeros(piece), ngram_copy: zeros(piece) }).collect();
        let copies = all_copies(pieces);
        for (field, weights) in Field::ALL.into_iter().zip(&self.weights) {
            let observations = ngram_observations(&self.counts, pieces, field)?;
            for ((piece, bar, copies, class), observation) in field_events(pieces, &copies, field).zip(&observations) {
                let ngram = weights.ngram.probability(observation);
                let copy = weights.copy.probability(&copy_observation(ngram, copies, field, class, self.end_of_piece));
                nats[piece].ngram[bar][field as usize] -= ngram.ln();
                nats[piece].ngram_copy[bar][field as usize] -= copy.ln();
            }
            progress.inc(1);
        }
        Ok(nats)
    }
}

/// Negative log-likelihoods of a piece by bar if all classes are equally likely.
pub(crate) fn uniform_nats(piece: &Piece) -> Vec<FieldNats> {
    let mut nats = vec![FieldNats::default(); piece.bars.len()];
    for event in events(&piece.bars) {
        for field in Field::ALL.into_iter().filter(|field| piece.counts(*field) && event.class(*field).is_some()) {
            #[allow(clippy::cast_precision_loss, reason = "at most 256 classes")]
            let classes = field.classes() as f64;
            nats[event.bar][field as usize] += classes.ln();
        }
    }
    nats
}

#[cfg(test)]
mod tests {
    use super::super::fit::tests::{of_one_source, small, training};
    use super::super::tests::{composed, piece};
    use super::*;

    fn bits_per_note(nats: &[FieldNats], notes: usize) -> f64 {
        nats.iter().flatten().sum::<f64>() / std::f64::consts::LN_2 / f64::from(u32::try_from(notes).unwrap())
    }

    fn totals(baselines: &Baselines, pieces: &[Piece]) -> (f64, f64) {
        let notes = pieces.iter().map(Piece::notes).sum();
        let nats = baselines.predict(pieces, &ProgressBar::hidden()).unwrap();
        let all = |of: fn(&BaselineNats) -> &Vec<FieldNats>| nats.iter().flat_map(|s| of(s).clone()).collect::<Vec<_>>();
        (bits_per_note(&all(|s| &s.ngram), notes), bits_per_note(&all(|s| &s.ngram_copy), notes))
    }

    #[test]
    fn uniform_nats_are_the_logarithm_of_the_number_of_classes() {
        // Two bars, three notes: five types, and seven fields of 256 * 64 * 32 * 8 * 16 * 24 * 16 classes for each note.
        let piece = Piece { bars: composed(0, 1).bars, ..composed(0, 1) };
        let notes = f64::from(u32::try_from(piece.notes()).unwrap());
        let expected = (notes + 1.0) * 3f64.log2() + notes * (8.0 + 6.0 + 5.0 + 3.0 + 4.0 + 24f64.log2() + 4.0);
        assert!((bits_per_note(&uniform_nats(&piece), piece.notes()) * notes - expected).abs() < 1e-9);
        let notated = Piece { performed_timing: false, flat_velocity: true, ..piece };
        assert!((bits_per_note(&uniform_nats(&notated), notated.notes()) * notes - (expected - 8.0 * notes)).abs() < 1e-9);
    }

    #[test]
    fn copies_never_cost_bits_where_the_weights_were_fitted() {
        let (baselines, held_out) = small();
        let (ngram, ngram_copy) = totals(baselines, &held_out);
        let notes = held_out.iter().map(Piece::notes).sum();
        let uniform = bits_per_note(&held_out.iter().flat_map(uniform_nats).collect::<Vec<_>>(), notes);
        // The prior moves a bucket's weights towards the global ones: hence the hundredth of a bit.
        assert!(ngram_copy <= ngram + 0.01 && ngram < uniform / 2.0, "uniform {uniform}, n-gram {ngram}, + copy {ngram_copy}");
    }

    #[test]
    fn exact_repetition_costs_almost_no_bits_after_the_first_bars() {
        // Weights fitted on pieces that repeat exactly, as this one does, with notes that the counts do not have.
        let repeating = |seed: usize, bars: usize| {
            let source = composed(seed, 2).bars;
            let transposed = |bar: &antiphon_engine::codec::BarRows| {
                let mut bar = bar.clone();
                bar.notes.iter_mut().for_each(|note| note.pitch = note.pitch / 3 + 70);
                bar.notes.sort_by_key(|n| (n.beat, n.sub, n.role, n.pitch));
                bar.notes.dedup_by_key(|n| (n.beat, n.sub, n.role, n.pitch));
                bar
            };
            piece((0..bars).map(|index| transposed(&source[index % 2])).collect())
        };
        let training = training();
        let held_out: Vec<Piece> = (60..80).map(|seed| repeating(seed, 24)).collect();
        let baselines = Baselines::fit(&training, &of_one_source(held_out), &ProgressBar::hidden()).unwrap();
        let unseen = repeating(99, 24);
        let notated = &baselines.predict(std::slice::from_ref(&unseen), &ProgressBar::hidden()).unwrap()[0];
        let notes = unseen.bars[8..23].iter().map(|bar| bar.notes.len()).sum();
        let (ngram, copy) = (bits_per_note(&notated.ngram[8..23], notes), bits_per_note(&notated.ngram_copy[8..23], notes));
        assert!(copy < 0.2 && copy < ngram / 10.0, "n-gram {ngram}, + copy {copy}");
    }

    #[test]
    fn nats_of_a_piece_do_not_depend_on_the_other_pieces() {
        let (baselines, held_out) = small();
        let together = baselines.predict(&held_out, &ProgressBar::hidden()).unwrap();
        let alone = baselines.predict(&held_out[3..4], &ProgressBar::hidden()).unwrap();
        assert_eq!(together[3], alone[0]);
    }

    #[test]
    fn field_that_does_not_count_costs_no_bits() {
        let (baselines, held_out) = small();
        let notated = Piece { flat_velocity: true, performed_timing: false, ..held_out[0].clone() };
        let nats = baselines.predict(&[notated, held_out[1].clone()], &ProgressBar::hidden()).unwrap();
        assert!(nats[0].ngram.iter().all(|bar| bar[Field::Velocity as usize] == 0.0 && bar[Field::Offset as usize] == 0.0));
        assert!(nats[1].ngram.iter().any(|bar| bar[Field::Velocity as usize] > 0.0 && bar[Field::Offset as usize] > 0.0));
    }
}
