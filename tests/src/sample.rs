//! A sample of durations and its percentiles.

use std::time::Duration;

/// Durations in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Preallocated for this many, so that `add` does not allocate.
    #[must_use]
    pub fn with_capacity(durations: usize) -> Self {
        Self(Vec::with_capacity(durations))
    }

    /// Adds a duration.
    pub fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// The count, then the given per-thousand percentiles in units of `unit`, one column each.
    #[must_use]
    pub fn columns(&self, unit: Duration, per_thousand: &[usize]) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let column = |&per_thousand: &usize| match percentile(&sorted, per_thousand) {
            Some(duration) => format!(" {:>8.2}", duration.as_secs_f64() / unit.as_secs_f64()),
            None => format!(" {:>8}", "-"),
        };
        format!("{:>6}", sorted.len()) + &per_thousand.iter().map(column).collect::<String>()
    }
}

/// Nearest-rank percentile.
fn percentile(sorted: &[Duration], per_thousand: usize) -> Option<Duration> {
    let rank = (sorted.len() * per_thousand).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_the_nearest_rank() {
        let mut sample = Sample::default();
        assert_eq!(sample.columns(Duration::from_millis(1), &[500, 1000]), "     0        -        -");
        for millis in (1..=200).rev() {
            sample.add(Duration::from_millis(millis));
        }
        assert_eq!(sample.columns(Duration::from_millis(1), &[500, 990, 999, 1000]), "   200   100.00   198.00   200.00   200.00");
        assert_eq!(sample.columns(Duration::from_micros(10), &[1]), "   200   100.00");
    }
}
