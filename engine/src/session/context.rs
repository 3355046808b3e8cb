//! Context of every plan: the finished bars, encoded as the model reads them.

mod closed;

use std::sync::Arc;

use crate::codec::{self, BarFields, BarRows, CONTEXT_BARS, Measured, OwnRoles, PHASE_BARS};
use crate::decode::{Constraints, DensityLimit, HeardHarmony, Prompt, PromptBar, RoleSet, Sampling, Upcoming, default_constraints};
use crate::music::analysis::{BarHarmony, KeySignature, habits, tempo_bucket};
use crate::music::{Bar, Note, Role, Tempo, Tick};
use crate::plan::{Brief, Fingerprint, MusicalClock, PageStats, Passage, Request, Timeline, most_notes};
use crate::service::{Assignment, GeneratedBar, LockedPart};

use super::MusicControls;
use super::as_planned::AsPlanned;
use super::steering::steer;
use closed::Closed;

/// Maximum of finished bars kept: the longest context, and two phases more. Dropped by whole phases, so that the phase of the others does not change.
const BARS: usize = (CONTEXT_BARS + 2 * PHASE_BARS) as usize;
const PHASE: usize = PHASE_BARS as usize;
/// Bars with at least one note from which a role's register and chords are taken.
const RECENT_BARS: usize = 8;
/// Consecutive silent bars that enter the context. The rest of a longer pause is left out: it is not composed, and a context of silence would be
/// continued with silence.
const PAUSE_BARS: usize = 4;

/// Time that a note may have begun before a bar and sound in its chords: two bars of common time.
const LONGEST_RING: Tick = Tick::quarters(8);

/// The finished bars, from the first bar with a note on: one list, shared by plans, prompts and workers.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    bars: Vec<Closed>,
    /// Bar index of the first entry.
    base: u32,
    /// Whether the bars have changed since they were last sent to the workers.
    is_news: bool,
    /// Bars of plans.
    planned: AsPlanned,
    /// Bars that have ended, and those of them that came as planned.
    counts: PageStats,
}

/// Settings of a plan that do not come from the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanSettings<'a> {
    /// Roles to generate.
    pub(super) roles: RoleSet,
    /// The others beside whom they play.
    pub(super) beside: Option<Beside<'a>>,
    /// Requested music.
    pub(super) music: &'a MusicControls,
    /// Quarters per minute.
    pub(super) tempo: f64,
    /// Plans that the player replaced with Another: a new plan must differ from them.
    pub(super) rejected: &'a [Passage],
    /// Tick by which every planned note ends.
    pub(super) silent_from: Tick,
    /// Notes that are expected before a new plan begins.
    pub(super) expected: Expected,
}

/// Others beside whom Antiphon plays: its player in Accompany, other instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Roles that are generated.
    pub(super) own: OwnRoles,
    /// The others' notes so far, in order of time.
    pub(super) others: &'a [Note],
    /// What the generated roles keep to.
    pub(super) follows: Follows,
    /// Key that other instances have played in lately, if any is heard: the key measured on whole bars follows a change later.
    pub(super) key: Option<KeySignature>,
}

/// What roles that play beside others keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    /// What fits the others' notes.
    Others,
    /// Their own earlier notes.
    Itself,
}

/// Notes that are expected between a planning tick and the start of the plan made at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// What is shown: the player may play it.
    Shown,
    /// Only what plays: the player is silent, or plays something else.
    Latched,
}

impl Context {
    /// Closes the bars that are finished by now, and encodes those whose notes have changed. `notes` are all notes played so far, in order of time. Returns the
    /// bars if they have changed since the last call.
    pub(super) fn update(&mut self, clock: &MusicalClock, notes: &[Note], tempo: f64) -> Option<Vec<Arc<PromptBar>>> {
        for bar in &mut self.bars {
            self.is_news |= bar.update(notes, &mut self.counts);
        }
        if let Some(first) = notes.first() {
            self.close(clock, notes, first.onset, tempo);
        }
        let news = std::mem::take(&mut self.is_news).then(|| self.sent());
        self.drop_oldest();
        self.planned.forget_before(clock.open_bar().start);
        news.filter(|rows| !rows.is_empty())
    }

