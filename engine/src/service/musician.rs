//! An instance's musician: hears finished bars, and makes what is asked for, the near bar first.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use super::performer::{Approach, Performer, Rules, Setup};
use super::rejected::Rejected;
use super::score::{Gap, Score};
use super::{Deadline, InstanceHandle, Job, JobError, JobId, Progress, Report, Service};
use crate::codec::BarRows;
use crate::decode::{Constraints, DecodeError, Draw, Sampling, Step};
use crate::music::Tick;
use crate::plan::{Brief, Passage};

/// What to make for one request of the plan.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The plan, the ticks to fill, the seed.
    pub brief: Brief,
    /// The bars from the one after the score (of a further assignment: after the one before it) to the last to be filled. They hold what
    /// is known: of bars before the brief's start everything, as it will have sounded; of the others what sounds before that start.
    pub bars: Vec<BarRows>,
    /// The clock at the first of these bar lines.
    pub line: Tick,
    /// How adventurous.
    pub sampling: Sampling,
    /// What may be chosen. Its `from` and `until` are not looked at: the brief says where, and a note may ring on beyond its end. Its `rests_from`
    /// counts on the clock.
    pub constraints: Constraints,
    /// What the player has turned down: bars that would begin a plan in the same way are drawn again, a few times and ever more freely.
    pub rejected: Vec<Passage>,
}

/// One instance's musician. Its decoder lives on the workers of a [`Service`], from job to job: what it has in its cache is kept as long as
/// it stays true.
///
/// Same model, bars, assignments: same notes, whatever was asked for before. Only where a long piece comes in at once does it matter how it
/// came: it is read from its last 64 bars on.
pub struct Musician {
    instance: InstanceHandle<Performer>,
    score: Arc<Mutex<Score>>,
    publish: Sender<Passage>,
    passages: Receiver<Passage>,
}

impl Musician {
    /// A musician who has heard nothing yet. `load` runs on a worker when the first job needs it, and again after a panic; where the model
    /// is shared, it takes it from a [`Shelf`](super::Shelf).
    #[must_use]
    pub fn new(service: &Service, mut load: impl FnMut() -> Result<Setup, JobError> + Send + 'static) -> Self {
        let score = Arc::new(Mutex::new(Score::default()));
        let heard = Arc::clone(&score);
        let instance = service.instance(move || Ok(Performer::new(load()?, Arc::clone(&heard))));
        let (publish, passages) = unbounded();
        Self { instance, score, publish, passages }
    }

    /// From the first of these bars on, this is what was heard; whatever stood there is forgotten. The cache is filled with it when the
    /// workers have nothing else to do. Calls off what is being made: it was made from something else.
    ///
    /// # Errors
    /// If the bars do not follow each other, or those heard before. Nothing has changed then.
    pub fn listen(&self, bars: Vec<BarRows>) -> Result<JobId, Gap> {
        self.score.lock().replace(bars)?;
        Ok(self.instance.submit(Deadline::WHENEVER, Listening))
    }

    /// Makes what is asked for, in this order, and publishes it bar by bar. The first bar of the last assignment is due at `deadline`, the
    /// rest of it whenever the workers have time. Takes the place of what is being made.
    ///
    /// # Errors
    /// If the bars do not follow the score and each other. Nothing has changed then.
    pub fn play(&self, assignments: Vec<Assignment>, deadline: Deadline) -> Result<JobId, Gap> {
        let score = self.score.lock();
        let mut expected = score.next();
        for bar in assignments.iter().flat_map(|assignment| &assignment.bars) {
            if let Some(expected) = expected.filter(|expected| *expected != bar.index) {
                return Err(Gap { expected, found: bar.index });
            }
            expected = Some(bar.index.saturating_add(1));
        }
        let revision = score.revision();
        drop(score);
        let playing = Playing {
            assignments: assignments.into(),
            at: At::Approach,
            lead: Vec::new(),
            rejected: Rejected::default(),
            draw: Draw::FIRST,
            heard: Arc::clone(&self.score),
            revision,
            publish: self.publish.clone(),
        };
        Ok(self.instance.submit(deadline, playing))
    }

    /// Calls off what is being made.
    pub fn rest(&self) {
        self.instance.cancel();
    }

