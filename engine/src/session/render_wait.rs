//! How an offline render waits for its session: the audio thread reads, the session writes, nobody locks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often the audio thread looks while it waits.
const LOOK: Duration = Duration::from_micros(100);

/// How far a session has come with what the audio thread told it.
#[derive(Debug, Default)]
pub struct RenderWait {
    /// Messages that were acted on, of those told since the instance was made.
    answered: AtomicU64,
    /// Nothing is being made.
    idle: AtomicBool,
    /// There is nothing to wait for: the engine is missing or broken, or the session has ended.
    lost: AtomicBool,
    /// Rises whenever the engine delivers something.
    delivered: AtomicU64,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Everything that was told has been answered, or there is nobody who could.
    Over,
    /// The time was up. Nothing has been delivered since this count.
    GivenUp { delivered: u64 },
}

impl RenderWait {
    /// The session has acted on this many messages; `idle` says whether everything that was asked of the engine has come.
    pub(super) fn answer(&self, answered: u64, idle: bool) {
        self.idle.store(idle, Ordering::Relaxed);
        // Whoever sees the count sees the rest as it stood then, or later.
        self.answered.store(answered, Ordering::Release);
    }

    /// Whether there is an engine to wait for.
    pub(super) fn lose(&self, lost: bool) {
        self.lost.store(lost, Ordering::Release);
    }

    /// The engine delivered something.
    pub(super) fn deliver(&self) {
        self.delivered.fetch_add(1, Ordering::Release);
    }

    /// Waits until this many messages are answered, at most for so long. One who gave up `before` does not wait again until the engine has
    /// delivered something. `poke` wakes the session.
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
    fn a_wait_ends_when_everything_is_answered_and_made() {
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
        assert_eq!(render_wait.wait(3, LONG, Wait::Over, || panic!("there is nothing to wait for")), Wait::Over);
    }

    #[test]
    fn nobody_waits_for_an_engine_that_is_lost() {
        let render_wait = RenderWait::default();
        render_wait.lose(true);
        assert_eq!(render_wait.wait(1, LONG, Wait::Over, || panic!("nobody waits")), Wait::Over);
        render_wait.lose(false);
        assert_eq!(render_wait.wait(1, Duration::ZERO, Wait::Over, || ()), Wait::GivenUp { delivered: 0 });
    }

    #[test]
    fn an_engine_that_hangs_is_waited_for_once() {
        let render_wait = RenderWait::default();
        let first = render_wait.wait(1, Duration::ZERO, Wait::Over, || ());
        assert_eq!(first, Wait::GivenUp { delivered: 0 });
        render_wait.answer(1, false);
        assert_eq!(render_wait.wait(2, LONG, first, || panic!("nobody waits again")), first);
        render_wait.deliver();
        assert_eq!(render_wait.wait(2, LONG, first, || render_wait.answer(2, true)), Wait::Over);
    }
}
