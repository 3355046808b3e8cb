//! Reports of an instance's jobs.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use super::{JobError, JobId};

/// Reports kept for an instance that does not collect them; beyond, the oldest goes first and is counted.
const REPORTS_KEPT: usize = 256;

/// How a job ended. Every job that was submitted ends in exactly one report.
#[derive(Debug)]
pub struct Report {
    /// Id of the job.
    pub job: JobId,
    /// Name of the job.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a job ended.
#[derive(Debug)]
pub enum Outcome {
    /// It said [`Progress::Done`](super::Progress::Done).
    Finished,
    /// A newer job of the instance took its place.
    Replaced,
    /// The instance cancelled it.
    Cancelled,
    /// It failed.
    Failed(JobFailure),
}

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum JobFailure {
    /// It returned an error.
    #[error("{name} failed: {source}")]
    Error {
        /// What the job is called.
        name: &'static str,
        /// Its error.
        source: JobError,
    },
    /// It panicked: a defect. The state it worked on is rebuilt for the next job.
    #[error("{name} met a defect and was stopped: {message}")]
    Panic {
        /// What the job is called.
        name: &'static str,
        /// The panic's message.
        message: String,
    },
}

/// Reports of one instance: sent by workers, read by its handle. They outlive the instance until its last job has gone.
#[derive(Debug)]
pub(super) struct Reports {
    sender: Sender<Report>,
    receiver: Receiver<Report>,
    lost: AtomicU64,
}

impl Reports {
    pub(super) fn new() -> Self {
        let (sender, receiver) = bounded(REPORTS_KEPT);
        Self { sender, receiver, lost: AtomicU64::new(0) }
    }

    /// Queues a report for the instance.
    pub(super) fn send(&self, report: Report) {
        let mut report = report;
        while let Err(TrySendError::Full(refused)) = self.sender.try_send(report) {
            report = refused;
            if self.receiver.try_recv().is_ok() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) const fn receiver(&self) -> &Receiver<Report> {
        &self.receiver
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_queue_of_reports_drops_the_oldest_and_counts_it() {
        let reports = Reports::new();
        let total = u64::try_from(REPORTS_KEPT).unwrap() + 3;
        for job in 0..total {
            reports.send(Report { job: JobId(job), name: "job", outcome: Outcome::Finished });
        }
        assert_eq!(reports.lost(), 3);
        let kept: Vec<_> = reports.receiver().try_iter().map(|report| report.job).collect();
        assert_eq!(kept, (3..total).map(JobId).collect::<Vec<_>>());
    }
}
