//! Statistics of two sets of values: earth mover's distance, split-half noise floor, bootstrap interval.

use fastrand::Rng;

use super::super::percentile::{mean, percentile};

/// Random splits for the noise floor.
const SPLITS: usize = 200;

/// Bootstrap resamples.
const DRAWS: usize = 1000;

/// Earth mover's distance of two sets of values: the area between their distribution functions. `None` if one is empty.
pub(super) fn earth_movers_distance(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let mut edges: Vec<f64> = one.iter().chain(other).copied().collect();
    edges.sort_by(f64::total_cmp);
    let below = |values: &[f64], edge: f64| crate::corpus::share(values.iter().filter(|value| **value <= edge).count(), values.len());
    let area = edges.windows(2).map(|pair| (below(one, pair[0]) - below(other, pair[0])).abs() * (pair[1] - pair[0]));
    Some(area.sum())
}

/// Mean `difference` between random halves of `count` items: the sampling noise below which no comparison of two sets is meaningful.
pub(super) fn split_half_floor(count: usize, seed: u64, difference: impl Fn(&[usize], &[usize]) -> Option<f64>) -> Option<f64> {
    let mut rng = Rng::with_seed(seed);
    let mut order: Vec<usize> = (0..count).collect();
    let halves = (0..SPLITS).filter_map(|_| {
        rng.shuffle(&mut order);
        let (one, other) = order.split_at(count / 2);
        difference(one, other)
    });
    mean(&halves.collect::<Vec<_>>())
}

/// 95 % bootstrap interval of `measure` over `count` items drawn with replacement; `None` without items.
pub(super) fn bootstrap_interval(count: usize, seed: u64, measure: impl Fn(&[usize]) -> f64) -> Option<[f64; 2]> {
    let mut rng = Rng::with_seed(seed);
    let draw = |_| {
        let drawn: Vec<usize> = (0..count).map(|_| rng.usize(..count)).collect();
        measure(&drawn)
    };
    let measured: Vec<f64> = if count == 0 { Vec::new() } else { (0..DRAWS).map(draw).collect() };
    percentile(&measured, 2.5).zip(percentile(&measured, 97.5)).map(|(low, high)| [low, high])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earth_movers_distance_is_the_mean_move_of_the_values() {
        let close = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} is not {b}");
        close(earth_movers_distance(&[1.0, 2.0, 4.0], &[4.0, 1.0, 2.0]), 0.0);
        close(earth_movers_distance(&[0.0, 1.0], &[3.0, 2.0]), 2.0);
        close(earth_movers_distance(&[0.0], &[0.0, 1.0]), 0.5);
        assert_eq!(earth_movers_distance(&[], &[1.0]), None);
    }

    #[test]
    fn split_halves_partition_the_items_and_equal_items_do_not_differ() {
        assert_eq!(split_half_floor(10, 1, |one, other| earth_movers_distance(&vec![7.0; one.len()], &vec![7.0; other.len()])), Some(0.0));
        let mut seen = 0;
        let all = split_half_floor(9, 1, |one, other| {
            let mut all: Vec<usize> = one.iter().chain(other).copied().collect();
            all.sort_unstable();
            (all == (0..9).collect::<Vec<_>>()).then_some(1.0)
        });
        seen += usize::from(all == Some(1.0));
        assert_eq!(seen, 1);
        // With two items each half is one of them.
        assert_eq!(
            split_half_floor(2, 1, |one, other| earth_movers_distance(
                &[f64::from(u8::from(one[0] == 0))],
                &[f64::from(u8::from(other[0] == 0))]
            )),
            Some(1.0)
        );
    }

    #[test]
    fn bootstrap_interval_holds_the_measured_mean() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let [low, high] = bootstrap_interval(5, 1, |drawn| drawn.iter().map(|index| values[*index]).sum::<f64>() / 5.0).unwrap();
        assert!(1.0 < low && low < 3.0 && 3.0 < high && high < 5.0);
        assert_eq!(bootstrap_interval(0, 1, |_| 1.0), None);
    }
}
