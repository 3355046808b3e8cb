//! The earlier bars that a gap is likely to repeat, by the bars around it.
//!
//! A model that fills a gap by itself soon agrees with no bar and goes its own way. Asked to repeat the bars at one distance, it commits itself to them
//! from the first note on; the repeats column can ask for it ([`REPEAT_BARS`]).

use std::ops::Range;

use crate::codec::{BarRows, decode};
use crate::music::Tick;
use crate::music::analysis::{BarPattern, NEW_BAR, REPEAT_BARS};

/// Bars before the gap that are compared with those at a distance back.
const WITNESSES_BEFORE: usize = 4;
/// The same after the gap.
const WITNESSES_AFTER: usize = 8;

/// What a bar of a gap is asked to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeat {
    /// Value of the repeats column.
    pub(super) value: u8,
    /// Place of the repeated bar among those before the gap. A gap that is longer than the distance repeats what it has repeated.
    pub(super) of: usize,
}

/// What each bar of a gap is likely to repeat: the bar at the distance back at which the bars around the gap have most in common with their counterparts, as
/// note F1 of all of them; of equal distances the nearest. `None` for a bar whose counterpart is empty, and for all if nothing around the gap is repeated
/// at any distance that reaches a known bar from every bar of the gap.
pub(super) fn likely_repeats(before: &[BarRows], gap: usize, after: &[BarRows]) -> Vec<Option<Repeat>> {
    let pattern = |bar: &BarRows| BarPattern::new(Tick::ZERO, &decode(std::slice::from_ref(bar), Tick::ZERO));
    let mut bars: Vec<BarPattern> = before.iter().map(pattern).collect();
    let gap = bars.len()..bars.len() + gap;
    bars.resize_with(gap.end, BarPattern::default);
    bars.extend(after.iter().take(WITNESSES_AFTER).map(pattern));
    let (mut most, mut likeliest) = (0.0, None);
    for (value, back) in (NEW_BAR + 1..).zip(REPEAT_BARS).filter(|(_, back)| *back <= gap.start) {
        let evidence = evidence(&bars, &gap, back);
        if evidence > most {
            (most, likeliest) = (evidence, Some((value, back)));
        }
    }
    let repeat = |bar: usize| {
        let (value, back) = likeliest?;
        let of = gap.start - back + (bar - gap.start) % back;
        (!bars[of].is_empty()).then_some(Repeat { value, of })
    };
    gap.clone().map(repeat).collect()
}

/// Note F1, 0 to 1, of the known bars around the gap against those `back` bars before them.
fn evidence(bars: &[BarPattern], gap: &Range<usize>, back: usize) -> f64 {
    let witnesses = (gap.start.saturating_sub(WITNESSES_BEFORE)..gap.start).chain(gap.end..bars.len());
    let pairs = witnesses
        .filter_map(|bar| bar.checked_sub(back).filter(|earlier| !gap.contains(earlier)).map(|earlier| (&bars[bar], &bars[earlier])));
    let (shared, notes) =
        pairs.fold((0, 0), |(shared, notes), (bar, earlier)| (shared + 2 * bar.shared(earlier), notes + bar.len() + earlier.len()));
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if notes == 0 { 0.0 } else { number(shared) / number(notes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::NoteClasses;
    use crate::music::Role;

    /// Bars of four quarter notes from these keys up.
    fn bars(lowest: impl IntoIterator<Item = u8>) -> Vec<BarRows> {
        let note = |beat, pitch| NoteClasses { beat, sub: 0, role: Role::Keys.class(), pitch, duration: 11, velocity: 20, offset: 4 };
        let bar =
            |lowest: u8| BarRows { ticks: 96, notes: (0..4).map(|beat| note(beat, lowest + 2 * beat)).collect(), ..BarRows::default() };
        lowest.into_iter().map(bar).collect()
    }

    /// Distances back that bars of a gap are asked to repeat at, and the bars repeated.
    fn repeated(before: &[BarRows], gap: usize, after: &[BarRows]) -> Vec<Option<(usize, usize)>> {
        let distance = |repeat: Repeat| (REPEAT_BARS[usize::from(repeat.value - NEW_BAR - 1)], repeat.of);
        likely_repeats(before, gap, after).into_iter().map(|repeat| repeat.map(distance)).collect()
    }

    #[test]
    fn gap_repeats_at_the_distance_at_which_the_bars_before_it_do() {
        // A phrase of four bars.
        let mut before = bars([40, 50, 60, 70].into_iter().cycle().take(10));
        assert_eq!(repeated(&before, 2, &[]), [Some((4, 6)), Some((4, 7))]);
        // A phrase of eight.
        before[4..8].clone_from_slice(&bars([44, 54, 64, 74]));
        before.extend(bars([60, 70, 44, 54]));
        assert_eq!(repeated(&before, 2, &[]), [Some((8, 6)), Some((8, 7))]);
    }

    #[test]
    fn bars_after_the_gap_decide_where_those_before_it_do_not() {
        let before = bars([40, 50, 60, 70, 41, 51, 61, 71]);
        assert_eq!(repeated(&before, 4, &[]), [None; 4], "nothing is repeated");
        assert_eq!(repeated(&before, 4, &bars([41, 51]))[0], Some((8, 0)), "bars 12 and 13 are 4 and 5");
        assert_eq!(repeated(&before, 2, &bars([61, 71])), [Some((4, 4)), Some((4, 5))], "bars 10 and 11 are 6 and 7");
    }

    #[test]
    fn bar_whose_counterpart_is_empty_is_left_open() {
        let mut before = bars([40, 50, 60, 70, 40, 50]);
        before[3].notes.clear();
        assert_eq!(repeated(&before, 4, &[]), [Some((4, 2)), None, Some((4, 4)), Some((4, 5))]);
        assert_eq!(repeated(&[], 2, &before), [None; 2], "nothing before the gap");
    }

    #[test]
    fn gap_longer_than_the_distance_repeats_itself() {
        let before = bars([40, 50, 40, 50]);
        assert_eq!(repeated(&before, 5, &[]), [2, 3, 2, 3, 2].map(|of| Some((2, of))));
    }
}
