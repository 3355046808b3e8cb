//! The model on a virtual clock: a result is there as long after its job began as it took processor time, and a job begins when a worker is free.
//!
//! Jobs run at once, one at a time, on a real pool of one thread; the processor time of the process, less this thread's, is theirs. So lateness is that of a
//! machine that does nothing else, whatever else this one does.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::cache::{CacheOptions, FineCoarse};
use antiphon_engine::codec::{OwnRoles, prefix_rows};
use antiphon_engine::decode::PromptBar;
use antiphon_engine::model::Model;
use antiphon_engine::music::Role;
use antiphon_engine::plan::Passage;
use antiphon_engine::service::{Assignment, Deadline, Outcome, Service, Setup, WorkerHandle};
use antiphon_engine::session::{Parts, Work, Worker};
#[cfg(target_os = "linux")]
use antiphon_tests::machine;

/// How long to wait before looking again whether a job has ended.
const POLL: Duration = Duration::from_micros(200);

/// The virtual clock, and the workers on it.
#[derive(Debug)]
pub(crate) struct VirtualPool {
    now: Duration,
    /// When each worker is free.
    free_at: Vec<Duration>,
}

impl VirtualPool {
    pub(crate) fn new(workers: usize) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { now: Duration::ZERO, free_at: vec![Duration::ZERO; workers.max(1)] }))
    }

    pub(crate) fn advance(&mut self, to: Duration) {
        self.now = to;
    }

    /// The worker that is free first.
    fn next_worker(&self) -> usize {
        (0..self.free_at.len()).min_by_key(|worker| self.free_at[*worker]).unwrap_or_default()
    }
}

/// The job in progress on the virtual clock.
#[derive(Debug)]
struct Running {
    worker: usize,
    /// When it began; it keeps its worker no longer than until it is replaced.
    began: Duration,
    /// Passages with the time at which each is there.
    passages: VecDeque<(Duration, Passage)>,
    ends: Duration,
    outcome: Option<(Work, Outcome)>,
}

/// A job that waits for the workers to have nothing else to do.
enum Waiting {
    Prefill(Vec<Arc<PromptBar>>),
    Variations(Vec<Assignment>),
}

impl Waiting {
    const fn work(&self) -> Work {
        match self {
            Self::Prefill(_) => Work::Plan,
            Self::Variations(_) => Work::Variations,
        }
    }
}

/// An instance's worker.
pub(crate) struct VirtualWorker {
    service: Service,
    model: Arc<Model>,
    pool: Rc<RefCell<VirtualPool>>,
    handle: WorkerHandle,
    running: Option<Running>,
    waiting: Option<Waiting>,
    outcomes: VecDeque<(Work, Outcome)>,
}

impl VirtualWorker {
    pub(crate) fn new(service: &Service, model: &Arc<Model>, pool: &Rc<RefCell<VirtualPool>>) -> Self {
        let handle = handle(service, model, &BTreeSet::from([Role::Keys]), OwnRoles::ALL);
        let (service, model, pool) = (service.clone(), Arc::clone(model), Rc::clone(pool));
        Self { service, model, pool, handle, running: None, waiting: None, outcomes: VecDeque::new() }
    }

    /// Runs a job that `submit` starts, and places it on the virtual clock.
    fn run(&mut self, work: Work, submit: impl FnOnce(&WorkerHandle) -> bool) -> bool {
        let before = used();
        if !submit(&self.handle) {
            return false;
        }
        let (mut passages, mut total) = (VecDeque::new(), Duration::ZERO);
        let outcome = loop {
            let report = self.handle.reports().recv_timeout(POLL).ok();
            total = used().saturating_sub(before).max(total);
            passages.extend(std::iter::from_fn(|| self.handle.try_passage()).map(|passage| (total, passage)));
            if let Some(report) = report {
                break report.outcome;
            }
        };
        let mut pool = self.pool.borrow_mut();
        let worker = pool.next_worker();
        let began = pool.now.max(pool.free_at[worker]);
        passages.iter_mut().for_each(|(at, _)| *at += began);
        pool.free_at[worker] = began + total;
        self.running = Some(Running { worker, began, passages, ends: began + total, outcome: Some((work, outcome)) });
        true
    }

