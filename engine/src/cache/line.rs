//! What a page policy can read at a bar line: the finished bars, their lengths, keys and queries.

use std::{collections::VecDeque, ops::Range};

use super::{Layout, gap::Gap, page::Page};
use crate::{codec::Position, model::Rotary};

/// A finished bar.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) page: Page,
    /// Mean K over its rows, by layer; empty if no policy reads it.
    pub(super) mean_keys: Vec<f32>,
    /// Q of its rows, by row, then by layer; empty if no policy reads it.
    pub(super) queries: Vec<f32>,
}

impl Finished {
    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.page.bytes() + size_of::<f32>() * (self.mean_keys.capacity() + self.queries.capacity())
    }

    /// Mean K of a page in every layer.
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

/// A bar line: the bar that begins there, and what the cache holds of the bars before it.
#[derive(Debug)]
pub struct BarLine<'a> {
    pub(super) bar: u32,
    /// Bars in reach, except those on the far side of a gap.
    pub(super) near: Range<u32>,
    /// Index of the first bar of `past`; at most the start of `near`.
    pub(super) oldest: u32,
    pub(super) past: &'a VecDeque<Finished>,
    /// Bars in reach on the far side of a gap.
    pub(super) far: Range<u32>,
    pub(super) gap: Option<&'a Gap>,
    pub(super) layout: Layout,
    pub(super) rotary: &'a Rotary,
}

impl BarLine<'_> {
    /// Index of the bar that begins.
    #[must_use]
    pub fn bar(&self) -> u32 {
        self.bar
    }

    /// Bars in reach, which can be attended to row by row, in sequence order. That is bar order, except while a gap is filled: then the far side
    /// precedes the bars of the gap.
    pub fn earlier(&self) -> impl DoubleEndedIterator<Item = u32> + use<> {
        let Range { start, end } = self.near;
        let gap = self.gap.map_or(end, |gap| gap.first);
        (start..end.min(gap)).chain(self.far.clone()).chain(start.max(gap)..end)
    }

    /// First bar in reach.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.near.start
    }

    /// Number of layers.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.layout.layers
    }

    /// Number of rows of a bar in reach.
    #[must_use]
    pub fn rows(&self, bar: u32) -> usize {
        self.finished(bar).page.rows()
    }

    /// Mean of the rotated keys of a bar in reach, in one layer, by head. For policies that read [`Keys`](super::Reads::Keys).
    #[must_use]
    pub fn mean_key(&self, bar: u32, layer: usize) -> &[f32] {
        &self.finished(bar).mean_keys[layer * self.layout.width()..][..self.layout.width()]
    }

    /// Estimate of the new bar's mean query in one layer, by head: the mean of the rotated queries of the bar before it in the sequence, rotated on
    /// by the distance in bars between the two. Zeros if there is no such bar. For policies that read [`Queries`](super::Reads::Queries).
    #[must_use]
    pub fn query(&self, layer: usize) -> Vec<f32> {
        let width = self.layout.width();
        let Some(last) = self.earlier().next_back() else { return vec![0.0; width] };
        let rows = self.finished(last).queries.chunks_exact(self.layout.layers * width);
        let share = share(rows.len());
        self.rotated(mean(rows.map(|row| &row[layer * width..][..width]), width, share), i64::from(self.bar) - i64::from(last))
    }

    /// Content vector of each bar in reach, independent of its position: the mean of its layer 0 keys, which depend on the bar's own rows only,
    /// rotated back by the bar index; less the mean over all bars. For policies that read [`Keys`](super::Reads::Keys).
    #[must_use]
    pub fn contents(&self) -> Vec<Vec<f32>> {
        let mut contents: Vec<Vec<f32>> = self.earlier().map(|bar| self.rotated(self.mean_key(bar, 0).to_vec(), -i64::from(bar))).collect();
        let middle = mean(contents.iter().map(Vec::as_slice), self.layout.width(), share(contents.len()));
        contents.iter_mut().for_each(|content| content.iter_mut().zip(&middle).for_each(|(value, middle)| *value -= middle));
        contents
    }

    fn finished(&self, bar: u32) -> &Finished {
        finished(self.past, self.oldest, self.gap, bar)
    }

    /// Keys or queries of all heads, rotated on by a number of bars.
    fn rotated(&self, mut heads: Vec<f32>, bars: i64) -> Vec<f32> {
        let pairs = self.rotary.pairs();
        let (mut cos, mut sin) = (vec![0.0; pairs], vec![0.0; pairs]);
        self.rotary.cos_sin(Position { bar: bars, tick: 0, index: 0 }, &mut cos, &mut sin);
        for head in heads.chunks_exact_mut(self.layout.head_width) {
            let (a, b) = head.split_at_mut(pairs);
            for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(&cos).zip(&sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
        heads
    }
}

/// A finished bar on either side of the gap; `oldest` is the index of the first of `past`.
pub(super) fn finished<'a>(past: &'a VecDeque<Finished>, oldest: u32, gap: Option<&'a Gap>, bar: u32) -> &'a Finished {
    match gap {
        Some(gap) if bar >= gap.far => &gap.beyond[super::offset(gap.far, bar)],
        _ => &past[super::offset(oldest, bar)],
    }
}

/// `1 / count`; 0 if `count` is 0.
fn share(count: usize) -> f32 {
    u16::try_from(count).ok().filter(|&count| count > 0).map_or(0.0, |count| 1.0 / f32::from(count))
}

fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>, width: usize, share: f32) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    vectors.for_each(|vector| sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value));
    sum.iter_mut().for_each(|sum| *sum *= share);
    sum
}

