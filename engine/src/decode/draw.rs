//! Repeated draws of a phrase, when the first one is empty or equal to an earlier one.

use super::Sampling;
use crate::codec::BarFields;

/// Number of a draw of a phrase or a bar. Each has noise of its own and a higher temperature than the one before: in music that repeats itself other noise
/// alone gives the same notes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draw(u8);

/// The last draw.
const LAST: u8 = 7;

/// First draw without min-p and without a requested repeat.
const UNBOUND: u8 = 3;

/// Added to the temperature per draw, as a share of it.
const HEAT: f32 = 0.1;

impl Draw {
    /// The first draw: the requested sampling and conditioning unchanged.
    pub const FIRST: Self = Self(0);

    /// The draw after this one; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self.0 < LAST).then_some(Self(self.0 + 1))
    }

    /// Seed of its noise; the first draw has the requested one. Consecutive seeds belong to variations, so the seeds of draws are far apart.
    #[must_use]
    pub fn seed(self, seed: u64) -> u64 {
        seed.wrapping_add(u64::from(self.0) << 48)
    }

    /// Its sampling parameters.
    #[must_use]
    pub fn sampling(self, sampling: Sampling) -> Sampling {
        let bound = f32::from(UNBOUND.saturating_sub(self.0)) / f32::from(UNBOUND);
        Sampling { temperature: sampling.temperature * (1.0 + HEAT * f32::from(self.0)), min_p: sampling.min_p * bound, ..sampling }
    }

    /// Conditioning of a bar in this draw.
    #[must_use]
    pub fn conditioning(self, fields: BarFields) -> BarFields {
        BarFields { repeats: if self.0 < UNBOUND { fields.repeats } else { 0 }, ..fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_draw_keeps_the_requested_sampling_and_conditioning() {
        let (sampling, fields) = (Sampling::default(), BarFields { repeats: 4, density: 3, ..BarFields::default() });
        assert_eq!((Draw::FIRST.seed(7), Draw::FIRST.sampling(sampling), Draw::FIRST.conditioning(fields)), (7, sampling, fields));
    }

    #[test]
    fn draws_rise_in_temperature_and_end_after_eight() {
        let draws: Vec<Draw> = std::iter::successors(Some(Draw::FIRST), |draw| draw.next()).collect();
        let sampling: Vec<Sampling> = draws.iter().map(|draw| draw.sampling(Sampling::default())).collect();
        assert!(sampling.windows(2).all(|pair| pair[0].temperature < pair[1].temperature && pair[0].min_p >= pair[1].min_p));
        let last = draws.last().unwrap();
        assert_eq!((draws.len(), sampling[draws.len() - 1].min_p), (8, 0.0));
        let requested = BarFields { repeats: 4, density: 3, ..BarFields::default() };
        assert_eq!(last.conditioning(requested), BarFields { repeats: 0, ..requested });
        let seeds: std::collections::BTreeSet<u64> = draws.iter().flat_map(|draw| (0..64).map(|seed| draw.seed(seed))).collect();
        assert_eq!(seeds.len(), 8 * 64);
    }
}