    /// Ends the job in progress now: what is not there yet never comes, and its worker is free.
    fn stop(&mut self, outcome: Outcome) {
        if let Some(waiting) = self.waiting.take() {
            self.outcomes.push_back((waiting.work(), Outcome::Replaced));
        }
        let Some(running) = self.running.take() else { return };
        let mut pool = self.pool.borrow_mut();
        if running.ends > pool.now && pool.free_at[running.worker] == running.ends {
            pool.free_at[running.worker] = pool.now.max(running.began);
        }
        if let Some((work, _)) = running.outcome {
            self.outcomes.push_back((work, outcome));
        }
    }
}

impl Worker for VirtualWorker {
    fn set_roles(&mut self, roles: &BTreeSet<Role>, own: OwnRoles) {
        self.stop(Outcome::Cancelled);
        self.outcomes.clear();
        self.handle = handle(&self.service, &self.model, roles, own);
    }

    fn set_context(&mut self, context: Vec<Arc<PromptBar>>) -> bool {
        self.stop(Outcome::Replaced);
        self.waiting = Some(Waiting::Prefill(context));
        true
    }

    fn generate(&mut self, assignments: Vec<Assignment>, within: Duration) -> bool {
        self.stop(Outcome::Replaced);
        let deadline = self.service.now() + within;
        self.run(Work::Plan, |handle| handle.generate(assignments, deadline).is_ok())
    }

    fn vary(&mut self, assignments: Vec<Assignment>, within: Option<Duration>) -> bool {
        self.stop(Outcome::Replaced);
        let Some(within) = within else {
            self.waiting = Some(Waiting::Variations(assignments));
            return true;
        };
        let deadline = self.service.now() + within;
        self.run(Work::Variations, |handle| handle.vary(assignments, deadline).is_ok())
    }

    fn cancel(&mut self) {
        self.stop(Outcome::Cancelled);
    }

    fn outcome(&mut self) -> Option<(Work, Outcome)> {
        let now = self.pool.borrow().now;
        let is_free = self.pool.borrow().free_at.iter().any(|at| *at <= now);
        match self.waiting.take_if(|_| is_free) {
            Some(Waiting::Prefill(context)) => {
                self.run(Work::Plan, |handle| handle.prefill(context).is_ok());
            }
            Some(Waiting::Variations(assignments)) => {
                self.run(Work::Variations, |handle| handle.vary(assignments, Deadline::LAST).is_ok());
            }
            None => {}
        }
        if let Some(running) = self.running.as_mut().filter(|running| running.ends <= now && running.passages.is_empty()) {
            self.outcomes.extend(running.outcome.take());
        }
        self.outcomes.pop_front()
    }

    fn passage(&mut self) -> Option<Passage> {
        let now = self.pool.borrow().now;
        let running = self.running.as_mut()?;
        let passage = running.passages.pop_front_if(|(at, _)| *at <= now);
        passage.map(|(_, passage)| passage)
    }

    fn parts(&self) -> Parts {
        Parts { runtime: None, model: Some(self.model.info().name.clone()) }
    }
}

/// Processor time of the process, less this thread's.
#[cfg(target_os = "linux")]
fn used() -> Duration {
    machine::clock(libc::CLOCK_PROCESS_CPUTIME_ID).saturating_sub(machine::thread_time())
}

/// Not measured: every job is done at once.
#[cfg(not(target_os = "linux"))]
fn used() -> Duration {
    Duration::ZERO
}

fn handle(service: &Service, model: &Arc<Model>, roles: &BTreeSet<Role>, own: OwnRoles) -> WorkerHandle {
    let (model, roles): (_, Vec<Role>) = (Arc::clone(model), roles.iter().copied().collect());
    WorkerHandle::new(service, move || {
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model: Arc::clone(&model), policy, prefix: prefix_rows(0, &roles), own, cache: CacheOptions::default() })
    })
}
