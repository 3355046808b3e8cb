//! Counts of a session's plans and of the bars that were read for them.

use std::ops::AddAssign;

/// Counts of a session's plans, from its start on.
///
/// On time or late is the near bar, the first that is still missing at a planning tick: it is due at the next tick. That is not counted while the model is
/// being loaded, since it is no sign of load.
///
/// ```
/// use antiphon_engine::plan::PlanStats;
///
/// assert_eq!(PlanStats::default().on_time_share(), None, "nothing was due yet");
/// let stats = PlanStats { on_time: 3, late: 1, ticks: 10, kept: 5, ..PlanStats::default() };
/// assert_eq!((stats.on_time_share(), stats.hit_rate()), (Some(0.75), Some(0.5)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanStats {
    /// Near bars that were there at their planning tick.
    pub on_time: u64,
    /// Near bars that were not. Such a plan is dropped, so nothing sounds late.
    pub late: u64,
    /// Planning ticks, without those at which planning paused.
    pub ticks: u64,
    /// Planning ticks that needed no new plan: the player did what the plan foresaw, or the latched plan reaches beyond the horizon.
    pub kept: u64,
    /// Bars of the contexts.
    pub pages: PageStats,
}

/// Counts of the bars that became part of a context, and of those that the model read for it.
///
/// ```
/// use antiphon_engine::plan::PageStats;
///
/// let pages = PageStats { finished: 10, as_planned: 4, kept: 3, read: 9 };
/// assert_eq!(pages.hit_rate(), Some(0.75), "bars of the player do not count: they are always read");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PageStats {
    /// Bars that ended.
    pub finished: u64,
    /// Those of them that came as planned. The others are the player's, and are read.
    pub as_planned: u64,
    /// Bars whose pages were in the cache when they ended.
    pub kept: u64,
    /// Bars that the model read: those that ended, bars of plans that have not, and any of them again.
    pub read: u64,
}

impl PlanStats {
    /// The share of near bars that were on time, 0 to 1; `None` before anything was due.
    #[must_use]
    pub fn on_time_share(self) -> Option<f64> {
        share(self.on_time, self.on_time + self.late)
    }

    /// Counts a planning tick, and whether it needed no new plan.
    pub(crate) fn count_tick(&mut self, is_kept: bool) {
        self.ticks += 1;
        self.kept += u64::from(is_kept);
    }

    /// The share of planning ticks at which the plan was kept, 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_rate(self) -> Option<f64> {
        share(self.kept, self.ticks)
    }
}

impl PageStats {
    /// The share of the bars that came as planned whose pages were kept, 0 to 1; `None` before the first.
    #[must_use]
    pub fn hit_rate(self) -> Option<f64> {
        share(self.kept.min(self.as_planned), self.as_planned)
    }
}

impl AddAssign for PageStats {
    fn add_assign(&mut self, other: Self) {
        self.finished += other.finished;
        self.as_planned += other.as_planned;
        self.kept += other.kept;
        self.read += other.read;
    }
}

impl AddAssign for PlanStats {
    fn add_assign(&mut self, other: Self) {
        self.on_time += other.on_time;
        self.late += other.late;
        self.ticks += other.ticks;
        self.kept += other.kept;
        self.pages += other.pages;
    }
}

#[allow(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
