//! Infill: the fill of the marked bars is planned while the song approaches them, and plays by itself in each pass.
//!
//! A fill is made of the song around the marked bars as it was heard last ([`InfillMusic`]), at the bar lines before them, and again on the last beat before
//! them if that has changed. While nothing changes it is the same in every pass, and is not generated again. Where it is not known yet what follows the marked
//! bars, they are a turn of their own: a continuation of what was played, as in Trade.

use std::time::Duration;

use crate::codec::OwnRoles;
use crate::decode::{Constraints, Sampling};
use crate::music::analysis::tempo_bucket;
use crate::music::{Note, TICKS_PER_QUARTER, Tempo, Tick};
use crate::plan::{
    Controls, Fingerprint, ForeseenBar, Passage, Plan, PlanId, PlannedRoles, PlanningTick, PlayMode, Played, Request, SongLoop, Source,
    foreseen_bars, next_marked, song_now,
};
use crate::service::{Assignment, LockedPart};

use super::super::infill_music::{InfillMusic, Marked};
use super::super::settings::settings;
use super::super::steering::steer;
use super::super::worker::Worker;
use super::Planner;
use super::input::in_order;
use super::playback::{Handover, Successor};
use crate::session::ControlValues;

/// Bars of the song to come that are shown.
const SONG_AHEAD: usize = 9;
/// Most rejected fills that a new one is compared with.
const MOST_REJECTED: usize = 32;

/// What a fill is made from: equal inputs give equal fills.
#[derive(Debug, Clone, PartialEq)]
struct Basis {
    music: Fingerprint,
    settings: Controls,
    roles: PlannedRoles,
    /// Tempo bucket.
    tempo: u8,
    seed: u64,
}

/// A fill that is latched, or being generated.
#[derive(Debug, Clone)]
struct Fill {
    plan: PlanId,
    basis: Basis,
}

/// State of the mode.
#[derive(Debug, Default)]
pub(super) struct Infill {
    /// The last fill that is complete: it plays again while its basis stays the same.
    made: Option<(Basis, Plan)>,
    latched: Option<Fill>,
    pending: Option<Fill>,
    /// Fills that Another replaced, the latest first, from tick 0 on.
    rejected: Vec<Passage>,
    /// The fill that was written into the history last.
    written: Option<PlanId>,
}

impl Infill {
    /// Forgets what is latched: everything planned was discarded.
    pub(super) fn clear(&mut self) {
        (self.latched, self.pending) = (None, None);
    }

    /// Sorts out what became of the pending fill: `playing` is latched, `generated` is being generated.
    fn update(&mut self, playing: Option<&Plan>, generated: Option<PlanId>) {
        if let Some(pending) = self.pending.take_if(|pending| generated != Some(pending.plan))
            && playing.is_some_and(|plan| plan.id() == pending.plan)
        {
            self.latched = Some(pending);
        }
        self.latched.take_if(|latched| playing.is_none_or(|plan| plan.id() != latched.plan));
        if let (Some(latched), Some(plan)) = (&self.latched, playing.filter(|plan| plan.is_complete()))
            && self.made.as_ref().is_none_or(|(basis, _)| *basis != latched.basis)
        {
            self.made = Some((latched.basis.clone(), plan.clone()));
        }
    }

    /// Rejects the last fill if the new one differs from it by its seed alone; forgets those of other music.
    fn reject(&mut self, basis: &Basis) {
        let Some((before, plan)) = &self.made else { return };
        if *before == (Basis { seed: before.seed, ..basis.clone() }) {
            let passage = moved(&plan.as_passage(), Tick::ZERO - plan.brief.start);
            if self.rejected.first().is_none_or(|first| first.plan != passage.plan) {
                self.rejected.truncate(MOST_REJECTED - 1);
                self.rejected.insert(0, passage);
            }
        } else {
            self.rejected.clear();
        }
    }
}

