//! What followed the bars that are like the last one: shared by the policies that sort bars into buckets.

use super::Selection;
use crate::cache::BarLine;

/// Bars seen row by row: as many as fine/coarse attention sees.
const BARS: usize = 8;

/// The bar before, and the bars that followed the latest of those that are `alike` it, eight in all at most.
pub(super) fn successors(line: &BarLine<'_>, alike: impl Fn(u32) -> bool) -> Selection {
    let Some(last) = line.earlier().next_back() else { return Selection::Bars(Vec::new()) };
    // The successor of the bar before the last is the last.
    let before = line.first()..last.saturating_sub(1);
    let followed = before.rev().filter(|&bar| alike(bar)).map(|bar| bar + 1);
    let mut bars: Vec<u32> = [last].into_iter().chain(followed).take(BARS).collect();
    bars.reverse();
    Selection::Bars(bars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::line::tests::past;

    #[test]
    fn the_last_bar_and_what_followed_those_like_it() {
        let seen = |bars, alike: fn(u32) -> bool| successors(&past(1, bars).line(0), alike);
        assert_eq!(seen(0, |_| true), Selection::Bars(vec![]));
        assert_eq!(seen(1, |_| true), Selection::Bars(vec![0]));
        assert_eq!(seen(2, |_| true), Selection::Bars(vec![1]));
        assert_eq!(seen(30, |_| false), Selection::Bars(vec![29]));
        assert_eq!(seen(30, |bar| bar % 10 == 3), Selection::Bars(vec![4, 14, 24, 29]));
        assert_eq!(seen(30, |_| true), Selection::Bars((22..30).collect()));
    }
}
