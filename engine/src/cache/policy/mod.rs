//! Page policies: the sparse attention as a selection of earlier bars at each bar line. One policy per file.

mod by_name;
mod dense;
mod fine_coarse;
mod fixed;
mod k_means;
mod lsh;
mod strided;
mod successors;
mod summaries;
mod top_k;
mod window;

use std::fmt;

pub use by_name::{POLICY_NAMES, PolicyNameError, policy};
pub use dense::Dense;
pub use fine_coarse::FineCoarse;
pub use fixed::Fixed;
pub use k_means::KMeans;
pub use lsh::Lsh;
pub use strided::Strided;
pub use summaries::SummariesOnly;
pub use top_k::TopK;
pub use window::SlidingWindow;

use super::BarLine;

/// Selects the earlier bars that a bar attends to. The policies that models are trained with have the same rule in the training mask.
pub trait PagePolicy: fmt::Debug + Send + Sync {
    /// Name on the command line and in reports; [`policy`](fn@policy) finds it again.
    fn name(&self) -> String;

    /// Bars that the new bar attends to row by row; while a gap is filled, on both sides of it. Deterministic: after a rollback the same bars must be
    /// selected.
    fn select(&self, line: &BarLine<'_>) -> Selection;

    /// What the new bar attends to in the other earlier bars.
    fn rest(&self) -> Rest;

    /// Longest distance in bars, back or, while a gap is filled, ahead; `None`: unbounded.
    fn reach(&self) -> Option<u32>;

    /// What the selection depends on.
    fn reads(&self) -> Reads {
        Reads::Lengths
    }

    /// Whether it can be used while a gap is filled, when bars are not in order.
    fn fills(&self) -> bool {
        true
    }
}

/// Bars that a bar attends to row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Whole bars, the same in every layer, ascending.
    Bars(Vec<u32>),
    /// For each layer, bars and the number of their first rows. A bar is listed at most once per layer, and all layers have equally many rows.
    /// [`Rest::Summaries`] then means the summary of every earlier bar.
    ByLayer(Vec<Vec<(u32, usize)>>),
}

/// What a bar attends to in the bars that are not selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Their summary rows.
    Summaries,
    /// Nothing.
    Nothing,
}

/// What a policy reads of the earlier bars; each value includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Reads {
    /// Numbers of rows.
    #[default]
    Lengths,
    /// Mean keys of bars.
    Keys,
    /// Queries of the bar before.
    Queries,
}

/// Bars in reach at the distances that satisfy `seen`, in either direction.
fn at_distances(line: &BarLine<'_>, seen: impl Fn(u32) -> bool) -> Selection {
    sorted(line.earlier().filter(|&earlier| seen(line.bar().abs_diff(earlier))))
}

/// These bars, sorted.
fn sorted(bars: impl Iterator<Item = u32>) -> Selection {
    let mut bars: Vec<u32> = bars.collect();
    bars.sort_unstable();
    Selection::Bars(bars)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::{
        MOST_BARS,
        line::tests::{TestBars, past},
    };

    /// Policies of all kinds with valid parameters.
    fn any_policy() -> impl Strategy<Value = std::sync::Arc<dyn PagePolicy>> {
        let name = prop_oneof![
            Just("fine_coarse".to_owned()),
            Just("summaries".to_owned()),
            Just("dense".to_owned()),
            (1..=256_u32).prop_map(|bars| format!("window:{bars}")),
            (1..=256_u32).prop_map(|bars| format!("strided:{bars}")),
            (1..=256_u32).prop_flat_map(|block| (Just(block), 1..=block)).prop_map(|(block, last)| format!("fixed:{block},{last}")),
            (1..=256_u32).prop_map(|bars| format!("topk:{bars}")),
            (1..=32_u32).prop_map(|half| format!("lsh:{}", 2 * half)),
            (2..=64_u32).prop_map(|clusters| format!("kmeans:{clusters}")),
        ];
        name.prop_map(|name| policy(&name, &[1, 2, 4, 8, 12, 16, 24, 32]).unwrap())
    }

    /// Bars that a layer attends to.
    fn bars(selection: &Selection, layer: usize) -> Vec<u32> {
        match selection {
            Selection::Bars(bars) => bars.clone(),
            Selection::ByLayer(layers) => layers[layer].iter().map(|(bar, _)| *bar).collect(),
        }
    }

    /// Most bars that a policy can select. Top-k counts rows, so bars of one row can be many.
    fn most(policy: &dyn PagePolicy, past: &TestBars) -> usize {
        let name = policy.name();
        let (kind, values) = name.split_once(':').unwrap_or((&name, ""));
        let value: Vec<usize> = values.split(',').filter_map(|value| value.parse().ok()).collect();
        let most_bars = usize::try_from(MOST_BARS).unwrap();
        match kind {
            "fine_coarse" | "lsh" | "kmeans" => 8,
            "summaries" => 0,
            "window" => value[0],
            "strided" => value[0] + most_bars / value[0],
            "fixed" => value[0] + value[1] * most_bars.div_ceil(value[0]),
            "topk" => past.rows().iter().rev().take(value[0]).sum(),
            _ => past.rows().len(),
        }
    }

    proptest! {
        #[test]
        fn name_of_a_policy_finds_it_again(given in any_policy()) {
            let name = given.name();
            prop_assert_eq!(policy(&name, &[1, 2]).unwrap().name(), name);
        }

        #[test]
        fn selection_is_deterministic_and_within_reach(
            given in any_policy(), seed: u64, bars_before in 0..300_u32, forgotten in 0..40_u32,
        ) {
            let past = past(seed, bars_before);
            let first = forgotten.max(given.reach().map_or(0, |reach| bars_before.saturating_sub(reach))).min(bars_before);
            let selection = given.select(&past.line(first));
            prop_assert_eq!(&given.select(&past.line(first)), &selection);
            for layer in 0..TestBars::LAYERS {
                let seen = bars(&selection, layer);
                prop_assert!(seen.iter().all(|bar| (first..bars_before).contains(bar)), "{:?}", seen);
                let mut once = seen.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), seen.len());
                prop_assert!(seen.len() <= most(&*given, &past), "{} sees {} bars", given.name(), seen.len());
            }
            if let Selection::ByLayer(layers) = &selection {
                let rows = past.rows();
                for layer in layers {
                    prop_assert_eq!(layer.iter().map(|(_, rows)| rows).sum::<usize>(), layers[0].iter().map(|(_, rows)| rows).sum::<usize>());
                    prop_assert!(layer.iter().all(|(bar, first_rows)| (1..=rows[usize::try_from(*bar).unwrap()]).contains(first_rows)));
                }
            } else {
                prop_assert!(bars(&selection, 0).is_sorted());
            }
        }
    }

    #[test]
    fn selection_follows_each_pattern() {
        let past = past(1, 50);
        let seen = |name: &str| bars(&policy(name, &[1, 2, 4, 32]).unwrap().select(&past.line(0)), 0);
        assert_eq!(seen("fine_coarse"), [18, 46, 48, 49]);
        assert_eq!(seen("summaries"), [0; 0]);
        assert_eq!(seen("window:3"), [47, 48, 49]);
        assert_eq!(seen("strided:20"), [10].into_iter().chain(30..50).collect::<Vec<_>>());
        assert_eq!(seen("fixed:20,2"), [18, 19, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
        assert_eq!(seen("dense"), (0..50).collect::<Vec<_>>());
    }
}
