//! Noise that is a function of where it is used.
//!
//! Sampling adds Gumbel noise to logits. Each value is a hash of (seed, tick of the bar line, row of the bar, field, class), so a note depends on nothing
//! that was decoded before or in between, and decoding again after a rollback gives the same notes. The values are the same on every platform: the
//! hash is integer arithmetic, and the logarithm below uses only the four operations that IEEE 754 defines to the last bit.

use crate::codec::vocabulary::Field;

/// Fills `noise` with Gumbel noise for one row: the classes of all fields side by side, in chain order.
pub(super) fn fill(noise: &mut [f32], seed: u64, line: i64, row: u64) {
    let place = mix(mix(mix(seed) ^ line.cast_unsigned()) ^ row);
    let mut rest = noise;
    for (number, field) in (0_u64..).zip(Field::ALL) {
        let (classes, others) = rest.split_at_mut(field.classes().min(rest.len()));
        let key = mix(place ^ number << 32);
        for (class, value) in (0_u64..).zip(classes) {
            *value = gumbel(mix(key.wrapping_add(class)));
        }
        rest = others;
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014), over the golden-ratio sequence.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// A value of the standard Gumbel distribution, -ln(-ln u), for u in (0, 1) from the hash's upper 52 bits.
#[allow(clippy::cast_possible_truncation, reason = "rounds a number between -4 and 38 to the nearest f32")]
#[allow(clippy::cast_precision_loss, reason = "52 bits fit into an f64")]
fn gumbel(hash: u64) -> f32 {
    let uniform = ((hash >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64);
    -ln(-ln(uniform)) as f32
}

/// Natural logarithm of a positive normal number, to about 1e-15: x = 2^e m with m in [sqrt 1/2, sqrt 2], ln m = 2 artanh((m - 1) / (m + 1)).
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const ONE: u64 = 1023 << 52;
    let bits = x.to_bits();
    let mut exponent = i32::try_from(bits >> 52).unwrap_or(0) - 1023;
    let mut m = f64::from_bits(bits & MANTISSA | ONE);
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    // |s| < 0.1716, so the first term left out is below 0.1716^20 / 21.
    let series = [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0].into_iter().fold(0.0, |sum, n| (sum + 1.0 / n) * square);
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * s * (1.0 + series)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::vocabulary::TOTAL_CLASSES;

    fn row(seed: u64, line: i64, row: u64) -> Vec<f32> {
        let mut noise = vec![0.0; TOTAL_CLASSES];
        fill(&mut noise, seed, line, row);
        noise
    }

    #[test]
    fn logarithm_equals_that_of_the_standard_library() {
        for x in [1e-300, 2.2e-16, 0.1, 0.5, 0.707, 0.708, 0.999_999_999, 1.0, 1.414, 1.415, 36.7, 1e300] {
            let error = (ln(x) - x.ln()).abs();
            assert!(error <= 1e-14 * x.ln().abs().max(1e-2), "ln {x}: off by {error}");
        }
    }

    #[test]
    fn values_of_the_noise_are_fixed() {
        // Changing these changes every project's takes.
        let noise = row(1, 96, 2);
        assert_eq!([noise[0], noise[255], noise[418]], [0.750_757_6, 2.559_463_7, 2.059_244_6]);
    }

    #[test]
    fn every_coordinate_matters() {
        let base = row(1, 96, 2);
        for other in [row(2, 96, 2), row(1, 192, 2), row(1, 96, 3), row(1, -96, 2)] {
            assert!(base.iter().zip(&other).all(|(a, b)| a != b));
        }
        assert_eq!(base, row(1, 96, 2));
        // Fields do not share their noise.
        assert!(base[..8].iter().zip(&base[256..264]).all(|(a, b)| a != b));
    }

    #[test]
    fn noise_has_the_gumbel_distribution() {
        let values: Vec<f64> = (0..200).flat_map(|r| row(7, 0, r)).map(f64::from).collect();
        let n = 200.0 * 419.0;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 0.577_2).abs() < 0.02, "mean {mean}");
        assert!((variance - 1.644_9).abs() < 0.05, "variance {variance}");
        assert!(values.iter().all(|v| v.is_finite()));
        assert!(gumbel(0).is_finite() && gumbel(u64::MAX).is_finite());
    }
}
