//! Jobs of the workers.

use super::Deadline;

/// Error of a job, sent to the instance in a [`Report`](super::Report).
pub type JobError = Box<dyn std::error::Error + Send + Sync>;

/// Work on an instance's state `S`, done in small steps on a worker.
///
/// An instance has one job at a time, so a job has the state to itself until it ends. Results leave through a channel or whatever else the job
/// was made with.
pub trait Job<S>: Send {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Does one row or one bar: a few milliseconds, since nothing interrupts it.
    ///
    /// # Errors
    /// Ends the job; the error is reported to the instance.
    fn advance(&mut self, state: &mut S) -> Result<Progress, JobError>;
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do by the same deadline.
    Again,
    /// The due part is delivered. The rest is due at this deadline: a plan's near bar first, then its horizon.
    Defer(Deadline),
    /// Everything is done.
    Done,
}
