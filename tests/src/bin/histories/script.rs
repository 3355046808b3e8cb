//! A worker that generates random plans: chords, repeated keys, notes across bar lines, on the keys that the player uses.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use antiphon_engine::codec::OwnRoles;
use antiphon_engine::decode::{BarOrder, Prompt};
use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::Passage;
use antiphon_engine::service::{Assignment, GeneratedBar, JobFailure, Outcome};
use antiphon_engine::session::{Parts, Work, Worker};

/// Lowest key of the plans, and their number.
pub(crate) const KEYS: (u8, u8) = (54, 16);

/// The worker, shared by the planner and the run.
#[derive(Debug, Clone)]
pub(crate) struct Script(Rc<RefCell<Memory>>);

#[derive(Debug)]
struct Memory {
    seed: u64,
    /// Calls of [`Script::work`] per bar; 0: none.
    runs: u8,
    /// Of those, done for the next bar.
    done: u8,
    /// Whether one job in 16 fails.
    fails: bool,
    jobs: u64,
    pending: VecDeque<GeneratedBar>,
    /// What the pending job is for.
    busy: Option<Work>,
    bars: VecDeque<GeneratedBar>,
    outcomes: VecDeque<(Work, Outcome)>,
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        let (pending, bars, outcomes) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self(Rc::new(RefCell::new(Memory { seed, runs: 0, done: 0, fails: false, jobs: 0, pending, busy: None, bars, outcomes })))
    }

    /// Sets the speed and whether jobs may fail.
    pub(crate) fn set(&self, runs: u8, fails: bool) {
        let mut memory = self.0.borrow_mut();
        (memory.runs, memory.fails) = (runs, fails);
    }

    /// Works for one run of the session.
    pub(crate) fn work(&self) {
        let mut memory = self.0.borrow_mut();
        memory.done = memory.done.saturating_add(1);
        while memory.done >= memory.runs
            && let Some(bar) = memory.pending.pop_front()
        {
            memory.bars.push_back(bar);
            if memory.runs > 0 {
                memory.done = 0;
            }
        }
        if memory.pending.is_empty()
            && let Some(work) = memory.busy.take()
        {
            memory.outcomes.push_back((work, Outcome::Finished));
        }
    }

    fn submit(&self, work: Work, pending: VecDeque<GeneratedBar>) {
        let mut memory = self.0.borrow_mut();
        if let Some(replaced) = memory.busy.replace(work) {
            memory.outcomes.push_back((replaced, Outcome::Replaced));
        }
        (memory.pending, memory.done) = (pending, 0);
        memory.jobs += 1;
        if memory.fails && memory.jobs.is_multiple_of(16) {
            memory.pending.clear();
            memory.busy = None;
            let message = "a failure of the script".to_owned();
            memory.outcomes.push_back((work, Outcome::Failed(JobFailure::Panic { name: "the script", message })));
        }
    }
}

/// Bars of an assignment. Every beat has one to three notes.
fn bars(assignment: &Assignment, seed: u64) -> Vec<GeneratedBar> {
    let brief = &assignment.brief;
    let lines = assignment.prompt.gap.iter().scan(assignment.line, |line, bar| {
        let start = *line;
        *line += Tick(bar.bar.ticks.into());
        Some((start, *line))
    });
    let inside = lines.enumerate().filter(|(_, (line, next))| *next > brief.start && *line < brief.end);
    inside
        .map(|(place, (line, next))| {
            let (from, until) = (line.max(brief.start), next.min(brief.end));
            let bar = u64::try_from(line.0.max(0)).unwrap_or_default();
            let mut random = fastrand::Rng::with_seed(seed ^ brief.plan.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ bar << 20);
            let mut notes = Vec::new();
            for beat in (from.0..until.0).step_by(24) {
                for _ in 0..random.usize(1..=3) {
                    let onset = Tick((beat + random.i64(0..24)).min(until.0 - 1));
                    let duration = Tick(if random.u8(..8) == 0 { random.i64(1..400) } else { random.i64(1..30) });
                    let pitch = KEYS.0 + random.u8(..KEYS.1);
                    notes.push(Note { onset, offset: random.i8(-4..4), duration, pitch, velocity: random.u8(1..=127), role: Role::Keys });
                }
            }
            notes.extend(assignment.locked.notes.iter().filter(|note| (from..until).contains(&note.onset)));
            notes.sort_by_key(Note::order);
            assignment.bar_with(place, line, Passage { plan: brief.plan, from, until, notes })
        })
        .collect()
}

impl Worker for Script {
    fn set_roles(&mut self, _roles: &BTreeSet<Role>, _own: OwnRoles) {
        let mut memory = self.0.borrow_mut();
        let Memory { seed, runs, fails, jobs, .. } = *memory;
        let (pending, bars, outcomes) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        *memory = Memory { seed, runs, done: 0, fails, jobs, pending, busy: None, bars, outcomes };
    }

    fn set_context(&mut self, _context: Prompt) -> Result<(), BarOrder> {
        self.submit(Work::Plan, VecDeque::new());
        Ok(())
    }

    fn generate(&mut self, assignments: Vec<Assignment>, _within: Duration) -> Result<(), BarOrder> {
        let seed = self.0.borrow().seed;
        self.submit(Work::Plan, assignments.iter().flat_map(|assignment| bars(assignment, seed)).collect());
        Ok(())
    }

    fn vary(&mut self, assignments: Vec<Assignment>, _within: Option<Duration>) -> Result<(), BarOrder> {
        let seed = self.0.borrow().seed;
        self.submit(Work::Variations, assignments.iter().flat_map(|assignment| bars(assignment, seed)).collect());
        Ok(())
    }

    fn cancel(&mut self) {
        let mut memory = self.0.borrow_mut();
        memory.pending.clear();
        if let Some(work) = memory.busy.take() {
            memory.outcomes.push_back((work, Outcome::Cancelled));
        }
    }

    fn outcome(&mut self) -> Option<(Work, Outcome)> {
        self.0.borrow_mut().outcomes.pop_front()
    }

    fn bar(&mut self) -> Option<GeneratedBar> {
        self.0.borrow_mut().bars.pop_front()
    }

    fn parts(&self) -> Parts {
        Parts::default()
    }
}
