//! Similarity of the bars of a piece by distance: the structure of its repetitions.
//!
//! B. Yu et al., "Museformer: Transformer with Fine- and Coarse-Grained Attention for Music Generation", NeurIPS 2022. The similarity of two bars is
//! the Jaccard index of their note sets (pitch, onset in the bar, duration). The similarity distribution is its mean over all pairs of bars `t`
//! apart. The similarity error of two sets of music is the mean difference of their distributions over t = 1..=40. Durations are rounded to
//! sixteenths, at least one, because performed durations are never equal.

use std::collections::HashSet;

use antiphon_engine::music::TICKS_PER_QUARTER;

use super::sheet::{SheetBar, SheetNote};

/// Largest distance `t` in bars.
pub(super) const MOST_BARS: usize = 40;

/// Resolution of durations, in ticks.
const SIXTEENTH: i64 = TICKS_PER_QUARTER / 4;

/// Sums of similarities and numbers of pairs over one or more pieces; index 0 is distance 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Similarity {
    sums: [f64; MOST_BARS],
    pairs: [f64; MOST_BARS],
}

impl Default for Similarity {
    fn default() -> Self {
        Self { sums: [0.0; MOST_BARS], pairs: [0.0; MOST_BARS] }
    }
}

impl Similarity {
    /// Compares all pairs of bars at most [`MOST_BARS`] apart. Pairs of empty bars are left out.
    pub(super) fn of(bars: &[SheetBar]) -> Self {
        let notes: Vec<HashSet<SheetNote>> = bars.iter().map(|bar| bar.notes.iter().map(in_sixteenths).collect()).collect();
        let mut all = Self::default();
        for (index, bar) in notes.iter().enumerate() {
            for (distance, other) in notes[index + 1..].iter().take(MOST_BARS).enumerate() {
                if let Some(similarity) = jaccard(bar, other) {
                    all.sums[distance] += similarity;
                    all.pairs[distance] += 1.0;
                }
            }
        }
        all
    }

    /// Sum over pieces.
    pub(super) fn sum<'a>(pieces: impl IntoIterator<Item = &'a Self>) -> Self {
        pieces.into_iter().fold(Self::default(), |mut sum, piece| {
            for distance in 0..MOST_BARS {
                sum.sums[distance] += piece.sums[distance];
                sum.pairs[distance] += piece.pairs[distance];
            }
            sum
        })
    }

    /// Mean similarity by distance; index 0 is distance 1. 0 where there is no pair.
    pub(super) fn distribution(&self) -> [f64; MOST_BARS] {
        std::array::from_fn(|distance| self.sums[distance] / self.pairs[distance].max(1.0))
    }

    /// Similarity error: mean absolute difference of two distributions, over the distances that both have pairs at.
    pub(super) fn error(&self, other: &Self) -> f64 {
        let both: Vec<usize> = (0..MOST_BARS).filter(|&distance| self.pairs[distance] > 0.0 && other.pairs[distance] > 0.0).collect();
        let (a, b) = (self.distribution(), other.distribution());
        let difference: f64 = both.iter().map(|&distance| (a[distance] - b[distance]).abs()).sum();
        #[expect(clippy::cast_precision_loss, reason = "at most 40")]
        let distances = both.len().max(1) as f64;
        difference / distances
    }
}

/// The note with its duration in sixteenths.
fn in_sixteenths(note: &SheetNote) -> SheetNote {
    SheetNote { duration: ((note.duration + SIXTEENTH / 2) / SIXTEENTH).max(1), ..*note }
}

/// Jaccard index of two note sets; `None` if both are empty.
fn jaccard(one: &HashSet<SheetNote>, other: &HashSet<SheetNote>) -> Option<f64> {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    (all > 0).then(|| crate::corpus::share(shared, all))
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::bars;
    use super::*;

    #[test]
    fn similarity_of_bars_is_their_jaccard_index() {
        // Bars 1 and 3 are the same, bar 2 shares one of three notes with them, bar 4 is empty, bar 5 too.
        let tune = bars(&[&[(0, 60), (24, 62)], &[(0, 60), (24, 64)], &[(0, 60), (24, 62)], &[], &[]]);
        let similarity = Similarity::of(&tune);
        let distribution = similarity.distribution();
        // One apart: 1/3, 1/3, 0; the two empty bars are no pair.
        assert!((distribution[0] - 2.0 / 9.0).abs() < 1e-12);
        // Two apart: 1, 0, 0.
        assert!((distribution[1] - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((distribution[4], similarity.pairs[4]), (0.0, 0.0));
    }

    #[test]
    fn durations_are_compared_in_sixteenths() {
        let mut tune = bars(&[&[(0, 60)], &[(0, 60)]]);
        for (duration, jaccard) in [(24, 1.0), (26, 1.0), (21, 1.0), (20, 0.0), (12, 0.0)] {
            tune[1].notes[0].duration = duration;
            assert_eq!(Similarity::of(&tune).distribution()[0], jaccard, "{duration}");
        }
    }

    #[test]
    fn similarity_error_is_the_mean_difference_of_distributions() {
        let (same, other) = (bars(&[&[(0, 60)], &[(0, 60)], &[(0, 60)]]), bars(&[&[(0, 60)], &[(0, 61)], &[(0, 60)]]));
        let (same, other) = (Similarity::of(&same), Similarity::of(&other));
        // Distance 1: 1 against 0, distance 2: 1 against 1; there are no pairs beyond.
        assert!((same.error(&other) - 0.5).abs() < 1e-12);
        assert_eq!(same.error(&same), 0.0);
        // Sum: at distance 1, 2 of 4 pairs are equal.
        assert!((Similarity::sum([&same, &other]).distribution()[0] - 0.5).abs() < 1e-12);
    }
}
