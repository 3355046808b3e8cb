//! An instance's worker: prefills finished bars, and generates requested ones, the near bar first.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::assignment::{Assignment, GeneratedBar, check};
use super::page_counts::PageCounts;
use super::rejected::Rejected;
use super::variations::Varying;
use super::worker_state::{Setup, WorkerState};
use super::{Deadline, InstanceHandle, InstanceId, Job, JobError, JobId, Progress, Report, Service};
use crate::codec::BarRows;
use crate::decode::{BarOrder, DecodeError, Draw, Prefill, Prompt, PromptBar, Step};
use crate::music::Tick;
use crate::plan::PageStats;

/// One instance's worker. Its decoder lives on the workers of a [`Service`], from job to job; the cache is kept as far as it matches the
/// next prompt.
///
/// Same model, bars and assignments: same notes, independent of earlier jobs. The exception is a long piece that is set at once: it is prefilled
/// from its last 64 bars.
pub struct WorkerHandle {
    instance: InstanceHandle<WorkerState>,
    publish: Sender<GeneratedBar>,
    bars: Receiver<GeneratedBar>,
    pages: Arc<PageCounts>,
}

impl WorkerHandle {
    /// A worker with an empty context. `load` runs on a worker when the first job needs it, and again after a panic; where the model
    /// is shared, it takes it from a [`Shelf`](super::Shelf).
    #[must_use]
    pub fn new(service: &Service, mut load: impl FnMut() -> Result<Setup, JobError> + Send + 'static) -> Self {
        let pages = Arc::new(PageCounts::default());
        let counts = Arc::clone(&pages);
        let instance = service.instance(move || Ok(WorkerState::new(load()?, Arc::clone(&counts))));
        let (publish, bars) = unbounded();
        Self { instance, publish, bars, pages }
    }

    /// [`prefill_prompt`](Self::prefill_prompt) of a context without anything remembered.
    ///
    /// # Errors
    /// As of [`prefill_prompt`](Self::prefill_prompt).
    pub fn prefill(&self, context: Vec<Arc<PromptBar>>) -> Result<JobId, BarOrder> {
        self.prefill_prompt(Prompt::of_context(context))
    }

    /// Fills the cache with the context of a prompt, and reads what it remembers, when the workers have nothing else to do. Replaces the current job, whose
    /// context is out of date.
    ///
    /// # Errors
    /// If the bars do not follow each other. Nothing has changed then.
    pub fn prefill_prompt(&self, prompt: Prompt) -> Result<JobId, BarOrder> {
        prompt.check()?;
        Ok(self.instance.submit(Deadline::WHENEVER, Prefilling { prompt }))
    }

    /// Generates the assignments in order, and publishes them bar by bar. The first bar of the last assignment is due at `deadline`, the
    /// rest of it whenever the workers have time. Replaces the current job.
    ///
    /// # Errors
    /// If the bars do not follow each other, or those of the assignment before. Nothing has changed then.
    pub fn generate(&self, mut assignments: Vec<Assignment>, deadline: Deadline) -> Result<JobId, BarOrder> {
        check(&mut assignments)?;
        Ok(self.instance.submit(deadline, Generating::new(assignments.into(), self.publish.clone())))
    }

    /// Generates the assignments of several plans with the same context one after the other, each bar by bar, and each different from those before it. They share
    /// the pages of the context. Replaces the current job.
    ///
    /// # Errors
    /// If the bars of one do not follow each other. Nothing has changed then.
    pub fn vary(&self, assignments: Vec<Assignment>, deadline: Deadline) -> Result<JobId, BarOrder> {
        for Assignment { prompt, .. } in &assignments {
            prompt.check()?;
        }
        Ok(self.instance.submit(deadline, Varying::new(assignments.into(), self.publish.clone())))
    }

    /// Cancels the current job.
    pub fn cancel(&self) {
        self.instance.cancel();
    }

    /// The next generated bar, if one is there. Bars of a plan that was replaced may still arrive: see [`Passage::plan`](crate::plan::Passage::plan).
    #[must_use]
    pub fn try_bar(&self) -> Option<GeneratedBar> {
        self.bars.try_recv().ok()
    }

    /// Counts of the bars of its contexts so far.
    #[must_use]
    pub fn pages(&self) -> PageStats {
        self.pages.read()
    }

    /// Its number in the pool.
    #[must_use]
    pub const fn id(&self) -> InstanceId {
        self.instance.id()
    }

    /// The generated bars, for a caller that may wait. They do not say when the last has come: a [`Report`] does.
    #[must_use]
    pub fn bars(&self) -> &Receiver<GeneratedBar> {
        &self.bars
    }

    /// The next report of a job that has ended, if one is there.
    #[must_use]
    pub fn try_report(&self) -> Option<Report> {
        self.instance.try_report()
    }

    /// The reports, for a caller that may wait.
    #[must_use]
    pub fn reports(&self) -> &Receiver<Report> {
        self.instance.reports()
    }
}

/// Fills the cache with a context, a bar a step.
struct Prefilling {
    prompt: Prompt,
}

