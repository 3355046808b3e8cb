//! The past as a page policy sees it at a bar line.

use std::{collections::VecDeque, ops::Range};

use super::{Layout, gap::Gap, page::Page};
use crate::{codec::Position, model::Rotary};

/// A finished bar.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) page: Page,
    /// Mean keys of its rows, layer after layer; empty where no policy reads them.
    pub(super) mean_keys: Vec<f32>,
    /// The queries of its rows: row after row, layer after layer. Empty where no policy reads them.
    pub(super) queries: Vec<f32>,
}

impl Finished {
    /// Bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.page.bytes() + size_of::<f32>() * (self.mean_keys.capacity() + self.queries.capacity())
    }

    /// The mean of a page's keys in every layer.
    pub(super) fn mean_keys(layout: Layout, page: &Page) -> Vec<f32> {
        let share = share(page.rows());
        let mut means = Vec::with_capacity(layout.layers * layout.width());
        for layer in 0..layout.layers {
            for head in page.plane(layout, 2 * layer).chunks_exact((page.rows() * layout.head_width).max(1)) {
                means.extend(mean(head.chunks_exact(layout.head_width), layout.head_width, share));
            }
        }
        means
    }
}

/// A bar line: the bar that begins there, and what the cache holds of those before it.
#[derive(Debug)]
pub struct BarLine<'a> {
    pub(super) bar: u32,
    /// The bars in reach on this side of a gap, and in it.
    pub(super) near: Range<u32>,
    /// The bar that stands first in `past`, not after the first of `near`.
    pub(super) oldest: u32,
    pub(super) past: &'a VecDeque<Finished>,
    /// The bars in reach on the far side of a gap.
    pub(super) far: Range<u32>,
    pub(super) gap: Option<&'a Gap>,
    pub(super) layout: Layout,
    pub(super) rotary: &'a Rotary,
}

