//! Metres, and the bar lines they draw.

use serde::{Deserialize, Serialize};

use super::{TICKS_PER_QUARTER, Tick};

/// A time signature, for instance 6/8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Metre {
    /// Beats in a bar, at least 1.
    numerator: u8,
    /// The beat's note value: 1, 2, 4, 8, 16 or 32.
    denominator: u8,
}

impl Metre {
    /// 4/4, the default metre.
    pub const COMMON: Self = Self { numerator: 4, denominator: 4 };

    /// A metre, if the numerator is at least 1 and the denominator a power of two up to 32: `None` for 0/0, 4/0, 4/3.
    #[must_use]
    pub const fn new(numerator: u8, denominator: u8) -> Option<Self> {
        if numerator == 0 || denominator == 0 || denominator > 32 || !denominator.is_power_of_two() {
            return None;
        }
        Some(Self { numerator, denominator })
    }

    /// Beats in a bar.
    #[must_use]
    pub const fn numerator(self) -> u8 {
        self.numerator
    }

    /// The beat's note value.
    #[must_use]
    pub const fn denominator(self) -> u8 {
        self.denominator
    }

    /// Length of a whole bar in ticks. A bar of an odd number of 64ths would fall between ticks; with denominators up to 32 every bar is whole.
    #[must_use]
    pub fn bar_length(self) -> Tick {
        Tick(i64::from(self.numerator) * TICKS_PER_QUARTER * 4 / i64::from(self.denominator))
    }
}

impl Default for Metre {
    fn default() -> Self {
        Self::COMMON
    }
}

impl std::fmt::Display for Metre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// One bar of a [`MetreMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Counted from 0 at tick 0.
    pub index: u32,
    /// The bar line it starts on.
    pub start: Tick,
    /// Its length: shorter than the metre's if a change of metre cuts it.
    pub length: Tick,
    /// The metre it is written in.
    pub metre: Metre,
}

impl Bar {
    /// The bar line it ends on.
    #[must_use]
    pub fn end(&self) -> Tick {
        self.start + self.length
    }
}

/// Where each metre begins: the bar lines of a piece.
///
/// There is always a metre at tick 0, 4/4 by default. A change inside a bar closes that bar short. A change to the same metre on one of its bar
/// lines has no effect and is left out, so maps with equal bar lines are equal.
///
/// ```
/// use antiphon_engine::music::{Metre, MetreMap, Tick};
///
/// let waltz = Metre::new(3, 4).expect("a metre");
/// // A change at tick 120, inside the second bar of 4/4: that bar is cut short there.
/// let map = MetreMap::new([(Tick(120), waltz), (Tick(192), waltz)]);
/// let bars: Vec<_> = map.bars(Tick(200)).map(|bar| (bar.start, bar.length)).collect();
/// assert_eq!(bars, [(Tick(0), Tick(96)), (Tick(96), Tick(24)), (Tick(120), Tick(72)), (Tick(192), Tick(72))]);
/// // The second change repeats the metre on a bar line of its own, so it has no effect.
/// assert_eq!(map, MetreMap::new([(Tick(120), waltz)]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MetreMap {
    /// In order of time, the first at tick 0.
    changes: Vec<(Tick, Metre)>,
    /// Index of the bar that starts at each change.
    first_bars: Vec<u32>,
}

