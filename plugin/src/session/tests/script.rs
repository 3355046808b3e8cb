//! Scripted worker: it generates simple plans at the speed set by the test, and records its requests and context.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::codec::{BarRows, OwnRoles};
use antiphon_engine::decode::{BarLock, BarOrder, Prompt, PromptBar, Remembered};
use antiphon_engine::music::analysis::Chord;
use antiphon_engine::music::{Metre, Note, Role, Tick};
use antiphon_engine::plan::{Brief, MidiKey, Passage, Take};
use antiphon_engine::service::{Assignment, Band, GeneratedBar, JobFailure, Outcome};
use nice_plug::midi::NoteEvent;
use parking_lot::Mutex;

use super::super::count_ignored;
use super::{SAMPLES_PER_TICK, set, timed};
use crate::clock::{HostTime, Position};
use crate::meters::{Count, Meters};
use crate::params::AntiphonParams;
use crate::planning_session::rings;
use crate::port::scripted::Scripted;
use crate::port::{Event, note_off, note_on};
use crate::realtime::RealTime;
use antiphon_engine::session::{Command, CommandSender, Parts, Planner, RenderWait, SessionPorts, SessionStatus, Work, Worker};
use antiphon_engine::session::{SharedSnapshot, Snapshot, Status};

/// A quarter.
pub(super) const BEAT: i64 = 24;
/// A bar of 4/4.
pub(super) const BAR: i64 = 96;

/// State of the script, shared by the test and the planner.
#[derive(Debug, Clone, Default)]
pub(super) struct Script(Rc<RefCell<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    /// Work that a passage costs; 0 is none.
    cost: u32,
    /// Work done on the next passage.
    done: u32,
    /// Passages still to be generated.
    making: VecDeque<GeneratedBar>,
    /// What the pending job is for.
    pending: Option<Work>,
    made: VecDeque<GeneratedBar>,
    outcomes: VecDeque<(Work, Outcome)>,
    /// The last context.
    context: Vec<Arc<PromptBar>>,
    /// The requests, in order.
    requests: Vec<(Brief, Vec<BarRows>)>,
    /// Number of jobs so far.
    jobs: usize,
    /// Roles that are generated beside others, as last set.
    own: OwnRoles,
    /// Time within which each request was due, in seconds.
    within: Vec<f64>,
    /// Plans of the requests for variations, in order, and whether they had a deadline.
    variations: Vec<(Vec<Brief>, bool)>,
    /// Their prompts.
    prompts: Vec<Prompt>,
    /// Those of the variations.
    varied: Vec<Prompt>,
    /// First bar line of each assignment, and the chords of its bars.
    chords: Vec<(i64, Vec<Option<Chord>>)>,
    /// What is remembered of the player.
    remembered: Remembered,
    /// Failure of every job.
    fault: Option<fn() -> JobFailure>,
    /// Error of the next context, once.
    refusal: Option<BarOrder>,
    /// When the notes of a beat start.
    strikes: Strikes,
}

/// When in each beat the notes of the script start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Strikes {
    /// At its second sixteenth.
    #[default]
    SecondSixteenth,
    /// At the beat.
    OnTheBeat,
    /// At the beat, as early as a note of the grid can be: half a tick before it.
    BeforeTheBeat,
}

impl Strikes {
    /// Tick within the beat, and eighths of a tick.
    const fn place(self) -> (i64, i8) {
        match self {
            Self::SecondSixteenth => (6, 0),
            Self::OnTheBeat => (0, 0),
            Self::BeforeTheBeat => (0, -4),
        }
    }
}

impl Script {
    /// Each passage costs so much work from now on.
    pub(super) fn cost(&self, work: u32) {
        self.0.borrow_mut().cost = work;
    }

    /// The notes of each beat start there from now on.
    pub(super) fn strike(&self, strikes: Strikes) {
        self.0.borrow_mut().strikes = strikes;
    }

    /// Refuses the next context with this error.
    pub(super) fn refuses(&self, order: BarOrder) {
        self.0.borrow_mut().refusal = Some(order);
    }

    /// Every job fails so from now on, or none does.
    pub(super) fn fails(&self, fault: Option<fn() -> JobFailure>) {
        self.0.borrow_mut().fault = fault;
    }

