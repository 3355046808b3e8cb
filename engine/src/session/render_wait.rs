//! Wait of an offline render for its session: atomics written by the session and read by the audio thread, without locks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Polling interval of the audio thread while it waits.
const LOOK: Duration = Duration::from_micros(100);

/// Progress of a session through the events of the audio thread.
#[derive(Debug, Default)]
pub struct RenderWait {
    /// Events handled since the instance was created.
    answered: AtomicU64,
    /// Whether no job is pending.
    idle: AtomicBool,
    /// Whether waiting is pointless: the engine is missing or broken, or the session has ended.
    lost: AtomicBool,
    /// Number of results that the engine has delivered.
    delivered: AtomicU64,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Every event sent has been handled, or waiting is pointless.
    Over,
    /// Timed out. `delivered` is the number of results at that time.
    GivenUp { delivered: u64 },
}

impl RenderWait {
    /// Publishes the number of events handled; `idle` if every request has been answered.
    pub(super) fn answer(&self, answered: u64, idle: bool) {
        self.idle.store(idle, Ordering::Relaxed);
        // Release: a reader that sees this count also sees `idle` as it was then, or later.
        self.answered.store(answered, Ordering::Release);
    }

    /// Sets whether waiting is pointless.
    pub(super) fn lose(&self, lost: bool) {
        self.lost.store(lost, Ordering::Release);
    }

    /// Counts a result of the engine.
    pub(super) fn deliver(&self) {
        self.delivered.fetch_add(1, Ordering::Release);
    }

    /// Waits until `sent` events are handled and no job is pending, for `patience` at most. After a timeout in `before` it does not wait again until
    /// the engine has delivered something. `poke` wakes the session.
    pub(super) fn wait(&self, sent: u64, patience: Duration, before: Wait, poke: impl Fn()) -> Wait {
        if before == (Wait::GivenUp { delivered: self.delivered.load(Ordering::Acquire) }) {
            return before;
        }
        let began = Instant::now();
        while !self.is_over(sent) {
            if began.elapsed() >= patience {
                return Wait::GivenUp { delivered: self.delivered.load(Ordering::Acquire) };
            }
            poke();
            thread::sleep(LOOK);
        }
        Wait::Over
    }

    fn is_over(&self, sent: u64) -> bool {
        self.lost.load(Ordering::Acquire) || (self.answered.load(Ordering::Acquire) >= sent && self.idle.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Longer than any test may take.
    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn wait_ends_when_all_events_are_handled_and_no_job_is_pending() {
        let render_wait = RenderWait::default();
        let pokes = Cell::new(0);
        let waited = render_wait.wait(3, LONG, Wait::Over, || {
            pokes.set(pokes.get() + 1);
            match pokes.get() {
                1 => render_wait.answer(2, true),
                2 => render_wait.answer(3, false),
                _ => render_wait.answer(3, true),
            }
        });
        assert_eq!((waited, pokes.get()), (Wait::Over, 3));
        assert_eq!(render_wait.wait(3, LONG, Wait::Over, || panic!("the wait is over")), Wait::Over);
    }

    #[test]
    fn wait_for_a_lost_engine_returns_at_once() {
        let render_wait = RenderWait::default();
        render_wait.lose(true);
        assert_eq!(render_wait.wait(1, LONG, Wait::Over, || panic!("a lost engine must not be waited for")), Wait::Over);
        render_wait.lose(false);
        assert_eq!(render_wait.wait(1, Duration::ZERO, Wait::Over, || ()), Wait::GivenUp { delivered: 0 });
    }

    #[test]
    fn wait_for_a_hanging_engine_times_out_only_once() {
        let render_wait = RenderWait::default();
        let first = render_wait.wait(1, Duration::ZERO, Wait::Over, || ());
        assert_eq!(first, Wait::GivenUp { delivered: 0 });
        render_wait.answer(1, false);
        assert_eq!(render_wait.wait(2, LONG, first, || panic!("a second wait must not poll")), first);
        render_wait.deliver();
        assert_eq!(render_wait.wait(2, LONG, first, || render_wait.answer(2, true)), Wait::Over);
    }
}
