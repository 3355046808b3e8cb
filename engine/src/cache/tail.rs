//! Latest bars of a cache, taken out to be put back once it is again what it was before them.

use super::{Cache, RewindTooFar, page::Page, past::Finished};

/// Latest finished bars of a cache, from one on: their pages and summaries.
#[derive(Debug)]
pub struct Tail {
    first: u32,
    bars: Vec<Finished>,
    /// Empty if the cache has no summaries.
    summaries: Vec<Page>,
}

impl Tail {
    /// Index of its first bar.
    #[must_use]
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// Size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bars.iter().map(Finished::bytes).sum::<usize>() + self.summaries.iter().map(Page::bytes).sum::<usize>()
    }
}

impl Cache {
    /// Whether so many bytes more are within its limit.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.bytes() + bytes <= self.limit
    }

    /// Takes out a finished bar and all later ones, with the rows of an open one; that bar comes next.
    ///
    /// # Errors
    /// [`RewindTooFar`] if pages that it attends to may be gone, or beside a gap; nothing has changed then.
    pub fn split_off(&mut self, bar: u32) -> Result<Tail, RewindTooFar> {
        if self.gap.is_some() || bar > self.bar() {
            return Err(RewindTooFar { bar, oldest: self.bar() });
        }
        if bar < self.bar() {
            self.check_reopened(bar)?;
        }
        let kept = if self.summarises() { bar..self.bar() } else { 0..0 };
        let summaries = kept.map(|bar| self.summaries.get(self.layout, bar)).collect();
        self.open.filled = self.open.start;
        self.open.queries.clear();
        self.open.in_buffer = None;
        Ok(Tail { first: bar, bars: self.past.split_off(bar), summaries })
    }

    /// Puts back what was taken out. The next bar is its first, and the bars before it are those that were there then.
    pub fn put_back(&mut self, tail: Tail) {
        debug_assert_eq!(tail.first, self.bar(), "the tail follows on the last bar");
        for (bar, summary) in (tail.first..).zip(&tail.summaries) {
            self.summaries.store(self.layout, bar, summary);
        }
        tail.bars.into_iter().for_each(|bar| self.past.push(bar));
        self.open.in_buffer = None;
    }
}
