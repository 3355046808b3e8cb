//! Generation of several plans from one context: the variations of a plan.

use std::collections::VecDeque;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::assignment::{Assignment, GeneratedBar};
use super::generation::Generating;
use super::worker_state::WorkerState;
use super::{Job, JobError, Progress};
use crate::plan::Passage;

/// Name of the job in its [`Report`](super::Report).
pub const VARIATIONS: &str = "variations";

/// Generates plans one after the other, a note a step. After each the cache is rolled back to the context, whose pages all of them attend to.
pub(super) struct Varying {
    /// Plans that have not been begun.
    waiting: VecDeque<Assignment>,
    current: Option<Generating>,
    /// Bars of the plan in progress.
    bars: (Sender<GeneratedBar>, Receiver<GeneratedBar>),
    /// Plans so far: one that follows must differ.
    made: Vec<Passage>,
    publish: Sender<GeneratedBar>,
}

impl Varying {
    pub(super) fn new(waiting: VecDeque<Assignment>, publish: Sender<GeneratedBar>) -> Self {
        Self { waiting, current: None, bars: unbounded(), made: Vec::new(), publish }
    }

    /// Begins the next plan.
    fn next(&mut self) -> Option<Generating> {
        let mut assignment = self.waiting.pop_front()?;
        assignment.rejected.extend(self.made.iter().cloned());
        Some(Generating::variation(assignment, self.bars.0.clone()))
    }

    /// Adds a passage to its plan: the bars of a plan are one passage.
    fn keep(&mut self, passage: &Passage) {
        match self.made.last_mut().filter(|last| last.plan == passage.plan && last.until == passage.from) {
            Some(last) => {
                last.until = passage.until;
                last.notes.extend_from_slice(&passage.notes);
            }
            None => self.made.push(passage.clone()),
        }
    }
}

impl Job<WorkerState> for Varying {
    fn name(&self) -> &'static str {
        VARIATIONS
    }

    fn advance(&mut self, state: &mut WorkerState) -> Result<Progress, JobError> {
        let Some(current) = &mut self.current else {
            self.current = self.next();
            return Ok(if self.current.is_some() { Progress::Again } else { Progress::Done });
        };
        let progress = current.advance(state)?;
        let done = matches!(progress, Progress::Done);
        while let Ok(bar) = self.bars.1.try_recv() {
            self.keep(&bar.passage);
            // The receiver is gone when the instance is dropped; this job is cancelled then.
            let _ = self.publish.send(bar);
        }
        if done {
            self.current = None;
        }
        // The deadline is that of all plans.
        Ok(Progress::Again)
    }
}
