//! Tests of the pool through its handles. Threads synchronize by channels and barriers; no test depends on time.

mod failing;
mod leaving;
mod order;
mod side_by_side;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Weak};
use std::thread;

use crossbeam::channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::pool::Shared;
use super::*;

const DUE: Deadline = Deadline(10);

/// A job made of a name and what it does at each step.
struct Steps<F>(&'static str, F);

impl<S, F: FnMut(&mut S) -> Result<Progress, JobError> + Send> Job<S> for Steps<F> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn advance(&mut self, state: &mut S) -> Result<Progress, JobError> {
        (self.1)(state)
    }
}

/// A pool of so many workers.
fn pool(workers: usize) -> Service {
    Service::start(ServiceConfig { workers: NonZeroUsize::new(workers).unwrap() }).unwrap()
}

/// An instance without state.
fn instance(service: &Service) -> InstanceHandle<()> {
    service.instance(|| Ok(()))
}

/// Control of a `staged` job: each step reports its arrival, and waits for the progress to return.
struct Stage {
    arrived: Receiver<()>,
    go_on: Sender<Progress>,
}

/// A job whose steps the test controls. It is done when the test ends.
fn staged<S>(name: &'static str) -> (Stage, impl Job<S> + 'static) {
    let (say, arrived) = unbounded();
    let (go_on, progress) = unbounded();
    let job = Steps(name, move |_: &mut S| {
        let _ = say.send(());
        Ok(progress.recv().unwrap_or(Progress::Done))
    });
    (Stage { arrived, go_on }, job)
}

/// A job of one step that writes its name down.
fn note<S>(name: &'static str, log: &Sender<&'static str>) -> impl Job<S> + use<S> + 'static {
    let log = log.clone();
    Steps(name, move |_: &mut S| {
        log.send(name)?;
        Ok(Progress::Done)
    })
}

fn wait<S: Send>(instance: &InstanceHandle<S>) -> Report {
    instance.reports().recv().unwrap()
}