    /// The next passage, if one is there. Passages of a plan that was replaced may still come: [`Passage::plan`] tells.
    #[must_use]
    pub fn try_passage(&self) -> Option<Passage> {
        self.passages.try_recv().ok()
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

/// Fills the cache with what was heard, a bar a step.
struct Listening;

impl Job<Performer> for Listening {
    fn name(&self) -> &'static str {
        "listening"
    }

    fn advance(&mut self, performer: &mut Performer) -> Result<Progress, JobError> {
        Ok(match performer.approach(&[])? {
            Approach::Nearer => Progress::Again,
            Approach::There => Progress::Done,
        })
    }
}

/// Makes a continuation, a note a step.
struct Playing {
    /// Those that are not done yet.
    assignments: VecDeque<Assignment>,
    at: At,
    /// Everything after the score so far: what was known and what was made.
    lead: Vec<BarRows>,
    /// Of the first assignment: what it must not equal.
    rejected: Rejected,
    /// Of the open bar.
    draw: Draw,
    heard: Arc<Mutex<Score>>,
    /// The score's, when this was asked for.
    revision: u64,
    publish: Sender<Passage>,
}

/// Where the first assignment stands.
#[derive(Debug, Clone, Copy)]
enum At {
    /// The cache is being filled up to the first bar to be made.
    Approach,
    /// This bar of the assignment is the next to be made; its bar line on the clock.
    Line { bar: usize, line: Tick },
    /// It is open.
    Open { bar: usize, line: Tick },
}

impl Job<Performer> for Playing {
    fn name(&self) -> &'static str {
        "playing"
    }

    fn advance(&mut self, performer: &mut Performer) -> Result<Progress, JobError> {
        let Some(assignment) = self.assignments.front() else { return Ok(Progress::Done) };
        match self.at {
            At::Approach => {
                // Heard something else meanwhile: whoever said so asks anew.
                if self.heard.lock().revision() != self.revision {
                    return Ok(Progress::Done);
                }
                let (known, line) = assignment.known();
                let lead = [&self.lead[..], known].concat();
                if performer.approach(&lead)? == Approach::There {
                    self.at = At::Line { bar: known.len(), line };
                    self.lead = lead;
                    self.rejected = Rejected::new(&assignment.rejected);
                }
            }
            At::Line { bar, line } => match assignment.bars.get(bar) {
                Some(rows) if line < assignment.brief.end => {
                    performer.begin_bar(rows, assignment.brief.start - line, &assignment.rules(line))?;
                    self.at = At::Open { bar, line };
                    self.draw = Draw::FIRST;
                }
                _ => {
                    self.assignments.pop_front();
                    self.at = At::Approach;
                }
            },
            At::Open { bar, line } => {
                if performer.sample()? != Step::BarEnd {
                    return Ok(Progress::Again);
                }
                let open = performer.open().ok_or(DecodeError::NoOpenBar)?;
                let next = line + Tick(i64::from(open.ticks));
                let passage = assignment.passage(open, line, next);
                if let Some(draw) = self.draw.next().filter(|_| self.rejected.contains(&passage, line)) {
                    performer.draw_again(&assignment.bars[bar], &assignment.rules(line), draw)?;
                    self.draw = draw;
                    return Ok(Progress::Again);
                }
                let rows = performer.end_bar()?;
                let first = line <= assignment.brief.start;
                self.rejected.take(&passage);
                // Nobody listens any more when the instance goes; the job is about to be called off then.
                let _ = self.publish.send(passage);
                self.lead.push(rows);
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
    /// The bars that are over before the brief begins, and the bar line after them.
    fn known(&self) -> (&[BarRows], Tick) {
        let mut line = self.line;
        for (index, bar) in self.bars.iter().enumerate() {
            let end = line + Tick(i64::from(bar.ticks));
            if end > self.brief.start {
                return (&self.bars[..index], line);
            }
            line = end;
        }
        (&self.bars, line)
    }

    /// How to fill the bar that begins at `line`.
    fn rules(&self, line: Tick) -> Rules {
        // The decoder counts from its own first bar line: all or nothing of this bar.
        let rests_from = if line < self.constraints.rests_from { Tick::MAX } else { Tick(i64::MIN) };
        let constraints = Constraints { rests_from, ..self.constraints.clone() };
        Rules { seed: self.brief.seed, sampling: self.sampling, constraints }
    }

    /// What was made of a bar between two moments of the clock.
    fn passage(&self, bar: &BarRows, line: Tick, next: Tick) -> Passage {
        let (from, until) = (line.max(self.brief.start), next.min(self.brief.end));
        let notes = bar.notes.iter().map(|note| note.note(line)).filter(|note| from <= note.onset && note.onset < until);
        Passage { plan: self.brief.plan, from, until, notes: notes.collect() }
    }
}
