//! What the editor and whoever waits are shown.

use crate::music::{Bar, Tick};
use crate::plan::Mode;

use super::super::composer::Composer;
use super::super::pace::Pace;
use super::Conductor;
use super::planning::INTERVAL;
use crate::session::board::{ShownBar, ShownPlan, Snapshot};

impl<C: Composer> Conductor<C> {
    /// What the player should know besides.
    fn remark(&self) -> String {
        if !self.notice.is_empty() || !self.pacing.is_strained() {
            return self.notice.clone();
        }
        let bars = self.pacing.horizon(self.controls.map_or(1, |controls| controls.horizon_bars));
        let beats = self.pacing.interval(INTERVAL).0 / INTERVAL.0;
        format!("This machine is slow: planned {bars} bars ahead, every {beats} beats")
    }

    /// Shows in the editor how it stands.
    pub(super) fn publish(&self) {
        let now = self.clock.now();
        let mode = self.controls.map_or(Mode::default(), |controls| controls.mode);
        let mut status = self.engine.status(&self.composer.parts(), mode, &self.remark());
        status.punctuality = self.punctuality;
        let number = |bar: Bar| self.clock.song_at(bar.start).0.div_euclid(bar.metre.bar_length().0) + 1;
        let oldest = self.context.start().unwrap_or(self.clock.open_bar().start);
        let bars = self.clock.bars().filter(|bar| bar.start >= oldest).map(|bar| ShownBar { bar, number: number(bar) }).collect();
        let playing = self.timeline.playing();
        let plan = playing.or(self.timeline.adopted()).map(|plan| ShownPlan {
            plan: plan.clone(),
            commit: self.timeline.commit_line(),
            playing: playing.is_some(),
        });
        self.board.publish(Snapshot { status, bars, played: self.heard_before(Tick::MAX), plan });
        *self.pace.lock() =
            Pace { engine: self.engine.clone(), reached: now, idle: self.jobs == 0, tally: self.timeline.tally(), asked: self.asked };
    }
}
