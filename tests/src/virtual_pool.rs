//! The model on a virtual clock: the engine's own pool, whose steps this thread runs one at a time, each as long on the virtual clock as it took processor
//! time.
//!
//! The jobs take turns as on the threads of the pool: the earliest deadline first, looked for again after each step. So lateness is that of a machine that does
//! nothing else, whatever else this one does.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::cache::{CacheOptions, FineCoarse};
use antiphon_engine::codec::{OwnRoles, prefix_rows};
use antiphon_engine::decode::{BarOrder, Prompt};
use antiphon_engine::model::Model;
use antiphon_engine::music::Role;
use antiphon_engine::plan::PageStats;
use antiphon_engine::service::{
    Assignment, Deadline, GeneratedBar, InstanceId, Outcome, RunStep, Service, Setup, Stepper, VARIATIONS, WorkerHandle,
};
use antiphon_engine::session::{Parts, Work, Worker};

use crate::machine;

/// The pool, the virtual clock, and the workers on it.
pub struct VirtualPool {
    stepper: Stepper,
    now: Duration,
    /// When each worker is free.
    free_at: Vec<Duration>,
    /// Steps that have run but end later on the virtual clock, with their ends.
    in_hand: Vec<(Duration, RunStep)>,
    /// Time that all steps took.
    worked: Duration,
}

impl VirtualPool {
    /// A pool of this many workers, at least one, at time 0.
    #[must_use]
    pub fn new(workers: usize) -> Rc<RefCell<Self>> {
        let free_at = vec![Duration::ZERO; workers.max(1)];
        Rc::new(RefCell::new(Self {
            stepper: Stepper::default(),
            now: Duration::ZERO,
            free_at,
            in_hand: Vec::new(),
            worked: Duration::ZERO,
        }))
    }

    /// Time that all steps took.
    #[must_use]
    pub const fn worked(&self) -> Duration {
        self.worked
    }

    /// Advances the clock. Every worker that is free before then takes steps.
    pub fn advance(&mut self, to: Duration) {
        while let Some((worker, at)) = self.next_free(to) {
            self.end_steps(at);
            self.stepper.set_now(Deadline(0) + at);
            let before = machine::thread_time();
            if let Some(step) = self.stepper.step() {
                let took = machine::thread_time().saturating_sub(before);
                self.worked += took;
                self.free_at[worker] = at + took;
                self.in_hand.push((at + took, step));
            } else {
                // The end of another worker's step can make a job ready.
                let next_end = self.in_hand.iter().map(|(end, _)| *end).min().unwrap_or(to);
                self.free_at[worker] = next_end.min(to);
            }
        }
        self.end_steps(to);
        self.stepper.set_now(Deadline(0) + to);
        self.now = to;
    }

    /// The worker that is free first, and when, if that is before `to`.
    fn next_free(&self, to: Duration) -> Option<(usize, Duration)> {
        let free = self.free_at.iter().map(|at| (*at).max(self.now)).enumerate();
        free.min_by_key(|(_, at)| *at).filter(|(_, at)| *at < to)
    }

    /// Ends the steps whose ends have come, in order.
    fn end_steps(&mut self, at: Duration) {
        self.in_hand.sort_by_key(|(end, _)| *end);
        let ended = self.in_hand.partition_point(|(end, _)| *end <= at);
        self.in_hand.drain(..ended).for_each(|(_, step)| step.end());
    }

    /// Whether a step of the instance has not ended yet.
    fn is_busy(&self, instance: InstanceId) -> bool {
        self.in_hand.iter().any(|(_, step)| step.instance() == instance)
    }
}

/// An instance's worker.
pub struct VirtualWorker {
    service: Service,
    model: Arc<Model>,
    pool: Rc<RefCell<VirtualPool>>,
    handle: WorkerHandle,
    /// Counts of the workers before this one.
    pages: PageStats,
}

impl VirtualWorker {
    /// A worker of this pool, for one session.
    #[must_use]
    pub fn new(model: &Arc<Model>, pool: &Rc<RefCell<VirtualPool>>) -> Self {
        let service = pool.borrow().stepper.service().clone();
        let handle = handle(&service, model, &BTreeSet::from([Role::Keys]), OwnRoles::ALL);
        Self { service, model: Arc::clone(model), pool: Rc::clone(pool), handle, pages: PageStats::default() }
    }
}

impl Worker for VirtualWorker {
    fn set_roles(&mut self, roles: &BTreeSet<Role>, own: OwnRoles) {
        self.pages += self.handle.pages();
        self.handle = handle(&self.service, &self.model, roles, own);
    }

    fn set_context(&mut self, context: Prompt) -> Result<(), BarOrder> {
        self.handle.prefill_prompt(context).map(drop)
    }

    fn generate(&mut self, assignments: Vec<Assignment>, within: Duration) -> Result<(), BarOrder> {
        self.handle.generate(assignments, self.service.now() + within).map(drop)
    }

    fn vary(&mut self, assignments: Vec<Assignment>, within: Option<Duration>) -> Result<(), BarOrder> {
        let deadline = within.map_or(Deadline::LAST, |within| self.service.now() + within);
        self.handle.vary(assignments, deadline).map(drop)
    }

    fn cancel(&mut self) {
        self.handle.cancel();
    }

    fn outcome(&mut self) -> Option<(Work, Outcome)> {
        let report = self.handle.try_report()?;
        Some((if report.name == VARIATIONS { Work::Variations } else { Work::Plan }, report.outcome))
    }

    /// A bar is there when its step ends; one of an earlier step may wait for the step in hand, a few milliseconds at most.
    fn bar(&mut self) -> Option<GeneratedBar> {
        if self.pool.borrow().is_busy(self.handle.id()) {
            return None;
        }
        self.handle.try_bar()
    }

    fn parts(&self) -> Parts {
        Parts { runtime: None, model: Some(self.model.info().name.clone()) }
    }

    fn pages(&self) -> PageStats {
        let mut pages = self.pages;
        pages += self.handle.pages();
        pages
    }
}

fn handle(service: &Service, model: &Arc<Model>, roles: &BTreeSet<Role>, own: OwnRoles) -> WorkerHandle {
    let (model, roles): (_, Vec<Role>) = (Arc::clone(model), roles.iter().copied().collect());
    WorkerHandle::new(service, move || {
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model: Arc::clone(&model), policy, prefix: prefix_rows(0, &roles), own, cache: CacheOptions::default() })
    })
}
