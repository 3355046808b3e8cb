//! Bars that followed bars in the same cluster as the last one (k-means, as in the Routing Transformer: Roy et al. 2021).

use super::successors::Similarity;
use crate::cache::vectors::distance;

/// Iterations of Lloyd's algorithm (Lloyd 1982).
const ITERATIONS: usize = 6;

/// The bar before, and the successors of the latest bars in its cluster; the others by their summaries.
///
/// The bars in reach are clustered again at each bar line.
#[derive(Debug, Clone, Copy)]
pub struct KMeans {
    /// Number of clusters, at least 2.
    pub clusters: u32,
}

impl Similarity for KMeans {
    fn name(&self) -> String {
        format!("kmeans:{}", self.clusters)
    }

    fn similar_to_last(&self, contents: &[Vec<f32>]) -> Vec<bool> {
        let clusters = cluster(contents, usize::try_from(self.clusters).unwrap_or(usize::MAX));
        clusters.iter().map(|cluster| Some(cluster) == clusters.last()).collect()
    }
}

/// Cluster of each point. Deterministic: the first centre is the last point, each further one the point farthest from all centres so far (Gonzalez
/// 1985).
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
    for _ in 0..ITERATIONS {
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

/// Index of the nearest centre (ties go to the last), and its squared distance.
fn nearest(point: &[f32], centres: &[Vec<f32>]) -> (usize, f32) {
    let far = (usize::MAX, f32::INFINITY);
    centres.iter().map(|centre| distance(point, centre)).enumerate().fold(far, |best, next| if next.1 <= best.1 { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_points_are_one_cluster() {
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
}
