//! Link to the worker: its pending jobs, last request and state.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::OwnRoles;
use crate::decode::{BarOrder, Prompt, PromptBar, Remembered};
use crate::music::{Role, Tick};
use crate::plan::{PageStats, Request, Variation};
use crate::service::{Assignment, GeneratedBar, JobFailure, Outcome};

use super::super::engine_status::{Engine, Fault, Parts};
use super::super::latency::RequestTiming;
use super::super::worker::{Work, Worker};
use super::ensemble;

/// The worker and its pending jobs.
pub(super) struct WorkerLink<W> {
    worker: W,
    /// Roles set on the worker.
    ensemble: BTreeSet<Role>,
    /// Those of them that are generated beside a player's.
    own: OwnRoles,
    /// What is remembered of the player.
    remembered: Remembered,
    pub(super) engine: Engine,
    /// Jobs that have not ended, without those of variations.
    pub(super) jobs: usize,
    /// Jobs of variations that have not ended.
    variation_jobs: usize,
    /// The job of variations that was submitted last, unless it has been replaced: the variation that the player waits for, if any.
    varying: Option<Option<Variation>>,
    /// The last request, with the times of its answer.
    pub(super) last_request: Option<RequestTiming>,
    /// Why the worker has refused a job. It ends like a job that failed.
    refused: Option<JobFailure>,
    /// Tick before which nothing is requested after a failure.
    pub(super) retry_at: Tick,
}

impl<W: Worker> WorkerLink<W> {
    /// A link whose worker loads the model first.
    pub(super) fn new(mut worker: W) -> Self {
        // An empty context is in order.
        let jobs = usize::from(worker.set_context(Prompt::of_context(Vec::new())).is_ok());
        Self {
            worker,
            ensemble: ensemble(),
            own: OwnRoles::ALL,
            remembered: Remembered::default(),
            engine: Engine::Loading,
            jobs,
            variation_jobs: 0,
            varying: None,
            last_request: None,
            refused: None,
            retry_at: Tick::ZERO,
        }
    }

    /// Sets all roles of the music, and those that are generated beside a player's. Returns whether they have changed: the worker then starts without a context.
    pub(super) fn set_roles(&mut self, roles: BTreeSet<Role>, own: OwnRoles) -> bool {
        if (&roles, own) == (&self.ensemble, self.own) {
            return false;
        }
        self.worker.set_roles(&roles, own);
        (self.ensemble, self.own) = (roles, own);
        self.remembered = Remembered::default();
        (self.jobs, self.variation_jobs, self.varying) = (0, 0, None);
        true
    }

    /// Roles that are generated beside others.
    pub(super) const fn own(&self) -> OwnRoles {
        self.own
    }

    /// Sets what is remembered of the player, `None` if unchanged. Returns whether it has changed: the context is then to be set again, so that it is made ready.
    pub(super) fn set_memory(&mut self, remembered: Option<Remembered>) -> bool {
        let Some(remembered) = remembered else { return false };
        self.remembered = remembered;
        true
    }

    /// Sets the context to these finished bars; `None` if unchanged. Returns whether the worker has accepted it.
    pub(super) fn set_context(&mut self, context: Option<Vec<Arc<PromptBar>>>) -> bool {
        let Some(context) = context else { return true };
        let submitted = self.worker.set_context(self.prompt(context));
        let accepted = self.accepts("prefill", submitted);
        if accepted {
            self.varying = None;
            self.jobs += 1;
        }
        accepted
    }

    /// Whether a job was accepted. Bars that do not follow each other are a defect of the context: the job before, which had the same bars, is cancelled.
    fn accepts(&mut self, name: &'static str, submitted: Result<(), BarOrder>) -> bool {
        let Err(order) = submitted else { return true };
        self.cancel();
        self.refused = Some(JobFailure::Error { name, source: Box::new(order) });
        false
    }

    /// Resumes loading of the model if no job is left: its job was cancelled by a transport change.
    pub(super) fn keep_loading(&mut self) {
        if self.engine == Engine::Loading && self.jobs == 0 && self.worker.set_context(self.prompt(Vec::new())).is_ok() {
            self.jobs += 1;
        }
    }

    /// Requests the missing passages of a planning tick; the near bar is due `within` this time.
    pub(super) fn generate(&mut self, tick: Tick, requests: &[Request], assignments: Vec<Assignment>, within: Duration) {
        let submitted = self.worker.generate(self.with_memory(assignments), within);
        if self.accepts("generation", submitted) {
            self.last_request = RequestTiming::at(tick, requests);
            self.varying = None;
            self.jobs += 1;
        }
    }

    /// Requests variations; the one that the player waits for, if any, is due within a beat.
    pub(super) fn vary(&mut self, assignments: Vec<Assignment>, awaited: Option<Variation>, beat: Duration) {
        let submitted = self.worker.vary(self.with_memory(assignments), awaited.map(|_| beat));
        if self.accepts("variations", submitted) {
            self.varying = Some(awaited);
            self.variation_jobs += 1;
        }
    }

    fn prompt(&self, context: Vec<Arc<PromptBar>>) -> Prompt {
        Prompt { remembered: self.remembered.clone(), ..Prompt::of_context(context) }
    }

    /// The assignments with what is remembered of the player: variations are made from the same as the plan that they vary.
    fn with_memory(&self, mut assignments: Vec<Assignment>) -> Vec<Assignment> {
        assignments.iter_mut().for_each(|assignment| assignment.prompt.remembered = self.remembered.clone());
        assignments
    }

    /// Whether variations are being generated, and with the deadline of the one that the player waits for.
    pub(super) fn is_varying(&self, awaited: Option<Variation>) -> bool {
        self.varying.is_some_and(|varying| awaited.is_none() || varying == awaited)
    }

    /// Ignores the job of variations: what it generates is no longer wanted.
    pub(super) const fn discard_variations(&mut self) {
        self.varying = None;
    }

    /// Cancels the current job.
    pub(super) fn cancel(&mut self) {
        self.varying = None;
        self.worker.cancel();
    }

    /// Outcome of a job, if one has ended. After a failure nothing is requested before `retry_at`.
    pub(super) fn outcome(&mut self, retry_at: Tick) -> Option<Outcome> {
        if let Some(failure) = self.refused.take() {
            self.fail(&failure, retry_at);
            return Some(Outcome::Failed(failure));
        }
        let (work, outcome) = self.worker.outcome()?;
        match work {
            Work::Plan => self.jobs = self.jobs.saturating_sub(1),
            Work::Variations => {
                self.variation_jobs = self.variation_jobs.saturating_sub(1);
                // The last one may have been replaced by a plan, or by one that has not ended.
                self.varying = self.varying.filter(|_| self.variation_jobs > 0);
            }
        }
        match &outcome {
            Outcome::Finished => self.engine = Engine::Ready,
            Outcome::Failed(failure) => self.fail(failure, retry_at),
            Outcome::Replaced | Outcome::Cancelled => {}
        }
        Some(outcome)
    }

    fn fail(&mut self, failure: &JobFailure, retry_at: Tick) {
        self.engine = Engine::Failed(Fault::from(failure));
        self.retry_at = retry_at;
    }

    /// The next generated bar, if one is ready.
    pub(super) fn bar(&mut self) -> Option<GeneratedBar> {
        self.worker.bar()
    }

    /// Counts of pages kept and read for all contexts.
    pub(super) fn pages(&self) -> PageStats {
        self.worker.pages()
    }

    /// Names of the loaded parts.
    pub(super) fn parts(&self) -> Parts {
        self.worker.parts()
    }
}
