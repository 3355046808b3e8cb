//! Deadlines of jobs.

use std::ops::Add;
use std::time::Duration;

/// Time on the clock of a [`Service`](super::Service), in nanoseconds since the pool was started.
///
/// ```
/// use std::time::Duration;
/// use antiphon_engine::service::Deadline;
///
/// assert_eq!(Deadline(5) + Duration::from_millis(3), Deadline(3_000_005));
/// // A sum that does not fit is due at no time. It does not wrap around to a deadline that has passed.
/// assert_eq!(Deadline(5) + Duration::MAX, Deadline::WHENEVER);
/// assert_eq!(Deadline::WHENEVER + Duration::from_nanos(1), Deadline::WHENEVER);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(pub u64);

impl Deadline {
    /// Due at no time: done when nothing that is due is waiting.
    pub const WHENEVER: Self = Self(u64::MAX - 1);

    /// Done when nothing else is waiting, not even what is due [`WHENEVER`](Self::WHENEVER).
    pub const LAST: Self = Self(u64::MAX);
}

impl Add<Duration> for Deadline {
    type Output = Self;

    /// This much later. A time beyond 584 years is due [`WHENEVER`](Self::WHENEVER).
    fn add(self, later: Duration) -> Self {
        u64::try_from(later.as_nanos())
            .ok()
            .and_then(|nanoseconds| self.0.checked_add(nanoseconds))
            .map_or(Self::WHENEVER, |sum| Self(sum).min(Self::WHENEVER))
    }
}
