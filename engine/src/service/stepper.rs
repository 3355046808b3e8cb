//! Pool without threads, for simulations on a virtual clock and for tests of the order of steps.

use std::sync::Arc;

use super::pool::{Shared, Task};
use super::schedule::{InstanceId, ScheduledJob};
use super::{Deadline, Outcome, Service};

/// A pool whose caller runs the steps, each on the calling thread, in the order in which the workers of a [`Service`] would begin them.
///
/// ```
/// use antiphon_engine::service::{Deadline, Job, JobError, Progress, Stepper};
///
/// struct Twice(u32);
///
/// impl Job<Vec<u32>> for Twice {
///     fn name(&self) -> &'static str {
///         "twice"
///     }
///
///     fn advance(&mut self, done: &mut Vec<u32>) -> Result<Progress, JobError> {
///         done.push(self.0);
///         Ok(if done.len() < 2 { Progress::Again } else { Progress::Done })
///     }
/// }
///
/// let stepper = Stepper::default();
/// let (later, sooner) = (stepper.service().instance(|| Ok(Vec::new())), stepper.service().instance(|| Ok(Vec::new())));
/// later.submit(Deadline(20), Twice(1));
/// sooner.submit(Deadline(10), Twice(2));
/// let first = stepper.step().expect("two jobs wait");
/// assert_eq!(first.instance(), sooner.id());
/// // While it is in hand its instance is busy: a second worker takes the other job.
/// assert_eq!(stepper.step().map(|step| step.instance()), Some(later.id()));
/// first.end();
/// assert_eq!(stepper.step().map(|step| step.instance()), Some(sooner.id()));
/// assert!(sooner.try_report().is_some());
/// ```
#[derive(Clone)]
pub struct Stepper {
    service: Service,
}

impl Default for Stepper {
    /// A pool on a clock that stands at 0.
    fn default() -> Self {
        Self { service: Service::without_workers() }
    }
}

impl Stepper {
    /// The pool.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Sets the pool's clock.
    pub fn set_now(&self, now: Deadline) {
        self.service.shared_state().clock.set(now);
    }

    /// Runs the next step: of the earliest deadline among the instances that are not busy. `None` if there is none.
    #[must_use = "the instance is busy until the step ends"]
    pub fn step(&self) -> Option<RunStep> {
        let shared = self.service.shared_state();
        let (job, ended) = shared.step_next()?;
        Some(RunStep { shared: Arc::clone(shared), instance: job.instance, job: Some((job, ended)) })
    }
}

/// A step that has run. Its instance is busy until it ends or is dropped; the job is reported, or goes on, after that.
pub struct RunStep {
    shared: Arc<Shared>,
    instance: InstanceId,
    /// `None` only once it has ended.
    job: Option<(ScheduledJob<Task>, Option<Outcome>)>,
}

impl RunStep {
    /// Its instance.
    #[must_use]
    pub const fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Ends the step.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for RunStep {
    fn drop(&mut self) {
        if let Some((job, ended)) = self.job.take() {
            self.shared.settle(job, ended);
        }
    }
}