/// The passage `by` ticks later.
fn moved(passage: &Passage, by: Tick) -> Passage {
    let notes = passage.notes.iter().map(|note| Note { onset: note.onset + by, ..*note }).collect();
    Passage { plan: passage.plan, from: passage.from + by, until: passage.until + by, notes }
}

/// What a planning tick of Infill leaves to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remainder {
    /// Nothing: the fill is kept, requested, or not due yet.
    Nothing,
    /// To plan a continuation, if the marked bars begin at the next planning tick or are open.
    Continuation,
}

impl<W: Worker> Planner<W> {
    /// A planning tick of Infill.
    pub(super) fn plan_fill(&mut self, now: Tick, controls: &ControlValues) -> Remainder {
        let Some(next) = self.planning.tick_after(&self.input.clock, now) else { return Remainder::Nothing };
        if !self.song.rolls() {
            return Remainder::Nothing;
        }
        let generated = self.playback.successor.map(|successor| successor.plan);
        self.infill.update(self.planning.timeline.playing(), generated);
        let foreseen = self.foreseen();
        if let Some((plan, start)) = self.planning.timeline.playing().map(|plan| (plan.id(), plan.brief.start)) {
            if self.infill.latched.as_ref().is_none_or(|latched| latched.plan != plan) {
                // A phrase of the history, or a continuation.
                return Remainder::Continuation;
            }
            if start <= now {
                self.follow_fill(&foreseen, next, controls);
                return Remainder::Nothing;
            }
        }
        self.approach(now, next, &foreseen, controls)
    }

    /// The open bar of the song and those that follow.
    pub(super) fn foreseen(&self) -> Vec<ForeseenBar> {
        foreseen_bars(&self.input.clock, self.input.song_loop).collect()
    }

    /// Notes of the song in the bars to come, as they were heard last, on the clock and in canonical order; of earlier fills of the marked bars none.
    pub(super) fn song_ahead(&self) -> Vec<Note> {
        let Some(controls) = self.input.controls.filter(|controls| controls.plan.mode == PlayMode::Infill && self.song.rolls()) else {
            return Vec::new();
        };
        let now = self.input.clock.now();
        let mut notes = Vec::new();
        for bar in self.foreseen().into_iter().take(SONG_AHEAD) {
            let is_marked = controls.turns.infill.contains(bar.number);
            let heard = self.song.memory().bar(bar.line).filter(|heard| heard.metre == bar.bar.metre);
            let inside = heard.map_or(&[][..], |heard| &heard.notes).iter();
            let inside = inside.filter(|heard| !is_marked || heard.source == Source::Player);
            // A bar that was entered in its middle begins before its start on the clock.
            let line = bar.bar.end() - bar.bar.metre.bar_length();
            notes.extend(inside.map(|heard| Note { onset: line + heard.note.onset, ..heard.note }).filter(|note| note.onset >= now));
        }
        in_order(notes.into_iter())
    }

    /// Writes the fill that sounds into the history, and ends it where the song leaves the marked bars before its end: they or the loop were moved.
    fn follow_fill(&mut self, foreseen: &[ForeseenBar], next: Tick, controls: &ControlValues) {
        if let Some(plan) = self.planning.timeline.playing()
            && self.infill.written != Some(plan.id())
        {
            self.history.write_played(plan, plan.brief.start, &self.input.clock, self.input.tempo);
            self.infill.written = Some(plan.id());
        }
        let run = marked_from(foreseen, controls);
        let end = run.last().map_or(next, |bar| bar.bar.end().max(next));
        if self.planning.timeline.plays_until().is_some_and(|until| end < until) {
            self.end_fill(end);
        }
    }

    /// Ends what is latched at this tick.
    fn end_fill(&mut self, at: Tick) {
        self.withdraw_successor();
        self.planning.timeline.end_at(at);
        self.playback.stop(at, &mut self.input.sounded);
        self.playback.sent = self.playback.sent.max(at);
    }

