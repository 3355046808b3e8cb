//! What followed the bars with the same hash as the last one (locality-sensitive hashing, as in the Reformer: Kitaev et al. 2020).

use super::{PagePolicy, Reads, Rest, Selection, successors::successors};
use crate::cache::{BarLine, MOST_BARS, line::dot};

/// Independent hashes; bars are alike if one of them agrees.
const ROUNDS: u64 = 4;

/// The bar before, and the successors of the latest bars that share a bucket with it; the others by their summaries.
///
/// A bar's bucket is the random direction, or its opposite, that its content points to most
/// ([`BarLine::contents`]). Nothing is learnt for it: it runs with the weights of a model trained on summaries, fine/coarse attention for instance.
#[derive(Debug, Clone, Copy)]
pub struct Lsh {
    /// Buckets, an even number of at least 2.
    pub buckets: u32,
}

impl PagePolicy for Lsh {
    fn name(&self) -> String {
        format!("lsh:{}", self.buckets)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        let contents = line.contents();
        let width = contents.first().map_or(0, Vec::len);
        let rounds: Vec<Vec<u32>> = (0..ROUNDS)
            .map(|round| {
                let directions: Vec<Vec<f32>> = (0..self.buckets / 2).map(|number| direction(round, number, width)).collect();
                contents.iter().map(|content| bucket(content, &directions)).collect()
            })
            .collect();
        let place = |bar: u32| usize::try_from(bar - line.first()).unwrap_or(usize::MAX);
        successors(line, |bar| rounds.iter().any(|buckets| Some(&buckets[place(bar)]) == buckets.last()))
    }

    fn rest(&self) -> Rest {
        Rest::Summaries
    }

    fn reach(&self) -> Option<u32> {
        Some(MOST_BARS)
    }

    fn reads(&self) -> Reads {
        Reads::Keys
    }

    /// What followed a bar is not what comes next in a gap.
    fn fills(&self) -> bool {
        false
    }
}

/// Where a content points to most: 2 n for direction n, 2 n + 1 for its opposite.
fn bucket(content: &[f32], directions: &[Vec<f32>]) -> u32 {
    let along = |(number, direction): (u32, &Vec<f32>)| {
        let along = dot(content, direction);
        if along < 0.0 { (-along, 2 * number + 1) } else { (along, 2 * number) }
    };
    (0..).zip(directions).map(along).max_by(|(one, _), (other, _)| one.total_cmp(other)).map_or(0, |(_, bucket)| bucket)
}

/// A direction of ones and minus ones (Achlioptas 2003), the same for ever.
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
    use crate::cache::line::tests::Past;

    #[test]
    fn what_followed_the_same_bar_is_seen() {
        // Four kinds of bars far from each other, in an order that does not repeat.
        let kinds = [0, 1, 2, 3, 2, 0, 1, 3, 0, 2, 1, 0, 3, 1, 2, 3, 3, 0, 1];
        let past = Past::of_kinds(&kinds);
        let Selection::Bars(seen) = Lsh { buckets: 64 }.select(&past.line(0)) else { panic!("one choice for all layers") };
        let expected: Vec<u32> = (1..19).zip(kinds).filter_map(|(next, kind)| (kind == 1 || next == 18).then_some(next)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn directions_differ_and_stay() {
        assert_eq!(direction(1, 2, 100), direction(1, 2, 100));
        for (round, number) in [(1, 3), (2, 2)] {
            let along = dot(&direction(1, 2, 256), &direction(round, number, 256));
            assert!(along.abs() < 100.0, "{along}");
        }
    }
}
