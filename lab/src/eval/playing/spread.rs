//! How far two sets of measured values lie apart, and how far apart two halves of one set lie by chance.

use fastrand::Rng;

use super::super::percentile::{mean, percentile};

/// Times that real music is cut into halves.
const SPLITS: usize = 200;

/// Times that clips are drawn anew for an interval.
const DRAWS: usize = 1000;

/// The earth mover's distance of two sets of values: the area between their distribution functions. `None` if one is empty.
pub(super) fn distance(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let mut edges: Vec<f64> = one.iter().chain(other).copied().collect();
    edges.sort_by(f64::total_cmp);
    let below = |values: &[f64], edge: f64| crate::corpus::share(values.iter().filter(|value| **value <= edge).count(), values.len());
    let area = edges.windows(2).map(|pair| (below(one, pair[0]) - below(other, pair[0])).abs() * (pair[1] - pair[0]));
    Some(area.sum())
}

/// The mean of what `difference` says of two halves of `count` things, cut in two at random: the floor that nothing can be expected to fall below.
pub(super) fn floor(count: usize, seed: u64, difference: impl Fn(&[usize], &[usize]) -> Option<f64>) -> Option<f64> {
    let mut rng = Rng::with_seed(seed);
    let mut order: Vec<usize> = (0..count).collect();
    let halves = (0..SPLITS).filter_map(|_| {
        rng.shuffle(&mut order);
        let (one, other) = order.split_at(count / 2);
        difference(one, other)
    });
    mean(&halves.collect::<Vec<_>>())
}

/// Between which 95 % of what `measure` says lie if the `count` things are drawn anew, with replacement.
pub(super) fn interval(count: usize, seed: u64, measure: impl Fn(&[usize]) -> f64) -> Option<[f64; 2]> {
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
    fn distance_is_how_far_the_values_have_to_go() {
        let close = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} is not {b}");
        close(distance(&[1.0, 2.0, 4.0], &[4.0, 1.0, 2.0]), 0.0);
        close(distance(&[0.0, 1.0], &[3.0, 2.0]), 2.0);
        close(distance(&[0.0], &[0.0, 1.0]), 0.5);
        assert_eq!(distance(&[], &[1.0]), None);
    }

    #[test]
    fn halves_of_equal_things_do_not_differ_and_every_thing_is_in_one() {
        assert_eq!(floor(10, 1, |one, other| distance(&vec![7.0; one.len()], &vec![7.0; other.len()])), Some(0.0));
        let mut seen = 0;
        let all = floor(9, 1, |one, other| {
            let mut all: Vec<usize> = one.iter().chain(other).copied().collect();
            all.sort_unstable();
            (all == (0..9).collect::<Vec<_>>()).then_some(1.0)
        });
        seen += usize::from(all == Some(1.0));
        assert_eq!(seen, 1);
        // Of two things each half is one of them.
        assert_eq!(
            floor(2, 1, |one, other| distance(&[f64::from(u8::from(one[0] == 0))], &[f64::from(u8::from(other[0] == 0))])),
            Some(1.0)
        );
    }

    #[test]
    fn an_interval_holds_what_was_measured() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let [low, high] = interval(5, 1, |drawn| drawn.iter().map(|index| values[*index]).sum::<f64>() / 5.0).unwrap();
        assert!(1.0 < low && low < 3.0 && 3.0 < high && high < 5.0);
        assert_eq!(interval(0, 1, |_| 1.0), None);
    }
}
