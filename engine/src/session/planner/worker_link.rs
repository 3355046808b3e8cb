//! The worker as the planner sees it: what it was asked for, and whether it can answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::decode::PromptBar;
use crate::music::{Role, Tick};
use crate::plan::{Passage, Request};
use crate::service::{Assignment, Outcome};

use super::super::engine_status::{Engine, Fault, Parts};
use super::super::latency::RequestTiming;
use super::super::worker::Worker;
use super::ensemble;

/// The worker, and the jobs it has in hand.
pub(super) struct WorkerLink<W> {
    worker: W,
    /// The roles that the worker was told play.
    ensemble: BTreeSet<Role>,
    pub(super) engine: Engine,
    /// Jobs that have not ended.
    pub(super) jobs: usize,
    /// The last request, and when it was answered.
    pub(super) last_request: Option<RequestTiming>,
    /// After a failure nothing is requested before this.
    pub(super) retry_at: Tick,
}

impl<W: Worker> WorkerLink<W> {
    /// Has the worker load the model.
    pub(super) fn new(mut worker: W) -> Self {
        let jobs = usize::from(worker.set_context(Vec::new()));
        Self { worker, ensemble: ensemble(), engine: Engine::Loading, jobs, last_request: None, retry_at: Tick::ZERO }
    }

    /// These roles play. Says whether they are others than before: then the worker is a new one, which knows no context.
    pub(super) fn set_roles(&mut self, roles: BTreeSet<Role>) -> bool {
        if roles == self.ensemble {
            return false;
        }
        self.worker.set_roles(&roles);
        self.ensemble = roles;
        self.jobs = 0;
        true
    }

    /// These finished bars are the context; `None` if they are those of before.
    pub(super) fn set_context(&mut self, context: Option<Vec<Arc<PromptBar>>>) {
        if context.is_some_and(|context| self.worker.set_context(context)) {
            self.jobs += 1;
        }
    }

    /// Has the model loaded although nothing else keeps the worker: the song went on elsewhere before it was there.
    pub(super) fn keep_loading(&mut self) {
        if self.engine == Engine::Loading && self.jobs == 0 && self.worker.set_context(Vec::new()) {
            self.jobs += 1;
        }
    }

    /// Requests what is missing at a planning tick, the near bar within a time.
    pub(super) fn generate(&mut self, tick: Tick, requests: &[Request], assignments: Vec<Assignment>, within: Duration) {
        if self.worker.generate(assignments, within) {
            self.last_request = RequestTiming::at(tick, requests);
            self.jobs += 1;
        }
    }

    /// Cancels what is being made.
    pub(super) fn cancel(&mut self) {
        self.worker.cancel();
    }

    /// How a job ended, if one has. After a failure the worker is asked again from `retry_at` on.
    pub(super) fn outcome(&mut self, retry_at: Tick) -> Option<Outcome> {
        let outcome = self.worker.outcome()?;
        self.jobs = self.jobs.saturating_sub(1);
        match &outcome {
            Outcome::Finished => self.engine = Engine::Ready,
            Outcome::Failed(failure) => {
                self.engine = Engine::Failed(Fault::from(failure));
                self.retry_at = retry_at;
            }
            Outcome::Replaced | Outcome::Cancelled => {}
        }
        Some(outcome)
    }

    /// What was made, if something was.
    pub(super) fn passage(&mut self) -> Option<Passage> {
        self.worker.passage()
    }

    /// What the engine is made of, as far as it is there.
    pub(super) fn parts(&self) -> Parts {
        self.worker.parts()
    }
}