impl MetreMap {
    /// A map from changes in any order. Of several at one tick the last in the list applies; those before tick 0 count as at tick 0.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = (Tick, Metre)>) -> Self {
        let mut wanted: Vec<_> = changes.into_iter().map(|(tick, metre)| (tick.max(Tick::ZERO), metre)).collect();
        wanted.sort_by_key(|(tick, _)| *tick);
        let mut map = Self { changes: vec![(Tick::ZERO, Metre::COMMON)], first_bars: vec![0] };
        for (index, &(tick, metre)) in wanted.iter().enumerate() {
            let overruled = wanted.get(index + 1).is_some_and(|next| next.0 == tick);
            if !overruled {
                map.push(tick, metre);
            }
        }
        map
    }

    /// Adds a change that is not before the last one.
    fn push(&mut self, tick: Tick, metre: Metre) {
        if tick == Tick::ZERO {
            self.changes[0].1 = metre;
            return;
        }
        let bar = self.bar_at(tick);
        if bar.start == tick && bar.metre == metre {
            return;
        }
        let opened = u32::from(bar.start != tick);
        self.changes.push((tick, metre));
        self.first_bars.push(bar.index.saturating_add(opened));
    }

    /// The changes in order of time; the first is at tick 0.
    #[must_use]
    pub fn changes(&self) -> &[(Tick, Metre)] {
        &self.changes
    }

    /// The metre in force at a tick.
    #[must_use]
    pub fn at(&self, tick: Tick) -> Metre {
        self.changes[self.change_at(tick)].1
    }

    /// The bar a tick lies in; bar 0 for ticks before 0.
    #[must_use]
    pub fn bar_at(&self, tick: Tick) -> Bar {
        let change = self.change_at(tick);
        let (start, metre) = self.changes[change];
        let passed = (tick.max(Tick::ZERO) - start).0 / metre.bar_length().0;
        self.bar_of_change(change, u32::try_from(passed).unwrap_or(u32::MAX))
    }

    /// The bar with this index.
    #[must_use]
    pub fn bar(&self, index: u32) -> Bar {
        let change = self.first_bars.partition_point(|&first| first <= index) - 1;
        self.bar_of_change(change, index - self.first_bars[change])
    }

    /// The bars that start before `until`, from bar 0 on.
    pub fn bars(&self, until: Tick) -> impl Iterator<Item = Bar> + '_ {
        (0..=u32::MAX).map(|index| self.bar(index)).take_while(move |bar| bar.start < until)
    }

    /// The bar line at or after a tick.
    #[must_use]
    pub fn bar_line_from(&self, tick: Tick) -> Tick {
        let bar = self.bar_at(tick);
        if bar.start >= tick { bar.start } else { bar.end() }
    }

    /// The same bar lines with `from` as tick 0. Where `from` lies inside a bar, the first bar is the rest of it.
    #[must_use]
    pub fn slice_from(&self, from: Tick) -> Self {
        let from = from.max(Tick::ZERO);
        let first = self.bar_at(from);
        let left_of_bar = (first.start < from).then_some((first.end() - from, self.at(first.end())));
        let later = self.changes.iter().filter(|(tick, _)| *tick > from).map(|&(tick, metre)| (tick - from, metre));
        Self::new([(Tick::ZERO, first.metre)].into_iter().chain(left_of_bar).chain(later))
    }

    /// The same bar lines without the changes at `end` and behind it.
    #[must_use]
    pub fn until(mut self, end: Tick) -> Self {
        let kept = self.changes.partition_point(|(tick, _)| *tick < end.max(Tick(1)));
        self.changes.truncate(kept);
        self.first_bars.truncate(kept);
        self
    }

    /// Index of the last change at or before a tick.
    fn change_at(&self, tick: Tick) -> usize {
        self.changes.partition_point(|(start, _)| *start <= tick).saturating_sub(1)
    }

    /// The `nth` bar after a change, cut by the next change.
    fn bar_of_change(&self, change: usize, nth: u32) -> Bar {
        let (origin, metre) = self.changes[change];
        let nth = nth.min(u32::MAX - self.first_bars[change]);
        let start = origin + Tick(i64::from(nth) * metre.bar_length().0);
        let left = self.changes.get(change + 1).map_or(Tick::MAX, |(next, _)| *next - start);
        Bar { index: self.first_bars[change] + nth, start, length: metre.bar_length().min(left), metre }
    }
}