    /// Does this much work.
    fn work(&self, work: u32) {
        let mut memory = self.0.borrow_mut();
        memory.done += work;
        while memory.done >= memory.cost
            && let Some(passage) = memory.making.pop_front()
        {
            memory.done -= memory.cost;
            memory.made.push_back(passage);
        }
        if memory.making.is_empty() {
            memory.done = 0;
            if let Some(work) = memory.pending.take() {
                memory.outcomes.push_back((work, Outcome::Finished));
            }
        }
    }

    /// The requests, in order: the brief, and the bars with their known notes.
    pub(super) fn requests(&self) -> Vec<(Brief, Vec<BarRows>)> {
        self.0.borrow().requests.clone()
    }

    /// Roles that are generated beside others.
    pub(super) fn own(&self) -> OwnRoles {
        self.0.borrow().own
    }

    /// The notes of the context with their roles, as [`context_notes`](Self::context_notes).
    pub(super) fn context_roles(&self) -> Vec<(i64, u8, Role)> {
        let memory = self.0.borrow();
        let notes = (0..).zip(&memory.context).flat_map(|(bar, rows)| rows.bar.notes.iter().map(move |note| note.note(Tick(bar * BAR))));
        notes.map(|note| (note.onset.0, note.pitch, note.role)).collect()
    }

    /// First bar line of each assignment, in order, and the chords chosen for its bars.
    pub(super) fn chords(&self) -> Vec<(i64, Vec<Option<Chord>>)> {
        self.0.borrow().chords.clone()
    }

    /// Number of jobs so far.
    pub(super) fn jobs(&self) -> usize {
        self.0.borrow().jobs
    }

    /// The time within which each request was due, in beats at 120 a minute.
    pub(super) fn beats_until_due(&self) -> Vec<f64> {
        self.0.borrow().within.iter().map(|seconds| seconds * 2.0).collect()
    }

    /// The requests for variations, in order: their briefs, and whether they had a deadline.
    pub(super) fn variations(&self) -> Vec<(Vec<Brief>, bool)> {
        self.0.borrow().variations.clone()
    }

    /// The prompts of the requests, in order.
    pub(super) fn prompts(&self) -> Vec<Prompt> {
        self.0.borrow().prompts.clone()
    }

    /// The notes of the context, if all its bars are in 4/4: onset, pitch, duration in ticks.
    pub(super) fn context_notes(&self) -> Vec<(i64, u8, i64)> {
        let memory = self.0.borrow();
        let mut notes: Vec<_> = (0..)
            .zip(&memory.context)
            .flat_map(|(bar, rows)| rows.bar.notes.iter().map(move |note| note.note(Tick(bar * BAR))))
            .map(|note| (note.onset.0, note.pitch, note.duration.0))
            .collect();
        notes.sort_unstable();
        notes
    }

    /// The prompts of the variations, in order.
    pub(super) fn varied(&self) -> Vec<Prompt> {
        self.0.borrow().varied.clone()
    }

    /// What is remembered of the player.
    pub(super) fn remembered(&self) -> Remembered {
        self.0.borrow().remembered.clone()
    }

    /// Number of notes of each bar of the context.
    pub(super) fn rows(&self) -> Vec<usize> {
        self.0.borrow().context.iter().map(|bar| bar.bar.notes.len()).collect()
    }

    /// Number of bars of the context.
    pub(super) fn bars(&self) -> i64 {
        i64::try_from(self.0.borrow().context.len()).unwrap()
    }

    fn submit(&self, work: Work, making: VecDeque<GeneratedBar>) {
        let mut memory = self.0.borrow_mut();
        memory.jobs += 1;
        if let Some(replaced) = memory.pending.replace(work) {
            memory.outcomes.push_back((replaced, Outcome::Replaced));
        }
        (memory.making, memory.done) = (making, 0);
        if let Some(fault) = memory.fault {
            memory.making.clear();
            memory.pending = None;
            memory.outcomes.push_back((work, Outcome::Failed(fault())));
        }
    }
}

