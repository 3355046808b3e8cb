//! Pause of planning: an instance on which nothing happens costs nothing.
//!
//! After [`QUIET_BARS`] bars without a note nothing is requested until a note, Play, Another or a change of a control. A later plan would be made of the
//! same bars: longer silence does not enter the context. The plan that is shown stays, and begins at the next bar line whenever Play is pressed. Accompany
//! stops with the player; Answer pauses once its phrase is over; Trade pauses in the player's turns alone. All of it is decided at planning ticks, by musical
//! time.

use crate::music::Tick;

use super::super::worker::Worker;
use super::Planner;
use super::modes::OwnTurn;
use super::playback::PlayRequest;
use crate::plan::PlayMode;
use crate::session::ControlValues;

/// Bars without a note after which planning pauses.
const QUIET_BARS: i64 = 4;

/// State of the pause.
#[derive(Debug, Default)]
pub(super) struct Pause {
    /// Whether the last planning tick requested nothing.
    is_on: bool,
    /// Controls at the last planning tick.
    controls: Option<ControlValues>,
}

impl<W: Worker> Planner<W> {
    /// Pauses at this planning tick if nothing happens; returns whether it does.
    pub(super) fn pause(&mut self, controls: &ControlValues, turn: Option<OwnTurn>, next: Tick) -> bool {
        let has_changed = self.pause.controls.replace(*controls).is_none_or(|before| before != *controls);
        self.pause.is_on = !has_changed && self.is_quiet(turn) && !self.is_awaited();
        if self.pause.is_on {
            self.keep_shown(next);
        }
        self.pause.is_on
    }

    /// Whether planning pauses, or has not begun.
    pub(super) fn is_at_rest(&self) -> bool {
        self.pause.is_on || (self.worker.jobs == 0 && self.planning.timeline.adopted().is_none() && !self.input.has_notes())
    }

    /// Whether planning pauses.
    pub(super) const fn is_paused(&self) -> bool {
        self.pause.is_on
    }

    /// Whether there was no note for some bars, and the mode lets nothing play. What Antiphon plays beside the player does not count: it would never stop.
    fn is_quiet(&self, turn: Option<OwnTurn>) -> bool {
        let clock = &self.input.clock;
        let from = clock.now() - Tick(QUIET_BARS * clock.open_bar().metre.bar_length().0);
        let band = self.input.controls.unwrap_or_default().band;
        let is_player_silent = self.input.player.is_silent_since(from) && self.band.is_silent_since(from, band);
        match turn {
            // Its fills are planned ahead of their bars.
            _ if self.mode() == PlayMode::Infill => false,
            Some(OwnTurn::Along) => is_player_silent,
            Some(OwnTurn::Phrase { .. }) => false,
            None => is_player_silent && self.input.sounded.is_silent_since(from) && self.planning.timeline.playing().is_none(),
        }
    }

    /// Whether a plan is waited for: by a command, by Answer, or because none is there.
    fn is_awaited(&self) -> bool {
        let timeline = &self.planning.timeline;
        let line = self.input.line_ahead();
        let Some(adopted) = timeline.adopted() else { return true };
        let is_play_served = self.pause.is_on && line < adopted.brief.end;
        let is_play_waiting = self.playback.request != PlayRequest::None && !is_play_served;
        is_play_waiting || timeline.awaits_another() || self.mode() == PlayMode::Answer && self.modes.answer.is_waiting()
    }

    /// Keeps the plan that is shown ahead of the playhead.
    fn keep_shown(&mut self, next: Tick) {
        let clock = &self.input.clock;
        let Some(start) = self.planning.timeline.adopted().map(|plan| plan.brief.start) else { return };
        let first_line = clock.bar_at(start).map_or(start, |bar| if bar.start == start { start } else { bar.end() });
        self.planning.timeline.pause_at(clock.now(), next, first_line, clock.next_bar_line());
    }
}
