//! A plug-in instance's way to the pool.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crossbeam::channel::Receiver;
use parking_lot::Mutex;

use super::pool::{Task, Work};
use super::report::Account;
use super::schedule::InstanceId;
use super::{Deadline, Job, JobError, JobId, Lane, Progress, Punctuality, Report, Service};

/// One instance of the plug-in: submits jobs on its state `S`, and hears how they end.
///
/// Dropping it cancels its jobs. Its state is dropped on a worker, so the caller is not kept; but the last handle of a pool joins the
/// workers (see [`Service`]).
pub struct InstanceHandle<S: Send + 'static> {
    service: Service,
    instance: InstanceId,
    account: Arc<Account>,
    /// `None` only while the handle is being dropped.
    room: Option<Arc<Mutex<Room<S>>>>,
}

impl<S: Send + 'static> InstanceHandle<S> {
    pub(super) fn new<M>(service: Service, make: M) -> Self
    where
        M: FnMut() -> Result<S, JobError> + Send + 'static,
    {
        let instance = service.desk().enter();
        let room = Room { state: None, make: Box::new(make) };
        Self { service, instance, account: Arc::new(Account::new()), room: Some(Arc::new(Mutex::new(room))) }
    }

    /// Hands a job to the workers, in place of the one that stands in the same lane. One that is running there ends after the step it is
    /// at, and the new one begins after that; of what it has sent already, nothing is taken back.
    pub fn submit(&self, lane: Lane, deadline: Deadline, job: impl Job<S> + 'static) -> JobId {
        let name = job.name();
        let room = self.room.clone().expect("only drop takes it");
        let task = Task { name, account: Arc::clone(&self.account), work: Box::new(Visit { room, job }) };
        self.service.desk().submit(self.instance, lane, deadline, task)
    }

    /// Calls off the job in this lane. One that is running ends after the step it is at.
    pub fn cancel(&self, lane: Lane) {
        self.service.desk().cancel(self.instance, lane);
    }

    /// Calls off every job of this instance.
    pub fn cancel_all(&self) {
        self.service.desk().cancel_all(self.instance);
    }

    /// The next report, if one is there.
    #[must_use]
    pub fn try_report(&self) -> Option<Report> {
        self.account.reports().try_recv().ok()
    }

    /// The reports, for a caller that may wait: an offline render, the command line.
    #[must_use]
    pub fn reports(&self) -> &Receiver<Report> {
        self.account.reports()
    }

    /// Reports that were lost because nobody collected them.
    #[must_use]
    pub fn lost_reports(&self) -> u64 {
        self.account.lost()
    }

    /// How many deadlines its jobs have kept so far.
    #[must_use]
    pub fn punctuality(&self) -> Punctuality {
        self.account.punctuality()
    }

    /// The pool it works with.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }
}

impl<S: Send + 'static> Drop for InstanceHandle<S> {
    fn drop(&mut self) {
        self.service.desk().leave(self.instance, Box::new(self.room.take()));
    }
}

/// An instance's state. The pool runs one job of an instance at a time, so nobody ever waits for its lock.
struct Room<S> {
    state: Option<S>,
    make: Box<dyn FnMut() -> Result<S, JobError> + Send>,
}

/// A job in its instance's room.
struct Visit<S, J> {
    room: Arc<Mutex<Room<S>>>,
    job: J,
}

impl<S: Send, J: Job<S>> Work for Visit<S, J> {
    fn advance(&mut self) -> Result<Progress, JobError> {
        let mut room = self.room.lock();
        let mut state = match room.state.take() {
            Some(state) => state,
            None => (room.make)()?,
        };
        match catch_unwind(AssertUnwindSafe(|| self.job.advance(&mut state))) {
            Ok(progress) => {
                room.state = Some(state);
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
