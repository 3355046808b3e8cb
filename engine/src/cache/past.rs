//! Finished bars in order, except those on the far side of a gap: which are still held, and which can be reopened.

use std::collections::VecDeque;

use super::{
    Layout, REWIND_BARS, count, offset,
    page::Page,
    vectors::{mean, share},
};

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

/// The finished bars that have not been dropped.
#[derive(Debug, Default)]
pub(super) struct Past {
    bars: VecDeque<Finished>,
    /// Index of the first of `bars`.
    oldest: u32,
    /// Oldest bar that can be reopened: no page that it or a later bar attends to has been dropped.
    floor: u32,
}

impl Past {
    /// Index of the oldest bar held.
    pub(super) fn oldest(&self) -> u32 {
        self.oldest
    }

    /// Oldest bar whose pages in reach are all held.
    pub(super) fn floor(&self) -> u32 {
        self.floor
    }

    /// Index of the bar after the last.
    pub(super) fn end(&self) -> u32 {
        self.oldest + count(self.bars.len())
    }

    /// Size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bars.iter().map(Finished::bytes).sum()
    }

    /// A bar that is held.
    pub(super) fn get(&self, bar: u32) -> &Finished {
        &self.bars[offset(self.oldest, bar)]
    }

    pub(super) fn push(&mut self, bar: Finished) {
        self.bars.push_back(bar);
    }

    /// Removes a bar and all later ones, which are held, and gives them; none if it is the next.
    pub(super) fn split_off(&mut self, bar: u32) -> Vec<Finished> {
        self.bars.split_off(offset(self.oldest, bar)).into()
    }

    /// Removes a bar that is held and all later ones, and gives the first of them.
    pub(super) fn reopen(&mut self, bar: u32) -> Finished {
        self.bars.drain(offset(self.oldest, bar)..).next().unwrap_or_default()
    }

    /// Drops bars beyond `reach`, in bars and in `fine_rows`, of the oldest bar that stays open to rollback.
    pub(super) fn forget(&mut self, reach: u32, fine_rows: usize) {
        let mut floor = self.end();
        let mut rows = 0;
        for bar in self.bars.iter().rev().take(usize::try_from(REWIND_BARS).unwrap_or(usize::MAX)) {
            rows += bar.page.rows();
            if rows > fine_rows / 2 {
                break;
            }
            floor -= 1;
        }
        let mut rows: usize = self.bars.iter().take(offset(self.oldest, floor)).map(|bar| bar.page.rows()).sum();
        while self.oldest < floor && (floor - self.oldest > reach || rows > fine_rows) {
            rows -= self.bars.pop_front().map_or(0, |bar| bar.page.rows());
            self.oldest += 1;
            self.floor = floor;
        }
    }
}

impl FromIterator<Finished> for Past {
    /// Bars from index 0 on.
    fn from_iter<I: IntoIterator<Item = Finished>>(bars: I) -> Self {
        Self { bars: bars.into_iter().collect(), ..Self::default() }
    }
}
