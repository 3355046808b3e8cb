//! How planned notes are played: their channel, timing and loudness.

use std::collections::VecDeque;

use crate::music::{Note, TICKS_PER_QUARTER, Tick};
use crate::plan::{Deviation, Loudness, PlanId};

use super::super::worker::Worker;
use super::{Input, Planner};

/// Stretch before a planning tick over which the player's loudness is measured: four bars of common time.
const RECENT: Tick = Tick(16 * TICKS_PER_QUARTER);
/// Plans whose loudness is kept: those that may be latched, and the pending one.
const PLANS: usize = 16;

/// Mean velocity of the player's recent notes, and what it was when each plan was requested: so the loudness of a plan does not depend on when its notes
/// arrive.
#[derive(Debug, Clone, Default)]
pub(super) struct PlayerLoudness {
    recent: Option<f64>,
    /// The latest last.
    of_plans: VecDeque<(PlanId, f64)>,
}

impl PlayerLoudness {
    /// Measures the notes that start shortly before a tick; without any, the loudness stays what it was.
    pub(super) fn measure(&mut self, notes: impl Iterator<Item = Note>, now: Tick) {
        let recent = notes.filter(|note| (now - RECENT..now).contains(&note.onset));
        let (sum, count) = recent.fold((0.0, 0.0), |(sum, count), note| (sum + f64::from(note.velocity), count + 1.0));
        if count > 0.0 {
            self.recent = Some(sum / count);
        }
    }

    /// Keeps the present loudness for a plan.
    pub(super) fn record(&mut self, plan: PlanId) {
        let Some(recent) = self.recent else { return };
        self.of_plans.push_back((plan, recent));
        if self.of_plans.len() > PLANS {
            self.of_plans.pop_front();
        }
    }

    fn of(&self, plan: PlanId) -> Option<f64> {
        self.of_plans.iter().rev().find(|(other, _)| *other == plan).map(|(_, loudness)| *loudness).or(self.recent)
    }
}

impl Input {
    /// Channel, 0 to 15, and deviation of a note of a plan, one of the `together` planned for its bar or more.
    pub(super) fn output_of(&self, note: &Note, plan: PlanId, together: &[Note]) -> (u8, Deviation) {
        let line = self.clock.bar_at(note.onset).map_or(Tick::ZERO, |bar| bar.start);
        let end = self.clock.bar_at(note.onset).map_or(Tick::MAX, |bar| bar.end());
        let bar = together.iter().filter(|other| (line..end).contains(&other.onset));
        let (sum, count) = bar.fold((0.0, 0.0), |(sum, count), note| (sum + f64::from(note.velocity), count + 1.0));
        let loudness = self.loudness.of(plan).filter(|_| count > 0.0).map(|player| Loudness { player, bar: sum / count });
        let feel = self.controls.unwrap_or_default().output.feel;
        (self.channel_of(note.role), feel.deviation(note, line, loudness))
    }
}

impl<W: Worker> Planner<W> {
    /// Sends the notes of the playing plans in a stretch.
    pub(super) fn send_between(&mut self, from: Tick, to: Tick) {
        let timeline = &self.planning.timeline;
        let plans = [timeline.playing(), timeline.adopted()];
        let own = |note: &Note| plans.into_iter().flatten().find(|plan| plan.between(note.onset, note.onset + Tick(1)).contains(note));
        let output = |note: &Note| match own(note).or(plans[0]) {
            Some(plan) => self.input.output_of(note, plan.id(), plan.notes()),
            None => (self.input.channel_of(note.role), Deviation::default()),
        };
        self.playback.outbox.play(timeline.sounding(from, to).copied(), output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    #[test]
    fn plan_keeps_the_loudness_of_the_time_it_was_requested() {
        let note = |onset: i64, velocity| Note { onset: Tick(onset), offset: 0, duration: Tick(6), pitch: 60, velocity, role: Role::Keys };
        let mut loudness = PlayerLoudness::default();
        loudness.measure([].into_iter(), Tick(0));
        loudness.record(PlanId(1));
        assert_eq!(loudness.of(PlanId(1)), None);
        loudness.measure([note(0, 40), note(12, 60)].into_iter(), Tick(24));
        loudness.record(PlanId(2));
        loudness.measure([note(0, 40), note(12, 60), note(24 + 384, 100)].into_iter(), Tick(48 + 384));
        loudness.record(PlanId(3));
        loudness.measure([note(0, 40)].into_iter(), Tick(4000));
        assert_eq!([1, 2, 3].map(|plan| loudness.of(PlanId(plan))), [Some(100.0), Some(50.0), Some(100.0)]);
    }
}
