//! Background workers: one pool per process, jobs in order of their deadlines, one handle per plug-in instance.
//!
//! [`Service`] is the pool. [`InstanceHandle`] is an instance's way in: it owns a state that only workers touch, and submits [`Job`]s that
//! work on it, one at a time. A job advances by a row or a bar at a time; after each the worker looks again for the earliest deadline, so a
//! long job never keeps a due one waiting. No thread outlives the last handle.
//!
//! [`WorkerHandle`] is the interface for an instance: it takes prompts and generates the [`Passage`](crate::plan::Passage)s of a plan.

mod assignment;
mod band;
mod clock;
mod deadline;
mod generation;
mod instance;
mod job;
mod page_counts;
mod pool;
mod rejected;
mod remembered;
mod report;
mod schedule;
mod shelf;
mod stepper;
#[cfg(test)]
mod tests;
mod variations;
mod worker_state;

pub use assignment::{Assignment, GeneratedBar, LockedPart};
pub use band::{Band, Part, Seat};
pub use deadline::Deadline;
pub use generation::WorkerHandle;
pub use instance::InstanceHandle;
pub use job::{Job, JobError, Progress};
pub use pool::{Service, ServiceConfig, ServiceError};
pub use report::{JobFailure, Outcome, Report};
pub use schedule::{InstanceId, JobId};
pub use shelf::Shelf;
pub use stepper::{RunStep, Stepper};
pub use variations::VARIATIONS;
pub use worker_state::Setup;
