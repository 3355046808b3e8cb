//! Sums of negative log-likelihoods, and bits per note.

use std::ops::AddAssign;

use antiphon_engine::codec::vocabulary::{FIELDS, Field};

use crate::baselines::FieldNats;
use crate::corpus::Piece;

/// What makes the predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    Model = 0,
    Ngram = 1,
    NgramCopy = 2,
    Uniform = 3,
}

impl Predictor {
    /// All, in the order of the report.
    pub(super) const ALL: [Self; 4] = [Self::Model, Self::Ngram, Self::NgramCopy, Self::Uniform];

    /// Name in CSV files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Ngram => "ngram",
            Self::NgramCopy => "ngram_copy",
            Self::Uniform => "uniform",
        }
    }
}

/// Ranges of bars of a piece. Predictions are worse near the beginning, where there is little context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretch {
    Opening = 0,
    Middle = 1,
    Rest = 2,
}

impl Stretch {
    /// All, in order.
    pub(super) const ALL: [Self; 3] = [Self::Opening, Self::Middle, Self::Rest];

    /// Its bars, counted from 1, as reports name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Opening => "1-8",
            Self::Middle => "9-32",
            Self::Rest => "33+",
        }
    }

    /// The stretch that a bar, counted from 0, belongs to.
    fn of(bar: usize) -> Self {
        match bar {
            0..8 => Self::Opening,
            8..32 => Self::Middle,
            _ => Self::Rest,
        }
    }
}

/// Negative log-likelihood in nats of each bar of a piece, by predictor; `None` if the predictor was not evaluated.
pub(super) type PieceNats = [Option<Vec<FieldNats>>; Predictor::ALL.len()];

/// Number of notes, and nats by predictor and field, summed over bars.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    /// Number of notes.
    pub(super) notes: usize,
    nats: [FieldNats; Predictor::ALL.len()],
}

impl Sum {
    /// Bits per note of each field, in chain order; their sum is [`Sum::bits_per_note`]. All 0 without notes.
    pub(super) fn fields(&self, predictor: Predictor) -> [f64; FIELDS] {
        #[allow(clippy::cast_precision_loss, reason = "notes are counted far below 2^53")]
        let notes = self.notes.max(1) as f64;
        self.nats[predictor as usize].map(|nats| nats / std::f64::consts::LN_2 / notes)
    }

    /// Bits of all fields and bar ends, divided by the number of notes.
    pub(super) fn bits_per_note(&self, predictor: Predictor) -> f64 {
        self.fields(predictor).iter().sum()
    }
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.notes += other.notes;
        for (sum, more) in self.nats.as_flattened_mut().iter_mut().zip(other.nats.as_flattened()) {
            *sum += more;
        }
    }
}

/// Sums over the pieces of a source, or of all sources.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tally {
    /// Number of pieces.
    pub(super) pieces: usize,
    /// By stretch of the piece.
    pub(super) stretches: [Sum; Stretch::ALL.len()],
}

impl Tally {
    /// Adds a piece. Fields that do not count in it are left out for every predictor.
    pub(super) fn add(&mut self, piece: &Piece, of_predictors: &PieceNats) {
        self.pieces += 1;
        for (index, bar) in piece.bars.iter().enumerate() {
            let sum = &mut self.stretches[Stretch::of(index) as usize];
            sum.notes += bar.notes.len();
            for (sums, nats) in sum.nats.iter_mut().zip(of_predictors) {
                let Some(nats) = nats.as_ref().and_then(|nats| nats.get(index)) else { continue };
                for field in Field::ALL.into_iter().filter(|field| piece.counts(*field)) {
                    sums[field as usize] += nats[field as usize];
                }
            }
        }
    }

    /// Sum over all stretches.
    pub(super) fn total(&self) -> Sum {
        let mut total = Sum::default();
        self.stretches.iter().for_each(|sum| total += *sum);
        total
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.stretches.iter_mut().zip(&other.stretches).for_each(|(sum, more)| *sum += *more);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{constant_nats, one_note_bars};
    use super::*;

    #[test]
    fn bits_per_note_sum_fields_and_divide_by_notes() {
        let mut tally = Tally::default();
        let piece = one_note_bars(40);
        tally.add(&piece, &constant_nats(&piece, Predictor::Model, std::f64::consts::LN_2));
        assert_eq!(tally.stretches.map(|sum| sum.notes), [8, 24, 8]);
        assert!((tally.total().bits_per_note(Predictor::Model) - 8.0).abs() < 1e-12);
        assert_eq!(tally.total().bits_per_note(Predictor::Ngram), 0.0);
        assert!(tally.stretches.iter().all(|sum| (sum.bits_per_note(Predictor::Model) - 8.0).abs() < 1e-12));
    }

    #[test]
    fn field_that_does_not_count_is_left_out_for_every_predictor() {
        let mut tally = Tally::default();
        let piece = Piece { flat_velocity: true, performed_timing: false, ..one_note_bars(4) };
        let mut of_predictors = constant_nats(&piece, Predictor::Model, 1.0);
        of_predictors[Predictor::Uniform as usize] = of_predictors[0].clone();
        tally.add(&piece, &of_predictors);
        for predictor in [Predictor::Model, Predictor::Uniform] {
            let fields = tally.total().fields(predictor);
            assert_eq!((fields[Field::Velocity as usize], fields[Field::Offset as usize]), (0.0, 0.0));
            assert_eq!(fields.iter().filter(|bits| **bits > 0.0).count(), 6);
        }
    }
}
