//! How alike the bars of a piece are, by their distance: the structure of its repetitions.
//!
//! B. Yu et al., "Museformer: Transformer with Fine- and Coarse-Grained Attention for Music Generation", NeurIPS 2022: two bars are as alike as the
//! notes they share are many among all of both (equal pitch, onset in the bar and length); the similarity distribution of some music is the mean
//! of that over all pairs of bars `t` apart; the similarity error of two is the mean difference of their distributions over t = 1..=40.
//! Lengths count in sixteenths, rounded, at least one: no performance has the same twice.

use std::collections::HashSet;

use antiphon_engine::music::TICKS_PER_QUARTER;

use super::sheet::{SheetBar, SheetNote};

/// Largest distance in bars.
pub(super) const MOST_BARS: usize = 40;

/// Lengths are told apart by sixteenths.
const SIXTEENTH: i64 = TICKS_PER_QUARTER / 4;

/// Sums of one piece or of several, by distance less 1.
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
    /// Compares all pairs of bars at most [`MOST_BARS`] apart. Of two empty bars nothing can be said.
    pub(super) fn of(bars: &[SheetBar]) -> Self {
        let notes: Vec<HashSet<SheetNote>> = bars.iter().map(|bar| bar.notes.iter().map(in_sixteenths).collect()).collect();
        let mut all = Self::default();
        for (index, bar) in notes.iter().enumerate() {
            for (distance, other) in notes[index + 1..].iter().take(MOST_BARS).enumerate() {
                if let Some(similarity) = alike(bar, other) {
                    all.sums[distance] += similarity;
                    all.pairs[distance] += 1.0;
                }
            }
        }
        all
    }

    /// The sums of several pieces together.
    pub(super) fn sum<'a>(pieces: impl IntoIterator<Item = &'a Self>) -> Self {
        pieces.into_iter().fold(Self::default(), |mut sum, piece| {
            for distance in 0..MOST_BARS {
                sum.sums[distance] += piece.sums[distance];
                sum.pairs[distance] += piece.pairs[distance];
            }
            sum
        })
    }

    /// Mean similarity by distance less 1; 0 where there is no pair.
    pub(super) fn distribution(&self) -> [f64; MOST_BARS] {
        std::array::from_fn(|distance| self.sums[distance] / self.pairs[distance].max(1.0))
    }

    /// Similarity error: the mean difference of two distributions over the distances that both have pairs of.
    pub(super) fn error(&self, other: &Self) -> f64 {
        let both: Vec<usize> = (0..MOST_BARS).filter(|&distance| self.pairs[distance] > 0.0 && other.pairs[distance] > 0.0).collect();
        let (a, b) = (self.distribution(), other.distribution());
        let difference: f64 = both.iter().map(|&distance| (a[distance] - b[distance]).abs()).sum();
        #[expect(clippy::cast_precision_loss, reason = "at most 40")]
        let distances = both.len().max(1) as f64;
        difference / distances
    }
}

/// The note with its length in sixteenths.
fn in_sixteenths(note: &SheetNote) -> SheetNote {
    SheetNote { duration: ((note.duration + SIXTEENTH / 2) / SIXTEENTH).max(1), ..*note }
}

/// Notes in both of all notes in either; `None` if there are none.
fn alike(one: &HashSet<SheetNote>, other: &HashSet<SheetNote>) -> Option<f64> {
    let shared = one.intersection(other).count();
    let all = one.len() + other.len() - shared;
    (all > 0).then(|| crate::corpus::share(shared, all))
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::bars;
    use super::*;

    #[test]
    fn bars_are_as_alike_as_the_notes_they_share() {
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
    fn lengths_count_in_sixteenths() {
        let mut tune = bars(&[&[(0, 60)], &[(0, 60)]]);
        for (duration, alike) in [(24, 1.0), (26, 1.0), (21, 1.0), (20, 0.0), (12, 0.0)] {
            tune[1].notes[0].duration = duration;
            assert_eq!(Similarity::of(&tune).distribution()[0], alike, "{duration}");
        }
    }

    #[test]
    fn the_error_is_the_mean_difference() {
        let (same, other) = (bars(&[&[(0, 60)], &[(0, 60)], &[(0, 60)]]), bars(&[&[(0, 60)], &[(0, 61)], &[(0, 60)]]));
        let (same, other) = (Similarity::of(&same), Similarity::of(&other));
        // One apart 1 against 0, two apart 1 against 1; farther apart there are no pairs.
        assert!((same.error(&other) - 0.5).abs() < 1e-12);
        assert_eq!(same.error(&same), 0.0);
        // Together: one apart 2 of 4 pairs alike.
        assert!((Similarity::sum([&same, &other]).distribution()[0] - 0.5).abs() < 1e-12);
    }
}