    /// Plans the fill of the marked bars ahead.
    fn approach(&mut self, now: Tick, next: Tick, foreseen: &[ForeseenBar], controls: &ControlValues) -> Remainder {
        let range = controls.turns.infill;
        let bars = next_marked(foreseen, range, next);
        let start = bars.first().map(|bar| bar.bar.start);
        let waiting = self.planning.timeline.playing().map(|plan| plan.brief.start);
        if waiting.is_some() && waiting != start {
            self.end_fill(waiting.unwrap_or(next));
            self.infill.clear();
        }
        let Some((start, end)) = start.zip(bars.last().map(|bar| bar.bar.end())) else {
            return if self.infill.made.is_some() { Remainder::Nothing } else { Remainder::Continuation };
        };
        let is_last = next >= start;
        let open = foreseen.first().filter(|_| is_last).map(|bar| bar.line);
        let marked = Marked { bars, range, song_loop: self.input.song_loop, open, song_bars: self.input.clock.song_bars() };
        let music = InfillMusic::around(self.song.memory(), marked, self.input.tempo);
        if !music.knows_what_follows() {
            return Remainder::Continuation;
        }
        let is_due = is_last || now == self.input.clock.open_bar().start || self.planning.timeline.awaits_another();
        let is_ready = music.has_context() || is_last;
        if is_due && is_ready && !music.is_silent() {
            self.keep_or_request(now, (start, end), &music, controls);
        }
        Remainder::Nothing
    }

    /// Keeps the fill if its basis is still the same, or requests another.
    fn keep_or_request(&mut self, now: Tick, (start, end): (Tick, Tick), music: &InfillMusic, controls: &ControlValues) {
        let basis = Basis {
            music: music.fingerprint(),
            settings: settings(controls, &self.archive.chart()),
            roles: controls.planned(self.input.role()),
            tempo: Tempo::from_bpm(self.input.tempo).map_or(0, tempo_bucket),
            seed: self.planning.timeline.seed(),
        };
        let is_same = |fill: &Option<Fill>| fill.as_ref().is_some_and(|fill| fill.basis == basis);
        if is_same(&self.infill.pending) || self.infill.pending.is_none() && is_same(&self.infill.latched) {
            self.planning.stats.count_tick(true);
            return;
        }
        self.withdraw_successor();
        self.infill.pending = None;
        let kept = self.infill.made.as_ref().filter(|(made, plan)| *made == basis && plan.brief.end - plan.brief.start == end - start);
        self.planning.stats.count_tick(kept.is_some());
        if let Some((_, plan)) = kept {
            let plan = plan.clone();
            self.play_fill_again(&plan, start, basis);
            return;
        }
        self.infill.reject(&basis);
        self.request_fill(now, (start, end), music, controls, basis);
    }

    /// Latches a fill of an earlier pass.
    fn play_fill_again(&mut self, plan: &Plan, start: Tick, basis: Basis) {
        let played = self.planning.timeline.play_again(plan, start - plan.brief.start, start);
        if let Some(Played::From(from)) = played {
            self.playback.stop_and_send_again(from, &mut self.input.sounded);
        }
        let latched = self.planning.timeline.playing().map(Plan::id);
        if let Some(plan) = latched {
            self.input.record_plan(plan);
            self.planning.record_variation(plan);
        }
        self.infill.latched = latched.map(|plan| Fill { plan, basis });
    }

