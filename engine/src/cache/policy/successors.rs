//! Selection by similarity: the bars that followed earlier bars with content like the last one's. Shared by the policies that group bars by content.

use std::fmt;

use super::{PagePolicy, Reads, Rest, Selection};
use crate::cache::{BarLine, MOST_BARS};

/// Most bars attended to row by row: as many as fine/coarse attention selects.
const MOST_SELECTED: usize = 8;

/// A grouping of bars by their content ([`BarLine::contents`]). Every such grouping is a page policy: the bar before, and the successors of the latest bars
/// that are similar to it; the others by their summaries.
///
/// Nothing is learnt for it: it runs with the weights of a model trained on summaries, of fine/coarse attention for instance.
pub(super) trait Similarity: fmt::Debug + Send + Sync {
    /// Name of the policy.
    fn name(&self) -> String;

    /// For each bar's content, in bar order, whether it is similar to the last one.
    fn similar_to_last(&self, contents: &[Vec<f32>]) -> Vec<bool>;
}

impl<T: Similarity> PagePolicy for T {
    fn name(&self) -> String {
        Similarity::name(self)
    }

    fn select(&self, line: &BarLine<'_>) -> Selection {
        let similar = self.similar_to_last(&line.contents());
        let place = |bar: u32| usize::try_from(bar - line.first()).unwrap_or(usize::MAX);
        successors(line, |bar| similar[place(bar)])
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

    /// In a gap, the bar after a similar one says nothing about the bar that comes next.
    fn fills(&self) -> bool {
        false
    }
}

/// The bar before, and the bars that followed the latest of those `similar` to it; at most [`MOST_SELECTED`].
fn successors(line: &BarLine<'_>, similar: impl Fn(u32) -> bool) -> Selection {
    let Some(last) = line.earlier().next_back() else { return Selection::Bars(Vec::new()) };
    // The successor of the last bar but one is the last, which is selected already.
    let before = line.first()..last.saturating_sub(1);
    let followed = before.rev().filter(|&bar| similar(bar)).map(|bar| bar + 1);
    let mut bars: Vec<u32> = [last].into_iter().chain(followed).take(MOST_SELECTED).collect();
    bars.reverse();
    Selection::Bars(bars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::line::tests::{TestBars, past};
    use crate::cache::policy;

    #[test]
    fn successors_are_the_last_bar_and_those_that_followed_similar_ones() {
        let seen = |bars, similar: fn(u32) -> bool| successors(&past(1, bars).line(0), similar);
        assert_eq!(seen(0, |_| true), Selection::Bars(vec![]));
        assert_eq!(seen(1, |_| true), Selection::Bars(vec![0]));
        assert_eq!(seen(2, |_| true), Selection::Bars(vec![1]));
        assert_eq!(seen(30, |_| false), Selection::Bars(vec![29]));
        assert_eq!(seen(30, |bar| bar % 10 == 3), Selection::Bars(vec![4, 14, 24, 29]));
        assert_eq!(seen(30, |_| true), Selection::Bars((22..30).collect()));
    }

    #[test]
    fn lsh_and_k_means_select_what_followed_bars_of_the_same_kind() {
        // Four kinds of bars with distant contents, in an order without repetition.
        let kinds = [0, 1, 2, 3, 2, 0, 1, 3, 0, 2, 1, 0, 3, 1, 2, 3, 3, 0, 1];
        let bars = TestBars::of_kinds(&kinds);
        let expected: Vec<u32> = (1..19).zip(kinds).filter_map(|(next, kind)| (kind == 1 || next == 18).then_some(next)).collect();
        for name in ["lsh:64", "kmeans:4"] {
            assert_eq!(policy(name, &[]).unwrap().select(&bars.line(0)), Selection::Bars(expected.clone()), "{name}");
        }
    }
}
