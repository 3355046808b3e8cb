//! Bars that were there before, and bars in which nothing happens any more.

use std::collections::BTreeSet;

use super::sheet::SheetBar;

/// The last bars of a clip, which have had time to repeat something.
const LAST_BARS: usize = 8;

/// Bars in a row that make one onset or one key a standstill.
const STUCK_BARS: usize = 4;

/// Times in a row that make a repetition a loop,
const LOOP_TIMES: usize = 4;

/// and the most bars such a repetition has.
const LOOP_BARS: [usize; 3] = [1, 2, 4];

/// Bars of a kind among all bars that could be of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rate {
    /// Bars of the kind.
    pub(super) bars: usize,
    /// All.
    pub(super) of: usize,
}

impl Rate {
    fn count(flags: impl IntoIterator<Item = bool>) -> Self {
        flags.into_iter().fold(Self::default(), |rate, flag| Self { bars: rate.bars + usize::from(flag), of: rate.of + 1 })
    }

    /// The rates of several clips together.
    pub(super) fn sum(rates: impl IntoIterator<Item = Self>) -> Self {
        rates.into_iter().fold(Self::default(), |sum, rate| Self { bars: sum.bars + rate.bars, of: sum.of + rate.of })
    }

    /// Between 0 and 1; 0 of nothing.
    pub(super) fn share(self) -> f64 {
        crate::corpus::share(self.bars, self.of)
    }
}

/// What is counted in a clip, with its prompt before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Of the last eight bars, those with notes that strike the same keys at the same times as an earlier bar of the clip or its prompt.
    pub(super) repeats: Rate,
    /// Bars without a note.
    pub(super) empty: Rate,
    /// Bars with notes in a row of at least four such whose notes all start at one place of the bar, or all have one key.
    pub(super) stuck: Rate,
    /// Bars with notes in a passage of one, two or four bars that is played at least four times in succession.
    pub(super) looping: Rate,
}

impl Counts {
    /// Counts in the bars from `seam` on; those before it are the prompt.
    pub(super) fn of(bars: &[SheetBar], seam: usize) -> Self {
        let strokes: Vec<_> = bars.iter().map(SheetBar::strokes).collect();
        let last = seam.max(bars.len().saturating_sub(LAST_BARS));
        let played = |index: &usize| !bars[*index].notes.is_empty();
        let (stuck, looping) = (stuck(bars), looping(&strokes));
        Self {
            repeats: Rate::count((last..bars.len()).filter(played).map(|index| strokes[..index].contains(&strokes[index]))),
            empty: Rate::count((seam..bars.len()).map(|index| !played(&index))),
            stuck: Rate::count((seam..bars.len()).map(|index| stuck[index] && played(&index))),
            looping: Rate::count((seam..bars.len()).map(|index| looping[index] && played(&index))),
        }
    }
}

/// Which bars belong to a standstill. Empty bars interrupt it.
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

/// The one value there is; `None` if there are several, or none.
fn only(values: impl Iterator<Item = i64>) -> Option<i64> {
    let mut values = values.collect::<BTreeSet<_>>().into_iter();
    values.next().filter(|_| values.next().is_none())
}

/// Which bars belong to a loop.
fn looping<T: PartialEq>(bars: &[T]) -> Vec<bool> {
    let mut looping = vec![false; bars.len()];
    for period in LOOP_BARS {
        let mut same = 0;
        for index in period..bars.len() {
            same = if bars[index] == bars[index - period] { same + 1 } else { 0 };
            // So many bars are each the same as the one a period before: with those there are a period more.
            if same >= period * (LOOP_TIMES - 1) {
                looping[index - (same + period - 1)..=index].fill(true);
            }
        }
    }
    looping
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::{Strokes, bars};
    use super::*;

    const A: Strokes<'static> = &[(0, 60), (24, 62)];
    const B: Strokes<'static> = &[(0, 60), (48, 62)];
    const C: Strokes<'static> = &[(0, 72), (24, 70), (48, 69)];
    const D: Strokes<'static> = &[(12, 50), (60, 51)];

    #[test]
    fn repeats_are_counted_in_the_last_eight_bars_against_all_before() {
        let tune = bars(&[A, B, C, D, A, &[], C, &[(0, 99)], &[(0, 98)], &[(24, 98)]]);
        // From bar 3 on, of the seven with notes the fifth and the seventh.
        assert_eq!(Counts::of(&tune, 2).repeats, Rate { bars: 2, of: 7 });
        assert_eq!(Counts::of(&tune, 6).repeats, Rate { bars: 1, of: 4 });
        assert_eq!(Counts::of(&tune, 2).empty, Rate { bars: 1, of: 8 });
    }

    #[test]
    fn a_repetition_played_four_times_is_a_loop() {
        let looping = |tune: &[Strokes<'_>]| Counts::of(&bars(tune), 0).looping.bars;
        assert_eq!(looping(&[A, A, A, B]), 0);
        assert_eq!(looping(&[B, A, A, A, A, B]), 4);
        assert_eq!(looping(&[C, A, B, A, B, A, B, A, B, D]), 8);
        assert_eq!(looping(&[A, B, A, B, A, B, A]), 0);
        // Three times four bars are no loop, four times are.
        let phrase = [A, B, C, D];
        assert_eq!(looping(&phrase.repeat(3)), 0);
        assert_eq!(looping(&phrase.repeat(4)), 16);
        // Only what lies after the seam counts.
        assert_eq!(Counts::of(&bars(&[B, A, A, A, A, B]), 3).looping, Rate { bars: 2, of: 3 });
    }

    #[test]
    fn one_onset_or_one_key_for_four_bars_is_a_standstill() {
        let stuck = |tune: &[Strokes<'_>]| Counts::of(&bars(tune), 0).stuck.bars;
        let (chord, other): (Strokes<'_>, Strokes<'_>) = (&[(0, 60), (0, 64)], &[(0, 62), (0, 65)]);
        assert_eq!(stuck(&[A, chord, other, chord, other, A]), 4);
        assert_eq!(stuck(&[A, chord, other, chord, A, other]), 0);
        let (once, twice): (Strokes<'_>, Strokes<'_>) = (&[(12, 60)], &[(0, 60), (24, 60)]);
        assert_eq!(stuck(&[once, twice, twice, once, B]), 4);
        assert_eq!(stuck(&[&[], &[], &[], &[], &[]]), 0, "nothing is played, so nothing stands still");
    }

    #[test]
    fn rates_add_up() {
        let sum = Rate::sum([Rate { bars: 1, of: 4 }, Rate { bars: 2, of: 2 }]);
        assert_eq!((sum, sum.share(), Rate::default().share()), (Rate { bars: 3, of: 6 }, 0.5, 0.0));
    }
}
