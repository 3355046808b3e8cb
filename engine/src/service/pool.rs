//! The workers.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::report::Account;
use super::schedule::{InstanceId, Schedule, Turn, Withdrawal};
use super::{Clock, Deadline, InstanceHandle, JobError, JobFailure, JobId, Lane, Outcome, Progress, Report, SteadyClock};

/// More workers than this gain little: a step of the model is bound by memory bandwidth, and the host needs its cores.
const MOST_WORKERS: usize = 2;

/// The pool that [`Service::shared`] hands out, while anybody holds it.
static SHARED: Mutex<Weak<Pool>> = Mutex::new(Weak::new());

/// A pool of workers. Clones are the same pool.
///
/// When the last clone and the last [`InstanceHandle`] have gone, what still runs is cancelled and the workers are joined before the drop
/// returns: a host may unload the library right after. So that drop waits for the step each worker is at.
#[derive(Clone)]
pub struct Service {
    pool: Arc<Pool>,
}

/// How a pool is made.
#[derive(Clone)]
pub struct ServiceConfig {
    /// How many threads.
    pub workers: NonZeroUsize,
    /// What deadlines are measured against.
    pub clock: Arc<dyn Clock>,
}

impl Default for ServiceConfig {
    /// One worker per core but one, at least one and at most two; the operating system's clock.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = NonZeroUsize::new(cores.saturating_sub(1).min(MOST_WORKERS)).unwrap_or(NonZeroUsize::MIN);
        Self { workers, clock: Arc::new(SteadyClock::new()) }
    }
}

/// A pool that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The operating system gave no thread.
    #[error("the engine's workers could not be started: {0}; close other programs, or raise the limit of threads for this user")]
    Spawn(#[from] std::io::Error),
}

impl Service {
    /// A pool of its own.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn start(config: ServiceConfig) -> Result<Self, ServiceError> {
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk { schedule: Schedule::new(), remains: Vec::new(), closing: false }),
            wake: Condvar::new(),
            clock: config.clock,
        });
        // Made first, so that an error half-way joins the workers that did start.
        let mut pool = Pool { shared, workers: Vec::with_capacity(config.workers.get()) };
        for number in 0..config.workers.get() {
            let shared = Arc::clone(&pool.shared);
            let name = format!("antiphon-worker-{number}");
            pool.workers.push(thread::Builder::new().name(name).spawn(move || shared.serve_to_the_end())?);
        }
        Ok(Self { pool: Arc::new(pool) })
    }

    /// The pool of this library image: made for the first who asks, shared by all who ask while it lives.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn shared() -> Result<Self, ServiceError> {
        let mut shared = SHARED.lock();
        if let Some(pool) = shared.upgrade() {
            return Ok(Self { pool });
        }
        let service = Self::start(ServiceConfig::default())?;
        *shared = Arc::downgrade(&service.pool);
        Ok(service)
    }

    /// A new instance. Its state is made by `make`, on a worker, when the first job needs it, and made anew after a job panicked: what a
    /// panic leaves behind cannot be trusted. An error of `make` is reported as that of the job; the next job tries again.
    #[must_use]
    pub fn instance<S, M>(&self, make: M) -> InstanceHandle<S>
    where
        S: Send + 'static,
        M: FnMut() -> Result<S, JobError> + Send + 'static,
    {
        InstanceHandle::new(self.clone(), make)
    }

    /// The moment it is on the pool's clock.
    #[must_use]
    pub fn now(&self) -> Deadline {
        self.pool.shared.clock.now()
    }

    /// How many workers it has.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.pool.workers.len()
    }

    pub(super) fn desk(&self) -> &Arc<Shared> {
        &self.pool.shared
    }
}

/// The handles' side of the pool: when it goes, the workers go.
struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Every instance held the pool, so all have left, and their jobs are called off.
        self.shared.desk.lock().closing = true;
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A job that held the last handle lets go of it on its own worker. That one cannot wait for itself; it ends after this step.
            if worker.thread().id() != thread::current().id() {
                // A worker catches every panic, so there is none to pass on.
                let _ = worker.join();
            }
        }
    }
}

/// A job and its instance's state, in one.
pub(super) trait Work: Send {
    fn advance(&mut self) -> Result<Progress, JobError>;
}

/// A job as the pool sees it.
pub(super) struct Task {
    pub(super) name: &'static str,
    pub(super) account: Arc<Account>,
    pub(super) work: Box<dyn Work>,
}

/// What handles and workers share. A lock is held for a look at the queue, never while a job runs or anything of its is dropped.
pub(super) struct Shared {
    desk: Mutex<Desk>,
    /// Signalled when there may be something to do for one more worker.
    wake: Condvar,
    clock: Arc<dyn Clock>,
}

struct Desk {
    schedule: Schedule<Task>,
    /// What is to be dropped, on a worker: it may be large, and the caller may be in a hurry.
    remains: Vec<Box<dyn Send>>,
    /// The last handle has gone.
    closing: bool,
}

