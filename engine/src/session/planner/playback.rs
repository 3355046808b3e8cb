//! What plays: latched by Play, sent to the audio thread, replaced by another.

use crate::music::{Note, Tick};
use crate::plan::{Adoption, PlanId, Played, Reason};
use ringbuf::HeapProd;

use super::super::outbox::Outbox;
use super::super::sounded::Sounded;
use super::super::worker::Worker;
use super::{Input, Planner};
use crate::session::protocol::PlannedEvent;

/// What has become of Play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlayRequest {
    /// Not pressed, or answered.
    None,
    /// Pressed while the clock stood: the audio thread was asked to start it.
    WhenClockRuns,
    /// Pressed before there was something to play, or the next bar line was settled.
    WhenPlanned,
}

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

/// What was sent to the audio thread, and what is to be.
pub(super) struct Playback {
    pub(super) outbox: Outbox,
    pub(super) request: PlayRequest,
    /// What plays has been sent up to here.
    pub(super) sent: Tick,
    /// The plan in the making, if it plays from its first tick on.
    pub(super) successor: Option<Successor>,
}

impl Playback {
    pub(super) fn new(planned: HeapProd<PlannedEvent>) -> Self {
        Self { outbox: Outbox::new(planned), request: PlayRequest::None, sent: Tick::ZERO, successor: None }
    }

    /// Nothing plays any more, and nothing is to.
    pub(super) fn clear(&mut self, now: Tick) {
        self.request = PlayRequest::None;
        self.sent = now;
        self.successor = None;
    }

    /// From this tick on nothing of what was sent plays.
    pub(super) fn stop(&mut self, at: Tick, sounded: &mut Sounded) {
        if self.outbox.stop(at) {
            sounded.cut(at);
        }
    }

    /// As [`stop`](Self::stop); what plays from there on is yet to be sent.
    fn stop_and_send_again(&mut self, at: Tick, sounded: &mut Sounded) {
        self.stop(at, sounded);
        self.sent = self.sent.min(at);
    }

    /// What was announced does not come.
    fn withdraw_successor(&mut self, sounded: &mut Sounded) {
        if let Some(successor) = self.successor.take().filter(|successor| successor.announced) {
            self.stop_and_send_again(successor.start, sounded);
        }
    }

    /// Notes have come of a plan: they are sent if it is the successor.
    fn announce(&mut self, plan: PlanId, notes: &[Note], input: &mut Input) {
        let Some(successor) = self.successor.as_mut().filter(|successor| successor.plan == plan) else { return };
        let start = successor.start;
        if !std::mem::replace(&mut successor.announced, true) {
            self.stop(start, &mut input.sounded);
        }
        self.outbox.play(notes.iter().copied(), input.channel);
    }
}

impl<W: Worker> Planner<W> {
    /// Play, if it is wanted and something is there: from the next bar line. What the player went back to is played as it was.
    pub(super) fn latch(&mut self) {
        if self.playback.request != PlayRequest::WhenPlanned {
            return;
        }
        let line = self.input.line_ahead();
        let recalled = self.history.recalled(line);
        if recalled.is_none() && self.may_still_change(line) {
            return;
        }
        let played = match recalled {
            Some((plan, by)) => {
                self.withdraw_successor();
                self.planning.timeline.play_again(&plan, by, line)
            }
            None => self.planning.timeline.play(line),
        };
        let Some(played) = played else {
            self.wait_for_next();
            return;
        };
        if let Played::From(from) = played {
            self.playback.stop_and_send_again(from, &mut self.input.sounded);
        }
        self.answer_play();
    }

    /// Whether the plan that begins to play at this bar line is settled at a later planning tick. So it is the same one whenever in the bar Play was
    /// pressed. What follows a plan that plays is settled at once.
    fn may_still_change(&self, line: Tick) -> bool {
        let next = self.planning.tick_after(&self.input.clock, self.input.clock.now());
        self.planning.timeline.playing().is_none() && next.is_some_and(|tick| tick < line)
    }

    /// Play is answered.
    fn answer_play(&mut self) {
        self.playback.request = PlayRequest::None;
        if let Some(plan) = self.planning.timeline.playing() {
            self.history.write(plan, &self.input.clock, self.input.tempo, Reason::Played);
        }
        self.history.leave();
    }

    /// While Play is wanted and nothing that stands can be played, the plan that is being made is, from the next bar line on if it begins there.
    pub(super) fn wait_for_next(&mut self) {
        let line = self.input.line_ahead();
        let is_wanted = self.playback.request == PlayRequest::WhenPlanned;
        let is_awaited = self.playback.successor.is_some_and(|successor| successor.awaited);
        if !is_wanted || self.history.recalled(line).is_some() || is_awaited {
            return;
        }
        let Some(plan) = self.planning.timeline.play_next(line) else { return };
        let (id, ready, there) = (plan.id(), plan.ready(), plan.between(line, plan.ready()).to_vec());
        self.playback.successor = Some(Successor { plan: id, start: line, announced: false, awaited: true });
        if ready > line {
            self.announce(id, &there);
        }
    }

    /// What was announced does not come.
    pub(super) fn withdraw_successor(&mut self) {
        self.playback.withdraw_successor(&mut self.input.sounded);
    }

    /// A plan was adopted, or missed its tick.
    pub(super) fn resolve(&mut self, adoption: Adoption, at: Tick) {
        let successor = self.playback.successor.take();
        if successor.is_some_and(|successor| successor.announced) {
            // What it has so far was sent when it came.
            self.playback.sent = self.planning.timeline.delivered().unwrap_or(at);
        }
        if successor.is_some_and(|successor| successor.awaited && adoption == Adoption::Adopted(successor.plan)) {
            self.answer_play();
        }
        self.latch();
    }

    /// Notes have come of a plan: they are sent if it is the successor.
    pub(super) fn announce(&mut self, plan: PlanId, notes: &[Note]) {
        self.playback.announce(plan, notes, &mut self.input);
    }

    /// Sends what plays, as far as it is there. What is about to be replaced is not completed; what ends before the next begins is.
    pub(super) fn send(&mut self) {
        if self.playback.successor.is_some_and(|successor| successor.announced && !successor.awaited) {
            return;
        }
        let Some(ready) = self.planning.timeline.delivered() else { return };
        let sounding = self.planning.timeline.sounding(self.playback.sent, ready).copied();
        self.playback.outbox.play(sounding, self.input.channel);
        self.playback.sent = self.playback.sent.max(ready);
    }
}
