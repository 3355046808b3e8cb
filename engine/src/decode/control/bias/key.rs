//! Requested key: lowers pitches that fit it badly. Nothing is forbidden: a passing note has its price, and where the music insists, it pays it.

use super::cost::PitchBias;
use crate::music::analysis::{KeySignature, Scale};

/// Cost in nats of a pitch outside of the scale.
const OUTSIDE: f64 = 3.0;
/// Cost in nats of the worst fitting degree of the scale. Without it a scale alone would be any of its modes.
const WORST_DEGREE: f64 = 2.0;

/// A key that notes should be in, and the scale of it that they should come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestedKey {
    /// Tonic, major or minor.
    pub key: KeySignature,
    /// Pitch classes without the cost of those outside.
    pub scale: Scale,
}

impl RequestedKey {
    /// A key with the scale of it: in minor, the natural one and the leading note.
    #[must_use]
    pub fn of(key: KeySignature) -> Self {
        Self { key, scale: Scale::of_key(key) }
    }

    /// The same key with these tones in its scale, too: those of a chosen chord.
    #[must_use]
    pub const fn with_tones(self, tones: Scale) -> Self {
        Self { scale: self.scale.union(tones), ..self }
    }
}

/// Bias towards a key.
pub(super) struct KeyBias {
    /// By pitch class.
    costs: [f64; 12],
}

impl KeyBias {
    pub(super) fn new(requested: RequestedKey) -> Self {
        let fit: [f64; 12] = std::array::from_fn(|class| requested.key.rating(u8::try_from(class).unwrap_or_default()));
        let [worst, best] = [fit.iter().copied().fold(f64::MAX, f64::min), fit.iter().copied().fold(0.0, f64::max)];
        let cost = |class: u8| {
            let degree = WORST_DEGREE * (best - fit[usize::from(class)]) / (best - worst);
            if requested.scale.contains(class) { degree } else { degree + OUTSIDE }
        };
        Self { costs: std::array::from_fn(|class| cost(u8::try_from(class).unwrap_or_default())) }
    }
}

impl PitchBias for KeyBias {
    fn cost(&self, pitch: u8) -> f64 {
        self.costs[usize::from(pitch % 12)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Tables, note};
    use super::super::{KEYS, RequestedControls};
    use super::*;
    use crate::music::analysis::ScaleMode;

    fn tables(key: RequestedKey) -> Tables {
        Tables::with(RequestedControls { key: Some(key), ..RequestedControls::default() }, &[note(0, 60, 23)], Some(24))
    }

    #[test]
    fn tonic_is_likeliest_and_the_scale_before_all_others() {
        let e_minor = RequestedKey::of(KeySignature::new(4, ScaleMode::Minor).unwrap());
        let tables = tables(e_minor);
        let at = |pitch: usize| tables.pitch[pitch];
        assert_eq!((at(64), at(64 - 12)), (0.0, 0.0));
        let [inside, outside] =
            [true, false].map(|is_inside| (60..72u8).filter(move |pitch| e_minor.scale.contains(*pitch) == is_inside).map(usize::from));
        let worst = inside.map(at).fold(f32::MAX, f32::min);
        assert!(outside.map(at).all(|value| value < worst - 2.0));
        assert!(tables.pitch[KEYS..].iter().all(|value| *value == 0.0), "drums have no key");
    }

    #[test]
    fn tones_of_a_chord_cost_no_more_than_a_bad_degree() {
        let c_major = RequestedKey::of(KeySignature::new(0, ScaleMode::Major).unwrap());
        let with_a_flat = tables(c_major.with_tones(Scale::new([8])));
        assert!(tables(c_major).pitch[68] < -4.0 && with_a_flat.pitch[68] >= -2.0);
    }
}
