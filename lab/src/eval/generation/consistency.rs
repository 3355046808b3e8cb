//! Consistency of a clip: in one scale, in pitch classes, in its groove. Neither high nor low values are better; what counts is the distance to real
//! music.

use std::collections::BTreeSet;

use antiphon_engine::music::TICKS_PER_QUARTER;
use antiphon_engine::music::analysis::{KeySignature, Scale, ScaleMode};

use super::sheet::SheetBar;
use crate::corpus::share;
use crate::eval::percentile::mean;

/// Resolution of a groove: a sixteenth, in ticks.
const SLOT: i64 = TICKS_PER_QUARTER / 4;

/// Measures of a clip; `None` where it has too few notes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Consistency {
    /// Share of pitched notes in the major scale that holds the most of them (a natural minor scale has the same notes); 0..=1 (O. Mogren,
    /// "C-RNN-GAN", 2016).
    pub(super) scale: Option<f64>,
    /// Entropy of the pitch classes in bits, 0 to 3.58 (S.-L. Wu and Y.-H. Yang, "The Jazz Transformer on the Front Line", ISMIR 2020).
    pub(super) pitch_class: Option<f64>,
    /// 1 less the mean share of sixteenths at which only one of two neighbouring bars has an onset; 0..=1 (the same authors).
    pub(super) groove: Option<f64>,
}

impl Consistency {
    /// Measures a clip.
    pub(super) fn of(bars: &[SheetBar]) -> Self {
        let mut classes = [0; 12];
        for class in bars.iter().flat_map(|bar| &bar.notes).filter_map(super::sheet::SheetNote::pitch_class) {
            classes[class] += 1;
        }
        Self { scale: scale(&classes), pitch_class: entropy(&classes), groove: groove(bars) }
    }
}

fn scale(classes: &[usize; 12]) -> Option<f64> {
    let all: usize = classes.iter().sum();
    let inside = |scale: Scale| scale.pitch_classes().map(|class| classes[usize::from(class)]).sum::<usize>();
    let keys = (0..12).filter_map(|tonic| KeySignature::new(tonic, ScaleMode::Major));
    let most = keys.map(|key| inside(Scale::of_key(key))).max()?;
    (all > 0).then(|| share(most, all))
}

fn entropy(classes: &[usize; 12]) -> Option<f64> {
    let all: usize = classes.iter().sum();
    let shares = classes.iter().filter(|count| **count > 0).map(|count| share(*count, all));
    (all > 0).then(|| -shares.map(|share| share * share.log2()).sum::<f64>())
}

fn groove(bars: &[SheetBar]) -> Option<f64> {
    let onsets = |bar: &SheetBar| -> BTreeSet<i64> {
        let slots = bar.length / SLOT;
        bar.notes.iter().map(|note| ((note.tick + SLOT / 2) / SLOT).min(slots - 1)).collect()
    };
    let alike = bars.windows(2).filter(|pair| pair[0].length == pair[1].length && pair[0].length >= SLOT).map(|pair| {
        let differing = onsets(&pair[0]).symmetric_difference(&onsets(&pair[1])).count();
        1.0 - share(differing, usize::try_from(pair[0].length / SLOT).unwrap_or(1))
    });
    mean(&alike.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::{Onsets, bars};
    use super::*;

    #[test]
    fn scale_consistency_is_the_share_of_notes_in_the_best_scale() {
        // D major, and one note outside of every scale that holds the others.
        let tune = bars(&[&[(0, 62), (24, 64), (48, 66), (72, 67)], &[(0, 69), (24, 71), (48, 73), (72, 68)]]);
        assert_eq!(Consistency::of(&tune).scale, Some(7.0 / 8.0));
    }

    #[test]
    fn pitch_class_entropy_is_in_bits_and_ignores_drums() {
        let entropy = |tune: &[Onsets<'_>]| Consistency::of(&bars(tune)).pitch_class;
        assert_eq!(entropy(&[&[(0, 60), (24, 72)]]), Some(0.0));
        assert_eq!(entropy(&[&[(0, 60), (24, 62), (48, 64), (72, 65)]]), Some(2.0));
        assert_eq!(entropy(&[&[(0, 128 + 36)]]), None, "drums have no pitch class");
    }

    #[test]
    fn groove_consistency_is_1_for_bars_with_the_same_onsets() {
        let groove = |tune: &[Onsets<'_>]| Consistency::of(&bars(tune)).groove;
        assert_eq!(groove(&[&[(0, 60), (24, 60)], &[(0, 70), (25, 72)]]), Some(1.0));
        // Two of sixteen sixteenths differ.
        assert_eq!(groove(&[&[(0, 60), (24, 60)], &[(0, 60), (48, 60)]]), Some(1.0 - 2.0 / 16.0));
        assert_eq!(groove(&[&[(0, 60)]]), None);
    }
}