    fn request_fill(&mut self, now: Tick, (start, end): (Tick, Tick), music: &InfillMusic, controls: &ControlValues, basis: Basis) {
        let adopted = self.adoption(now, start);
        let tick = PlanningTick { now, next: adopted, horizon: end, played: &[], context: basis.music, controls: &basis.settings };
        let brief = self.planning.timeline.request_ahead(tick, start);
        self.input.record_plan(brief.plan);
        self.planning.record_variation(brief.plan);
        self.playback.successor = Some(Successor { plan: brief.plan, start, announced: false, awaited: false, handover: Handover::Ends });
        let mut prompt = music.prompt(basis.roles.iter().collect());
        prompt.constraints = Constraints { until: end, rests_from: start + Tick(1), ..prompt.constraints };
        steer(&mut prompt, &controls.music, 0);
        let mut assignment = Assignment {
            brief: brief.clone(),
            prompt,
            line: start,
            sampling: Sampling::from_adventurousness(controls.music.adventurousness),
            rejected: self.infill.rejected.iter().map(|passage| moved(passage, start)).collect(),
            locked: LockedPart::default(),
        };
        self.choose_chords(&mut assignment);
        // What is locked of the fill that is shown, or else of the one of the pass before.
        let before = self.infill.made.as_ref().map(|(_, plan)| plan.moved(start - plan.brief.start, plan.id()));
        let shown = self.planning.timeline.current().filter(|plan| plan.brief.end > start).or(before.as_ref());
        self.planning.locks.set_pattern(controls.locks, shown);
        self.planning.locks.apply(&mut assignment, OwnRoles::ALL);
        self.infill.pending = Some(Fill { plan: brief.plan, basis });
        self.planning.expect(brief.plan, start, adopted);
        let within = Duration::from_secs_f64((adopted - now).0 as f64 / TICKS_PER_QUARTER as f64 * 60.0 / self.input.tempo);
        self.worker.generate(now, &[Request::Replan(brief)], vec![assignment], within);
    }

    /// When a fill that is requested now is adopted: at the next bar line, but on the last planning tick before it begins, so that it can still be replaced
    /// there, or at its start.
    fn adoption(&self, now: Tick, start: Tick) -> Tick {
        let clock = &self.input.clock;
        let ticks = std::iter::successors(Some(now), |tick| self.planning.tick_after(clock, *tick)).skip(1);
        let last = ticks.take_while(|tick| *tick < start).last().unwrap_or(start);
        last.min(clock.next_bar_line())
    }

    /// Remark of Infill on what it waits for.
    pub(super) fn infill_remark(&self) -> Option<String> {
        if !self.input.running {
            return None;
        }
        if !self.song.rolls() {
            return Some("Infill needs your host's transport: without it the song has no bars".into());
        }
        let range = self.input.controls.unwrap_or_default().turns.infill;
        let (first, last) = (i64::from(range.from), i64::from(range.from) + i64::from(range.bars) - 1);
        let bars = if first == last { format!("Bar {first}") } else { format!("Bars {first} to {last}") };
        let foreseen = self.foreseen();
        let song_loop = self.input.song_loop.filter(|song_loop| song_loop.is_ahead(song_now(&self.input.clock, self.input.song_loop)));
        let length = self.input.clock.open_bar().metre.bar_length().0;
        let is_inside = |song_loop: SongLoop| song_loop.start().0 < last * length && (first - 1) * length < song_loop.end().0;
        if song_loop.is_some_and(|song_loop| !is_inside(song_loop)) {
            return Some(format!("{bars} of Infill {} outside the loop", if first == last { "is" } else { "are" }));
        }
        let ahead = next_marked(&foreseen, range, self.input.clock.now() + Tick(1));
        let song_bars = self.input.clock.song_bars();
        let open = foreseen.first().map(|bar| bar.line);
        let marked = Marked { bars: ahead, range, song_loop: self.input.song_loop, open, song_bars };
        let is_known = InfillMusic::around(self.song.memory(), marked, self.input.tempo).knows_what_follows();
        (!ahead.is_empty() && !is_known).then(|| format!("Infill hears what follows bar {last} from the second pass on"))
    }
}

/// The marked bars from the open one on, as far as they follow each other in the song; none if it is not marked.
pub(super) fn marked_from<'a>(foreseen: &'a [ForeseenBar], controls: &ControlValues) -> &'a [ForeseenBar] {
    foreseen.first().map_or(&[], |open| {
        let bars = next_marked(foreseen, controls.turns.infill, open.bar.start);
        if bars.first() == Some(open) { bars } else { &[] }
    })
}
