//! Counts of a session's plans on time and late.

/// Counts of a session's plans, from its start on.
///
/// Counted is the near bar, the first that is still missing at a planning tick: it is due at the next tick. Nothing is counted while the model is
/// being loaded, since that is no sign of load.
///
/// ```
/// use antiphon_engine::plan::PlanStats;
///
/// assert_eq!(PlanStats::default().on_time_share(), None, "nothing was due yet");
/// let stats = PlanStats { on_time: 3, late: 1, ..PlanStats::default() };
/// assert_eq!(stats.on_time_share(), Some(0.75));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanStats {
    /// Near bars that were there at their planning tick.
    pub on_time: u64,
    /// Near bars that were not. Such a plan is dropped, so nothing sounds late.
    pub late: u64,
    /// Planning ticks that needed no new plan: the player did what the plan foresaw, or the latched plan reaches beyond the horizon.
    pub kept: u64,
}

impl PlanStats {
    /// The share of near bars that were on time, 0 to 1; `None` before anything was due.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub fn on_time_share(self) -> Option<f64> {
        let due = self.on_time + self.late;
        (due > 0).then(|| self.on_time as f64 / due as f64)
    }
}
