//! The bars that Infill fills, as the window sets them: by a drag over bar numbers, by the handles of their band, and by keys.

use antiphon_engine::plan::InfillRange;

use super::controls::change;
use super::model::{Change, EditorModel};

/// Most bars that can be marked.
const MOST_BARS: i64 = 8;
/// Number of the last bar that can be marked.
const LAST_BAR: i64 = 999;

/// An end of the marked bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Edge {
    First,
    Last,
}

/// What a key does to the marked bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nudge {
    /// Moves them a bar earlier.
    Earlier,
    /// Moves them a bar later.
    Later,
    /// Adds a bar at the end.
    Longer,
    /// Takes the last bar off.
    Shorter,
}

/// Numbers of the first and of the last marked bar.
pub(super) fn ends(range: InfillRange) -> (i64, i64) {
    let from = i64::from(range.from);
    (from, from + i64::from(range.bars) - 1)
}

/// Marked bars from the one at which a drag began to the one it has reached.
pub(super) fn dragged(from: i64, to: i64) -> InfillRange {
    let to = to.clamp(from - MOST_BARS + 1, from + MOST_BARS - 1).clamp(1, LAST_BAR);
    let from = from.clamp(1, LAST_BAR);
    marked(from.min(to), from.max(to))
}

/// The marked bars with one end moved by so many bars. The other one stays.
pub(super) fn resized(range: InfillRange, edge: Edge, by: i64) -> InfillRange {
    let (first, last) = ends(range);
    match edge {
        Edge::First => marked((first + by).clamp((last - MOST_BARS + 1).max(1), last), last),
        Edge::Last => marked(first, (last + by).clamp(first, (first + MOST_BARS - 1).min(LAST_BAR))),
    }
}

/// The marked bars after a key.
pub(super) fn nudged(range: InfillRange, nudge: Nudge) -> InfillRange {
    let (first, last) = ends(range);
    match nudge {
        Nudge::Earlier if first > 1 => marked(first - 1, last - 1),
        Nudge::Later if last < LAST_BAR => marked(first + 1, last + 1),
        Nudge::Earlier | Nudge::Later => range,
        Nudge::Longer => resized(range, Edge::Last, 1),
        Nudge::Shorter => resized(range, Edge::Last, -1),
    }
}

fn marked(first: i64, last: i64) -> InfillRange {
    InfillRange { from: u16::try_from(first).unwrap_or(1), bars: u8::try_from(last - first + 1).unwrap_or(1) }
}

/// "bar 12", or "bars 12 to 13".
pub(super) fn name(range: InfillRange) -> String {
    match ends(range) {
        (first, last) if first == last => format!("bar {first}"),
        (first, last) => format!("bars {first} to {last}"),
    }
}

/// Marks bars: sets the two parameters, each that changes in a gesture of its own.
pub(super) fn mark(model: &mut impl EditorModel, range: InfillRange) {
    let before = model.values().turns.infill;
    if range.from != before.from {
        change(model, Change::Parameter("infill_from", f32::from(range.from - 1) / 998.0));
    }
    if range.bars != before.bars {
        change(model, Change::Parameter("infill_bars", f32::from(range.bars - 1) / 7.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn bars(from: u16, bars: u8) -> InfillRange {
        InfillRange { from, bars }
    }

    #[test]
    fn dragged_bars_are_those_from_press_to_pointer_and_eight_at_most() {
        assert_eq!([dragged(5, 5), dragged(5, 6), dragged(5, 3)], [bars(5, 1), bars(5, 2), bars(3, 3)]);
        assert_eq!([dragged(5, 50), dragged(20, 5)], [bars(5, 8), bars(13, 8)]);
        assert_eq!([dragged(-3, 2), dragged(2, -3), dragged(999, 1005)], [bars(1, 2), bars(1, 2), bars(999, 1)]);
    }

    #[test]
    fn edge_that_is_moved_leaves_the_other_one_where_it_is() {
        let range = bars(12, 2);
        assert_eq!([-1, 1, 5, -20].map(|by| resized(range, Edge::First, by)), [bars(11, 3), bars(13, 1), bars(13, 1), bars(6, 8)]);
        assert_eq!([-1, 1, -5, 20].map(|by| resized(range, Edge::Last, by)), [bars(12, 1), bars(12, 3), bars(12, 1), bars(12, 8)]);
        assert_eq!(resized(bars(2, 1), Edge::First, -9), bars(1, 2));
        assert_eq!(resized(bars(998, 1), Edge::Last, 9), bars(998, 2));
    }

    #[test]
    fn keys_move_and_resize_the_bars_within_the_song() {
        let range = bars(12, 2);
        let nudges = [Nudge::Earlier, Nudge::Later, Nudge::Longer, Nudge::Shorter];
        assert_eq!(nudges.map(|nudge| nudged(range, nudge)), [bars(11, 2), bars(13, 2), bars(12, 3), bars(12, 1)]);
        assert_eq!([nudged(bars(1, 3), Nudge::Earlier), nudged(bars(998, 2), Nudge::Later)], [bars(1, 3), bars(998, 2)]);
        assert_eq!([nudged(bars(1, 1), Nudge::Shorter), nudged(bars(1, 8), Nudge::Longer)], [bars(1, 1), bars(1, 8)]);
    }

    #[test]
    fn name_says_one_bar_or_the_first_and_the_last() {
        assert_eq!([name(bars(12, 1)), name(bars(12, 2))], ["bar 12", "bars 12 to 13"]);
    }
}
