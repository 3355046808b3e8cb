//! Memory limit of a cache, and what it retains.

use super::{PagePolicy, Reads, Rest};

/// Default memory limit of one cache, in bytes.
pub const DEFAULT_BYTES: usize = 32 << 20;

/// Memory limit, and what to retain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// Limit in bytes for buffer, pages and summaries together. Where bars have too many rows for it, fewer of them are attended to row by row. A
    /// policy with unbounded reach has unbounded memory.
    pub bytes: usize,
    /// What to do with pages that no later bar attends to.
    pub forget: Forget,
    /// What to retain beyond the needs of the first policy: for policies set later ([`Cache::set_policy`](super::Cache::set_policy)).
    pub keep: Keep,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { bytes: DEFAULT_BYTES, forget: Forget::Unreachable, keep: Keep::NOTHING }
    }
}

/// What to do with pages that no later bar attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// Drop them.
    Unreachable,
    /// Keep them. For tests: dropping them must change nothing.
    Nothing,
}

/// What is retained of finished bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Whether each bar's summary row is computed and stored.
    pub summaries: bool,
    /// What is stored of the rows besides their pages.
    pub reads: Reads,
    /// How many bars back pages are kept; `None`: all.
    pub reach: Option<u32>,
}

impl Keep {
    /// Nothing.
    pub const NOTHING: Self = Self { summaries: false, reads: Reads::Lengths, reach: Some(0) };

    /// What a policy needs.
    #[must_use]
    pub fn needed_by(policy: &dyn PagePolicy) -> Self {
        Self { summaries: policy.rest() == Rest::Summaries, reads: policy.reads(), reach: policy.reach() }
    }

    /// Union: what satisfies both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            summaries: self.summaries || other.summaries,
            reads: self.reads.max(other.reads),
            reach: self.reach.zip(other.reach).map(|(one, other)| one.max(other)),
        }
    }

    /// Whether this includes all of `other`.
    ///
    /// ```
    /// use antiphon_engine::cache::{Dense, Keep, SlidingWindow, SummariesOnly};
    ///
    /// let dense = Keep::needed_by(&Dense);
    /// assert!(dense.covers(Keep::needed_by(&SlidingWindow { bars: 4 })));
    /// // Dense attention keeps every page and computes no summaries.
    /// assert!(!dense.covers(Keep::needed_by(&SummariesOnly)));
    /// ```
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.and(other) == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::policy;

    #[test]
    fn union_of_needs_covers_each_of_them() {
        let need = |name: &str| Keep::needed_by(&*policy(name, &[1, 32]).unwrap());
        let names = ["fine_coarse", "summaries", "window:4", "strided:8", "fixed:8,1", "topk:8", "lsh:16", "kmeans:8", "dense"];
        for one in names {
            assert!(need(one).covers(Keep::NOTHING) && need(one).covers(need(one)));
            for other in names {
                let both = need(one).and(need(other));
                assert!(both.covers(need(one)) && both.covers(need(other)), "{one} and {other}");
            }
        }
        assert!(need("fine_coarse").covers(need("summaries")));
        assert!(need("dense").covers(need("strided:8")));
        assert!(!need("strided:8").covers(need("dense")));
        assert!(!need("dense").covers(need("summaries")));
        assert!(!need("strided:8").covers(need("topk:8")));
        assert!(!need("window:4").covers(need("window:5")));
    }
}
