//! Modes in which Antiphon plays by itself: their state, and the execution of what they decide.

use crate::music::Tick;
use crate::plan::{Answer, MusicalTime, Plan, PlayMode};

use super::super::worker::Worker;
use super::Planner;
use super::playback::{PlayRequest, Successor};
use crate::session::protocol::{Epoch, FADE};

/// State of each mode that plays by itself. Begins anew with a transport change or a change of mode.
#[derive(Debug, Default)]
pub(super) struct Modes {
    pub(super) answer: Answer,
}

impl<W: Worker> Planner<W> {
    /// The current mode.
    pub(super) fn mode(&self) -> PlayMode {
        self.input.controls.unwrap_or_default().plan.mode
    }

    /// Play, while the clock runs. A phrase of the history begins at the next bar line in every mode, otherwise the mode decides.
    pub(super) fn press_play(&mut self) {
        let is_recalled = self.history.recalled(self.input.line_ahead()).is_some();
        match self.mode() {
            PlayMode::Answer if !is_recalled => {
                self.playback.request = PlayRequest::None;
                self.modes.answer.request();
            }
            _ => {
                self.playback.request = PlayRequest::WhenPlanned;
                self.latch();
            }
        }
    }

    /// Whether the mode begins a phrase at the `next` planning tick. Asked at every planning tick, before its requests.
    pub(super) fn takes_over(&self, next: Tick) -> bool {
        let Some(controls) = self.input.controls.filter(|_| self.planning.timeline.is_free_at(next)) else { return false };
        match controls.plan.mode {
            PlayMode::Answer => {
                let wait = controls.turns.answer_after.length(self.input.clock.open_bar().metre);
                self.modes.answer.takes_over(self.input.player.silent_since(), next, wait)
            }
            PlayMode::Suggest | PlayMode::Trade | PlayMode::Accompany | PlayMode::Infill => false,
        }
    }

    /// Plays the plan that was requested at this planning tick, from the `next` one on.
    pub(super) fn play_from(&mut self, next: Tick) {
        if let Some(plan) = self.planning.timeline.play_next(next).map(Plan::id) {
            self.playback.successor = Some(Successor { plan, start: next, announced: false, awaited: true });
        }
    }

    /// The player has struck a key in Answer: what was sent is dropped by the audio thread, and what sounds ends soon.
    pub(super) fn yield_to_player(&mut self, epoch: Epoch, at: MusicalTime) {
        self.playback.outbox.enter(epoch);
        self.planning.timeline.yield_to_player();
        self.playback.sent = self.input.clock.now();
        self.playback.successor = None;
        self.input.sounded.fade(self.input.planned_time(MusicalTime(at.0 + MusicalTime::from(FADE).0)));
        self.modes.answer.player_plays();
    }
}