    /// Closes the bars that have ended since the last one closed.
    fn close(&mut self, clock: &MusicalClock, notes: &[Note], first: Tick, tempo: f64) {
        let from = self.bars.last().map(|last| last.line + last.length);
        let fresh = clock.bars().filter(|bar| bar.end() <= clock.now() && from.map_or(bar.end() > first, |from| bar.start >= from));
        let mut pause = self.bars.iter().rev().take_while(|bar| bar.is_silent()).count();
        let fresh = fresh.filter(|bar| {
            pause = if inside(notes, bar.start, bar.end()).is_empty() { pause + 1 } else { 0 };
            pause <= PAUSE_BARS
        });
        let tempo = Tempo::from_bpm(tempo).map_or(tempo_bucket(Tempo::default()), tempo_bucket);
        let before = self.bars.len();
        for bar in fresh {
            let mut line = bar.start;
            for mut rows in codec::encode(inside(notes, bar.start, bar.end()), &[bar], None).bars {
                rows.index = self.index_after();
                rows.fields.tempo = tempo;
                let length = Tick(rows.ticks.into());
                let revision = Fingerprint::of(inside(notes, line, line + length));
                let measured = Measured::of(&rows);
                let around = codec::profile_at_end(self.bars.iter().map(|bar| &bar.measured).chain([&measured])).unwrap_or_default();
                let sounding = inside(notes, line - LONGEST_RING, line + length);
                let harmony = BarHarmony::measure(&Bar { start: line, length, ..bar }, sounding, &around);
                let rows: Arc<PromptBar> = Arc::new(rows.into());
                self.bars.push(Closed { line, length, measured, harmony, sent: Arc::clone(&rows), rows, revision });
                line += length;
            }
        }
        if before < self.bars.len() {
            self.label(before);
            for bar in &mut self.bars[before..] {
                bar.send_as_planned(&self.planned, notes);
                self.counts.finished += 1;
                self.counts.as_planned += u64::from(bar.is_as_planned());
            }
            self.is_news = true;
        }
    }

    /// Labels the bars from number `from` on, which have just ended.
    fn label(&mut self, from: usize) {
        let bars: Vec<(&BarRows, &Measured)> = self.bars.iter().map(|bar| (&bar.rows.bar, &bar.measured)).collect();
        let labels = codec::labels(&bars);
        for (bar, fields) in self.bars.iter_mut().zip(labels).skip(from) {
            Arc::make_mut(&mut bar.rows).bar.fields = fields;
        }
    }

    fn drop_oldest(&mut self) {
        if self.bars.len() > BARS {
            self.bars.drain(..PHASE);
            self.base += PHASE_BARS;
        }
    }

    /// Key and chords of the bars.
    pub(super) fn harmony(&self) -> Vec<BarHarmony> {
        self.bars.iter().map(|bar| bar.harmony).collect()
    }

    /// The bars as the worker reads them.
    fn sent(&self) -> Vec<Arc<PromptBar>> {
        self.bars.iter().map(|bar| Arc::clone(&bar.sent)).collect()
    }

    /// The bars in the conditioning that was measured on them.
    fn measured(&self) -> Vec<Arc<PromptBar>> {
        self.bars.iter().map(|bar| Arc::clone(&bar.rows)).collect()
    }

    /// Index of the bar after the last one that is closed.
    fn index_after(&self) -> u32 {
        self.base.saturating_add(u32::try_from(self.bars.len()).unwrap_or(u32::MAX))
    }

    /// Marks all bars as not sent: the workers have no context, or another.
    pub(super) fn send_again(&mut self) {
        self.is_news = true;
    }

    /// A worker failed on the bars: they are encoded again from the notes, and sent.
    pub(super) fn start_again(&mut self) {
        self.bars.clear();
        self.base = 0;
        self.planned.clear();
        self.is_news = true;
    }

    /// The workers were replaced, and hold no page of a plan: all bars are sent as measured.
    pub(super) fn send_measured(&mut self) {
        for bar in &mut self.bars {
            bar.sent = Arc::clone(&bar.rows);
        }
        self.planned.clear();
        self.is_news = true;
    }

    /// Bars that have ended, and those of them that came as planned.
    pub(super) const fn counts(&self) -> PageStats {
        self.counts
    }

    /// First tick of the context; `None` without bars. Earlier notes are no longer needed.
    pub(super) fn start(&self) -> Option<Tick> {
        self.bars.first().map(|bar| bar.line)
    }

    /// Assignments for these requests. `played` are all notes played before now, in order of time.
    pub(super) fn assignments(
        &mut self,
        requests: &[Request],
        timeline: &Timeline,
        clock: &MusicalClock,
        played: &[Note],
        plan_settings: &PlanSettings<'_>,
    ) -> Vec<Assignment> {
        let mut line = clock.open_bar().start;
        let mut index = self.index_after();
        let tempo = Tempo::from_bpm(plan_settings.tempo).map_or(0, tempo_bucket);
        let constraints = match plan_settings.beside {
            Some(beside) if beside.follows == Follows::Others => self.constraints_beside(beside, played, plan_settings.roles, clock.now()),
            Some(beside) => {
                let own: Vec<Note> = played.iter().filter(|note| beside.own.contains(note.role.class())).copied().collect();
                self.constraints(&own, plan_settings.roles)
            }
            None => self.constraints(played, plan_settings.roles),
        };
        let own = plan_settings.beside.map_or(OwnRoles::ALL, |beside| beside.own);
        let mut ahead = 0;
        let mut assignments = Vec::new();
        for request in requests {
            let brief = request.brief();
            let mut known: Vec<Note> = played.iter().filter(|note| note.onset >= line).copied().collect();
            match (request, plan_settings.expected) {
                (Request::Replan(_), Expected::Latched) => known.extend(timeline.sounding(clock.now(), brief.start).copied()),
                _ => known.extend(timeline.shown(clock.now(), brief.start).copied()),
            }
            let bars = bars(clock, line, brief.end);
            let Some(end) = bars.last().map(Bar::end) else { continue };
            let upcoming = Upcoming { bars: &bars, known: &known, cut: brief.start, own, tempo, index, ahead };
            let mut prompt = Prompt::upcoming(self.measured(), &upcoming);
            prompt.context = self.sent();
            if let Some(key) = plan_settings.beside.and_then(|beside| beside.key) {
                prompt.condition(|fields| BarFields { key: key.value(), ..fields });
            }
            prompt.constraints =
                Constraints { rests_from: first_rest(request, &bars), until: plan_settings.silent_from, ..constraints.clone() };
            steer(&mut prompt, plan_settings.music, bars.iter().take_while(|bar| bar.start < brief.start).count());
            self.show_as_planned(&mut prompt, brief, line, &mut known);
            ahead += prompt.gap.len();
            index = index.saturating_add(u32::try_from(prompt.gap.len()).unwrap_or(u32::MAX));
            assignments.push(Assignment {
                brief: Brief::clone(brief),
                prompt,
                line,
                sampling: Sampling::from_adventurousness(plan_settings.music.adventurousness),
                rejected: if matches!(request, Request::Replan(_)) { plan_settings.rejected.to_vec() } else { Vec::new() },
                locked: LockedPart::default(),
            });
            line = end;
        }
        assignments
    }

