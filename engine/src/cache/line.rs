//! What a page policy can read at a bar line: the finished bars, their lengths, keys and queries.

use std::ops::Range;

use super::{
    Layout,
    gap::Gap,
    past::{Finished, Past},
    vectors::{mean, share},
};
use crate::{codec::Position, model::Rotary};

/// A bar line: the bar that begins there, and what the cache holds of the bars before it.
#[derive(Debug)]
pub struct BarLine<'a> {
    pub(super) bar: u32,
    /// Bars in reach, except those on the far side of a gap.
    pub(super) near: Range<u32>,
    pub(super) past: &'a Past,
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
        finished(self.past, self.gap, bar)
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

/// A finished bar on either side of the gap.
pub(super) fn finished<'a>(past: &'a Past, gap: Option<&'a Gap>, bar: u32) -> &'a Finished {
    match gap {
        Some(gap) if bar >= gap.far => &gap.beyond[super::offset(gap.far, bar)],
        _ => past.get(bar),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{
        super::{page::Page, vectors::distance},
        *,
    };

    const LAYOUT: Layout = Layout { layers: TestBars::LAYERS, heads: 2, head_width: 8 };

    /// Random bars.
    pub(crate) struct TestBars {
        past: Past,
        rotary: Rotary,
    }

    impl TestBars {
        pub(crate) const LAYERS: usize = 2;

        /// The bar line after all of them, with the bars from `first` on in reach.
        pub(crate) fn line(&self, first: u32) -> BarLine<'_> {
            let bar = self.past.end();
            BarLine { bar, near: first..bar, past: &self.past, far: 0..0, gap: None, layout: LAYOUT, rotary: &self.rotary }
        }

        /// Number of rows of each bar.
        pub(crate) fn rows(&self) -> Vec<usize> {
            (0..self.past.end()).map(|bar| self.past.get(bar).page.rows()).collect()
        }

        /// Bars of two rows; bars of one kind have equal contents, at different positions.
        pub(crate) fn of_kinds(kinds: &[u64]) -> Self {
            let mut bars = past(0, 0);
            for (bar, kind) in (0..).zip(kinds) {
                let mut random = Random(1000 * (kind + 1));
                let content: Vec<f32> = (0..LAYOUT.width()).map(|_| random.next()).collect();
                let mut finished = finished(&mut random, 2);
                let rotated = bars.line(0).rotated(content, bar);
                finished.mean_keys[..LAYOUT.width()].copy_from_slice(&rotated);
                bars.past.push(finished);
            }
            bars
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
        TestBars { past: bars.collect(), rotary: Rotary { bar: vec![1.0, 0.1], tick: vec![0.5], index: vec![0.25] } }
    }

    #[test]
    fn mean_key_is_over_the_rows_of_a_bar() {
        let past = past(3, 4);
        let line = past.line(0);
        for bar in 0..4 {
            let finished = past.past.get(bar);
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
        let rows: Vec<&[f32]> = past.past.get(5).queries.chunks_exact(32).collect();
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
}
