//! What plays: latched by Play, sent to the audio thread, replaced by another.

use crate::music::{Note, Tick};
use crate::plan::{Adoption, PlanId, Played, Reason};

use super::super::composer::Composer;
use super::Conductor;

/// How far a bar line must be from what the audio thread has reached, so that its first notes come there in time.
const LEAD: Tick = Tick(1);

/// A plan in the making that plays from its first tick on. It is sent as it comes: at its tick it would be too late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Successor {
    pub(super) plan: PlanId,
    pub(super) start: Tick,
    /// What of it has come was sent, and nothing else plays from its start on.
    pub(super) announced: bool,
    /// Play waits for it; otherwise it takes the place of the plan that plays.
    pub(super) awaited: bool,
}

impl<C: Composer> Conductor<C> {
    /// Play, if it is wanted and something is there: from the next bar line. What the player went back to is played as it was.
    pub(super) fn latch(&mut self) {
        if !self.wants_play {
            return;
        }
        let line = self.line_ahead();
        let recalled = self.scribe.recalled(line);
        if recalled.is_none() && self.may_still_change(line) {
            return;
        }
        let played = match recalled {
            Some((plan, by)) => {
                self.withdraw_successor();
                self.timeline.play_again(&plan, by, line)
            }
            None => self.timeline.play(line),
        };
        let Some(played) = played else {
            self.wait_for_next();
            return;
        };
        if let Played::From(from) = played {
            self.stop(from);
            self.sent = self.sent.min(from);
        }
        self.begun();
    }

    /// Whether the plan that begins to play at this bar line is settled at a later planning tick. So it is the same one whenever in the bar Play was
    /// pressed. What follows a plan that plays is settled at once.
    fn may_still_change(&self, line: Tick) -> bool {
        self.timeline.playing().is_none() && self.planning_tick_after(self.clock.now()).is_some_and(|tick| tick < line)
    }

    /// The next bar line that a note can still be sent to.
    pub(super) fn line_ahead(&self) -> Tick {
        let line = self.clock.next_bar_line();
        if line < self.reached + LEAD { self.clock.bar_at(line).map_or(line, |bar| bar.end()) } else { line }
    }

    /// Play is answered.
    fn begun(&mut self) {
        self.wants_play = false;
        if let Some(plan) = self.timeline.playing() {
            self.scribe.write(plan, &self.clock, self.tempo, Reason::Heard);
        }
        self.scribe.leave();
    }

    /// While Play is wanted and nothing that stands can be played, the plan that is being made is, from the next bar line on if it begins there.
    pub(super) fn wait_for_next(&mut self) {
        let line = self.line_ahead();
        if !self.wants_play || self.scribe.recalled(line).is_some() || self.successor.is_some_and(|successor| successor.awaited) {
            return;
        }
        let Some(plan) = self.timeline.play_next(line) else { return };
        let (id, ready, there) = (plan.id(), plan.ready(), plan.between(line, plan.ready()).to_vec());
        self.successor = Some(Successor { plan: id, start: line, announced: false, awaited: true });
        if ready > line {
            self.announce(id, &there);
        }
    }

    /// What was announced does not come.
    pub(super) fn withdraw_successor(&mut self) {
        if let Some(successor) = self.successor.take().filter(|successor| successor.announced) {
            self.stop(successor.start);
            self.sent = self.sent.min(successor.start);
        }
    }

    /// A plan was adopted, or missed its tick.
    pub(super) fn resolve(&mut self, adoption: Adoption, at: Tick) {
        let successor = self.successor.take();
        if successor.is_some_and(|successor| successor.announced) {
            // What it has so far was sent when it came.
            self.sent = self.timeline.delivered().unwrap_or(at);
        }
        if successor.is_some_and(|successor| successor.awaited && adoption == Adoption::Adopted(successor.plan)) {
            self.begun();
        }
        self.latch();
    }

    /// From this tick on nothing of what was sent plays.
    pub(super) fn stop(&mut self, at: Tick) {
        if self.outbox.stop(at) {
            self.sounded.cut(at);
        }
    }

    /// Notes have come of a plan: they are sent if it is the successor.
    pub(super) fn announce(&mut self, plan: PlanId, notes: &[Note]) {
        let Some(successor) = self.successor.as_mut().filter(|successor| successor.plan == plan) else { return };
        let start = successor.start;
        if !std::mem::replace(&mut successor.announced, true) {
            self.stop(start);
        }
        self.outbox.play(notes.iter().copied(), self.channel);
    }

    /// Sends what plays, as far as it is there. What is about to be replaced is not completed; what ends before the next begins is.
    pub(super) fn send(&mut self) {
        if self.successor.is_some_and(|successor| successor.announced && !successor.awaited) {
            return;
        }
        let Some(ready) = self.timeline.delivered() else { return };
        self.outbox.play(self.timeline.sounding(self.sent, ready).copied(), self.channel);
        self.sent = self.sent.max(ready);
    }
}
