//! A sample of durations and its percentiles.

use std::time::Duration;

/// Durations in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<Duration>);

impl Sample {
    /// Room for so many, so that adding them allocates nothing.
    #[must_use]
    pub fn with_capacity(durations: usize) -> Self {
        Self(Vec::with_capacity(durations))
    }

    /// One more.
    pub fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// How many there are, and in units of `unit` what so many of a thousand do not exceed, a column each.
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

/// Nearest rank: the smallest that so many of a thousand do not exceed.
fn percentile(sorted: &[Duration], per_thousand: usize) -> Option<Duration> {
    let rank = (sorted.len() * per_thousand).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_that_so_many_do_not_exceed() {
        let mut sample = Sample::default();
        assert_eq!(sample.columns(Duration::from_millis(1), &[500, 1000]), "     0        -        -");
        for millis in (1..=200).rev() {
            sample.add(Duration::from_millis(millis));
        }
        assert_eq!(sample.columns(Duration::from_millis(1), &[500, 990, 999, 1000]), "   200   100.00   198.00   200.00   200.00");
        assert_eq!(sample.columns(Duration::from_micros(10), &[1]), "   200   100.00");
    }
}
