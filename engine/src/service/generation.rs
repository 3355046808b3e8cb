//! An instance's worker: prefills finished bars, and generates requested ones, the near bar first.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::page_counts::PageCounts;
use super::rejected::Rejected;
use super::variations::Varying;
use super::worker_state::{Rules, Setup, WorkerState};
use super::{Deadline, InstanceHandle, InstanceId, Job, JobError, JobId, Progress, Report, Service};
use crate::codec::BarRows;
use crate::decode::{BarLock, BarOrder, Constraints, DecodeError, Draw, Prefill, Prompt, PromptBar, Sampling, Step};
use crate::music::analysis::Chord;
use crate::music::{Note, Tick};
use crate::plan::{Brief, PageStats, Passage};

/// Work for one request of the plan.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The plan, the ticks to fill, the seed.
    pub brief: Brief,
    /// The context, and in the gap the bars after it up to the last to be filled. A further assignment continues from the bars of the one before, and its own
    /// context is ignored. Gap bars before the brief's start hold all their notes; later ones hold the notes before that start. Of the constraints
    /// `from` is ignored: the brief sets the range. `until` and `rests_from` are ticks of the clock; a note may ring beyond the brief's end.
    pub prompt: Prompt,
    /// The clock at the first bar line of the gap.
    pub line: Tick,
    /// Temperature and min-p.
    pub sampling: Sampling,
    /// Plans that the player rejected: bars that would begin a plan in the same way are sampled again, a few times and ever more freely.
    pub rejected: Vec<Passage>,
    /// What the player has locked of it.
    pub locked: LockedPart,
}

/// Part of a plan that is fixed before the rest is generated.
#[derive(Debug, Clone, Default)]
pub struct LockedPart {
    /// Notes of the passages that are not generated: they are given notes of the gap. In order of time, from the brief's start on.
    pub notes: Vec<Note>,
    /// Lock of each bar of the gap; bars without one are open.
    pub bars: Vec<BarLock>,
    /// Chord that was chosen for each bar of the gap; bars without one keep the chord and scale of the prompt's constraints.
    pub chords: Vec<Option<Chord>>,
}

/// One instance's worker. Its decoder lives on the workers of a [`Service`], from job to job; the cache is kept as far as it matches the
/// next prompt.
///
/// Same model, bars and assignments: same notes, independent of earlier jobs. The exception is a long piece that is set at once: it is prefilled
/// from its last 64 bars.
pub struct WorkerHandle {
    instance: InstanceHandle<WorkerState>,
    publish: Sender<Passage>,
    passages: Receiver<Passage>,
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
        let (publish, passages) = unbounded();
        Self { instance, publish, passages, pages }
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

