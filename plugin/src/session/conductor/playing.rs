//! What plays: latched by Play, sent to the audio thread, replaced by another.

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{Passage, Played, Reason};

use super::super::composer::Composer;
use super::Conductor;

impl<C: Composer> Conductor<C> {
    /// Play, if it is wanted and something is there: from the next bar line. What the player went back to is played as it was.
    pub(super) fn latch(&mut self) {
        if !self.wants_play {
            return;
        }
        let line = self.clock.next_bar_line();
        let played = match self.scribe.recalled(line) {
            Some((plan, by)) => {
                self.successor = None;
                self.timeline.play_again(&plan, by, line)
            }
            None => self.timeline.play(line),
        };
        let Some(played) = played else { return };
        self.wants_play = false;
        if let Played::From(from) = played {
            self.stop(from);
            self.sent = self.sent.min(from);
        }
        if let Some(plan) = self.timeline.playing() {
            self.scribe.write(plan, &self.clock, self.tempo, Reason::Heard);
        }
        self.scribe.leave();
    }

    /// From this tick on nothing of what was sent plays.
    pub(super) fn stop(&mut self, at: Tick) {
        if self.outbox.stop(at) {
            self.sounded.cut(at);
        }
    }

    /// What takes the place of the plan that plays is sent as it comes: at its tick it would be too late.
    pub(super) fn announce(&mut self, passage: &Passage) {
        let Some((plan, start, announced)) = &mut self.successor else { return };
        if *plan != passage.plan {
            return;
        }
        let start = *start;
        if !std::mem::replace(announced, true) {
            self.stop(start);
        }
        self.outbox.play(passage.notes.iter().copied(), self.channel);
    }

    /// Sends what plays, as far as it is there. What is about to be replaced is not completed.
    pub(super) fn send(&mut self) {
        if self.successor.is_some_and(|(_, _, announced)| announced) {
            return;
        }
        let Some(ready) = self.timeline.delivered() else { return };
        self.outbox.play(self.timeline.sounding(self.sent, ready).copied(), self.channel);
        self.sent = self.sent.max(ready);
    }
}