impl Default for MetreMap {
    fn default() -> Self {
        Self::new([])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metre(numerator: u8, denominator: u8) -> Metre {
        Metre::new(numerator, denominator).unwrap()
    }

    #[test]
    fn absurd_metres_are_none() {
        for (numerator, denominator) in [(0, 0), (0, 4), (4, 0), (4, 3), (4, 64), (1, 255)] {
            assert_eq!(Metre::new(numerator, denominator), None);
        }
        assert_eq!(metre(6, 8).bar_length(), Tick::quarters(3));
        assert_eq!(metre(1, 32).bar_length(), Tick(3));
    }

    #[test]
    fn empty_map_is_in_common_time() {
        let map = MetreMap::default();
        assert_eq!(map.changes(), [(Tick::ZERO, Metre::COMMON)]);
        assert_eq!(map.bar_at(Tick(97)), Bar { index: 1, start: Tick(96), length: Tick(96), metre: Metre::COMMON });
        assert_eq!(map.bar_at(Tick(-5)).index, 0);
    }

    #[test]
    fn change_inside_a_bar_closes_it_short() {
        let map = MetreMap::new([(Tick::ZERO, metre(4, 4)), (Tick(120), metre(3, 4))]);
        let bars: Vec<_> = map.bars(Tick(200)).map(|bar| (bar.index, bar.start.0, bar.length.0)).collect();
        assert_eq!(bars, [(0, 0, 96), (1, 96, 24), (2, 120, 72), (3, 192, 72)]);
        assert_eq!(map.bar_line_from(Tick(97)), Tick(120));
        assert_eq!(map.bar_line_from(Tick(120)), Tick(120));
    }

    #[test]
    fn repeats_on_a_bar_line_are_left_out_and_the_last_of_a_tick_applies() {
        let map = MetreMap::new([(Tick(96), metre(4, 4)), (Tick::ZERO, metre(3, 4)), (Tick::ZERO, metre(4, 4)), (Tick(200), metre(4, 4))]);
        assert_eq!(map.changes(), [(Tick::ZERO, metre(4, 4)), (Tick(200), metre(4, 4))]);
    }

    #[test]
    fn slice_from_inside_a_bar_keeps_the_bar_lines() {
        let map = MetreMap::new([(Tick::ZERO, metre(3, 4)), (Tick(144), metre(7, 8))]);
        let slice = map.slice_from(Tick(100));
        let lines: Vec<_> = slice.bars(Tick(150)).map(|bar| (bar.start.0, bar.metre)).collect();
        assert_eq!(lines, [(0, metre(3, 4)), (44, metre(7, 8)), (128, metre(7, 8))]);
        assert_eq!(map.slice_from(Tick(72)).bar(1).start, Tick(72));
    }

    #[test]
    fn ticks_beyond_every_bar_do_not_overflow() {
        let map = MetreMap::new([(Tick::ZERO, metre(1, 32))]);
        assert_eq!(map.bar_at(Tick::MAX).index, u32::MAX);
        assert_eq!(map.bar(u32::MAX).index, u32::MAX);
    }

    fn any_metre() -> impl Strategy<Value = Metre> {
        (1u8..=16, 0u32..=5).prop_map(|(numerator, power)| metre(numerator, 1 << power))
    }

    proptest! {
        #[test]
        fn bars_tile_time(changes in prop::collection::vec((0i64..3000, any_metre()), 0..20), probe in 0i64..4000) {
            let map = MetreMap::new(changes.iter().map(|&(tick, m)| (Tick(tick), m)));
            let bars: Vec<_> = map.bars(Tick(4000)).collect();
            prop_assert_eq!(bars[0].start, Tick::ZERO);
            for pair in bars.windows(2) {
                prop_assert_eq!(pair[0].end(), pair[1].start);
                prop_assert_eq!(pair[0].index + 1, pair[1].index);
                prop_assert!(pair[0].length >= Tick(1) && pair[0].length <= pair[0].metre.bar_length());
            }
            let found = map.bar_at(Tick(probe));
            prop_assert!(found.start <= Tick(probe) && Tick(probe) < found.end());
            prop_assert_eq!(map.bar(found.index), found);
            for &(tick, _) in &changes {
                prop_assert_eq!(map.bar_line_from(Tick(tick)), Tick(tick));
            }
        }

        #[test]
        fn slice_has_the_same_bar_lines(changes in prop::collection::vec((0i64..3000, any_metre()), 0..20), from in 0i64..3500) {
            let map = MetreMap::new(changes.iter().map(|&(tick, m)| (Tick(tick), m)));
            let slice = map.slice_from(Tick(from));
            let first = map.bar_at(Tick(from)).index;
            for index in 0..10 {
                let (of_slice, of_map) = (slice.bar(index), map.bar(first + index));
                prop_assert_eq!(of_slice.end() + Tick(from), of_map.end());
                prop_assert_eq!(of_slice.metre, of_map.metre);
            }
        }
    }
}
