//! Load shedding on a machine that does not keep up: the horizon shrinks first, then the planning ticks thin out.

use crate::music::Tick;

/// Plans on time that must separate two misses; fewer count as overload. A single miss may be the operating system's.
const CALM: u32 = 8;
/// Plans on time before more is tried for the first time. Halved each time that succeeds: what made the machine slow is over. Doubled each time that fails. A
/// failure costs one plan, which is dropped, and the older one stands; so trying soon is cheap, and trying for ever at the limit is rare.
const PATIENCE: u32 = 8;
/// Lower limit of that number.
const LEAST_PATIENCE: u32 = 4;
/// Upper limit of that number.
const MOST_PATIENCE: u32 = 512;
/// Maximum of doublings of the interval between planning ticks.
const MOST_DOUBLINGS: u8 = 2;

/// Size and rate of requests, by the share of plans on time. Counts plans, not seconds.
///
/// ```
/// use antiphon_engine::music::Tick;
/// use antiphon_engine::plan::LoadShedding;
///
/// let mut shedding = LoadShedding::default();
/// // One late plan may be the operating system's doing; a second one soon after it is not.
/// shedding.miss(4);
/// assert_eq!(shedding.horizon(4), 4);
/// shedding.miss(4);
/// assert_eq!(shedding.horizon(4), 2);
/// // The ticks thin out when the horizon is a bar.
/// shedding.miss(4);
/// shedding.miss(4);
/// assert_eq!((shedding.horizon(4), shedding.interval(Tick(24))), (1, Tick(48)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadShedding {
    /// Times the horizon is halved.
    halvings: u8,
    /// Times the interval is doubled.
    doublings: u8,
    /// Plans on time since the last miss.
    calm: u32,
    patience: u32,
    /// Whether more was tried within the last `CALM` plans.
    tries: bool,
    /// Whether more was tried since the last miss that counted.
    has_recovered: bool,
}

impl Default for LoadShedding {
    fn default() -> Self {
        Self { halvings: 0, doublings: 0, calm: CALM, patience: PATIENCE, tries: false, has_recovered: false }
    }
}

impl LoadShedding {
    /// A plan came in time.
    pub fn keep(&mut self) {
        self.calm = self.calm.saturating_add(1);
        self.tries &= self.calm < CALM;
        if self.calm < self.patience {
            return;
        }
        if !self.is_strained() {
            self.patience = PATIENCE;
            return;
        }
        if std::mem::replace(&mut self.has_recovered, true) {
            self.patience = (self.patience / 2).max(LEAST_PATIENCE);
        }
        if self.doublings > 0 {
            self.doublings -= 1;
        } else {
            self.halvings -= 1;
        }
        // One miss right after it means that it was too much.
        (self.calm, self.tries) = (0, true);
    }

    /// A plan missed its tick, with a wanted horizon of this many bars.
    pub fn miss(&mut self, wanted_bars: u8) {
        if std::mem::take(&mut self.calm) >= CALM {
            return;
        }
        if self.horizon(wanted_bars) > 1 {
            self.halvings += 1;
        } else {
            self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
        }
        self.has_recovered = false;
        if std::mem::take(&mut self.tries) {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
    }

    /// The bars to plan ahead where so many are wanted: at least one.
    #[must_use]
    pub const fn horizon(&self, wanted_bars: u8) -> u8 {
        let bars = match wanted_bars.checked_shr(self.halvings as u32) {
            Some(bars) => bars,
            None => 0,
        };
        if bars == 0 { 1 } else { bars }
    }

    /// The interval between planning ticks where this one is wanted.
    #[must_use]
    pub const fn interval(&self, wanted: Tick) -> Tick {
        Tick(wanted.0 << self.doublings)
    }

    /// Whether less is requested than is wanted.
    #[must_use]
    pub const fn is_strained(&self) -> bool {
        self.halvings > 0 || self.doublings > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEAT: Tick = Tick(24);

    /// Requested horizon in bars, of four wanted, and interval between planning ticks in beats.
    fn requested(shedding: &LoadShedding) -> (u8, i64) {
        (shedding.horizon(4), shedding.interval(BEAT).0 / BEAT.0)
    }

    #[test]
    fn repeated_misses_shrink_the_horizon_then_widen_the_interval() {
        let mut shedding = LoadShedding::default();
        let steps: Vec<_> = (0..7)
            .map(|_| {
                shedding.miss(4);
                requested(&shedding)
            })
            .collect();
        assert_eq!(steps, [(4, 1), (2, 1), (1, 1), (1, 2), (1, 4), (1, 4), (1, 4)]);
    }

    #[test]
    fn rare_misses_change_nothing() {
        let mut shedding = LoadShedding::default();
        for _ in 0..20 {
            shedding.miss(4);
            (0..CALM).for_each(|_| shedding.keep());
        }
        assert!(!shedding.is_strained());
    }

    #[test]
    fn horizon_recovers_and_more_slowly_after_a_failed_try() {
        let mut shedding = LoadShedding::default();
        (0..5).for_each(|_| shedding.miss(4));
        assert_eq!(requested(&shedding), (1, 4));
        let plans_until = |shedding: &mut LoadShedding, wanted| {
            let plans = (1..10_000).find(|_| {
                shedding.keep();
                requested(shedding) == wanted
            });
            plans.unwrap()
        };
        let first = plans_until(&mut shedding, (1, 2));
        shedding.miss(4);
        assert_eq!(requested(&shedding), (1, 4), "one miss is enough right after");
        assert_eq!((first, plans_until(&mut shedding, (1, 2))), (8, 16));
        plans_until(&mut shedding, (4, 1));
        assert_eq!(shedding, LoadShedding { calm: 0, ..shedding });
    }

    #[test]
    fn whole_horizon_is_back_24_plans_after_a_short_overload() {
        let mut shedding = LoadShedding::default();
        (0..5).for_each(|_| shedding.miss(4));
        let mut steps = Vec::new();
        for plan in 1..=24 {
            shedding.keep();
            steps.push((plan, requested(&shedding)));
        }
        steps.dedup_by_key(|(_, requested)| *requested);
        assert_eq!(steps, [(1, (1, 4)), (8, (1, 2)), (16, (1, 1)), (20, (2, 1)), (24, (4, 1))]);
    }

    #[test]
    fn machine_at_its_limit_is_tried_ever_more_rarely() {
        let mut shedding = LoadShedding::default();
        (0..3).for_each(|_| shedding.miss(4));
        // Two bars are too many for it, one is not.
        let mut misses = 0;
        for _ in 0..4_000 {
            if shedding.horizon(4) > 1 {
                shedding.miss(4);
                misses += 1;
            } else {
                shedding.keep();
            }
        }
        assert!((5..=14).contains(&misses), "{misses} plans were dropped in 4000");
    }

    proptest! {
        /// After any results the horizon is at least a bar, and never more than is wanted.
        #[test]
        fn horizon_and_interval_stay_within_limits_after_any_results(happens in prop::collection::vec((any::<bool>(), 0..9u8), 0..400), wanted in 1..9u8) {
            let mut shedding = LoadShedding::default();
            for (kept, bars) in happens {
                if kept { shedding.keep() } else { shedding.miss(bars) }
                prop_assert!((1..=wanted).contains(&shedding.horizon(wanted)));
                prop_assert!((BEAT..=Tick(96)).contains(&shedding.interval(BEAT)));
            }
            (0..20_000).for_each(|_| shedding.keep());
            prop_assert!(!shedding.is_strained());
        }
    }
}