/// Bars of the script for an assignment: four notes a bar of each role, on a key by the plan and the role's place, bar by bar. A locked rhythm keeps its notes
/// on that key, locked pitches are three ticks later.
fn bars(assignment: &Assignment, strikes: Strikes) -> impl Iterator<Item = GeneratedBar> {
    let Brief { plan, start, end, .. } = assignment.brief;
    let (tick, offset) = strikes.place();
    let lines = assignment.prompt.gap.iter().scan(assignment.line, |line, bar| {
        let start = *line;
        *line += Tick(bar.bar.ticks.into());
        Some((start, *line))
    });
    let locks = assignment.locked.bars.iter().cloned().chain(std::iter::repeat(BarLock::Open));
    let pitch = pitch_of(plan.0);
    let allowed = assignment.prompt.constraints.roles;
    let roles: Vec<Role> = Role::ALL.into_iter().filter(|role| allowed.contains(*role)).collect();
    let locked = assignment.locked.notes.clone();
    let inside =
        lines.zip(locks).enumerate().filter(move |(_, ((line, next), _))| *next > start && *line < end).collect::<Vec<_>>().into_iter();
    inside.map(move |(place, ((line, next), lock))| {
        let (from, until) = (line.max(start), next.min(end));
        let note = |onset, (above, role)| Note { onset: Tick(onset), offset, duration: Tick(20), pitch: pitch + above, velocity: 80, role };
        let onsets = (from.0..until.0).filter(|onset| onset % BEAT == tick);
        let open = || onsets.flat_map(|onset| (0..).zip(&roles).map(move |(above, role)| note(onset, (above, *role)))).collect::<Vec<_>>();
        let mut notes: Vec<Note> = match lock {
            BarLock::Open => open(),
            BarLock::Whole => Vec::new(),
            BarLock::Rhythm(notes) => notes.iter().map(|classes| Note { pitch, ..classes.note(line) }).collect(),
            BarLock::Pitches(notes) => {
                notes.iter().map(|classes| classes.note(line)).map(|note| Note { onset: note.onset + Tick(3), ..note }).collect()
            }
        };
        notes.retain(|note| !locked.iter().any(|locked| locked.onset == note.onset));
        notes.extend(locked.iter().filter(|note| (from..until).contains(&note.onset)));
        notes.sort_by_key(Note::order);
        assignment.bar_with(place, line, Passage { plan, from, until, notes })
    })
}

/// The key of a plan's notes.
pub(super) fn pitch_of(plan: u64) -> u8 {
    40 + u8::try_from(plan % 20).unwrap()
}

impl Worker for Script {
    fn set_roles(&mut self, _roles: &BTreeSet<Role>, own: OwnRoles) {
        let mut memory = self.0.borrow_mut();
        *memory = Memory { cost: memory.cost, jobs: memory.jobs, strikes: memory.strikes, own, ..Memory::default() };
    }

    fn set_context(&mut self, Prompt { context, remembered, .. }: Prompt) -> Result<(), BarOrder> {
        self.0.borrow_mut().refusal.take().map_or(Ok(()), Err)?;
        self.0.borrow_mut().remembered = remembered;
        if !context.is_empty() {
            self.0.borrow_mut().context = context;
        }
        self.submit(Work::Plan, VecDeque::new());
        Ok(())
    }

    fn generate(&mut self, assignments: Vec<Assignment>, within: Duration) -> Result<(), BarOrder> {
        let strikes = self.0.borrow().strikes;
        let making = assignments.iter().flat_map(|assignment| bars(assignment, strikes)).collect();
        self.0.borrow_mut().within.extend(assignments.iter().map(|_| within.as_secs_f64()));
        self.0.borrow_mut().chords.extend(assignments.iter().map(|assignment| (assignment.line.0, assignment.locked.chords.clone())));
        self.0.borrow_mut().prompts.extend(assignments.iter().map(|assignment| assignment.prompt.clone()));
        self.0.borrow_mut().requests.extend(assignments.into_iter().map(|assignment| {
            let bars = assignment.prompt.gap.into_iter().map(|bar| bar.bar).collect();
            (assignment.brief, bars)
        }));
        self.submit(Work::Plan, making);
        Ok(())
    }

