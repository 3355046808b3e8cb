//! Counts of the bars that join an instance's contexts: generated bars whose pages are kept, and bars that are read.

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
        PageStats { kept: self.kept.load(Ordering::Relaxed), read: self.read.load(Ordering::Relaxed) }
    }

    /// Counts generated bars whose pages were kept.
    pub(super) fn add_kept(&self, bars: usize) {
        self.kept.fetch_add(u64::try_from(bars).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts a bar that was read.
    pub(super) fn add_read(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }
}
