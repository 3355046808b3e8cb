//! Published state of a session: snapshot, status and render wait.

use std::sync::Arc;

use crate::music::{Bar, Note, Tick};
use crate::plan::{MidiKey, PlanStats, PlayMode};
use parking_lot::Mutex;

use super::super::engine_status::SessionStatus;
use super::super::render_wait::RenderWait;
use super::super::worker::Worker;
use super::Planner;
use super::input::Input;
use super::planning::INTERVAL;
use super::playback::PlayRequest;
use crate::session::snapshot::{SharedSnapshot, ShownBar, ShownMemory, ShownPlan, Snapshot};
use crate::session::withheld::{Withheld, WithheldNote};

/// State shared with other threads.
pub(super) struct Outputs {
    snapshot: Arc<SharedSnapshot>,
    status: Arc<Mutex<SessionStatus>>,
    pub(super) render_wait: Arc<RenderWait>,
    /// Notice for the player, in a sentence; empty if there is none.
    pub(super) notice: String,
}

impl Outputs {
    pub(super) const fn new(snapshot: Arc<SharedSnapshot>, status: Arc<Mutex<SessionStatus>>, render_wait: Arc<RenderWait>) -> Self {
        Self { snapshot, status, render_wait, notice: String::new() }
    }
}

impl<W: Worker> Planner<W> {
    /// First remark that applies; empty if none does.
    fn remark(&self) -> String {
        let notice = Some(self.outputs.notice.clone()).filter(|notice| !notice.is_empty());
        notice
            .or_else(|| self.nothing_can_change())
            .or_else(|| self.of_take())
            .or_else(|| self.waits())
            .or_else(|| self.leaves_out())
            .or_else(|| self.infill_remark().filter(|_| self.mode() == PlayMode::Infill))
            .or_else(|| self.strain())
            .or_else(|| self.remembers())
            .or_else(|| self.rests())
            .unwrap_or_default()
    }

    /// Remark while the take plays: on the bars in which the player's input is not the recorded one, or else that it plays.
    fn of_take(&self) -> Option<String> {
        if !self.take.replays() {
            return None;
        }
        let stale = self.take.stale_bars();
        if stale.is_empty() {
            return Some("The take plays: set Take to Off or Overwrite to play suggestions".into());
        }
        let number = self.input.clock.song_bars().number(*stale.first()?);
        let others = match stale.len() - 1 {
            0 => String::new(),
            1 => " and 1 other".into(),
            more => format!(" and {more} others"),
        };
        Some(format!("The take was recorded with other input in bar {number}{others}: set Take to Overwrite to record it again"))
    }

    /// Remark while plans use what was learnt from the player.
    fn remembers(&self) -> Option<String> {
        match self.shown_memory().used {
            0 => None,
            1 => Some("1 remembered bar of yours is used".into()),
            bars => Some(format!("{bars} remembered bars of yours are used")),
        }
    }

    fn shown_memory(&self) -> ShownMemory {
        let [bars, forgotten, used] = self.remembering.counts();
        ShownMemory { bars, forgotten, used }
    }

    /// Remark while Play is pending.
    fn waits(&self) -> Option<String> {
        let waits_for_beat = self.modes.answer.is_requested() && self.planning.timeline.playing().is_none();
        if self.playback.request == PlayRequest::None && !waits_for_beat {
            return None;
        }
        let input = &self.input;
        if input.player.ending().is_none() && input.sounded.notes().next().is_none() && self.planning.timeline.adopted().is_none() {
            return Some("Play waits for your first notes: there is nothing to go on from yet".into());
        }
        if waits_for_beat {
            return Some("Play begins within two beats".into());
        }
        input.clock.bar_at(input.line_ahead()).map(|bar| format!("Play begins at bar {}", self.number(bar)))
    }

    /// Tick at which Play takes effect, as far as it is known and ahead.
    fn play_from(&self) -> Option<Tick> {
        let Input { clock, running, .. } = &self.input;
        let latched = || self.planning.timeline.plays_from();
        let line = match self.playback.request {
            PlayRequest::WhenPlanned => Some(self.input.line_ahead()),
            PlayRequest::WhenClockRuns => None,
            // A fill and a turn of Antiphon begin without Play.
            PlayRequest::None if matches!(self.mode(), PlayMode::Infill | PlayMode::Trade) => None,
            PlayRequest::None => latched(),
        };
        line.filter(|line| *running && *line > clock.now())
    }

    /// Remark on planned notes that do not sound.
    fn leaves_out(&self) -> Option<String> {
        let plan = self.planning.timeline.playing()?;
        if plan.is_complete() && plan.notes().is_empty() {
            return Some("The phrase that plays has no notes: press Another".into());
        }
        let of_plan = |withheld: &&WithheldNote| withheld.reason == Withheld::KeyHeld && plan.notes().contains(&withheld.note);
        match self.input.withheld.iter().chain(&self.about_to_be_withheld()).filter(of_plan).count() {
            0 => None,
            1 => Some("1 planned note is left out: you hold its key".into()),
            count => Some(format!("{count} planned notes are left out: you hold their keys")),
        }
    }

