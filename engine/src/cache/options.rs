//! How a cache keeps its memory bounded, and what it keeps.

use super::{PagePolicy, Reads, Rest};

/// Memory of one cache unless told otherwise.
pub const DEFAULT_BYTES: usize = 32 << 20;

/// How a cache keeps its memory bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// What buffer, pages and summaries may take together. Where bars are so full that it would not do, fewer of them are seen row by row. A policy
    /// without a bound on its reach has no bound on its memory either.
    pub bytes: usize,
    /// What to do with pages that no later bar sees.
    pub forget: Forget,
    /// What to keep beside what the first policy needs: for those it will be changed to.
    pub keep: Keep,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { bytes: DEFAULT_BYTES, forget: Forget::Unreachable, keep: Keep::NOTHING }
    }
}

/// What becomes of pages that no later bar sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    /// They are dropped.
    Unreachable,
    /// They are kept: to show that dropping them changes nothing.
    Nothing,
}

/// What is kept of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Whether each bar's summary row is run and stored.
    pub summaries: bool,
    /// What is written down of the rows beside their pages.
    pub reads: Reads,
    /// How many bars back pages are kept; `None` if all are.
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

    /// What serves both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            summaries: self.summaries || other.summaries,
            reads: self.reads.max(other.reads),
            reach: self.reach.zip(other.reach).map(|(one, other)| one.max(other)),
        }
    }

    /// Whether this is enough for what `other` says.
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
    fn what_is_kept_serves_every_policy_it_is_kept_for() {
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
