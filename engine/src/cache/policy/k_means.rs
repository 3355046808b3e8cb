//! What followed the bars in the same cluster as the last one (k-means, as in the Routing Transformer: Roy et al. 2021).

use super::{PagePolicy, Reads, Rest, Selection, successors::successors};
use crate::cache::{BarLine, MOST_BARS, line::distance};

/// Times the centres are moved to the middle of their bars (Lloyd 1982).
const MOVES: usize = 6;

/// The bar before, and the successors of the latest bars in its cluster; the others by their summaries.
///
/// The bars in reach are clustered anew at each bar line by their content ([`BarLine::contents`]). Nothing is learnt for it: it runs with the weights of
/// a model trained on summaries, fine/coarse attention for instance.
#[derive(Debug, Clone, Copy)]
pub struct KMeans {
    /// Clusters, at least 2.
    pub clusters: u32,
}

impl PagePolicy for KMeans {
    fn name(&self) -> String {
        format!("kmeans:{}", self.clusters)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        let clusters = cluster(&line.contents(), usize::try_from(self.clusters).unwrap_or(usize::MAX));
        let place = |bar: u32| usize::try_from(bar - line.first()).unwrap_or(usize::MAX);
        successors(line, |bar| Some(&clusters[place(bar)]) == clusters.last())
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

/// The cluster of each point. The first centre is the last point, each further one the point that is farthest from all centres so far
/// (Gonzalez 1985), so the same points give the same clusters.
fn cluster(points: &[Vec<f32>], most: usize) -> Vec<usize> {
    let Some(last) = points.last() else { return Vec::new() };
    let mut centres = vec![last.clone()];
    while centres.len() < most {
        let far = points.iter().map(|point| (nearest(point, &centres).1, point)).max_by(|(one, _), (other, _)| one.total_cmp(other));
        match far {
            Some((distance, point)) if distance > 0.0 => centres.push(point.clone()),
            _ => break,
        }
    }
    let assign = |centres: &[Vec<f32>]| points.iter().map(|point| nearest(point, centres).0).collect::<Vec<_>>();
    let mut clusters = assign(&centres);
    for _ in 0..MOVES {
        for (number, centre) in centres.iter_mut().enumerate() {
            let own = || points.iter().zip(&clusters).filter(|(_, cluster)| **cluster == number).map(|(point, _)| point);
            let share = own().map(|_| 1.0).sum::<f32>().recip();
            if share.is_finite() {
                centre.fill(0.0);
                own().for_each(|point| centre.iter_mut().zip(point).for_each(|(sum, value)| *sum += share * value));
            }
        }
        let moved = assign(&centres);
        if moved == clusters {
            break;
        }
        clusters = moved;
    }
    clusters
}

/// Number of the nearest centre (of equal ones the last), and its squared distance.
fn nearest(point: &[f32], centres: &[Vec<f32>]) -> (usize, f32) {
    let far = (usize::MAX, f32::INFINITY);
    centres.iter().map(|centre| distance(point, centre)).enumerate().fold(far, |best, next| if next.1 <= best.1 { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::line::tests::Past;

    #[test]
    fn points_that_lie_together_are_a_cluster() {
        let points = [[0.0, 0.1], [5.0, 5.1], [0.1, 0.0], [5.1, 5.0], [9.0, 0.0]].map(|point| point.to_vec());
        for most in [3, 4] {
            let clusters = cluster(&points, most);
            assert_eq!(clusters[0] == clusters[2], most == 3, "the fourth centre parts two points");
            assert_ne!(clusters[0], clusters[1]);
            assert_ne!(clusters[4], clusters[1]);
        }
        assert_eq!(cluster(&points[..1], 8), [0]);
        assert_eq!(cluster(&vec![vec![1.0]; 5], 8), [0; 5]);
        assert_eq!(cluster(&[], 8), [0; 0]);
    }

    #[test]
    fn what_followed_the_same_bar_is_seen() {
        let kinds = [0, 1, 2, 3, 2, 0, 1, 3, 0, 2, 1, 0, 3, 1, 2, 3, 3, 0, 1];
        let past = Past::of_kinds(&kinds);
        let Selection::Bars(seen) = KMeans { clusters: 4 }.select(&past.line(0)) else { panic!("one choice for all layers") };
        let expected: Vec<u32> = (1..19).zip(kinds).filter_map(|(next, kind)| (kind == 1 || next == 18).then_some(next)).collect();
        assert_eq!(seen, expected);
    }
}