impl BarLine<'_> {
    /// The bar that begins.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.bar
    }

    /// The bars in reach: those that can be seen row by row. In the order of the sequence, which is that of their numbers but where a gap is filled: there
    /// the bars on its far side come before those in it.
    pub fn earlier(&self) -> impl DoubleEndedIterator<Item = u32> + use<> {
        let Range { start, end } = self.near;
        let gap = self.gap.map_or(end, |gap| gap.first);
        (start..end.min(gap)).chain(self.far.clone()).chain(start.max(gap)..end)
    }

    /// The first bar in reach.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.near.start
    }

    /// The model's layers.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.layout.layers
    }

    /// Rows of a bar in reach.
    #[must_use]
    pub fn rows(&self, bar: u32) -> usize {
        self.finished(bar).page.rows()
    }

    /// The mean of the turned keys of a bar in reach, in one layer, head after head. For policies that read [`Keys`](super::Reads::Keys).
    #[must_use]
    pub fn mean_key(&self, bar: u32, layer: usize) -> &[f32] {
        &self.finished(bar).mean_keys[layer * self.layout.width()..][..self.layout.width()]
    }

    /// What the bar is taken to ask in one layer, head after head: the mean of the turned queries of the bar before it in the sequence, turned on by as many
    /// bars as lie between the two. Zeros if there is none. For policies that read [`Queries`](super::Reads::Queries).
    #[must_use]
    pub fn query(&self, layer: usize) -> Vec<f32> {
        let width = self.layout.width();
        let Some(last) = self.earlier().next_back() else { return vec![0.0; width] };
        let rows = self.finished(last).queries.chunks_exact(self.layout.layers * width);
        let share = share(rows.len());
        self.turned(mean(rows.map(|row| &row[layer * width..][..width]), width, share), i64::from(self.bar) - i64::from(last))
    }

    /// What each bar in reach is like, wherever it stands: the mean of its keys in the lowest layer, which know of nothing but the bar's own rows, turned
    /// back by the bar's number; less the mean of all. For policies that read [`Keys`](super::Reads::Keys).
    #[must_use]
    pub fn contents(&self) -> Vec<Vec<f32>> {
        let mut contents: Vec<Vec<f32>> = self.earlier().map(|bar| self.turned(self.mean_key(bar, 0).to_vec(), -i64::from(bar))).collect();
        let middle = mean(contents.iter().map(Vec::as_slice), self.layout.width(), share(contents.len()));
        contents.iter_mut().for_each(|content| content.iter_mut().zip(&middle).for_each(|(value, middle)| *value -= middle));
        contents
    }

    fn finished(&self, bar: u32) -> &Finished {
        finished(self.past, self.oldest, self.gap, bar)
    }

    /// Keys or queries of all heads, turned on by so many bars.
    fn turned(&self, mut heads: Vec<f32>, bars: i64) -> Vec<f32> {
        let pairs = self.rotary.pairs();
        let (mut cos, mut sin) = (vec![0.0; pairs], vec![0.0; pairs]);
        self.rotary.turn(Position { bar: bars, tick: 0, index: 0 }, &mut cos, &mut sin);
        for head in heads.chunks_exact_mut(self.layout.head_width) {
            let (a, b) = head.split_at_mut(pairs);
            for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(&cos).zip(&sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
        heads
    }
}

/// A bar, on whichever side of the gap it lies; `oldest` is the first of `past`.
pub(super) fn finished<'a>(past: &'a VecDeque<Finished>, oldest: u32, gap: Option<&'a Gap>, bar: u32) -> &'a Finished {
    match gap {
        Some(gap) if bar >= gap.far => &gap.beyond[super::offset(gap.far, bar)],
        _ => &past[super::offset(oldest, bar)],
    }
}

/// One of `count`, 0 of none.
fn share(count: usize) -> f32 {
    u16::try_from(count).ok().filter(|&count| count > 0).map_or(0.0, |count| 1.0 / f32::from(count))
}

fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>, width: usize, share: f32) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    vectors.for_each(|vector| sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value));
    sum.iter_mut().for_each(|sum| *sum *= share);
    sum
}

/// The product of two vectors.
pub(super) fn dot(one: &[f32], other: &[f32]) -> f32 {
    sum_of(one, other, |a, b| a * b)
}

/// The squared distance of two points.
pub(super) fn distance(one: &[f32], other: &[f32]) -> f32 {
    sum_of(one, other, |a, b| (a - b) * (a - b))
}

