//! Context of every plan: the finished bars, encoded as the model reads them.

use std::sync::Arc;

use crate::codec::{self, BarRows, CONTEXT_BARS, Measured, OwnRoles, PHASE_BARS};
use crate::decode::{Constraints, DensityLimit, Prompt, PromptBar, RoleSet, Sampling, Upcoming, default_constraints};
use crate::music::analysis::{BarHarmony, habits, tempo_bucket};
use crate::music::{Bar, Metre, Note, Role, Tempo, Tick};
use crate::plan::{Brief, Fingerprint, MusicalClock, Passage, Request, Timeline, most_notes};
use crate::service::{Assignment, LockedPart};

use super::MusicControls;
use super::steering::steer;

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

/// A finished bar. Encoded when it ends, and again when the length of one of its notes changes.
#[derive(Debug, Clone)]
struct Closed {
    line: Tick,
    length: Tick,
    /// Its rows. Their conditioning stays what it was when the bar ended.
    rows: Arc<PromptBar>,
    measured: Measured,
    /// Key and chords, as they were when the bar ended.
    harmony: BarHarmony,
    /// Fingerprint of the notes it was encoded from.
    revision: Fingerprint,
}

/// The finished bars, from the first bar with a note on: one list, shared by plans, prompts and workers.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    bars: Vec<Closed>,
    /// Bar index of the first entry.
    base: u32,
    /// Whether the bars have changed since they were last sent to the workers.
    is_news: bool,
}

/// Settings of a plan that do not come from the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanSettings<'a> {
    /// Roles to generate.
    pub(super) roles: RoleSet,
    /// The player beside whom they play, in Accompany.
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

/// A player beside whom Antiphon plays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside<'a> {
    /// Roles that Antiphon plays.
    pub(super) own: OwnRoles,
    /// The player's notes so far, in order of time.
    pub(super) player: &'a [Note],
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
            self.is_news |= bar.update(notes);
        }
        if let Some(first) = notes.first() {
            self.close(clock, notes, first.onset, tempo);
        }
        let news = std::mem::take(&mut self.is_news).then(|| self.rows());
        self.drop_oldest();
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
                self.bars.push(Closed { line, length, measured, harmony, rows: Arc::new(rows.into()), revision });
                line += length;
            }
        }
        if before < self.bars.len() {
            self.label(before);
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

    fn rows(&self) -> Vec<Arc<PromptBar>> {
        self.bars.iter().map(|bar| Arc::clone(&bar.rows)).collect()
    }

    /// Index of the bar after the last one that is closed.
    fn index_after(&self) -> u32 {
        self.base.saturating_add(u32::try_from(self.bars.len()).unwrap_or(u32::MAX))
    }

    /// Marks all bars as not sent: the workers were replaced and have no context.
    pub(super) fn send_again(&mut self) {
        self.is_news = true;
    }

    /// First tick of the context; `None` without bars. Earlier notes are no longer needed.
    pub(super) fn start(&self) -> Option<Tick> {
        self.bars.first().map(|bar| bar.line)
    }

    /// Assignments for these requests. `played` are all notes played before now, in order of time.
    pub(super) fn assignments(
        &self,
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
            Some(beside) => self.constraints_beside(beside, played, plan_settings.roles, clock.now()),
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
            let mut prompt = Prompt::upcoming(self.rows(), &upcoming);
            prompt.constraints =
                Constraints { rests_from: first_rest(request, &bars), until: plan_settings.silent_from, ..constraints.clone() };
            steer(&mut prompt, plan_settings.music, bars.iter().take_while(|bar| bar.start < brief.start).count());
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

    /// Default constraints: a role keeps to the keys and chords of its recent bars.
    fn constraints(&self, played: &[Note], roles: RoleSet) -> Constraints {
        let mut constraints = default_constraints(roles, self.recent(played));
        if roles.iter().count() > 1 {
            constraints.requested.ensemble = roles;
        }
        constraints
    }

    /// Constraints of roles that play beside a player: a role that the player does not play keeps to what fits the player's notes, whatever Antiphon has
    /// played, and all leave room where the player fills.
    fn constraints_beside(&self, beside: Beside<'_>, played: &[Note], roles: RoleSet, now: Tick) -> Constraints {
        let player = self.recent(beside.player);
        let mut constraints = Constraints { roles, ..Constraints::default() };
        let habits = habits(player);
        for role in Role::ALL.into_iter().filter(|role| roles.contains(*role) && !habits.roles.contains_key(role)) {
            constraints.introduce(role, player);
        }
        constraints.keep_to(&habits);
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

impl Closed {
    /// Encodes the bar again if its notes have changed; returns whether its rows have.
    fn update(&mut self, notes: &[Note]) -> bool {
        let notes = inside(notes, self.line, self.line + self.length);
        let revision = Fingerprint::of(notes);
        if revision == self.revision {
            return false;
        }
        // The metre is in the bar's fields already.
        let bar = Bar { index: 0, start: self.line, length: self.length, metre: Metre::COMMON };
        let Some(encoded) = codec::encode(notes, &[bar], None).bars.pop() else { return false };
        let BarRows { index, fields, .. } = self.rows.bar;
        let rows = BarRows { index, fields, ..encoded };
        self.revision = revision;
        let has_changed = rows != self.rows.bar;
        self.measured = Measured::of(&rows);
        self.rows = Arc::new(rows.into());
        has_changed
    }

    /// Whether no note starts in it.
    fn is_silent(&self) -> bool {
        self.rows.bar.notes.is_empty()
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