    fn vary(&mut self, assignments: Vec<Assignment>, within: Option<Duration>) -> Result<(), BarOrder> {
        let briefs = assignments.iter().map(|assignment| assignment.brief.clone()).collect();
        self.0.borrow_mut().varied.extend(assignments.iter().map(|assignment| assignment.prompt.clone()));
        self.0.borrow_mut().variations.push((briefs, within.is_some()));
        let strikes = self.0.borrow().strikes;
        self.submit(Work::Variations, assignments.iter().flat_map(|assignment| bars(assignment, strikes)).collect());
        Ok(())
    }

    fn cancel(&mut self) {
        let mut memory = self.0.borrow_mut();
        memory.making.clear();
        if let Some(work) = memory.pending.take() {
            memory.outcomes.push_back((work, Outcome::Cancelled));
        }
    }

    fn outcome(&mut self) -> Option<(Work, Outcome)> {
        self.0.borrow_mut().outcomes.pop_front()
    }

    fn bar(&mut self) -> Option<GeneratedBar> {
        self.0.borrow_mut().made.pop_front()
    }

    fn parts(&self) -> Parts {
        Parts::default()
    }
}

/// An instance, its session with a scripted worker and its host, all on one thread: independent of the wall clock.
pub(super) struct ScriptedHost {
    realtime: RealTime,
    planner: Planner<Script>,
    /// The window's end of the channel.
    pub(super) commands: CommandSender,
    /// Whether the host's transport rolls.
    pub(super) playing: bool,
    pub(super) script: Script,
    pub(super) params: AntiphonParams,
    /// The host's time signature; `None` is none, which is common time.
    pub(super) metre: Option<Metre>,
    /// The host's loop, in ticks of the song, which it follows if it plays up to its end.
    pub(super) cycle: Option<(i64, i64)>,
    /// Song position minus time played, in ticks.
    shift: i64,
    meters: Arc<Meters>,
    snapshot: Arc<SharedSnapshot>,
    /// Samples played.
    played: u32,
    frames: u32,
    /// Every event that came out, by its sample from the start.
    pub(super) out: Vec<(u32, Event)>,
}

impl ScriptedHost {
    /// A host with blocks of this length.
    pub(super) fn new(frames: u32) -> Self {
        Self::with_commands(frames, &[])
    }

    /// A host with blocks of this length, whose instance is a member of a band.
    pub(super) fn in_band(frames: u32, band: &Band) -> Self {
        let host = Self::new(frames);
        Self { planner: host.planner.in_band(band), ..host }
    }

    /// A host with blocks of this length, whose window sent these commands before the session started.
    pub(super) fn with_commands(frames: u32, before: &[Command]) -> Self {
        let params = AntiphonParams::new(false);
        let (audio_ports, planning_ports) = rings(Arc::clone(&params.state));
        let (meters, snapshot, commands) =
            (Arc::clone(&planning_ports.meters), Arc::clone(&planning_ports.snapshot), planning_ports.commands.sender());
        before.iter().for_each(|command| commands.send(*command));
        let mut realtime = RealTime::new(audio_ports);
        realtime.set_sample_rate(48_000.0);
        let (script, status) = (Script::default(), Arc::new(Mutex::new(SessionStatus::default())));
        let ports = SessionPorts {
            events: planning_ports.events,
            planned: planning_ports.planned,
            commands: planning_ports.commands,
            snapshot: planning_ports.snapshot,
            archive: planning_ports.state,
            takes: planning_ports.takes,
            count_ignored: count_ignored(&meters),
        };
        let planner = Planner::new(ports, script.clone(), status, Arc::new(RenderWait::default()), 7);
        Self {
            realtime,
            planner,
            commands,
            playing: true,
            script,
            params,
            metre: None,
            cycle: None,
            shift: 0,
            meters,
            snapshot,
            played: 0,
            frames,
            out: Vec::new(),
        }
    }

    /// Plays up to a tick of a rolling song, with the player's events. The script does one piece of work a tick.
    pub(super) fn play_to(&mut self, tick: i64, player: &[(u32, Event)]) {
        let until = u32::try_from(tick).unwrap() * SAMPLES_PER_TICK;
        while self.played < until {
            let start = self.played;
            let end = until.min(start + self.frames);
            let host = self.transport();
            let inside = player.iter().filter(|(at, _)| (start..end).contains(at)).map(|&(at, event)| timed(event, at - start));
            let mut port = Scripted { inputs: inside.collect(), ..Scripted::default() };
            self.realtime.process(&self.params, &host, end - start, &mut port);
            self.played = end;
            self.out.extend(port.outputs.into_iter().map(|event| (start + event.timing(), timed(event, 0))));
            self.planner.run();
            self.script.work(end / SAMPLES_PER_TICK - start / SAMPLES_PER_TICK);
            self.planner.run();
        }
    }

