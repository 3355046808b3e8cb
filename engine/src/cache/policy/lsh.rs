//! Bars that followed bars with the same hash as the last one (locality-sensitive hashing, as in the Reformer: Kitaev et al. 2020).

use super::successors::Similarity;
use crate::cache::vectors::dot;

/// Number of independent hashes. Bars are similar if one of them is equal.
const ROUNDS: u64 = 4;

/// The bar before, and the successors of the latest bars that share a bucket with it; the others by their summaries.
///
/// A bar's bucket is the random direction, or its opposite, with which its content has the largest dot product.
#[derive(Debug, Clone, Copy)]
pub struct Lsh {
    /// Number of buckets per hash; even, at least 2.
    pub buckets: u32,
}

impl Similarity for Lsh {
    fn name(&self) -> String {
        format!("lsh:{}", self.buckets)
    }

    fn similar_to_last(&self, contents: &[Vec<f32>]) -> Vec<bool> {
        let width = contents.first().map_or(0, Vec::len);
        let mut similar = vec![false; contents.len()];
        for round in 0..ROUNDS {
            let directions: Vec<Vec<f32>> = (0..self.buckets / 2).map(|number| direction(round, number, width)).collect();
            let buckets: Vec<u32> = contents.iter().map(|content| bucket(content, &directions)).collect();
            similar.iter_mut().zip(&buckets).for_each(|(similar, bucket)| *similar |= Some(bucket) == buckets.last());
        }
        similar
    }
}

/// Bucket of a content: 2 n for direction n, 2 n + 1 for its opposite.
fn bucket(content: &[f32], directions: &[Vec<f32>]) -> u32 {
    let along = |(number, direction): (u32, &Vec<f32>)| {
        let along = dot(content, direction);
        if along < 0.0 { (-along, 2 * number + 1) } else { (along, 2 * number) }
    };
    (0..).zip(directions).map(along).max_by(|(one, _), (other, _)| one.total_cmp(other)).map_or(0, |(_, bucket)| bucket)
}

/// A random direction of ones and minus ones (Achlioptas 2003); a fixed function of its arguments.
fn direction(round: u64, number: u32, width: usize) -> Vec<f32> {
    let mut state = (round << 32) | u64::from(number);
    let mut bits = 0;
    let sign = |place: usize| {
        if place.is_multiple_of(64) {
            bits = next(&mut state);
        }
        let one = bits & 1 == 1;
        bits >>= 1;
        if one { 1.0 } else { -1.0 }
    };
    (0..width).map(sign).collect()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_deterministic_and_nearly_orthogonal() {
        assert_eq!(direction(1, 2, 100), direction(1, 2, 100));
        for (round, number) in [(1, 3), (2, 2)] {
            let along = dot(&direction(1, 2, 256), &direction(round, number, 256));
            assert!(along.abs() < 100.0, "{along}");
        }
    }
}