    /// Makes the bars of the gap that are shown as planned those that were generated. The first begins at `line`.
    fn show_as_planned(&self, prompt: &mut Prompt, brief: &Brief, line: Tick, known: &mut [Note]) {
        known.sort_by_key(Note::order);
        let mut line = line;
        for (bar, fields) in prompt.gap.iter_mut().zip(&mut prompt.conditioning) {
            let length = Tick(bar.bar.ticks.into());
            if line + length > brief.start {
                break;
            }
            if let Some(planned) = self.planned.rows(line, length, known) {
                *fields = planned.bar.fields;
                let index = bar.bar.index;
                *bar = PromptBar::clone(&planned);
                bar.bar.index = index;
            }
            line += length;
        }
    }

    /// A bar of a plan was delivered.
    pub(super) fn deliver(&mut self, bar: GeneratedBar) {
        self.planned.deliver(bar);
    }

    /// All plans are discarded.
    pub(super) fn discard_plans(&mut self) {
        self.planned.clear();
    }

    /// Default constraints: a role keeps to the keys and chords of its recent bars.
    fn constraints(&self, played: &[Note], roles: RoleSet) -> Constraints {
        let mut constraints = default_constraints(roles, self.recent(played));
        if roles.iter().count() > 1 {
            constraints.requested.ensemble = roles;
        }
        constraints
    }

    /// Constraints of roles that play beside a player: a role that the player does not play keeps to what fits the player's notes, whatever Antiphon has
    /// played, and all fit the harmony of the last beat and leave room where the player fills.
    fn constraints_beside(&self, beside: Beside<'_>, played: &[Note], roles: RoleSet, now: Tick) -> Constraints {
        let player = self.recent(beside.others);
        let mut constraints = Constraints { roles, ..Constraints::default() };
        let habits = habits(player);
        for role in Role::ALL.into_iter().filter(|role| roles.contains(*role) && !habits.roles.contains_key(role)) {
            constraints.introduce(role, player);
        }
        constraints.keep_to(&habits);
        constraints.requested.heard = Some(HeardHarmony::before(now, beside.others));
        let own: Vec<Note> = self.recent(played).iter().filter(|note| roles.contains(note.role)).copied().collect();
        constraints.density_limit = most_notes(player, &own, now).map(|notes| DensityLimit { notes, roles });
        constraints
    }

    /// Of notes in order of time those of the last bars that sound.
    fn recent<'a>(&self, notes: &'a [Note]) -> &'a [Note] {
        let from = self.bars.iter().rev().filter(|bar| !bar.is_silent()).nth(RECENT_BARS - 1).map_or(Tick(i64::MIN), |bar| bar.line);
        &notes[notes.partition_point(|note| note.onset < from)..]
    }
}

/// The notes, in order of time, that start between two ticks.
fn inside(notes: &[Note], from: Tick, to: Tick) -> &[Note] {
    let first = notes.partition_point(|note| note.onset < from);
    let end = notes.partition_point(|note| note.onset < to);
    &notes[first..end.max(first)]
}

/// First tick from which bars may be empty: a new plan begins with a bar that has a note, be it the rest of the open bar or the next one.
fn first_rest(request: &Request, bars: &[Bar]) -> Tick {
    match request {
        Request::Replan(brief) => bars.iter().find(|bar| bar.start >= brief.start).map_or(brief.start, |bar| bar.start + Tick(1)),
        Request::Extend(_) => Tick(i64::MIN),
    }
}

/// The bars from a bar line to the last one that starts before `end`, as far as they are foreseen.
fn bars(clock: &MusicalClock, line: Tick, end: Tick) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut line = line;
    while line < end {
        let Some(bar) = clock.bar_at(line) else { break };
        line = bar.end();
        bars.push(bar);
    }
    bars
}

#[cfg(test)]
mod tests;
