//! A sample of durations and its percentiles.

use std::fmt;
use std::time::Duration;

/// Durations in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }
}

/// Nearest rank: the smallest that so many of a thousand do not exceed.
fn percentile(sorted: &[Duration], per_thousand: usize) -> Option<Duration> {
    let rank = (sorted.len() * per_thousand).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied()
}

impl fmt::Display for Sample {
    /// How many, and in milliseconds p50, p99, p99.5 and the most.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        write!(f, "{:>6}", sorted.len())?;
        for per_thousand in [500, 990, 995, 1000] {
            match percentile(&sorted, per_thousand) {
                Some(duration) => write!(f, " {:>8.2}", duration.as_secs_f64() * 1000.0)?,
                None => write!(f, " {:>8}", "-")?,
            }
        }
        Ok(())
    }
}