/// Dot product.
pub(super) fn dot(one: &[f32], other: &[f32]) -> f32 {
    sum_of(one, other, |a, b| a * b)
}

/// Squared Euclidean distance.
pub(super) fn distance(one: &[f32], other: &[f32]) -> f32 {
    sum_of(one, other, |a, b| (a - b) * (a - b))
}

/// Sum over pairs in eight independent accumulators, so that additions do not wait for each other.
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

    const LAYOUT: Layout = Layout { layers: TestBars::LAYERS, heads: 2, head_width: 8 };

    /// Random bars.
    pub(crate) struct TestBars {
        bars: VecDeque<Finished>,
        rotary: Rotary,
    }

    impl TestBars {
        pub(crate) const LAYERS: usize = 2;

        /// The bar line after all of them, with the bars from `first` on in reach.
        pub(crate) fn line(&self, first: u32) -> BarLine<'_> {
            let bar = u32::try_from(self.bars.len()).unwrap();
            BarLine { bar, near: first..bar, oldest: 0, past: &self.bars, far: 0..0, gap: None, layout: LAYOUT, rotary: &self.rotary }
        }

        /// Number of rows of each bar.
        pub(crate) fn rows(&self) -> Vec<usize> {
            self.bars.iter().map(|bar| bar.page.rows()).collect()
        }

        /// Bars of two rows; bars of one kind have equal contents, at different positions.
        pub(crate) fn of_kinds(kinds: &[u64]) -> Self {
            let mut past = past(0, 0);
            for (bar, kind) in (0..).zip(kinds) {
                let mut random = Random(1000 * (kind + 1));
                let content: Vec<f32> = (0..LAYOUT.width()).map(|_| random.next()).collect();
                let mut finished = finished(&mut random, 2);
                let rotated = past.line(0).rotated(content, bar);
                finished.mean_keys[..LAYOUT.width()].copy_from_slice(&rotated);
                past.bars.push_back(finished);
            }
            past
        }
    }

    /// Random numbers from -1 to 1 (SplitMix64: Steele, Lea and Flood 2014).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            f32::from(i16::from_ne_bytes([z.to_ne_bytes()[2], z.to_ne_bytes()[3]])) / 32768.0
        }
    }

    fn finished(random: &mut Random, rows: usize) -> Finished {
        let mut page = Page::new(LAYOUT, rows);
        for plane in 0..LAYOUT.planes() {
            page.plane_mut(LAYOUT, plane).iter_mut().for_each(|value| *value = random.next());
        }
        let queries = (0..rows * LAYOUT.layers * LAYOUT.width()).map(|_| random.next()).collect();
        Finished { mean_keys: Finished::mean_keys(LAYOUT, &page), page, queries }
    }

    /// `bars` bars of one to nine rows.
    pub(crate) fn past(seed: u64, bars: u32) -> TestBars {
        let mut random = Random(seed);
        let bars = (0..bars).map(|_| {
            let rows = 1 + (0..8).filter(|_| random.next() > 0.0).count();
            finished(&mut random, rows)
        });
        TestBars { bars: bars.collect(), rotary: Rotary { bar: vec![1.0, 0.1], tick: vec![0.5], index: vec![0.25] } }
    }

    #[test]
    fn mean_key_is_over_the_rows_of_a_bar() {
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
    fn query_is_rotated_on_to_the_bar_that_begins() {
        let past = past(4, 6);
        let line = past.line(2);
        let rows: Vec<&[f32]> = past.bars[5].queries.chunks_exact(32).collect();
        let count = share(rows.len()).recip();
        // Layer 1, head 1: pair 0 rotates by one radian per bar, pair 2 does not rotate with bars.
        let [a, b, c, d] = [24, 28, 26, 30].map(|place| rows.iter().map(|row| row[place]).sum::<f32>() / count);
        let query = line.query(1);
        let (sin, cos) = 1.0_f32.sin_cos();
        for (found, expected) in [(query[8], a * cos - b * sin), (query[12], b * cos + a * sin), (query[10], c), (query[14], d)] {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
        assert_eq!(past.line(6).query(0), [0.0; 16]);
    }

    #[test]
    fn equal_bars_have_equal_contents_at_any_position() {
        let contents = TestBars::of_kinds(&[0, 1, 0, 2, 2, 1]).line(0).contents();
        for (one, other, equal) in [(0, 2, true), (3, 4, true), (1, 5, true), (0, 1, false), (0, 3, false)] {
            assert_eq!(distance(&contents[one], &contents[other]) < 1e-9, equal, "{one} and {other}");
        }
    }

    #[test]
    fn dot_and_distance_include_every_element() {
        let one: Vec<f32> = (0_u8..19).map(f32::from).collect();
        let other = vec![2.0; 19];
        assert!((dot(&one, &other) - 342.0).abs() < 1e-3);
        assert!((distance(&one, &other) - (2109.0 - 4.0 * 171.0 + 76.0)).abs() < 1e-3);
    }
}
