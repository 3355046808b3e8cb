//! Pool of worker threads.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::band::Band;
use super::clock::PoolClock;
use super::report::Reports;
use super::schedule::{InstanceId, Schedule, ScheduledJob, Withdrawal};
use super::{Deadline, InstanceHandle, JobError, JobFailure, JobId, Outcome, Progress, Report};

/// More workers than this gain little: a step of the model is bound by memory bandwidth, and the host needs its cores.
const MOST_WORKERS: usize = 2;

/// The pool of [`Service::shared`], while a handle to it lives.
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
#[derive(Debug, Clone, Copy)]
pub struct ServiceConfig {
    /// How many threads.
    pub workers: NonZeroUsize,
}

impl Default for ServiceConfig {
    /// One worker per core but one, at least one and at most two.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = NonZeroUsize::new(cores.saturating_sub(1).min(MOST_WORKERS)).unwrap_or(NonZeroUsize::MIN);
        Self { workers }
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
        let shared = Arc::new(Shared::new(PoolClock::Running(Instant::now())));
        // Made first, so that an error half-way joins the workers that did start.
        let mut pool = Pool { shared, workers: Vec::with_capacity(config.workers.get()) };
        for number in 0..config.workers.get() {
            let shared = Arc::clone(&pool.shared);
            let name = format!("antiphon-worker-{number}");
            pool.workers.push(thread::Builder::new().name(name).spawn(move || shared.run_to_the_end())?);
        }
        Ok(Self { pool: Arc::new(pool) })
    }

    /// A pool without threads on a clock that stands at 0: a [`Stepper`](super::Stepper) runs its jobs.
    pub(super) fn without_workers() -> Self {
        let shared = Arc::new(Shared::new(PoolClock::Set(AtomicU64::new(0))));
        Self { pool: Arc::new(Pool { shared, workers: Vec::new() }) }
    }

    /// The pool of this library image: started by the first call, and shared by all calls while it lives.
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

    /// A new instance. Its state is made by `make`, on a worker, when the first job needs it, and made again after a job panicked, since
    /// a panic may leave it inconsistent. An error of `make` is reported as that of the job; the next job tries again.
    #[must_use]
    pub fn instance<S, M>(&self, make: M) -> InstanceHandle<S>
    where
        S: Send + 'static,
        M: FnMut() -> Result<S, JobError> + Send + 'static,
    {
        InstanceHandle::new(self.clone(), make)
    }

    /// Current time on the pool's clock.
    #[must_use]
    pub fn now(&self) -> Deadline {
        self.pool.shared.clock.now()
    }

    /// The band of its instances.
    #[must_use]
    pub fn band(&self) -> &Band {
        &self.pool.shared.band
    }

    /// How many workers it has.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.pool.workers.len()
    }

    pub(super) fn shared_state(&self) -> &Arc<Shared> {
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
        // Every instance held the pool, so all have left, and their jobs are cancelled.
        self.shared.queue.lock().closing = true;
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
    pub(super) reports: Arc<Reports>,
    pub(super) work: Box<dyn Work>,
}

/// State shared by handles and workers. A lock is held for a look at the queue, never while a job runs or anything of its is dropped.
pub(super) struct Shared {
    queue: Mutex<Queue>,
    /// Signalled when there may be something to do for one more worker.
    wake: Condvar,
    pub(super) clock: PoolClock,
    band: Band,
}

struct Queue {
    schedule: Schedule<Task>,
    /// Values to be dropped on a worker: they may be large, and callers must not be delayed.
    discarded: Vec<Box<dyn Send>>,
    /// The last handle has gone.
    closing: bool,
}

impl Shared {
    fn new(clock: PoolClock) -> Self {
        let queue = Queue { schedule: Schedule::new(), discarded: Vec::new(), closing: false };
        Self { queue: Mutex::new(queue), wake: Condvar::new(), clock, band: Band::default() }
    }

    pub(super) fn enter(&self) -> InstanceId {
        self.queue.lock().schedule.enter()
    }

    pub(super) fn submit(&self, instance: InstanceId, deadline: Deadline, task: Task) -> JobId {
        let (job, replaced) = self.queue.lock().schedule.submit(instance, deadline, task);
        self.discard_waiting(replaced, Withdrawal::Replaced);
        self.wake.notify_one();
        job
    }