    /// The next passage, if one is there. Passages of a plan that was replaced may still arrive: see [`Passage::plan`].
    #[must_use]
    pub fn try_passage(&self) -> Option<Passage> {
        self.passages.try_recv().ok()
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

    /// The passages, for a caller that may wait. They do not say when the last has come: a [`Report`] does.
    #[must_use]
    pub fn passages(&self) -> &Receiver<Passage> {
        &self.passages
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
        Ok(match state.prefill(&self.prompt)? {
            Prefill::Nearer => Progress::Again,
            Prefill::Done => {
                state.count_kept(&self.prompt);
                Progress::Done
            }
        })
    }
}

/// Checks that the bars of each assignment follow each other and those of the assignment before.
fn check(assignments: &mut [Assignment]) -> Result<(), BarOrder> {
    let mut expected = None;
    for Assignment { prompt, .. } in assignments {
        if expected.is_some() {
            prompt.context.clear();
        }
        prompt.check()?;
        let Some((first, last)) = prompt.gap.first().zip(prompt.gap.last()) else { continue };
        if let Some(expected) = expected.filter(|expected| *expected != first.bar.index) {
            return Err(BarOrder { expected, found: first.bar.index });
        }
        expected = Some(last.bar.index.saturating_add(1));
    }
    Ok(())
}

/// Generates a continuation, a note a step.
pub(super) struct Generating {
    /// Assignments that are not finished.
    assignments: VecDeque<Assignment>,
    at: At,
    /// Whether the context of the first assignment is in the cache.
    has_context: bool,
    /// All bars before the open one or the next: the context, and what was known and generated after it. Empty before the first assignment.
    past: Vec<Arc<PromptBar>>,
    /// Rejected passages of the first assignment, which it must not equal.
    rejected: Rejected,
    /// Draw of the open bar.
    draw: Draw,
    publish: Sender<Passage>,
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
    pub(super) fn new(assignments: VecDeque<Assignment>, publish: Sender<Passage>) -> Self {
        Self { assignments, at: At::Start, has_context: false, past: Vec::new(), rejected: Rejected::default(), draw: Draw::FIRST, publish }
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
                self.at = At::Prefill { line: assignment.begin(&mut self.past) };
                self.rejected = Rejected::new(&assignment.rejected);
            }
            At::Prefill { line } => {
                if state.prefill(&assignment.prompt)? == Prefill::Done {
                    // Bars that this job has generated are no news to it.
                    if !std::mem::replace(&mut self.has_context, true) {
                        state.count_kept(&assignment.prompt);
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
                let first = line <= assignment.brief.start;
                self.rejected.take(&passage);
                // The receiver is gone when the instance is dropped; this job is cancelled then.
                let _ = self.publish.send(passage);
                self.past.push(Arc::new(PromptBar { bar: rows, given }));
                self.at = At::Line { bar: bar + 1, line: next };
                if first && self.assignments.len() == 1 {
                    return Ok(Progress::Defer(Deadline::WHENEVER));
                }
            }
        }
        Ok(Progress::Again)
    }
}

impl Assignment {
    /// Uses `past`, the bars of the assignment before, as the context, and moves into it the gap bars that end by the brief's
    /// start. Returns the tick of the bar line after them.
    fn begin(&mut self, past: &mut Vec<Arc<PromptBar>>) -> Tick {
        let (mut line, mut known) = (self.line, 0);
        for PromptBar { bar, .. } in &self.prompt.gap {
            let end = line + Tick(i64::from(bar.ticks));
            if end > self.brief.start {
                break;
            }
            (line, known) = (end, known + 1);
        }
        if !past.is_empty() {
            self.prompt.context = std::mem::take(past);
        }
        self.prompt.know(known);
        self.locked.bars.drain(..known.min(self.locked.bars.len()));
        self.locked.chords.drain(..known.min(self.locked.chords.len()));
        past.clone_from(&self.prompt.context);
        line
    }

    /// Seed, sampling and constraints of bar number `bar` of the gap, which begins at `line`.
    fn rules(&self, bar: usize, line: Tick) -> Rules {
        // The decoder counts from its own first bar line: all or nothing of this bar.
        let rests_from = if line < self.prompt.constraints.rests_from { Tick::MAX } else { Tick(i64::MIN) };
        let until = self.prompt.constraints.until;
        let until = if until == Tick::MAX { until } else { until - line };
        let lock = self.locked.bars.get(bar).cloned().unwrap_or_default();
        let mut constraints = Constraints { rests_from, until, lock, ..self.prompt.constraints.clone() };
        if let Some(chord) = self.locked.chords.get(bar).copied().flatten() {
            constraints.on_beat = chord.scale().bits();
            constraints.scale |= chord.scale().bits();
        }
        Rules { seed: self.brief.seed, sampling: self.sampling, constraints }
    }

    /// Passage of a bar that lies between two ticks, cut to the brief's range, with its locked notes.
    fn passage(&self, bar: &BarRows, line: Tick, next: Tick) -> Passage {
        let (from, until) = (line.max(self.brief.start), next.min(self.brief.end));
        let locked = self.locked.notes.iter().filter(|note| from <= note.onset && note.onset < until);
        let mut notes: Vec<Note> = locked.copied().collect();
        let generated = bar.notes.iter().map(|note| note.note(line)).filter(|note| from <= note.onset && note.onset < until);
        for note in generated {
            // A locked note stays what it is.
            if !notes.iter().any(|locked| (locked.onset, locked.role, locked.pitch) == (note.onset, note.role, note.pitch)) {
                notes.push(note);
            }
        }
        notes.sort_by_key(Note::order);
        Passage { plan: self.brief.plan, from, until, notes }
    }
}
