//! Drawing the same phrase again when the first one will not do: it is empty, or equal to one that was drawn before.

use super::Sampling;
use crate::codec::BarFields;

/// Which draw of a phrase or a bar this is. Each has noise of its own and is freer than the one before: in music that repeats itself other noise alone draws the
/// same notes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draw(u8);

/// The last draw.
const LAST: u8 = 7;

/// From this draw on nothing is too unlikely, and no bar is held to one that it repeats.
const UNBOUND: u8 = 3;

/// What each draw adds to the temperature, as a share of it.
const HEAT: f32 = 0.1;

impl Draw {
    /// As the worker's controls say.
    pub const FIRST: Self = Self(0);

    /// The draw after this one; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self.0 < LAST).then_some(Self(self.0 + 1))
    }

    /// The seed of its noise: that of the first draw is the worker's own. Seeds that follow each other belong to variations, so draws are far apart.
    #[must_use]
    pub fn seed(self, seed: u64) -> u64 {
        seed.wrapping_add(u64::from(self.0) << 48)
    }

    /// How adventurous it is.
    #[must_use]
    pub fn sampling(self, sampling: Sampling) -> Sampling {
        let bound = f32::from(UNBOUND.saturating_sub(self.0)) / f32::from(UNBOUND);
        Sampling { temperature: sampling.temperature * (1.0 + HEAT * f32::from(self.0)), min_p: sampling.min_p * bound }
    }

    /// What a bar is conditioned on.
    #[must_use]
    pub fn conditioning(self, fields: BarFields) -> BarFields {
        BarFields { repeats: if self.0 < UNBOUND { fields.repeats } else { 0 }, ..fields }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_draw_is_what_the_controls_say() {
        let (sampling, fields) = (Sampling::default(), BarFields { repeats: 4, density: 3, ..BarFields::default() });
        assert_eq!((Draw::FIRST.seed(7), Draw::FIRST.sampling(sampling), Draw::FIRST.conditioning(fields)), (7, sampling, fields));
    }

    #[test]
    fn draws_get_freer_and_come_to_an_end() {
        let draws: Vec<Draw> = std::iter::successors(Some(Draw::FIRST), |draw| draw.next()).collect();
        let sampling: Vec<Sampling> = draws.iter().map(|draw| draw.sampling(Sampling::default())).collect();
        assert!(sampling.windows(2).all(|pair| pair[0].temperature < pair[1].temperature && pair[0].min_p >= pair[1].min_p));
        let last = draws.last().unwrap();
        assert_eq!((draws.len(), sampling[draws.len() - 1].min_p), (8, 0.0));
        let told = BarFields { repeats: 4, density: 3, ..BarFields::default() };
        assert_eq!(last.conditioning(told), BarFields { repeats: 0, ..told });
        let seeds: std::collections::BTreeSet<u64> = draws.iter().flat_map(|draw| (0..64).map(|seed| draw.seed(seed))).collect();
        assert_eq!(seeds.len(), 8 * 64);
    }
}
