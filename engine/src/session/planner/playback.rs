//! Playback of plans: latched by Play, sent to the audio thread, replaced by Another.

use crate::music::{Note, Tick};
use crate::plan::{Adoption, Plan, PlanId, Played};
use ringbuf::HeapProd;

use super::super::outbox::Outbox;
use super::super::sounded::Sounded;
use super::super::worker::Worker;
use super::{Input, Planner};
use crate::session::protocol::PlannedEvent;

/// State of a Play command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlayRequest {
    /// Not pressed, or the plan plays.
    None,
    /// Pressed while the clock was stopped: a request to start it was sent.
    WhenClockRuns,
    /// Pressed before a plan was available for the next bar line.
    WhenPlanned,
}

/// A plan that is being generated and will play from its first tick. Its notes are sent as they arrive: at that tick they would be late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Successor {
    pub(super) plan: PlanId,
    pub(super) start: Tick,
    /// Whether its notes so far were sent, and the plan before it was ended at its start.
    pub(super) announced: bool,
    /// Whether Play waits for it; otherwise it replaces the plan that plays.
    pub(super) awaited: bool,
    /// What becomes of the notes that sound at its start.
    pub(super) handover: Handover,
}

/// What becomes of the notes of a plan that sound where the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handover {
    /// They end there.
    Ends,
    /// They ring on: the next plan was made with them.
    RingsOn,
}

/// Playback state: events sent to the audio thread, and those still to be sent.
pub(super) struct Playback {
    pub(super) outbox: Outbox,
    pub(super) request: PlayRequest,
    /// Tick up to which the playing plan has been sent.
    pub(super) sent: Tick,
    /// The plan being generated, if it will play from its first tick.
    pub(super) successor: Option<Successor>,
}

impl Playback {
    pub(super) fn new(planned: HeapProd<PlannedEvent>) -> Self {
        Self { outbox: Outbox::new(planned), request: PlayRequest::None, sent: Tick::ZERO, successor: None }
    }

    /// Stops playback and forgets a pending Play.
    pub(super) fn clear(&mut self, now: Tick) {
        self.request = PlayRequest::None;
        self.sent = now;
        self.successor = None;
    }

    /// Withdraws all notes sent from this tick on.
    pub(super) fn stop(&mut self, at: Tick, sounded: &mut Sounded) {
        if self.outbox.stop(at) {
            sounded.cut(at);
        }
    }

    /// Ends everything planned at once.
    pub(super) fn panic(&mut self, at: Tick, sounded: &mut Sounded) {
        self.outbox.panic();
        sounded.cut(at);
    }

    /// As [`stop`](Self::stop), and marks notes from that tick on as not sent.
    pub(super) fn stop_and_send_again(&mut self, at: Tick, sounded: &mut Sounded) {
        self.stop(at, sounded);
        self.sent = self.sent.min(at);
    }

    /// Withdraws the successor, with its notes that were sent.
    fn withdraw_successor(&mut self, sounded: &mut Sounded) {
        if let Some(Successor { start, handover, .. }) = self.successor.take().filter(|successor| successor.announced) {
            self.make_way(start, handover, sounded);
            self.sent = self.sent.min(start);
        }
    }

    /// Withdraws what was sent from the start of another plan on.
    fn make_way(&mut self, start: Tick, handover: Handover, sounded: &mut Sounded) {
        match handover {
            Handover::Ends => self.stop(start, sounded),
            Handover::RingsOn => self.outbox.withdraw(start),
        }
    }

    /// Sends new notes of a plan if it is the successor.
    fn announce(&mut self, plan: PlanId, notes: &[Note], input: &mut Input) {
        let Some(successor) = self.successor.as_mut().filter(|successor| successor.plan == plan) else { return };
        let Successor { start, handover, .. } = *successor;
        if !std::mem::replace(&mut successor.announced, true) {
            self.make_way(start, handover, &mut input.sounded);
        }
        self.outbox.play(notes.iter().copied(), |note| input.output_of(note, plan, notes));
    }
}

