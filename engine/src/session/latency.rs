//! Latency of a session's requests.

use std::time::Instant;

use crate::music::Tick;
use crate::plan::{Passage, PlanId, Request};

/// Request of a planning tick, with the times at which its notes arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTiming {
    /// The planning tick.
    pub tick: Tick,
    /// Plan of the tick's last request: a new one, or an extension of the adopted one.
    pub plan: PlanId,
    /// Whether it is a new plan.
    pub is_new: bool,
    /// The first tick to be filled.
    pub start: Tick,
    /// The end of the horizon.
    pub end: Tick,
    /// Arrival of its first note; `None` before that, and for a plan of rests.
    pub first_note: Option<Instant>,
    /// Arrival of its last passage.
    pub whole: Option<Instant>,
}

impl RequestTiming {
    /// Timing of a tick's last request: the earlier ones complete the plan that plays.
    pub(super) fn at(tick: Tick, requests: &[Request]) -> Option<Self> {
        let request = requests.last()?;
        let brief = request.brief();
        let is_new = matches!(request, Request::Replan(_));
        Some(Self { tick, plan: brief.plan, is_new, start: brief.start, end: brief.end, first_note: None, whole: None })
    }

    /// Records the arrival of a passage.
    pub(super) fn receive(&mut self, passage: &Passage, now: Instant) {
        // The plan that plays may be the same one: passages that complete it come first and do not count.
        if passage.plan != self.plan || passage.from < self.start {
            return;
        }
        if !passage.notes.is_empty() {
            self.first_note.get_or_insert(now);
        }
        if passage.until >= self.end {
            self.whole.get_or_insert(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::music::{Note, Role};
    use crate::plan::{Brief, Controls, Fingerprint};

    use super::*;

    fn brief(plan: u64, start: i64, end: i64) -> Brief {
        let context = Fingerprint::of(&[]);
        Brief { plan: PlanId(plan), made_at: Tick(0), start: Tick(start), end: Tick(end), seed: 1, controls: Controls::default(), context }
    }

    fn passage(plan: u64, from: i64, until: i64, notes: usize) -> Passage {
        let note = Note { onset: Tick(from), offset: 0, duration: Tick(1), pitch: 60, velocity: 90, role: Role::Keys };
        Passage { plan: PlanId(plan), from: Tick(from), until: Tick(until), notes: vec![note; notes] }
    }

    #[test]
    fn last_request_of_a_tick_has_its_first_note_and_end_timed() {
        let requests = [Request::Extend(brief(3, 24, 96)), Request::Replan(brief(4, 96, 288))];
        let mut timing = RequestTiming::at(Tick(0), &requests).unwrap();
        assert_eq!((timing.plan, timing.is_new), (PlanId(4), true));
        let times: Vec<Instant> = (0..5).map(|step| Instant::now() + std::time::Duration::from_secs(step)).collect();
        let come = [passage(3, 24, 96, 2), passage(4, 96, 192, 0), passage(4, 192, 288, 1), passage(4, 288, 384, 1)];
        for (passage, &now) in come.iter().zip(&times) {
            timing.receive(passage, now);
        }
        assert_eq!((timing.first_note, timing.whole), (Some(times[2]), Some(times[2])));
        assert_eq!(RequestTiming::at(Tick(0), &[]), None);
    }

    #[test]
    fn passage_before_the_requested_start_is_not_timed() {
        let mut timing = RequestTiming::at(Tick(0), &[Request::Extend(brief(3, 96, 192))]).unwrap();
        timing.receive(&passage(3, 24, 96, 1), Instant::now());
        assert_eq!((timing.first_note, timing.whole), (None, None));
    }
}
