//! How planned notes are played: their channel, timing and loudness.

use std::collections::VecDeque;

use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use crate::plan::{Deviation, Loudness, PlanId, PlayerChannel, Swing};

use super::super::worker::Worker;
use super::{Input, Planner};

/// Stretch before a planning tick over which the player is measured: loudness over four bars of common time, swing over sixteen.
const LOUDNESS: Tick = Tick(16 * TICKS_PER_QUARTER);
const SWING: Tick = Tick(64 * TICKS_PER_QUARTER);
/// Plans whose measurement is kept: those that may be latched, and the pending one.
const PLANS: usize = 16;

/// How the player plays.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Manner {
    /// Mean velocity; `None` before the first note.
    loudness: Option<f64>,
    /// Off-beats.
    swing: Swing,
}

/// How the player plays now, and how and on which channel when each plan was requested: so the performance of a plan does not depend on when its notes arrive.
#[derive(Debug, Clone, Default)]
pub(super) struct PlayerManner {
    recent: Manner,
    /// The latest last.
    of_plans: VecDeque<(PlanId, Manner, PlayerChannel)>,
}

impl PlayerManner {
    /// Measures the player's notes that start shortly before a tick, in order of time; without any, loudness and swing stay what they were. `line` finds the bar
    /// line of a tick.
    pub(super) fn measure(&mut self, notes: &[Note], now: Tick, line: impl Fn(Tick) -> Option<Tick>) {
        let since = |stretch: Tick| &notes[notes.partition_point(|note| note.onset < now - stretch)..];
        let (sum, count) = since(LOUDNESS).iter().fold((0.0, 0.0), |(sum, count), note| (sum + f64::from(note.velocity), count + 1.0));
        if count > 0.0 {
            self.recent.loudness = Some(sum / count);
        }
        let recent = since(SWING);
        if !recent.is_empty() {
            self.recent.swing = Swing::measure(recent.iter().filter_map(|note| Some((line(note.onset)?, note))));
        }
    }

    /// Keeps the present measurement for a plan, and the player's present channel.
    pub(super) fn record(&mut self, plan: PlanId, player: PlayerChannel) {
        self.of_plans.push_back((plan, self.recent, player));
        if self.of_plans.len() > PLANS {
            self.of_plans.pop_front();
        }
    }

    /// Those of a plan; the channel is `None` if the plan was not requested: it was recalled.
    fn of(&self, plan: PlanId) -> (Manner, Option<PlayerChannel>) {
        let recorded = self.of_plans.iter().rev().find(|(other, ..)| *other == plan);
        recorded.map_or((self.recent, None), |(_, manner, player)| {
            (if manner.loudness.is_some() { *manner } else { self.recent }, Some(*player))
        })
    }
}

impl Input {
    /// Keeps how and on which channel the player plays now, for a plan that is requested or shown.
    pub(super) fn record_plan(&mut self, plan: PlanId) {
        let player = self.player_channel();
        self.manner.record(plan, player);
    }

    /// MIDI channel, 0 to 15, of the notes of a role in a plan: it does not depend on when they are sent.
    pub(super) fn channel_in(&self, plan: PlanId, role: Role) -> u8 {
        self.channel_of(role, self.manner.of(plan).1.unwrap_or_else(|| self.player_channel()))
    }

    /// Channel, 0 to 15, and deviation of a note of a plan, one of the `together` planned for its bar or more.
    pub(super) fn output_of(&self, note: &Note, plan: PlanId, together: &[Note]) -> (u8, Deviation) {
        let line = self.clock.bar_at(note.onset).map_or(Tick::ZERO, |bar| bar.start);
        let end = self.clock.bar_at(note.onset).map_or(Tick::MAX, |bar| bar.end());
        let bar = together.iter().filter(|other| (line..end).contains(&other.onset));
        let (sum, count) = bar.fold((0.0, 0.0), |(sum, count), note| (sum + f64::from(note.velocity), count + 1.0));
        let Manner { loudness, swing } = self.manner.of(plan).0;
        let loudness = loudness.filter(|_| count > 0.0).map(|player| Loudness { player, bar: sum / count });
        let feel = self.controls.unwrap_or_default().output.feel;
        (self.channel_in(plan, note.role), feel.deviation(note, line, loudness, swing.of(note, line, together)))
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
            None => (self.input.channel_of(note.role, self.input.player_channel()), Deviation::default()),
        };
        self.playback.outbox.play(timeline.sounding(from, to).copied(), output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYER: PlayerChannel = PlayerChannel { channel: 0, role: Role::Keys };

    fn note(onset: i64, velocity: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(6), pitch: 60, velocity, role: Role::Keys }
    }

    #[test]
    fn plan_keeps_the_loudness_of_the_time_it_was_requested() {
        let mut manner = PlayerManner::default();
        let mut measure = |notes: &[Note], now| {
            manner.measure(notes, Tick(now), |_| None);
            manner.record(PlanId(u64::try_from(now).unwrap()), PLAYER);
            manner.clone()
        };
        assert_eq!(measure(&[], 0).of(PlanId(0)).0.loudness, None);
        measure(&[note(0, 40), note(12, 60)], 24);
        measure(&[note(0, 40), note(12, 60), note(24 + 384, 100)], 48 + 384);
        let last = measure(&[note(0, 40)], 4000);
        assert_eq!([0, 24, 48 + 384].map(|plan| last.of(PlanId(plan)).0.loudness), [Some(100.0), Some(50.0), Some(100.0)]);
    }

    #[test]
    fn plan_keeps_the_swing_of_the_time_it_was_requested() {
        let swung: Vec<Note> = (0..8).flat_map(|beat| [note(24 * beat, 80), note(24 * beat + 16, 80)]).collect();
        let mut manner = PlayerManner::default();
        manner.measure(&swung, Tick(192), |onset| Some(Tick(onset.0 / 96 * 96)));
        manner.record(PlanId(1), PLAYER);
        let straight: Vec<Note> = (0..8).flat_map(|beat| [note(4000 + 24 * beat, 80), note(4000 + 24 * beat + 12, 80)]).collect();
        manner.measure(&straight, Tick(4192), |_| Some(Tick(4000)));
        manner.record(PlanId(2), PLAYER);
        let planned = [note(0, 80), note(12, 80)];
        let shift = |plan| manner.of(PlanId(plan)).0.swing.of(&planned[1], Tick::ZERO, &planned).map(|swung| swung.shift);
        assert_eq!([shift(1), shift(2)], [Some(32), Some(0)]);
    }
}
