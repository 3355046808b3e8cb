//! Mixtures of probability estimates, with weights fitted by expectation maximisation.

/// Iterations of EM; the likelihood converges to four digits earlier.
const ITERATIONS: usize = 60;

/// Strength of the prior, in observations: each bucket's weights are smoothed towards the global ones.
const PRIOR_OBSERVATIONS: f64 = 5.0;

/// Likelihoods of the true class under K estimates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation<const K: usize> {
    /// Probability by each estimate; 0 if it is not available.
    pub(super) likelihood: [f64; K],
    /// Which estimates exist here; the first always does.
    pub(super) available: [bool; K],
    /// Index of the weight set.
    pub(super) bucket: usize,
}

/// Weight sets by bucket; each sums to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mixture<const K: usize>(Vec<[f64; K]>);

/// Weights of the available estimates, renormalised to sum 1.
fn renormalised<const K: usize>(weights: &[f64; K], available: &[bool; K]) -> [f64; K] {
    let mut renormalised = *weights;
    for (share, available) in renormalised.iter_mut().zip(available) {
        *share *= f64::from(u8::from(*available));
    }
    let sum: f64 = renormalised.iter().sum();
    if sum > 0.0 {
        return renormalised.map(|share| share / sum);
    }
    let mut first = [0.0; K];
    first[0] = 1.0;
    first
}

fn normalised<const K: usize>(sums: [f64; K]) -> [f64; K] {
    let sum: f64 = sums.iter().sum();
    sums.map(|s| s / sum)
}

impl<const K: usize> Mixture<K> {
    /// From stored weights; `None` unless there is at least one set and all are non-negative with sum 1.
    pub(super) fn from_weights(weights: Vec<[f64; K]>) -> Option<Self> {
        let sound = |set: &[f64; K]| set.iter().all(|w| *w >= 0.0) && (set.iter().sum::<f64>() - 1.0).abs() < 1e-6;
        (!weights.is_empty() && weights.iter().all(sound)).then_some(Self(weights))
    }

    /// Weight sets by bucket.
    pub(super) fn weights(&self) -> &[[f64; K]] {
        &self.0
    }

    /// Maximum-likelihood weights: first one global set, then one for each bucket. `importance` weighs the observations; its mean is 1.
    pub(super) fn fit(observations: &[Observation<K>], importance: &[f64], buckets: usize) -> Self {
        let even = normalised([1.0; K]);
        let mut global = Self(vec![even; buckets]);
        for _ in 0..ITERATIONS {
            let sums = global.responsibilities(observations, importance);
            let total = sums.iter().fold([0.0; K], |mut total, set| {
                total.iter_mut().zip(set).for_each(|(t, s)| *t += s);
                total
            });
            if total.iter().sum::<f64>() <= 0.0 {
                return global;
            }
            global.0.fill(normalised(total));
        }
        let prior = global.0.first().copied().unwrap_or(even);
        let mut mixture = global;
        for _ in 0..ITERATIONS {
            let mut sums = mixture.responsibilities(observations, importance);
            for set in &mut sums {
                set.iter_mut().zip(prior).for_each(|(s, p)| *s += PRIOR_OBSERVATIONS * p);
                *set = normalised(*set);
            }
            mixture = Self(sums);
        }
        mixture
    }

    /// Expectation step: contribution of each estimate, by bucket.
    fn responsibilities(&self, observations: &[Observation<K>], importance: &[f64]) -> Vec<[f64; K]> {
        let mut sums = vec![[0.0; K]; self.0.len()];
        for (observation, importance) in observations.iter().zip(importance) {
            let Some((weights, sums)) = self.0.get(observation.bucket).zip(sums.get_mut(observation.bucket)) else { continue };
            let renormalised = renormalised(weights, &observation.available);
            let joint: [f64; K] = std::array::from_fn(|k| renormalised[k] * observation.likelihood[k]);
            let total: f64 = joint.iter().sum();
            if total > 0.0 {
                sums.iter_mut().zip(joint).for_each(|(s, j)| *s += importance * j / total);
            }
        }
        sums
    }

    /// Probability of the true class.
    pub(super) fn probability(&self, observation: &Observation<K>) -> f64 {
        let set = self.0.get(observation.bucket).unwrap_or(&self.0[0]);
        renormalised(set, &observation.available).iter().zip(observation.likelihood).map(|(share, likelihood)| share * likelihood).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observation(likelihood: [f64; 2], available: [bool; 2], bucket: usize) -> Observation<2> {
        Observation { likelihood, available, bucket }
    }

    fn log_likelihood(mixture: &Mixture<2>, observations: &[Observation<2>]) -> f64 {
        observations.iter().map(|o| mixture.probability(o).ln()).sum()
    }

    #[test]
    fn better_estimate_has_the_larger_weight_in_its_bucket() {
        let mut observations = vec![observation([0.1, 0.9], [true; 2], 0); 300];
        observations.extend(vec![observation([0.9, 0.1], [true; 2], 1); 300]);
        let mixture = Mixture::fit(&observations, &[1.0; 600], 2);
        assert!(mixture.weights()[0][1] > 0.98 && mixture.weights()[1][0] > 0.98, "{mixture:?}");
    }

    #[test]
    fn importance_equals_repetition_of_an_observation() {
        let (a, b) = (observation([0.1, 0.9], [true; 2], 0), observation([0.8, 0.2], [true; 2], 0));
        let important = Mixture::fit(&[a, b], &[1.5, 0.5], 1);
        let repeated = Mixture::fit(&[a, a, a, b], &[0.5; 4], 1);
        assert!((important.weights()[0][0] - repeated.weights()[0][0]).abs() < 1e-9);
        assert!((important.weights()[0][0] - Mixture::fit(&[a, b], &[1.0; 2], 1).weights()[0][0]).abs() > 0.01);
    }

    #[test]
    fn unavailable_estimates_lose_their_weight_to_available_ones() {
        let mixture = Mixture(vec![[0.25, 0.75]]);
        assert!((mixture.probability(&observation([0.5, 0.0], [true, false], 0)) - 0.5).abs() < 1e-12);
        assert!((mixture.probability(&observation([0.5, 1.0], [true, true], 0)) - 0.875).abs() < 1e-12);
    }

    #[test]
    fn weights_that_do_not_sum_to_1_are_refused() {
        assert_eq!(Mixture::<2>::from_weights(vec![]), None);
        assert_eq!(Mixture::from_weights(vec![[0.5, 0.6]]), None);
        assert_eq!(Mixture::from_weights(vec![[f64::NAN, 1.0]]), None);
        assert_eq!(Mixture::from_weights(vec![[-0.5, 1.5]]), None);
        assert!(Mixture::from_weights(vec![[0.5, 0.5]]).is_some());
    }

    proptest! {
        #[test]
        fn em_never_lowers_the_likelihood(likelihoods in prop::collection::vec((0.001f64..1.0, 0.001f64..1.0), 1..60)) {
            let observations: Vec<_> = likelihoods.iter().map(|&(a, b)| observation([a, b], [true; 2], 0)).collect();
            let even = Mixture(vec![[0.5, 0.5]]);
            let fitted = Mixture::fit(&observations, &vec![1.0; observations.len()], 1);
            prop_assert!(log_likelihood(&fitted, &observations) >= log_likelihood(&even, &observations) - 1e-9);
            prop_assert!((fitted.weights()[0].iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