    /// Remark on load shedding: what less there is of, and that nothing sounds late for it.
    fn strain(&self) -> Option<String> {
        let shedding = &self.planning.shedding;
        let bars = match shedding.horizon(self.input.controls.map_or(1, |controls| controls.plan.bars())) {
            1 => "1 bar".into(),
            bars => format!("{bars} bars"),
        };
        let beats = match shedding.interval(INTERVAL).0 / INTERVAL.0 {
            1 => "every beat".into(),
            beats => format!("every {beats} beats"),
        };
        shedding.is_strained().then(|| format!("Catching up: planning {bars} ahead, {beats}"))
    }

    /// Remark while planning pauses.
    fn rests(&self) -> Option<String> {
        self.is_paused().then(|| "Resting while nothing plays: resumes with your next note, Play or Another".into())
    }

    /// Notes of the playing plan that will be withheld if the player keeps holding the current keys.
    fn about_to_be_withheld(&self) -> Vec<WithheldNote> {
        let Some(playing) = self.planning.timeline.playing() else { return Vec::new() };
        let (plan, ahead) = (playing.id(), playing.between(self.input.clock.now(), Tick::MAX));
        let is_held =
            |note: &&Note| MidiKey::new(self.input.channel_in(plan, note.role), note.pitch).is_some_and(|key| self.input.player.holds(key));
        let withheld = |note: &Note| WithheldNote { note: *note, reason: Withheld::KeyHeld };
        let is_new = |note: &&Note| !self.input.withheld.iter().any(|withheld| withheld.note == **note);
        ahead.iter().filter(is_held).filter(is_new).map(withheld).collect()
    }

    /// The host's loop in numbers of bars, if both its ends are on bar lines.
    pub(super) fn shown_loop(&self) -> Option<(i64, i64)> {
        let bars = self.input.clock.song_bars();
        let song_loop = self.input.song_loop.filter(|_| self.input.running)?;
        Some((bars.number_from(song_loop.start())?, bars.number_from(song_loop.end())?))
    }

    /// A bar's number in the host's song.
    pub(super) fn number(&self, bar: Bar) -> i64 {
        let clock = &self.input.clock;
        clock.song_bars().number(clock.song_at(bar.start))
    }

    /// Counts of plans and bars.
    fn stats(&self) -> PlanStats {
        let mut pages = self.planning.context.counts();
        pages += self.worker.pages();
        PlanStats { pages, ..self.planning.stats }
    }

    /// Publishes snapshot and status.
    pub(super) fn publish(&self) {
        let now = self.input.clock.now();
        let mode = self.mode();
        let mut status = self.worker.engine.status(&self.worker.parts(), &self.remark());
        status.plans = self.stats();
        status.band = self.band.status();
        let clock = &self.input.clock;
        let oldest = self.planning.context.start().unwrap_or(clock.open_bar().start);
        let bars = clock.bars().filter(|bar| bar.start >= oldest).map(|bar| ShownBar { bar, number: self.number(bar) }).collect();
        let timeline = &self.planning.timeline;
        // Of plans that play one after the other all is shown, so that what sounds is.
        let shown = timeline.playing_joined().or_else(|| timeline.current().cloned());
        let plan = shown.map(|plan| ShownPlan {
            commit: timeline.commit_line(),
            // A fill is shown while the song approaches its bars.
            playing: timeline.playing().is_some_and(|plan| mode != PlayMode::Infill || plan.brief.start <= now),
            sounds_from: timeline.plays_from().unwrap_or(plan.brief.start),
            plan,
        });
        let withheld = self.input.withheld.iter().copied().chain(self.about_to_be_withheld()).collect();
        let played = self.input.notes_before(Tick::MAX);
        let harmony = self.planning.context.harmony();
        let (variations, locks) = (self.shown_variations(), self.planning.locks.shown(now));
        let snapshot = Snapshot {
            status,
            bars,
            harmony,
            played,
            by_antiphon: self.input.by_antiphon(),
            withheld,
            song_loop: self.shown_loop(),
            song_ahead: self.song_ahead(),
            play_from: self.play_from(),
            is_stopped: self.modes.is_stopped,
            joins_at: self.joins_at(),
            turn: self.shown_turn(),
            variations,
            locks,
            memory: self.shown_memory(),
            ..Snapshot::default()
        };
        let snapshot = match plan {
            Some(plan) => snapshot.with_plan(plan),
            None => snapshot,
        };
        self.outputs.snapshot.publish(snapshot);
        self.publish_status();
    }

    /// Publishes the status alone.
    pub(super) fn publish_status(&self) {
        *self.outputs.status.lock() = SessionStatus {
            engine: self.worker.engine.clone(),
            reached: self.input.clock.now(),
            idle: self.is_idle(),
            plans: self.stats(),
            last_request: self.worker.last_request,
        };
    }
}
