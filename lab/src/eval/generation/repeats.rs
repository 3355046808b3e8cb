//! Counts of repeated bars, and of bars in which the music stands still.

use std::collections::BTreeSet;

use super::sheet::SheetBar;

/// Length in bars of the end of a clip, where repetitions are counted.
const LAST_BARS: usize = 8;

/// Fewest consecutive bars with a single onset or key that count as a standstill.
const STUCK_BARS: usize = 4;

/// Fewest consecutive occurrences of a passage that count as a loop.
const LOOP_TIMES: usize = 4;

/// Lengths in bars of a looped passage.
const LOOP_BARS: [usize; 3] = [1, 2, 4];

/// Number of bars with a property among those that could have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    /// Bars with the property.
    pub(super) bars: usize,
    /// All bars that could have it.
    pub(super) of: usize,
}

impl Rate {
    fn count(flags: impl IntoIterator<Item = bool>) -> Self {
        flags.into_iter().fold(Self::default(), |rate, flag| Self { bars: rate.bars + usize::from(flag), of: rate.of + 1 })
    }

    /// Sum over clips.
    pub(super) fn sum(rates: impl IntoIterator<Item = Self>) -> Self {
        rates.into_iter().fold(Self::default(), |sum, rate| Self { bars: sum.bars + rate.bars, of: sum.of + rate.of })
    }

    /// Share in 0..=1; 0 without bars.
    pub(super) fn share(self) -> f64 {
        crate::corpus::share(self.bars, self.of)
    }
}

/// Counts in one clip; its prompt is part of the context that can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Of the last eight bars, those with notes that have the same keys at the same times as an earlier bar of the clip or its prompt.
    pub(super) repeats: Rate,
    /// Bars without a note.
    pub(super) empty: Rate,
    /// Bars with notes in a run of at least four such bars whose notes all start at one place of the bar, or all have one key.
    pub(super) stuck: Rate,
    /// Bars with notes in a passage of one, two or four bars that occurs at least four times in succession.
    pub(super) looping: Rate,
}

impl Counts {
    /// Counts in the bars from index `seam` on; those before are the prompt.
    pub(super) fn of(bars: &[SheetBar], seam: usize) -> Self {
        let onset_set: Vec<_> = bars.iter().map(SheetBar::onset_set).collect();
        let last = seam.max(bars.len().saturating_sub(LAST_BARS));
        let has_notes = |index: &usize| !bars[*index].notes.is_empty();
        let (stuck, looping) = (stuck(bars), looping(&onset_set));
        Self {
            repeats: Rate::count((last..bars.len()).filter(has_notes).map(|index| onset_set[..index].contains(&onset_set[index]))),
            empty: Rate::count((seam..bars.len()).map(|index| !has_notes(&index))),
            stuck: Rate::count((seam..bars.len()).map(|index| stuck[index] && has_notes(&index))),
            looping: Rate::count((seam..bars.len()).map(|index| looping[index] && has_notes(&index))),
        }
    }
}

/// Flags of the bars that belong to a standstill. Empty bars end it.
fn stuck(bars: &[SheetBar]) -> Vec<bool> {
    let mut stuck = vec![false; bars.len()];
    for of in [
        |bar: &SheetBar| only(bar.notes.iter().map(|note| note.tick)),
        |bar: &SheetBar| only(bar.notes.iter().map(|note| i64::from(note.key))),
    ] {
        let mut from = 0;
        let only: Vec<Option<i64>> = bars.iter().map(of).collect();
        for to in 1..=bars.len() {
            if to == bars.len() || only[to] != only[from] {
                if only[from].is_some() && to - from >= STUCK_BARS {
                    stuck[from..to].fill(true);
                }
                from = to;
            }
        }
    }
    stuck
}

/// The only distinct value; `None` if there are none or several.
fn only(values: impl Iterator<Item = i64>) -> Option<i64> {
    let mut values = values.collect::<BTreeSet<_>>().into_iter();
    values.next().filter(|_| values.next().is_none())
}

/// Flags of the bars that belong to a loop.
fn looping<T: PartialEq>(bars: &[T]) -> Vec<bool> {
    let mut looping = vec![false; bars.len()];
    for period in LOOP_BARS {
        let mut same = 0;
        for index in period..bars.len() {
            same = if bars[index] == bars[index - period] { same + 1 } else { 0 };
            // The last `same` bars equal the ones a period before; together they are `same + period` bars.
            if same >= period * (LOOP_TIMES - 1) {
                looping[index - (same + period - 1)..=index].fill(true);
            }
        }
    }
    looping
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::{Onsets, bars};
    use super::*;

    const A: Onsets<'static> = &[(0, 60), (24, 62)];
    const B: Onsets<'static> = &[(0, 60), (48, 62)];
    const C: Onsets<'static> = &[(0, 72), (24, 70), (48, 69)];
    const D: Onsets<'static> = &[(12, 50), (60, 51)];

    #[test]
    fn repeats_compare_the_last_eight_bars_with_all_before() {
        let tune = bars(&[A, B, C, D, A, &[], C, &[(0, 99)], &[(0, 98)], &[(24, 98)]]);
        // From bar 3 on, of the seven with notes the fifth and the seventh.
        assert_eq!(Counts::of(&tune, 2).repeats, Rate { bars: 2, of: 7 });
        assert_eq!(Counts::of(&tune, 6).repeats, Rate { bars: 1, of: 4 });
        assert_eq!(Counts::of(&tune, 2).empty, Rate { bars: 1, of: 8 });
    }

    #[test]
    fn passage_that_occurs_four_times_is_a_loop() {
        let looping = |tune: &[Onsets<'_>]| Counts::of(&bars(tune), 0).looping.bars;
        assert_eq!(looping(&[A, A, A, B]), 0);
        assert_eq!(looping(&[B, A, A, A, A, B]), 4);
        assert_eq!(looping(&[C, A, B, A, B, A, B, A, B, D]), 8);
        assert_eq!(looping(&[A, B, A, B, A, B, A]), 0);
        // Three occurrences of four bars are no loop, four are.
        let phrase = [A, B, C, D];
        assert_eq!(looping(&phrase.repeat(3)), 0);
        assert_eq!(looping(&phrase.repeat(4)), 16);
        // Only what lies after the seam counts.
        assert_eq!(Counts::of(&bars(&[B, A, A, A, A, B]), 3).looping, Rate { bars: 2, of: 3 });
    }

    #[test]
    fn four_bars_with_one_onset_or_one_key_are_a_standstill() {
        let stuck = |tune: &[Onsets<'_>]| Counts::of(&bars(tune), 0).stuck.bars;
        let (chord, other): (Onsets<'_>, Onsets<'_>) = (&[(0, 60), (0, 64)], &[(0, 62), (0, 65)]);
        assert_eq!(stuck(&[A, chord, other, chord, other, A]), 4);
        assert_eq!(stuck(&[A, chord, other, chord, A, other]), 0);
        let (once, twice): (Onsets<'_>, Onsets<'_>) = (&[(12, 60)], &[(0, 60), (24, 60)]);
        assert_eq!(stuck(&[once, twice, twice, once, B]), 4);
        assert_eq!(stuck(&[&[], &[], &[], &[], &[]]), 0, "empty bars are no standstill");
    }

    #[test]
    fn rates_of_clips_add_up() {
        let sum = Rate::sum([Rate { bars: 1, of: 4 }, Rate { bars: 2, of: 2 }]);
        assert_eq!((sum, sum.share(), Rate::default().share()), (Rate { bars: 3, of: 6 }, 0.5, 0.0));
    }
}
