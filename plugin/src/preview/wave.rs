//! DSP primitives: sine oscillator, band-passed noise, decay and limiter.
//!
//! Each produces [`CHUNK`] samples at once, in branch-free loops that the compiler vectorises.

use core::f32::consts::{PI, TAU};

use fastrand::Rng;

/// Samples rendered at once. Chunks are counted from the note start, so the block length has no influence.
pub(super) const CHUNK: usize = 16;
/// Phase steps per cycle.
const STEPS_PER_CYCLE: f32 = 4_294_967_296.0;

/// A float of this size has no fraction bits, nor has any within a third of it.
const LARGE: f32 = 12_582_912.0;

/// One chunk of samples.
pub(super) type Chunk = [f32; CHUNK];

/// A phase accumulator. The full range of the integer is one cycle, so the phase wraps by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Oscillator(u32);

impl Oscillator {
    /// Phases of the next samples, in cycles from -0.5 to 0.5. The frequency must be below half a cycle per sample.
    pub(super) fn next(&mut self, cycles: f32) -> Chunk {
        #[allow(clippy::cast_possible_truncation, reason = "what is lost of a step is below a millionth of a hertz")]
        let step = (cycles * STEPS_PER_CYCLE) as i32;
        let mut phases = [0.0; CHUNK];
        for phase in &mut phases {
            *phase = self.0.cast_signed() as f32 / STEPS_PER_CYCLE;
            self.0 = self.0.wrapping_add_signed(step);
        }
        phases
    }
}

/// The phase wrapped to -0.5 to 0.5 cycles.
pub(super) fn wrap(cycles: f32) -> f32 {
    // The sum has no fraction bits, so this rounds to an integer.
    cycles - ((cycles + LARGE) - LARGE)
}

/// Sine of a phase from -0.5 to 0.5 cycles: Taylor series to the ninth power, error at most 4e-6 (-109 dB).
pub(super) fn sine(cycles: f32) -> f32 {
    // Mirrored into the first quadrant.
    let angle = (0.25 - (cycles.abs() - 0.25).abs()) * TAU;
    let square = angle * angle;
    let rest = -1.0 / 6.0 + square * (1.0 / 120.0 + square * (-1.0 / 5_040.0 + square * (1.0 / 362_880.0)));
    (angle + angle * square * rest).copysign(cycles)
}

/// White noise through a band-pass: Andrew Simper's state variable filter (cytomic.com/files/dsp/SvfLinearTrapOptimised2.pdf), as a
/// state-space update.
#[derive(Debug, Clone)]
pub(super) struct Band {
    noise: Rng,
    state: [f32; 2],
    /// Coefficients of the state update: first state to itself, between the two states, second state to itself.
    first_to_first: f32,
    cross: f32,
    second_to_second: f32,
}

impl Band {
    /// Centre frequency in cycles per sample.
    pub(super) fn new(cycles: f32, q: f32) -> Self {
        let gain = (PI * cycles).tan();
        let first = 1.0 / (1.0 + gain * (gain + 1.0 / q));
        let (second, third) = (gain * first, gain * gain * first);
        Self {
            noise: Rng::with_seed(0),
            state: [0.0; 2],
            first_to_first: 2.0 * first - 1.0,
            cross: 2.0 * second,
            second_to_second: 1.0 - 2.0 * third,
        }
    }

    /// The next samples.
    pub(super) fn next(&mut self) -> Chunk {
        let noise = [0.0; CHUNK].map(|_: f32| self.noise.i32(..) as f32 / (0.5 * STEPS_PER_CYCLE));
        let [mut one, mut two] = self.state;
        let band = noise.map(|noise| {
            let before = one;
            one = self.first_to_first * before - self.cross * two + self.cross * noise;
            two = self.cross * before + self.second_to_second * two + (1.0 - self.second_to_second) * noise;
            0.5 * (before + one)
        });
        self.state = [one, two];
        band
    }
}

/// The next samples of a level that decays by a factor per sample.
pub(super) fn decay(level: &mut f32, factor: f32) -> Chunk {
    let square = factor * factor;
    let fourth = square * square;
    let mut four = [*level, *level * factor, *level * square, *level * square * factor];
    let mut levels = [0.0; CHUNK];
    for levels in levels.as_chunks_mut().0 {
        *levels = four;
        four = four.map(|level| level * fourth);
    }
    *level = four[0];
    levels
}

/// Hyperbolic tangent, as the ninth convergent of Lambert's continued fraction: error at most 9e-6 (-101 dB), and always below 1.
pub(super) fn tanh(value: f32) -> f32 {
    let value = value.clamp(-6.0, 6.0);
    let square = value * value;
    let over = 34_459_425.0 + square * (4_729_725.0 + square * (135_135.0 + square * (990.0 + square)));
    let under = 34_459_425.0 + square * (16_216_200.0 + square * (945_945.0 + square * (13_860.0 + square * 45.0)));
    value * over / under
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_approximation_is_accurate_to_4e_6() {
        for step in -150_000..=150_000_i32 {
            let cycles = step as f32 * 1e-5;
            let exact = (f64::from(cycles) * core::f64::consts::TAU).sin();
            assert!((f64::from(sine(wrap(cycles))) - exact).abs() < 4e-6, "{cycles}");
        }
    }

    #[test]
    fn oscillator_does_not_drift() {
        // After a million samples the error is below a thousandth of a cycle.
        let (cycles, mut oscillator) = (440.0 / 48_000.0, Oscillator::default());
        let mut last = [0.0; CHUNK];
        for _ in 0..62_500 {
            last = oscillator.next(cycles);
        }
        for (phase, sample) in last.iter().zip(999_984..) {
            let off = f64::from(*phase) - f64::from(sample) * f64::from(cycles);
            assert!((off - off.round()).abs() < 1e-3, "{off}");
        }
    }

    #[test]
    fn decay_is_exponential() {
        let (factor, mut level) = (0.97_f32, 0.5);
        let levels: Vec<f32> = (0..10).flat_map(|_| decay(&mut level, factor)).collect();
        for (index, level) in levels.into_iter().enumerate() {
            let exact = 0.5 * f64::from(factor).powi(i32::try_from(index).unwrap());
            assert!((f64::from(level) / exact - 1.0).abs() < 1e-5, "{index}");
        }
    }

    #[test]
    fn limiter_approximates_the_hyperbolic_tangent() {
        for step in -20_000..=20_000_i16 {
            let value = f32::from(step) * 1e-3;
            assert!((f64::from(tanh(value)) - f64::from(value).tanh()).abs() < 9e-6, "{value}");
            assert!(tanh(value).abs() < 1.0);
        }
    }

    #[test]
    fn noise_band_has_its_centre_frequency() {
        let mut band = Band::new(0.1, 2.0);
        let samples: Vec<f64> = (0..1000).flat_map(|_| band.next()).map(f64::from).collect();
        let energy = |cycles: f64| {
            let (sine, cosine) = samples.iter().enumerate().fold((0.0, 0.0), |(sine, cosine), (index, sample)| {
                let angle = core::f64::consts::TAU * cycles * index as f64;
                (sine + sample * angle.sin(), cosine + sample * angle.cos())
            });
            sine * sine + cosine * cosine
        };
        let around = |middle: f64| (0..100).map(|step| energy(middle + 1e-4 * f64::from(step - 50))).sum::<f64>();
        assert!(around(0.1) > 4.0 * around(0.04));
        assert!(around(0.1) > 4.0 * around(0.2));
    }
}