/// Eight sums side by side, because a single one would wait for each addition.
fn sum_of(one: &[f32], other: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; 8];
    for (one, other) in one.chunks(8).zip(other.chunks(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(one).zip(other) {
            *sum += term(*a, *b);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { layers: Past::LAYERS, heads: 2, head_width: 8 };

    /// Invented bars.
    pub(crate) struct Past {
        bars: VecDeque<Finished>,
        rotary: Rotary,
    }

    impl Past {
        pub(crate) const LAYERS: usize = 2;

        /// The line after all of them, with the bars from `first` on in reach.
        pub(crate) fn line(&self, first: u32) -> BarLine<'_> {
            let bar = u32::try_from(self.bars.len()).unwrap();
            BarLine { bar, near: first..bar, oldest: 0, past: &self.bars, far: 0..0, gap: None, layout: LAYOUT, rotary: &self.rotary }
        }

        /// Rows of each bar.
        pub(crate) fn rows(&self) -> Vec<usize> {
            self.bars.iter().map(|bar| bar.page.rows()).collect()
        }

        /// Bars of two rows whose content is that of their kind, each at its place.
        pub(crate) fn of_kinds(kinds: &[u64]) -> Self {
            let mut past = past(0, 0);
            for (bar, kind) in (0..).zip(kinds) {
                let mut dice = Dice(1000 * (kind + 1));
                let content: Vec<f32> = (0..LAYOUT.width()).map(|_| dice.roll()).collect();
                let mut finished = finished(&mut dice, 2);
                let turned = past.line(0).turned(content, bar);
                finished.mean_keys[..LAYOUT.width()].copy_from_slice(&turned);
                past.bars.push_back(finished);
            }
            past
        }
    }

    /// Numbers from -1 to 1 (SplitMix64: Steele, Lea and Flood 2014).
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self) -> f32 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            f32::from(i16::from_ne_bytes([z.to_ne_bytes()[2], z.to_ne_bytes()[3]])) / 32768.0
        }
    }

    fn finished(dice: &mut Dice, rows: usize) -> Finished {
        let mut page = Page::new(LAYOUT, rows);
        for plane in 0..LAYOUT.planes() {
            page.plane_mut(LAYOUT, plane).iter_mut().for_each(|value| *value = dice.roll());
        }
        let queries = (0..rows * LAYOUT.layers * LAYOUT.width()).map(|_| dice.roll()).collect();
        Finished { mean_keys: Finished::mean_keys(LAYOUT, &page), page, queries }
    }

    /// `bars` bars of one to nine rows.
    pub(crate) fn past(seed: u64, bars: u32) -> Past {
        let mut dice = Dice(seed);
        let bars = (0..bars).map(|_| {
            let rows = 1 + (0..8).filter(|_| dice.roll() > 0.0).count();
            finished(&mut dice, rows)
        });
        Past { bars: bars.collect(), rotary: Rotary { bar: vec![1.0, 0.1], tick: vec![0.5], index: vec![0.25] } }
    }

    #[test]
    fn means_are_over_the_rows_of_a_bar() {
        let past = past(3, 4);
        let line = past.line(0);
        for (bar, finished) in (0..).zip(&past.bars) {
            let rows = finished.page.rows();
            for layer in 0..2 {
                let keys = finished.page.plane(LAYOUT, 2 * layer);
                for head in 0..2 {
                    for place in 0..8 {
                        let sum: f32 = (0..rows).map(|row| keys[(head * rows + row) * 8 + place]).sum();
                        let mean = line.mean_key(bar, layer)[8 * head + place];
                        assert!((mean - sum / share(rows).recip()).abs() < 1e-6);
                    }
                }
            }
        }
    }

    #[test]
    fn a_query_is_turned_on_to_the_bar_that_begins() {
        let past = past(4, 6);
        let line = past.line(2);
        let rows: Vec<&[f32]> = past.bars[5].queries.chunks_exact(32).collect();
        let count = share(rows.len()).recip();
        // Layer 1, head 1, pair 0, which turns by one radian a bar; then pair 2, which does not turn with bars.
        let [a, b, c, d] = [24, 28, 26, 30].map(|place| rows.iter().map(|row| row[place]).sum::<f32>() / count);
        let query = line.query(1);
        let (sin, cos) = 1.0_f32.sin_cos();
        for (found, expected) in [(query[8], a * cos - b * sin), (query[12], b * cos + a * sin), (query[10], c), (query[14], d)] {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
        assert_eq!(past.line(6).query(0), [0.0; 16]);
    }

    #[test]
    fn equal_bars_have_equal_contents_wherever_they_stand() {
        let contents = Past::of_kinds(&[0, 1, 0, 2, 2, 1]).line(0).contents();
        for (one, other, equal) in [(0, 2, true), (3, 4, true), (1, 5, true), (0, 1, false), (0, 3, false)] {
            assert_eq!(distance(&contents[one], &contents[other]) < 1e-9, equal, "{one} and {other}");
        }
    }

    #[test]
    fn sums_take_every_place() {
        let one: Vec<f32> = (0_u8..19).map(f32::from).collect();
        let other = vec![2.0; 19];
        assert!((dot(&one, &other) - 342.0).abs() < 1e-3);
        assert!((distance(&one, &other) - (2109.0 - 4.0 * 171.0 + 76.0)).abs() < 1e-3);
    }
}
