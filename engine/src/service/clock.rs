//! Clock of a pool.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::Deadline;

/// Clock of a pool.
#[derive(Debug)]
pub(super) enum PoolClock {
    /// Runs with the system's, from this time on.
    Running(Instant),
    /// Stands at these nanoseconds until it is set.
    Set(AtomicU64),
}

impl PoolClock {
    /// Current time.
    pub(super) fn now(&self) -> Deadline {
        match self {
            Self::Running(origin) => Deadline(0) + origin.elapsed(),
            Self::Set(now) => Deadline(now.load(Ordering::Relaxed)),
        }
    }

    /// Sets a clock that stands; one that runs is left alone.
    pub(super) fn set(&self, now: Deadline) {
        if let Self::Set(time) = self {
            time.store(now.0, Ordering::Relaxed);
        }
    }
}
