//! What deadlines are measured against.

use std::ops::Add;
use std::time::{Duration, Instant};

/// A moment on the service's [`Clock`]: nanoseconds since the clock's own zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(pub u64);

impl Deadline {
    /// Due at no time: done when nothing else is waiting, never late.
    pub const WHENEVER: Self = Self(u64::MAX);
}

impl Add<Duration> for Deadline {
    type Output = Self;

    /// The moment this much later. What lies beyond 584 years is due [`WHENEVER`](Self::WHENEVER).
    fn add(self, later: Duration) -> Self {
        u64::try_from(later.as_nanos()).ok().and_then(|nanoseconds| self.0.checked_add(nanoseconds)).map_or(Self::WHENEVER, Self)
    }
}

/// A clock that never runs backwards.
pub trait Clock: Send + Sync {
    /// The moment it is.
    fn now(&self) -> Deadline;
}

/// The operating system's monotonic clock; its zero is when it was made.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    origin: Instant,
}

impl SteadyClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SteadyClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Deadline {
        Deadline(0) + self.origin.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_count_nanoseconds_and_stay_below_whenever() {
        assert_eq!(Deadline(5) + Duration::from_millis(3), Deadline(3_000_005));
        assert_eq!(Deadline(5) + Duration::MAX, Deadline::WHENEVER);
        assert_eq!(Deadline::WHENEVER + Duration::from_nanos(1), Deadline::WHENEVER);
    }

    #[test]
    fn the_steady_clock_does_not_run_backwards() {
        let clock = SteadyClock::new();
        let moments: Vec<_> = (0..1000).map(|_| clock.now()).collect();
        assert!(moments.is_sorted());
    }
}