impl<W: Worker> Planner<W> {
    /// Latches a plan from the next bar line if Play is pending and one is available. A recalled plan is played unchanged.
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
                let played = self.planning.timeline.play_again(&plan, by, line);
                if let Some(plan) = self.planning.timeline.playing().map(Plan::id) {
                    self.input.record_plan(plan);
                    self.planning.record_variation(plan);
                }
                played
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

    /// Sends the bars of the playing plan that have not begun again, after a change of their output. Notes of a plan that follows at the next planning tick stay
    /// where they were sent.
    pub(super) fn output_again(&mut self) {
        if self.playback.successor.is_none() && self.planning.timeline.playing().is_some() {
            self.playback.stop_and_send_again(self.input.line_ahead(), &mut self.input.sounded);
        }
    }

    /// Whether a later planning tick still precedes this bar line. Play then waits for it, so that the same plan plays whenever in the bar Play was
    /// pressed. A plan that follows one that plays is latched at once.
    fn may_still_change(&self, line: Tick) -> bool {
        let next = self.planning.tick_after(&self.input.clock, self.input.clock.now());
        self.planning.timeline.playing().is_none() && next.is_some_and(|tick| tick < line)
    }

    /// Completes a pending Play, or what a mode began: writes the plan into the history.
    pub(super) fn answer_play(&mut self) {
        self.playback.request = PlayRequest::None;
        self.modes.answer.begin();
        self.write_played();
        self.history.leave();
    }

    /// Writes the plan that was latched last into the history, from where it plays.
    fn write_played(&self) {
        if let Some((plan, from)) = self.planning.timeline.playing().zip(self.planning.timeline.last_plays_from()) {
            self.history.write_played(plan, from, &self.input.clock, self.input.tempo);
        }
    }

    /// Makes the pending plan the successor if Play waits, no other plan can be played, and it begins at the next bar line.
    pub(super) fn wait_for_next(&mut self) {
        let line = self.input.line_ahead();
        let is_wanted = self.playback.request == PlayRequest::WhenPlanned;
        let is_awaited = self.playback.successor.is_some_and(|successor| successor.awaited);
        if !is_wanted || self.history.recalled(line).is_some() || is_awaited {
            return;
        }
        let Some(plan) = self.planning.timeline.play_next(line) else { return };
        let (id, ready, there) = (plan.id(), plan.ready(), plan.between(line, plan.ready()).to_vec());
        self.playback.successor = Some(Successor { plan: id, start: line, announced: false, awaited: true, handover: Handover::Ends });
        if ready > line {
            self.announce(id, &there);
        }
    }

    /// Withdraws the successor, with its notes that were sent.
    pub(super) fn withdraw_successor(&mut self) {
        self.playback.withdraw_successor(&mut self.input.sounded);
    }

    /// Handles a plan that was adopted or missed its tick.
    pub(super) fn resolve(&mut self, adoption: Adoption, at: Tick) {
        let successor = self.playback.successor.take();
        if successor.is_some_and(|successor| successor.announced) {
            // Its notes so far were sent as they arrived.
            self.playback.sent = self.planning.timeline.delivered().unwrap_or(at);
        }
        match successor.filter(|successor| adoption == Adoption::Adopted(successor.plan)) {
            Some(Successor { awaited: true, .. }) => self.answer_play(),
            // It took over from a phrase that plays. A fill is written once it sounds, and what plays along never is.
            Some(Successor { handover: Handover::Ends, start, .. }) if start <= at => self.write_played(),
            _ => {}
        }
        if let Adoption::Adopted(plan) = adoption {
            self.adopt_variations(plan);
        }
        self.latch();
    }

    /// Sends new notes of a plan if it is the successor.
    pub(super) fn announce(&mut self, plan: PlanId, notes: &[Note]) {
        self.playback.announce(plan, notes, &mut self.input);
    }

    /// Sends the notes of the playing plan that have been delivered. A plan about to be replaced is not completed; one that ends before its successor begins is.
    pub(super) fn send(&mut self) {
        if self.playback.successor.is_some_and(|successor| successor.announced && !successor.awaited) {
            return;
        }
        let Some(ready) = self.planning.timeline.delivered() else { return };
        self.send_between(self.playback.sent, ready);
        self.playback.sent = self.playback.sent.max(ready);
    }
}