    /// The host's transport at the next block.
    fn transport(&mut self) -> HostTime {
        let song = |shift: i64| f64::from(self.played) / f64::from(SAMPLES_PER_TICK) + shift as f64;
        if let Some((start, end)) = self.cycle.filter(|(_, end)| song(self.shift) >= *end as f64) {
            self.shift -= end - start;
        }
        let cycle = self.cycle.map(|(start, end)| (start as f64, end as f64));
        let position = Position::Musical(song(self.shift));
        HostTime { playing: self.playing, tempo: Some(120.0), metre: self.metre, position, bar_line: None, cycle }
    }

    /// Time played, in ticks.
    pub(super) fn now(&self) -> i64 {
        i64::from(self.played / SAMPLES_PER_TICK)
    }

    /// The host locates to a tick of the song.
    pub(super) fn locate(&mut self, song: i64) {
        self.shift = song - self.now();
    }

    /// Loads a take as a project does that is opened before the instance is activated.
    pub(super) fn open_take(&mut self, take: &Arc<Take>) {
        self.params.state.edit_take(|own| *own = Take::clone(take));
        self.realtime.set_take(Arc::clone(take));
    }

    /// Presses a button and releases it six ticks later.
    pub(super) fn press(&mut self, button: &str) {
        set(&self.params, button, 1.0);
        let now = i64::from(self.played / SAMPLES_PER_TICK);
        self.play_to(now + 6, &[]);
        set(&self.params, button, 0.0);
    }

    /// The snapshot.
    pub(super) fn shown(&self) -> Arc<Snapshot> {
        self.snapshot.latest()
    }

    /// The status line.
    pub(super) fn status(&self) -> Status {
        self.snapshot.latest().status.clone()
    }

    pub(super) fn count(&self, count: Count) -> u64 {
        self.meters.count(count)
    }

    /// The script's notes among them, of plans of one role.
    pub(super) fn planned(&self) -> Vec<(i64, u8, i64)> {
        self.sounded().into_iter().filter(|(_, pitch, _)| *pitch < 60).collect()
    }

    /// All notes of the output: onset, pitch, duration in ticks. Only those that have ended.
    pub(super) fn sounded(&self) -> Vec<(i64, u8, i64)> {
        let tick = |sample: u32| i64::from((sample + SAMPLES_PER_TICK / 2) / SAMPLES_PER_TICK);
        let mut sounding = Vec::new();
        let mut notes = Vec::new();
        for &(sample, event) in &self.out {
            match event {
                NoteEvent::NoteOn { key, .. } => sounding.push((key.number_or_middle_c(), tick(sample))),
                NoteEvent::NoteOff { key, .. } => {
                    let pitch = key.number_or_middle_c();
                    let index = sounding.iter().position(|(other, _)| *other == pitch).unwrap();
                    let (_, onset) = sounding.remove(index);
                    notes.push((onset, pitch, (tick(sample) - onset).max(1)));
                }
                _ => {}
            }
        }
        notes.sort_unstable();
        notes
    }
}

/// A player who strikes another key above the script's on every beat, 18 ticks long.
pub(super) fn tune(from: i64, beats: i64) -> Vec<(u32, Event)> {
    (0..beats).flat_map(|beat| stroke(from + beat * BEAT, 18, u8::try_from(60 + beat * 5 % 40).unwrap())).collect()
}

/// A player's note: on and off, in ticks and eighths.
pub(super) fn stroke(onset: i64, duration: i64, pitch: u8) -> [(u32, Event); 2] {
    let key = MidiKey::new(0, pitch).unwrap();
    let at = |tick: i64| u32::try_from(tick).unwrap() * SAMPLES_PER_TICK;
    [(at(onset), note_on(0, key, 90)), (at(onset + duration), note_off(0, key))]
}
