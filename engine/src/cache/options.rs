//! Memory limit of a cache, and what it retains for its policy.

use super::{PagePolicy, Reads, Rest};

/// Default memory limit of one cache, in bytes.
pub const DEFAULT_BYTES: usize = 32 << 20;

/// Memory limit, and what to do with unreachable pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// Limit in bytes for buffer, pages and summaries together. Where bars have too many rows for it, fewer of them are attended to row by row. A
    /// policy with unbounded reach has unbounded memory.
    pub bytes: usize,
    /// What to do with pages that no later bar attends to.
    pub forget: Forget,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { bytes: DEFAULT_BYTES, forget: Forget::Unreachable }
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

/// What a policy needs of finished bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keep {
    /// Whether each bar's summary row is computed and stored.
    pub(super) summaries: bool,
    /// What is stored of the rows besides their pages.
    pub(super) reads: Reads,
    /// How many bars back pages are kept; `None`: all.
    pub(super) reach: Option<u32>,
}

impl Keep {
    /// What a policy needs.
    pub(super) fn needed_by(policy: &dyn PagePolicy) -> Self {
        Self { summaries: policy.rest() == Rest::Summaries, reads: policy.reads(), reach: policy.reach() }
    }
}
