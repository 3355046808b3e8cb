//! Metrics of predicted bars: F1 of onsets and notes, top-1 and top-5 accuracy of pitches; and the copy predictors.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use antiphon_engine::codec::{NoteClasses, Place};
use serde_json::{Value, json};

use crate::corpus::share;

/// Sizes of a predicted set, the actual set, and their intersection; summed over bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Overlap {
    hits: usize,
    predicted: usize,
    actual: usize,
}

impl Overlap {
    fn count<T: Ord>(predicted: &BTreeSet<T>, actual: &BTreeSet<T>) -> Self {
        Self { hits: predicted.intersection(actual).count(), predicted: predicted.len(), actual: actual.len() }
    }

    /// Harmonic mean of precision and recall; 0 if both sets are empty.
    fn f1(self) -> f64 {
        share(2 * self.hits, self.predicted + self.actual)
    }

    /// The one with the higher F1; on a tie the one that predicts less, so that the sum over bars is the best too.
    fn better(self, other: Self) -> Self {
        if (other.f1(), self.predicted) > (self.f1(), other.predicted) { other } else { self }
    }
}

impl AddAssign for Overlap {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.predicted += other.predicted;
        self.actual += other.actual;
    }
}

/// Correct predictions among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Accuracy {
    hits: usize,
    total: usize,
}

impl Accuracy {
    fn count(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.total += 1;
    }

    /// `None` without a prediction.
    fn share(self) -> Option<f64> {
        (self.total > 0).then(|| share(self.hits, self.total))
    }
}

impl AddAssign for Accuracy {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.total += other.total;
    }
}

/// Metrics of one predictor, summed over bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Metrics {
    /// Sets of (tick, role).
    onsets: Overlap,
    /// Sets of (tick, role, pitch).
    notes: Overlap,
    /// Pitches that were ranked first.
    top1: Accuracy,
    /// Pitches among the first [`TOP_K`].
    top5: Accuracy,
}

/// Ranks that count for the top-5 accuracy.
pub(super) const TOP_K: usize = 5;

impl Metrics {
    /// Compares a predicted bar with the actual one.
    pub(super) fn count_bar(&mut self, predicted: &[NoteClasses], actual: &[NoteClasses]) {
        let onsets = |notes: &[NoteClasses]| notes.iter().map(|note| (note.tick(), note.role)).collect::<BTreeSet<_>>();
        let whole = |notes: &[NoteClasses]| notes.iter().map(|note| (note.tick(), note.role, note.pitch)).collect::<BTreeSet<_>>();
        self.onsets += Overlap::count(&onsets(predicted), &onsets(actual));
        self.notes += Overlap::count(&whole(predicted), &whole(actual));
    }

    /// Counts the rank of an actual pitch: how many pitches were more likely; `None` if at least [`TOP_K`].
    pub(super) fn count_rank(&mut self, rank: Option<usize>) {
        self.top1.count(rank == Some(0));
        self.top5.count(rank.is_some_and(|rank| rank < TOP_K));
    }

    /// Counts a pitch for a predictor that names only one.
    pub(super) fn count_top1(&mut self, hit: bool) {
        self.top1.count(hit);
    }

    /// F1 of onsets and of notes, top-1 and top-5 accuracy of pitches (`None` without a prediction), in the order of [`METRIC_NAMES`]. All in 0..=1.
    pub(super) fn values(&self) -> [Option<f64>; METRIC_NAMES.len()] {
        [Some(self.onsets.f1()), Some(self.notes.f1()), self.top1.share(), self.top5.share()]
    }
}

impl AddAssign for Metrics {
    fn add_assign(&mut self, other: Self) {
        self.onsets += other.onsets;
        self.notes += other.notes;
        self.top1 += other.top1;
        self.top5 += other.top5;
    }
}

/// Report names of [`Metrics::values`].
pub(super) const METRIC_NAMES: [&str; 4] = ["onset_f1", "note_f1", "pitch_top1", "pitch_top5"];

