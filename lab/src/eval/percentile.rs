//! Percentiles and means of measured values.

/// Nearest-rank percentile, `percent` in 0..=100: the smallest value that `percent` per cent of the values do not exceed. `None` without values.
pub(super) fn percentile<T: Copy + PartialOrd>(values: &[T], percent: f64) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among the values")]
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Arithmetic mean; `None` without values.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "clips and bars are counted far below 2^52")]
    let count = values.len() as f64;
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_one_of_the_values() {
        let values: Vec<usize> = (1..=200).rev().collect();
        assert_eq!([0.0, 50.0, 99.0, 100.0].map(|percent| percentile(&values, percent)), [Some(1), Some(100), Some(198), Some(200)]);
        assert_eq!(percentile(&[7.5], 99.0), Some(7.5));
        assert_eq!(percentile::<f64>(&[], 50.0), None);
    }
}
