//! Handle of a plug-in instance on the pool.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crossbeam::channel::Receiver;
use parking_lot::Mutex;

use super::pool::{Task, Work};
use super::report::Reports;
use super::schedule::InstanceId;
use super::{Deadline, Job, JobError, JobId, Progress, Report, Service};

/// One instance of the plug-in: submits jobs on its state `S`, and reads how they end.
///
/// Dropping it cancels its job. Its state is dropped on a worker, so the caller is not kept; but the last handle of a pool joins the
/// workers (see [`Service`]).
///
/// ```
/// use antiphon_engine::service::{Deadline, Job, JobError, Outcome, Progress, Service, ServiceConfig};
///
/// /// Counts up to three, one step at a time.
/// struct Count;
///
/// impl Job<u32> for Count {
///     fn name(&self) -> &'static str {
///         "count"
///     }
///
///     fn advance(&mut self, state: &mut u32) -> Result<Progress, JobError> {
///         *state += 1;
///         Ok(if *state < 3 { Progress::Again } else { Progress::Done })
///     }
/// }
///
/// let service = Service::start(ServiceConfig::default())?;
/// // The state is made on a worker, when the first job needs it.
/// let instance = service.instance(|| Ok(0));
/// let job = instance.submit(Deadline::WHENEVER, Count);
/// // Every job ends in exactly one report, also one that was replaced or cancelled.
/// let report = instance.reports().recv()?;
/// assert_eq!(report.job, job);
/// assert!(matches!(report.outcome, Outcome::Finished));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InstanceHandle<S: Send + 'static> {
    service: Service,
    instance: InstanceId,
    reports: Arc<Reports>,
    /// `None` only while the handle is being dropped.
    state: Option<Arc<Mutex<State<S>>>>,
}

impl<S: Send + 'static> InstanceHandle<S> {
    pub(super) fn new<M>(service: Service, make: M) -> Self
    where
        M: FnMut() -> Result<S, JobError> + Send + 'static,
    {
        let instance = service.shared_state().enter();
        let state = State { value: None, make: Box::new(make) };
        Self { service, instance, reports: Arc::new(Reports::new()), state: Some(Arc::new(Mutex::new(state))) }
    }

    /// Submits a job, which replaces the one before. One that is running ends after the step it is at, and the new one begins after
    /// that; results that it has sent already stay sent.
    pub fn submit(&self, deadline: Deadline, job: impl Job<S> + 'static) -> JobId {
        let name = job.name();
        let state = self.state.clone().expect("only drop takes it");
        let task = Task { name, reports: Arc::clone(&self.reports), work: Box::new(StatefulJob { state, job }) };
        self.service.shared_state().submit(self.instance, deadline, task)
    }

    /// Cancels the job, if there is one. One that is running ends after the step it is at.
    pub fn cancel(&self) {
        self.service.shared_state().cancel(self.instance);
    }

    /// The next report, if one is there.
    #[must_use]
    pub fn try_report(&self) -> Option<Report> {
        self.reports.receiver().try_recv().ok()
    }

    /// The reports, for a caller that may wait: an offline render, the command line.
    #[must_use]
    pub fn reports(&self) -> &Receiver<Report> {
        self.reports.receiver()
    }

    /// Reports that were lost because they were not collected in time.
    #[must_use]
    pub fn lost_reports(&self) -> u64 {
        self.reports.lost()
    }

    /// Its number in the pool.
    #[must_use]
    pub const fn id(&self) -> InstanceId {
        self.instance
    }

    /// The pool it works with.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }
}

impl<S: Send + 'static> Drop for InstanceHandle<S> {
    fn drop(&mut self) {
        self.service.shared_state().leave(self.instance, Box::new(self.state.take()));
    }
}

/// An instance's state. The pool runs one job of an instance at a time, so its lock is never contended.
struct State<S> {
    /// `None` before the first job, and after a panic.
    value: Option<S>,
    make: Box<dyn FnMut() -> Result<S, JobError> + Send>,
}

/// A job with its instance's state.
struct StatefulJob<S, J> {
    state: Arc<Mutex<State<S>>>,
    job: J,
}

impl<S: Send, J: Job<S>> Work for StatefulJob<S, J> {
    fn advance(&mut self) -> Result<Progress, JobError> {
        let mut slot = self.state.lock();
        let mut state = match slot.value.take() {
            Some(state) => state,
            None => (slot.make)()?,
        };
        match catch_unwind(AssertUnwindSafe(|| self.job.advance(&mut state))) {
            Ok(progress) => {
                slot.value = Some(state);
                progress
            }
            Err(panic) => {
                // Half-changed: not put back. Dropped here and not while unwinding, where a second panic would abort the host.
                drop(state);
                resume_unwind(panic)
            }
        }
    }
}