impl Shared {
    pub(super) fn enter(&self) -> InstanceId {
        self.desk.lock().schedule.enter()
    }

    pub(super) fn submit(&self, instance: InstanceId, lane: Lane, deadline: Deadline, task: Task) -> JobId {
        let (job, replaced) = self.desk.lock().schedule.submit(instance, lane, deadline, task);
        self.discharge(replaced, Withdrawal::Replaced);
        self.wake.notify_one();
        job
    }

    pub(super) fn cancel(&self, instance: InstanceId, lane: Lane) {
        let waiting = self.desk.lock().schedule.withdraw(instance, lane, Withdrawal::Cancelled);
        self.discharge(waiting, Withdrawal::Cancelled);
    }

    pub(super) fn cancel_all(&self, instance: InstanceId) {
        let waiting = self.desk.lock().schedule.withdraw_all(instance);
        self.discharge(waiting, Withdrawal::Cancelled);
    }

    /// The instance goes: its jobs are cancelled, and its state is dropped on a worker.
    pub(super) fn leave(&self, instance: InstanceId, state: Box<dyn Send>) {
        self.cancel_all(instance);
        self.desk.lock().remains.push(state);
        self.wake.notify_one();
    }

    /// Sends jobs that were taken back while they waited to be dropped, and reports them.
    fn discharge(&self, turns: impl IntoIterator<Item = Turn<Task>>, why: Withdrawal) {
        for turn in turns {
            let Task { name, account, work } = turn.task;
            if why == Withdrawal::Replaced && self.clock.now() > turn.deadline {
                account.miss(turn.deadline);
            }
            self.desk.lock().remains.push(Box::new(work));
            self.wake.notify_one();
            account.report(Report { job: turn.job, name, lane: turn.lane, outcome: why.into() });
        }
    }

    /// A worker's life. Every panic of a job is caught where it happens; should one get past, the worker starts over.
    fn serve_to_the_end(&self) {
        while catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {}
    }

    /// Takes turns until the last handle has gone and nothing is left to drop.
    fn serve(&self) {
        let mut desk = self.desk.lock();
        loop {
            if let Some(remains) = desk.remains.pop() {
                // Its instance has gone or has had its report: there is nobody to tell of a panic.
                MutexGuard::unlocked(&mut desk, || drop(bury(remains)));
            } else if desk.closing {
                return;
            } else if let Some(turn) = desk.schedule.begin() {
                // The end of a turn can make a job ready that no submission announces.
                if desk.schedule.is_ready() {
                    self.wake.notify_one();
                }
                MutexGuard::unlocked(&mut desk, || self.advance(turn));
            } else {
                self.wake.wait(&mut desk);
            }
        }
    }

    /// One step of a job. It goes back to the queue, or it ends and is reported.
    fn advance(&self, mut turn: Turn<Task>) {
        let name = turn.task.name;
        let step = catch_unwind(AssertUnwindSafe(|| turn.task.work.advance()));
        let now = self.clock.now();
        let account = Arc::clone(&turn.task.account);
        let ended = match step {
            Ok(Ok(Progress::Again)) => None,
            Ok(Ok(Progress::Defer(deadline))) => {
                account.deliver(turn.deadline, now);
                turn.deadline = deadline;
                None
            }
            Ok(Ok(Progress::Done)) => {
                account.deliver(turn.deadline, now);
                Some(Outcome::Finished)
            }
            Ok(Err(source)) => {
                account.miss(turn.deadline);
                Some(Outcome::Failed(JobFailure::Error { name, source }))
            }
            Err(payload) => {
                account.miss(turn.deadline);
                Some(Outcome::Failed(JobFailure::Panic { name, message: message(payload) }))
            }
        };
        let mut desk = self.desk.lock();
        let withdrawn = desk.schedule.end(turn.instance);
        let mut outcome = match (ended, withdrawn) {
            (Some(outcome), _) => outcome,
            (None, Some(why)) => {
                if why == Withdrawal::Replaced && now > turn.deadline {
                    account.miss(turn.deadline);
                }
                why.into()
            }
            (None, None) => {
                desk.schedule.resume(turn);
                return;
            }
        };
        drop(desk);
        if let Err(message) = bury(turn.task.work) {
            outcome = Outcome::Failed(JobFailure::Panic { name, message });
        }
        account.report(Report { job: turn.job, name, lane: turn.lane, outcome });
    }
}

impl From<Withdrawal> for Outcome {
    fn from(why: Withdrawal) -> Self {
        match why {
            Withdrawal::Replaced => Self::Replaced,
            Withdrawal::Cancelled => Self::Cancelled,
        }
    }
}

/// Drops something of a job's making; a panic in that is caught and its message returned.
fn bury<T>(remains: T) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| drop(remains))).map_err(message)
}

/// What a panic said.
fn message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    // The payload is of the job's making too: dropping it may panic again.
    if catch_unwind(AssertUnwindSafe(|| drop(payload))).is_err() {
        return "a panic whose message panicked".to_owned();
    }
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
