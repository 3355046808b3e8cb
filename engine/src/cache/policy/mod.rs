//! Which earlier bars a bar sees row by row: the sparse attention, as a choice of pages. One policy a file.

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

/// Decides what of the past is gathered at a bar line. For the policies that models are trained with the same rule is in the training mask.
pub trait PagePolicy: fmt::Debug + Send + Sync {
    /// Its name on the command line and in reports: [`policy`](fn@policy) finds it again.
    fn name(&self) -> String;

    /// What the bar that begins sees row by row; where a gap is filled, on both sides of it. The same past has to give the same answer: bars are taken back and begun again.
    fn select(&self, line: &BarLine<'_>) -> Selection;

    /// What is seen of the earlier bars that are not seen row by row.
    fn rest(&self) -> Rest;

    /// How many bars back, or ahead where a gap is filled, it looks at most; `None` if there is no bound.
    fn reach(&self) -> Option<u32>;

    /// What of the past it has to read.
    fn reads(&self) -> Reads {
        Reads::Lengths
    }

    /// Whether it means anything where a gap is filled, and bars come in another order than that of their numbers.
    fn fills(&self) -> bool {
        true
    }
}

/// What a bar sees row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These bars in every layer, whole. They rise.
    Bars(Vec<u32>),
    /// In each layer these bars, and of each its first rows, so many. No bar stands twice in a layer, and all layers have equally many rows.
    /// [`Rest::Summaries`] then means the summary of every earlier bar.
    ByLayer(Vec<Vec<(u32, usize)>>),
}

/// What a bar sees of bars that it does not see row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// One summary row each.
    Summaries,
    /// Nothing.
    Nothing,
}

/// What of the past a policy chooses by; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Reads {
    /// How many rows the bars have.
    #[default]
    Lengths,
    /// The mean keys of their rows.
    Keys,
    /// The queries of the rows of the bar before.
    Queries,
}

/// The bars in reach at these distances, in either direction.
fn at_distances(line: &BarLine<'_>, seen: impl Fn(u32) -> bool) -> Selection {
    rising(line.earlier().filter(|&earlier| seen(line.bar().abs_diff(earlier))))
}

/// These bars, in the order of their numbers.
fn rising(bars: impl Iterator<Item = u32>) -> Selection {
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
        line::tests::{Past, past},
    };

    /// A policy of every kind.
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

    /// The bars a layer sees.
    fn bars(selection: &Selection, layer: usize) -> Vec<u32> {
        match selection {
            Selection::Bars(bars) => bars.clone(),
            Selection::ByLayer(layers) => layers[layer].iter().map(|(bar, _)| *bar).collect(),
        }
    }

    /// As many bars as a policy can see row by row. Top-k counts rows: bars of one row can be many.
    fn most(policy: &dyn PagePolicy, past: &Past) -> usize {
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
        fn names_lead_to_policies_and_back(given in any_policy()) {
            let name = given.name();
            prop_assert_eq!(policy(&name, &[1, 2]).unwrap().name(), name);
        }

        #[test]
        fn the_same_past_gives_the_same_choice_of_earlier_bars_in_reach(
            given in any_policy(), seed: u64, bars_before in 0..300_u32, forgotten in 0..40_u32,
        ) {
            let past = past(seed, bars_before);
            let first = forgotten.max(given.reach().map_or(0, |reach| bars_before.saturating_sub(reach))).min(bars_before);
            let selection = given.select(&past.line(first));
            prop_assert_eq!(&given.select(&past.line(first)), &selection);
            for layer in 0..Past::LAYERS {
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
    fn each_sees_what_it_says() {
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
