//! What an instance hears about its jobs.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::{Deadline, JobError, JobId, Lane};

/// Reports kept for an instance that does not collect them; beyond, the oldest goes first and is counted.
const REPORTS_KEPT: usize = 256;

/// How a job ended. Every job that was submitted ends in exactly one report.
#[derive(Debug)]
pub struct Report {
    /// Which one.
    pub job: JobId,
    /// What it is called.
    pub name: &'static str,
    /// The lane it stood in.
    pub lane: Lane,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a job ended.
#[derive(Debug)]
pub enum Outcome {
    /// It said [`Progress::Done`](super::Progress::Done).
    Finished,
    /// A newer job took its lane.
    Replaced,
    /// The instance called it off.
    Cancelled,
    /// It could not go on.
    Failed(JobFailure),
}

/// Why a job could not go on.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// It met an error.
    #[error("{name} failed: {source}")]
    Error {
        /// What the job is called.
        name: &'static str,
        /// What it met.
        source: JobError,
    },
    /// It panicked: a defect. The state it worked on is made anew for the next job.
    #[error("{name} met a defect and was stopped: {message}")]
    Panic {
        /// What the job is called.
        name: &'static str,
        /// The panic's message.
        message: String,
    },
}

/// How many deadlines an instance's jobs kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Punctuality {
    /// Delivered by their deadline.
    pub on_time: u64,
    /// Delivered after it, or not at all.
    pub late: u64,
}

impl Punctuality {
    /// The share that was on time, 0 to 1; `None` before anything was due.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub fn share(self) -> Option<f64> {
        let due = self.on_time + self.late;
        (due > 0).then(|| self.on_time as f64 / due as f64)
    }
}

/// An instance's side of the counter: written by workers, read by its handle. It outlives the instance until its last job has gone.
#[derive(Debug)]
pub(super) struct Account {
    sender: Sender<Report>,
    receiver: Receiver<Report>,
    on_time: AtomicU64,
    late: AtomicU64,
    lost: AtomicU64,
}

impl Account {
    pub(super) fn new() -> Self {
        let (sender, receiver) = bounded(REPORTS_KEPT);
        Self { sender, receiver, on_time: AtomicU64::new(0), late: AtomicU64::new(0), lost: AtomicU64::new(0) }
    }

    /// Something due at `deadline` was delivered at `now`.
    pub(super) fn deliver(&self, deadline: Deadline, now: Deadline) {
        if deadline == Deadline::WHENEVER {
            return;
        }
        let counter = if now <= deadline { &self.on_time } else { &self.late };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Something due at `deadline` will never be delivered.
    pub(super) fn miss(&self, deadline: Deadline) {
        if deadline != Deadline::WHENEVER {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Leaves a report for the instance.
    pub(super) fn report(&self, report: Report) {
        let mut report = report;
        while let Err(TrySendError::Full(refused)) = self.sender.try_send(report) {
            report = refused;
            if self.receiver.try_recv().is_ok() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn reports(&self) -> &Receiver<Report> {
        &self.receiver
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn punctuality(&self) -> Punctuality {
        Punctuality { on_time: self.on_time.load(Ordering::Relaxed), late: self.late.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_kept_up_to_its_own_moment() {
        let account = Account::new();
        assert_eq!(account.punctuality().share(), None);
        account.deliver(Deadline(10), Deadline(10));
        account.deliver(Deadline(10), Deadline(9));
        account.deliver(Deadline(10), Deadline(11));
        account.miss(Deadline(10));
        assert_eq!(account.punctuality(), Punctuality { on_time: 2, late: 2 });
        assert_eq!(account.punctuality().share(), Some(0.5));
    }

    #[test]
    fn idle_work_is_neither_on_time_nor_late() {
        let account = Account::new();
        account.deliver(Deadline::WHENEVER, Deadline(3));
        account.miss(Deadline::WHENEVER);
        assert_eq!(account.punctuality(), Punctuality::default());
    }

    #[test]
    fn the_oldest_report_makes_room_and_is_counted() {
        let account = Account::new();
        let total = u64::try_from(REPORTS_KEPT).unwrap() + 3;
        for job in 0..total {
            account.report(Report { job: JobId(job), name: "job", lane: Lane(0), outcome: Outcome::Finished });
        }
        assert_eq!(account.lost(), 3);
        let kept: Vec<_> = account.reports().try_iter().map(|report| report.job).collect();
        assert_eq!(kept, (3..total).map(JobId).collect::<Vec<_>>());
    }
}
