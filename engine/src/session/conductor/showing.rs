//! What the editor and whoever waits are shown.

use crate::music::{Bar, Note, Tick};
use crate::plan::{Key, Mode};

use super::super::composer::Composer;
use super::super::pace::Pace;
use super::Conductor;
use super::planning::INTERVAL;
use crate::session::board::{ShownBar, ShownPlan, Snapshot};
use crate::session::withheld::{Withheld, WithheldNote};

impl<C: Composer> Conductor<C> {
    /// What the player should know besides: the first that there is to say.
    fn remark(&self) -> String {
        let notice = Some(self.notice.clone()).filter(|notice| !notice.is_empty());
        notice.or_else(|| self.waits()).or_else(|| self.leaves_out()).or_else(|| self.strain()).unwrap_or_default()
    }

    /// Play was pressed, and nothing plays yet.
    fn waits(&self) -> Option<String> {
        if !self.wants_play {
            return None;
        }
        if self.player.ending().is_none() && self.sounded.notes().next().is_none() && self.timeline.adopted().is_none() {
            return Some("Play waits for your first notes: there is nothing to go on from yet".into());
        }
        let line = self.line_ahead();
        self.clock.bar_at(line).map(|bar| format!("Play begins at bar {}", self.number(bar)))
    }

    /// What plays is not all that was planned.
    fn leaves_out(&self) -> Option<String> {
        let plan = self.timeline.playing()?;
        if plan.is_complete() && plan.notes().is_empty() {
            return Some("The phrase that plays has no notes: press Another".into());
        }
        let of_plan = |withheld: &&WithheldNote| withheld.reason == Withheld::KeyHeld && plan.notes().contains(&withheld.note);
        match self.withheld.iter().chain(&self.about_to_be_withheld()).filter(of_plan).count() {
            0 => None,
            1 => Some("1 planned note gives way to a key that you hold".into()),
            count => Some(format!("{count} planned notes give way to keys that you hold")),
        }
    }

    fn strain(&self) -> Option<String> {
        let bars = self.pacing.horizon(self.controls.map_or(1, |controls| controls.horizon_bars));
        let beats = self.pacing.interval(INTERVAL).0 / INTERVAL.0;
        self.pacing.is_strained().then(|| format!("This machine is slow: planned {bars} bars ahead, every {beats} beats"))
    }

    /// The notes of what plays that will not sound if the player goes on holding these keys.
    fn about_to_be_withheld(&self) -> Vec<WithheldNote> {
        let ahead = self.timeline.playing().map_or(&[][..], |plan| plan.between(self.clock.now(), Tick::MAX));
        let is_held = |note: &&Note| Key::new(self.channel, note.pitch).is_some_and(|key| self.player.holds(key));
        let withheld = |note: &Note| WithheldNote { note: *note, reason: Withheld::KeyHeld };
        let is_new = |note: &&Note| !self.withheld.iter().any(|withheld| withheld.note == **note);
        ahead.iter().filter(is_held).filter(is_new).map(withheld).collect()
    }

    /// A bar's number in the host's song.
    fn number(&self, bar: Bar) -> i64 {
        self.clock.song_at(bar.start).0.div_euclid(bar.metre.bar_length().0) + 1
    }

    /// Shows in the editor how it stands.
    pub(super) fn publish(&self) {
        let now = self.clock.now();
        let mode = self.controls.map_or(Mode::default(), |controls| controls.mode);
        let mut status = self.engine.status(&self.composer.parts(), mode, &self.remark());
        status.plans = self.stats;
        let oldest = self.context.start().unwrap_or(self.clock.open_bar().start);
        let bars = self.clock.bars().filter(|bar| bar.start >= oldest).map(|bar| ShownBar { bar, number: self.number(bar) }).collect();
        let playing = self.timeline.playing();
        let plan = playing.or(self.timeline.adopted()).map(|plan| ShownPlan {
            plan: plan.clone(),
            commit: self.timeline.commit_line(),
            playing: playing.is_some(),
        });
        let withheld = self.withheld.iter().copied().chain(self.about_to_be_withheld()).collect();
        self.board.publish(Snapshot { status, bars, played: self.heard_before(Tick::MAX), plan, withheld });
        *self.pace.lock() = Pace { engine: self.engine.clone(), reached: now, idle: self.jobs == 0, plans: self.stats, asked: self.asked };
    }
}