/// The values as a JSON object, by name.
pub(super) fn to_json(values: [Option<f64>; METRIC_NAMES.len()]) -> Value {
    METRIC_NAMES.into_iter().zip(values).map(|(name, value)| (name.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

/// How many bars back each copy predictor looks.
pub(super) const COPY_DISTANCES: [usize; 4] = [1, 2, 4, 8];

/// Report names of the copy predictors, and of the best of them.
pub(super) const COPY_PREDICTORS: [&str; 5] = ["copy_1", "copy_2", "copy_4", "copy_8", "copy_best"];

/// Counts a bar for the copy predictors and for `copy_best`, an oracle that picks the best copy for each bar and each metric. Its top-5 accuracy counts a
/// pitch that any of the copies has at the same place.
pub(super) fn count_copies(predictors: &mut [Metrics], copies: [&[NoteClasses]; COPY_DISTANCES.len()], actual: &[NoteClasses]) {
    let mut best: Option<Metrics> = None;
    let mut any = vec![false; actual.len()];
    for (sum, copied) in predictors.iter_mut().zip(copies) {
        let mut metrics = Metrics::default();
        metrics.count_bar(copied, actual);
        for (hit, any) in copied_pitches(copied, actual).zip(&mut any) {
            metrics.count_top1(hit);
            *any |= hit;
        }
        *sum += metrics;
        best = Some(best.map_or(metrics, |best| Metrics {
            onsets: best.onsets.better(metrics.onsets),
            notes: best.notes.better(metrics.notes),
            top1: if metrics.top1.hits > best.top1.hits { metrics.top1 } else { best.top1 },
            top5: best.top5,
        }));
    }
    if let (Some(sum), Some(mut best)) = (predictors.get_mut(COPY_DISTANCES.len()), best) {
        any.into_iter().for_each(|any| best.top5.count(any));
        *sum += best;
    }
}

/// For each actual note, whether a copy of `earlier` predicts its pitch. The n-th note of a chord is compared with the n-th note at the same place.
fn copied_pitches<'a>(earlier: &'a [NoteClasses], actual: &'a [NoteClasses]) -> impl Iterator<Item = bool> + 'a {
    let at = |place: Place| earlier.iter().filter(move |note| note.place() == place).map(|note| note.pitch);
    actual.iter().enumerate().map(move |(index, note)| {
        let before = actual[..index].iter().filter(|other| other.place() == note.place()).count();
        at(note.place()).nth(before) == Some(note.pitch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(beat: u8, role: u8, pitch: u8) -> NoteClasses {
        NoteClasses { beat, sub: 0, role, pitch, duration: 20, velocity: 20, offset: 4 }
    }

    #[test]
    fn f1_of_onsets_compares_roles_and_f1_of_notes_pitches_too() {
        let actual = [note(0, 0, 60), note(1, 0, 62), note(2, 0, 64), note(3, 0, 65)];
        // Two onsets of three are right, one of them with the pitch.
        let predicted = [note(0, 0, 60), note(1, 0, 63), note(2, 1, 64)];
        let mut metrics = Metrics::default();
        metrics.count_bar(&predicted, &actual);
        assert_eq!(metrics.values(), [Some(2.0 * 2.0 / 7.0), Some(2.0 * 1.0 / 7.0), None, None]);
        // An empty bar predicted as empty adds nothing.
        metrics.count_bar(&[], &[]);
        assert_eq!(metrics.values()[0], Some(4.0 / 7.0));
        assert_eq!(Metrics::default().values()[0], Some(0.0));
    }

    #[test]
    fn copied_chord_predicts_its_notes_in_order() {
        let earlier = [note(0, 0, 60), note(0, 0, 64), note(0, 1, 50), note(2, 0, 67)];
        let actual = [note(0, 0, 60), note(0, 0, 65), note(0, 1, 50), note(1, 0, 67)];
        assert_eq!(copied_pitches(&earlier, &actual).collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn rank_counts_for_top1_at_0_and_for_top5_below_5() {
        let mut metrics = Metrics::default();
        [Some(0), Some(4), Some(5), None].into_iter().for_each(|rank| metrics.count_rank(rank));
        assert_eq!(metrics.values()[2..], [Some(0.25), Some(0.5)]);
    }

    #[test]
    fn best_copy_is_chosen_for_each_bar_and_metric() {
        let actual = [note(0, 0, 60), note(1, 0, 62)];
        // One copy has the rhythm, two have a pitch each, the last is empty.
        let rhythm = [note(0, 0, 50), note(1, 0, 50)];
        let (one, two) = ([note(0, 0, 60)], [note(1, 0, 62), note(2, 0, 62)]);
        let mut predictors = [Metrics::default(); 5];
        count_copies(&mut predictors, [&rhythm, &one, &two, &[]], &actual);
        assert_eq!(predictors[0].values(), [Some(1.0), Some(0.0), Some(0.0), None]);
        assert_eq!(predictors[4].values(), [Some(1.0), Some(2.0 / 3.0), Some(0.5), Some(1.0)]);
        // The actual bar is empty: the best copy is the empty one.
        count_copies(&mut predictors, [&rhythm, &one, &two, &[]], &[]);
        assert_eq!(predictors[4].values(), [Some(1.0), Some(2.0 / 3.0), Some(0.5), Some(1.0)]);
        assert!(predictors[0].values()[0] < Some(1.0));
    }
}