    pub(super) fn cancel(&self, instance: InstanceId) {
        let waiting = self.queue.lock().schedule.withdraw(instance, Withdrawal::Cancelled);
        self.discard_waiting(waiting, Withdrawal::Cancelled);
    }

    /// The instance goes: its job is cancelled, and its state is dropped on a worker.
    pub(super) fn leave(&self, instance: InstanceId, state: Box<dyn Send>) {
        self.cancel(instance);
        self.queue.lock().discarded.push(state);
        self.wake.notify_one();
    }

    /// Has a job that was withdrawn while it waited dropped on a worker, and reports it.
    fn discard_waiting(&self, job: Option<ScheduledJob<Task>>, why: Withdrawal) {
        let Some(ScheduledJob { job, task: Task { name, reports, work }, .. }) = job else { return };
        self.queue.lock().discarded.push(Box::new(work));
        self.wake.notify_one();
        reports.send(Report { job, name, outcome: why.into() });
    }

    /// A worker's life. Every panic of a job is caught where it happens; should one get past, the worker starts over.
    fn run_to_the_end(&self) {
        while catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {}
    }

    /// Takes jobs until the last handle has gone and nothing is left to drop.
    fn run(&self) {
        let mut queue = self.queue.lock();
        loop {
            if let Some(discarded) = queue.discarded.pop() {
                // Its instance is gone or has its report: a panic here cannot be reported.
                MutexGuard::unlocked(&mut queue, || drop(discard(discarded)));
            } else if queue.closing {
                return;
            } else if let Some(job) = queue.schedule.begin() {
                // The end of a step can make a job ready that no submission announces.
                if queue.schedule.is_ready() {
                    self.wake.notify_one();
                }
                MutexGuard::unlocked(&mut queue, || self.advance(job));
            } else {
                self.wake.wait(&mut queue);
            }
        }
    }

    /// One step of a job. It goes back to the queue, or it ends and is reported.
    fn advance(&self, mut job: ScheduledJob<Task>) {
        let ended = step(&mut job);
        self.settle(job, ended);
    }

    /// Drops what waits for it, and runs one step of the next job, if there is one. The instance is busy until the step is [settled](Self::settle).
    pub(super) fn step_next(&self) -> Option<(ScheduledJob<Task>, Option<Outcome>)> {
        let (discarded, job) = {
            let mut queue = self.queue.lock();
            (std::mem::take(&mut queue.discarded), queue.schedule.begin())
        };
        // Their instances are gone or have their reports: a panic here cannot be reported.
        discarded.into_iter().for_each(|value| drop(discard(value)));
        let mut job = job?;
        let ended = step(&mut job);
        Some((job, ended))
    }

    /// Ends a step: its job goes back to the queue, or `ended` so and is reported.
    pub(super) fn settle(&self, job: ScheduledJob<Task>, ended: Option<Outcome>) {
        let mut queue = self.queue.lock();
        let withdrawn = queue.schedule.end(job.instance);
        let mut outcome = match (ended, withdrawn) {
            (Some(outcome), _) => outcome,
            (None, Some(why)) => why.into(),
            (None, None) => {
                queue.schedule.resume(job);
                return;
            }
        };
        drop(queue);
        let ScheduledJob { job, task: Task { name, reports, work }, .. } = job;
        if let Err(message) = discard(work) {
            outcome = Outcome::Failed(JobFailure::Panic { name, message });
        }
        reports.send(Report { job, name, outcome });
    }
}

/// Runs one step of a job; returns its outcome if the job ends with it.
fn step(job: &mut ScheduledJob<Task>) -> Option<Outcome> {
    let name = job.task.name;
    match catch_unwind(AssertUnwindSafe(|| job.task.work.advance())) {
        Ok(Ok(Progress::Again)) => None,
        Ok(Ok(Progress::Defer(deadline))) => {
            job.deadline = deadline;
            None
        }
        Ok(Ok(Progress::Done)) => Some(Outcome::Finished),
        Ok(Err(source)) => Some(Outcome::Failed(JobFailure::Error { name, source })),
        Err(payload) => Some(Outcome::Failed(JobFailure::Panic { name, message: message(payload) })),
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
fn discard<T>(value: T) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| drop(value))).map_err(message)
}

/// Message of a panic.
fn message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    // The payload is of the job's making too: dropping it may panic again.
    if catch_unwind(AssertUnwindSafe(|| drop(payload))).is_err() {
        return "a panic whose message panicked".to_owned();
    }
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