impl Job<WorkerState> for Prefilling {
    fn name(&self) -> &'static str {
        "prefill"
    }

    fn advance(&mut self, state: &mut WorkerState) -> Result<Progress, JobError> {
        state.put_back();
        Ok(match state.prefill_context(&self.prompt)? {
            Prefill::Nearer => Progress::Again,
            Prefill::Done => {
                state.count_kept(self.prompt.seam());
                Progress::Done
            }
        })
    }
}

/// Generates a continuation, a note a step.
pub(super) struct Generating {
    /// Assignments that are not finished.
    assignments: VecDeque<Assignment>,
    at: At,
    /// Index of the bar after the context of the first assignment, once it has begun.
    seam: Option<u32>,
    purpose: Purpose,
    /// Whether the context is in the cache, and its bars have been counted.
    has_context: bool,
    /// All bars before the open one or the next: the context, and what was known and generated after it. Empty before the first assignment.
    past: Vec<Arc<PromptBar>>,
    /// Rejected passages of the first assignment, which it must not equal.
    rejected: Rejected,
    /// Draw of the open bar.
    draw: Draw,
    publish: Sender<GeneratedBar>,
}

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A plan, or its extension.
    Plan,
    /// A variation of the plan in the cache, whose bars are set aside.
    Variation,
}

/// State of the first assignment.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Not started.
    Start,
    /// The cache is being filled up to the first bar to be generated, whose bar line this is on the clock.
    Prefill { line: Tick },
    /// This bar of the assignment is generated next; `line` is its bar line on the clock.
    Line { bar: usize, line: Tick },
    /// This bar is open.
    Open { bar: usize, line: Tick },
}

impl Generating {
    pub(super) fn new(assignments: VecDeque<Assignment>, publish: Sender<GeneratedBar>) -> Self {
        Self {
            assignments,
            at: At::Start,
            seam: None,
            purpose: Purpose::Plan,
            has_context: false,
            past: Vec::new(),
            rejected: Rejected::default(),
            draw: Draw::FIRST,
            publish,
        }
    }

    /// A variation of a plan.
    pub(super) fn variation(assignment: Assignment, publish: Sender<GeneratedBar>) -> Self {
        Self { purpose: Purpose::Variation, ..Self::new([assignment].into(), publish) }
    }
}

impl Job<WorkerState> for Generating {
    fn name(&self) -> &'static str {
        "generation"
    }

    fn advance(&mut self, state: &mut WorkerState) -> Result<Progress, JobError> {
        let Some(assignment) = self.assignments.front_mut() else { return Ok(Progress::Done) };
        match self.at {
            At::Start => {
                let is_first = self.seam.is_none();
                self.seam.get_or_insert_with(|| assignment.prompt.seam());
                self.at = At::Prefill { line: assignment.begin(&mut self.past) };
                match self.purpose {
                    Purpose::Variation => state.set_aside(&assignment.prompt),
                    Purpose::Plan if is_first => state.put_back(),
                    Purpose::Plan => {}
                }
                self.rejected = Rejected::new(&assignment.rejected);
            }
            At::Prefill { line } => {
                let seam = self.seam.unwrap_or_default();
                if state.prefill(&assignment.prompt, seam)? == Prefill::Done {
                    // The bars of a variation's context were counted for its plan.
                    if !std::mem::replace(&mut self.has_context, true) && self.purpose == Purpose::Plan {
                        state.count_kept(seam);
                    }
                    self.at = At::Line { bar: 0, line };
                }
            }
            At::Line { bar, line } => match assignment.prompt.gap_bar(bar, Draw::FIRST) {
                Some(rows) if line < assignment.brief.end => {
                    state.begin_bar(&rows, assignment.brief.start - line, &assignment.rules(bar, line))?;
                    self.at = At::Open { bar, line };
                    self.draw = Draw::FIRST;
                }
                _ => {
                    self.assignments.pop_front();
                    self.at = At::Start;
                }
            },
            At::Open { bar, line } => {
                if state.sample()? != Step::BarEnd {
                    return Ok(Progress::Again);
                }
                let open = state.open().ok_or(DecodeError::NoOpenBar)?;
                let next = line + Tick(i64::from(open.ticks));
                let passage = assignment.passage(open, line, next);
                if let Some(draw) = self.draw.next().filter(|_| self.rejected.contains(&passage, line)) {
                    if let Some(rows) = assignment.prompt.gap_bar(bar, Draw::FIRST) {
                        state.draw_again(&rows, &assignment.rules(bar, line), draw)?;
                    }
                    self.draw = draw;
                    return Ok(Progress::Again);
                }
                let given = state.given();
                let rows = BarRows { index: assignment.prompt.gap[bar].bar.index, ..state.end_bar()? };
                let rows = Arc::new(PromptBar { bar: rows, given });
                let first = line <= assignment.brief.start;
                self.rejected.take(&passage);
                self.past.push(Arc::clone(&rows));
                // The receiver is gone when the instance is dropped; this job is cancelled then.
                let _ = self.publish.send(GeneratedBar { passage, line, rows });
                self.at = At::Line { bar: bar + 1, line: next };
                if first && self.assignments.len() == 1 {
                    return Ok(Progress::Defer(Deadline::WHENEVER));
                }
            }
        }
        Ok(Progress::Again)
    }
}
