//! Arithmetic of keys and queries.

/// `1 / count`; 0 if `count` is 0.
pub(super) fn share(count: usize) -> f32 {
    u16::try_from(count).ok().filter(|&count| count > 0).map_or(0.0, |count| 1.0 / f32::from(count))
}

/// Sum of vectors times `share`.
pub(super) fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>, width: usize, share: f32) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    vectors.for_each(|vector| sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value));
    sum.iter_mut().for_each(|sum| *sum *= share);
    sum
}

/// Dot product.
pub(super) fn dot(one: &[f32], other: &[f32]) -> f32 {
    sum_of(one, other, |a, b| a * b)
}

/// Squared Euclidean distance.
pub(super) fn distance(one: &[f32], other: &[f32]) -> f32 {
    sum_of(one, other, |a, b| (a - b) * (a - b))
}

/// Sum over pairs in eight independent accumulators, so that additions do not wait for each other.
fn sum_of(one: &[f32], other: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0; 8];
    for (one, other) in one.chunks(8).zip(other.chunks(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(one).zip(other) {
            *sum += term(*a, *b);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_and_distance_include_every_element() {
        let one: Vec<f32> = (0_u8..19).map(f32::from).collect();
        let other = vec![2.0; 19];
        assert!((dot(&one, &other) - 342.0).abs() < 1e-3);
        assert!((distance(&one, &other) - (2109.0 - 4.0 * 171.0 + 76.0)).abs() < 1e-3);
    }
}
