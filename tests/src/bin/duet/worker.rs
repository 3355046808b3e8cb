//! The model on a virtual clock, for one session: a job runs at once, and its passages are there as long after its request as they took processor time.

use std::cell::Cell;
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
use antiphon_engine::service::{Assignment, Outcome, Service, Setup, WorkerHandle};
use antiphon_engine::session::{Parts, Work, Worker};
use antiphon_tests::machine;

/// How long to wait before looking again whether a job has ended.
const POLL: Duration = Duration::from_micros(200);

/// Time on the virtual clock, shared with the worker.
pub(crate) type VirtualClock = Rc<Cell<Duration>>;

/// A session's worker.
pub(crate) struct VirtualWorker {
    service: Service,
    model: Arc<Model>,
    clock: VirtualClock,
    handle: WorkerHandle,
    /// Passages of the current job, with the time at which each is there.
    passages: VecDeque<(Duration, Passage)>,
    /// End of the current job, until it is reported.
    ends: Option<(Duration, Outcome)>,
    /// A context that waits for the worker to have nothing else to do.
    context: Option<Vec<Arc<PromptBar>>>,
    outcomes: VecDeque<Outcome>,
}

impl VirtualWorker {
    pub(crate) fn new(service: &Service, model: &Arc<Model>, clock: &VirtualClock) -> Self {
        let handle = handle(service, model, &BTreeSet::from([Role::Keys]), OwnRoles::ALL);
        Self {
            service: service.clone(),
            model: Arc::clone(model),
            clock: Rc::clone(clock),
            handle,
            passages: VecDeque::new(),
            ends: None,
            context: None,
            outcomes: VecDeque::new(),
        }
    }

    /// Runs a job that `submit` starts, from now on.
    fn run(&mut self, submit: impl FnOnce(&WorkerHandle) -> bool) -> bool {
        let before = used();
        if !submit(&self.handle) {
            return false;
        }
        let began = self.clock.get();
        loop {
            let report = self.handle.reports().recv_timeout(POLL).ok();
            let at = began + used().saturating_sub(before);
            self.passages.extend(std::iter::from_fn(|| self.handle.try_passage()).map(|passage| (at, passage)));
            if let Some(report) = report {
                self.ends = Some((at, report.outcome));
                return true;
            }
        }
    }

    /// Ends the current job now: what is not there yet never comes.
    fn stop(&mut self, outcome: fn() -> Outcome) {
        self.outcomes.extend(self.context.take().map(|_| outcome()));
        self.outcomes.extend(self.ends.take().map(|_| outcome()));
        self.passages.clear();
    }
}

impl Worker for VirtualWorker {
    fn set_roles(&mut self, roles: &BTreeSet<Role>, own: OwnRoles) {
        self.stop(|| Outcome::Cancelled);
        self.outcomes.clear();
        self.handle = handle(&self.service, &self.model, roles, own);
    }

    fn set_context(&mut self, context: Vec<Arc<PromptBar>>) -> bool {
        self.stop(|| Outcome::Replaced);
        self.context = Some(context);
        true
    }

    fn generate(&mut self, assignments: Vec<Assignment>, within: Duration) -> bool {
        self.stop(|| Outcome::Replaced);
        let deadline = self.service.now() + within;
        self.run(|handle| handle.generate(assignments, deadline).is_ok())
    }

    fn cancel(&mut self) {
        self.stop(|| Outcome::Cancelled);
    }

    /// Accompany has no variations.
    fn vary(&mut self, _assignments: Vec<Assignment>, _within: Option<Duration>) -> bool {
        false
    }

    fn outcome(&mut self) -> Option<(Work, Outcome)> {
        if let Some(context) = self.context.take_if(|_| self.ends.is_none()) {
            self.run(|handle| handle.prefill(context).is_ok());
        }
        let now = self.clock.get();
        if let Some((_, outcome)) = self.ends.take_if(|(at, _)| *at <= now && self.passages.is_empty()) {
            self.outcomes.push_back(outcome);
        }
        self.outcomes.pop_front().map(|outcome| (Work::Plan, outcome))
    }

    fn passage(&mut self) -> Option<Passage> {
        let now = self.clock.get();
        self.passages.pop_front_if(|(at, _)| *at <= now).map(|(_, passage)| passage)
    }

    fn parts(&self) -> Parts {
        Parts { runtime: None, model: Some(self.model.info().name.clone()) }
    }
}

/// Processor time of the process, less this thread's: that of the worker.
#[cfg(target_os = "linux")]
fn used() -> Duration {
    machine::clock(libc::CLOCK_PROCESS_CPUTIME_ID).saturating_sub(machine::thread_time())
}

/// Not measured: every job is done at once.
#[cfg(not(target_os = "linux"))]
fn used() -> Duration {
    machine::thread_time().saturating_sub(machine::thread_time())
}

fn handle(service: &Service, model: &Arc<Model>, roles: &BTreeSet<Role>, own: OwnRoles) -> WorkerHandle {
    let (model, roles): (_, Vec<Role>) = (Arc::clone(model), roles.iter().copied().collect());
    WorkerHandle::new(service, move || {
        let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
        Ok(Setup { model: Arc::clone(&model), policy, prefix: prefix_rows(0, &roles), own, cache: CacheOptions::default() })
    })
}
