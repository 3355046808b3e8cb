//! Counts of the pages of an instance's cache: kept for a bar that has ended, and read.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::PageStats;

/// Counts, written by the workers and read by the instance.
#[derive(Debug, Default)]
pub(super) struct PageCounts {
    kept: AtomicU64,
    read: AtomicU64,
}

impl PageCounts {
    /// The counts so far.
    pub(super) fn read(&self) -> PageStats {
        PageStats { kept: self.kept.load(Ordering::Relaxed), read: self.read.load(Ordering::Relaxed), ..PageStats::default() }
    }

    /// Counts bars whose pages were in the cache when they ended.
    pub(super) fn add_kept(&self, bars: u32) {
        self.kept.fetch_add(bars.into(), Ordering::Relaxed);
    }

    /// Counts a bar that was read.
    pub(super) fn add_read(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }
}
