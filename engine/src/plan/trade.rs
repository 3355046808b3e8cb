//! Trade: whose turn each bar is, counted from a bar line.

use crate::music::{Bar, Tick};

/// Length of a turn in bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TradeBars {
    /// 1 bar.
    One,
    /// 2 bars.
    Two,
    /// 4 bars.
    #[default]
    Four,
    /// 8 bars.
    Eight,
}

impl TradeBars {
    /// 1, 2, 4 or 8.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Who has the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The player.
    Player,
    /// Antiphon.
    Antiphon,
}

/// A turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Whose it is.
    pub side: Side,
    /// Index of the first bar after it.
    pub end: i64,
}

/// The count of the bars. Bars are those of the unwrapped clock, so a loop does not interrupt it.
///
/// ```
/// use antiphon_engine::music::{Bar, Metre, Tick};
/// use antiphon_engine::plan::{Side, Trade, TradeBars};
///
/// // The transport starts on a bar line.
/// let bar = Bar { index: 7, start: Tick(700), length: Tick(96), metre: Metre::COMMON };
/// let trade = Trade::from_bar(bar, Tick(700), TradeBars::Two);
/// let sides: Vec<_> = (7..13).map(|bar| trade.turn(bar).side).collect();
/// let (player, antiphon) = (Side::Player, Side::Antiphon);
/// assert_eq!(sides, [player, player, antiphon, antiphon, player, player]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    bars: TradeBars,
    /// Index of the first bar of the player's first turn. Earlier bars are the player's, too.
    first: i64,
}

impl Trade {
    /// Begins the count, with the player, at the next bar line, or with the `open` bar if it is whole and begins `now`.
    #[must_use]
    pub fn from_bar(open: Bar, now: Tick, bars: TradeBars) -> Self {
        let counts = now <= open.start && open.length == open.metre.bar_length();
        Self { bars, first: i64::from(open.index) + i64::from(!counts) }
    }

    /// Sets the length of a turn. Another length restarts the count at the bar line after the `open` bar.
    pub fn set_bars(&mut self, bars: TradeBars, open: Bar) {
        if bars != self.bars {
            *self = Self { bars, first: i64::from(open.index) + 1 };
        }
    }

    /// Play: Antiphon's turn begins with this bar.
    pub fn take_over(&mut self, bar: u32) {
        self.first = i64::from(bar) - i64::from(self.bars.count());
    }

    /// The turn that a bar, by its index, belongs to.
    #[must_use]
    pub fn turn(&self, bar: u32) -> Turn {
        let count = i64::from(self.bars.count());
        let turns = (i64::from(bar) - self.first).div_euclid(count).max(0);
        let side = if turns % 2 == 0 { Side::Player } else { Side::Antiphon };
        Turn { side, end: self.first + (turns + 1) * count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Metre;

    fn bar(index: u32, length: i64) -> Bar {
        Bar { index, start: Tick(960), length: Tick(length), metre: Metre::COMMON }
    }

    /// Side and end of the turns of these bars, P for the player.
    fn turns(trade: &Trade, bars: std::ops::Range<u32>) -> Vec<(char, i64)> {
        bars.map(|bar| trade.turn(bar)).map(|turn| (if turn.side == Side::Player { 'P' } else { 'A' }, turn.end)).collect()
    }

    #[test]
    fn turns_have_the_set_length_and_the_player_has_the_first() {
        for (bars, count) in [(TradeBars::One, 1), (TradeBars::Two, 2), (TradeBars::Four, 4), (TradeBars::Eight, 8)] {
            let trade = Trade::from_bar(bar(10, 96), Tick(960), bars);
            for since in 0..40 {
                let turn = trade.turn(10 + since);
                let number = since / count;
                assert_eq!(turn.side == Side::Antiphon, number % 2 == 1, "bar {since} of turns of {count}");
                assert_eq!(turn.end, i64::from(10 + (number + 1) * count));
            }
        }
    }

    #[test]
    fn count_that_begins_within_a_bar_starts_at_the_next_line() {
        // In its middle, and at the start of a bar that is cut short.
        for (open, now) in [(bar(3, 96), 970), (bar(3, 40), 960)] {
            let trade = Trade::from_bar(open, Tick(now), TradeBars::Two);
            assert_eq!(turns(&trade, 3..7), [('P', 6), ('P', 6), ('P', 6), ('A', 8)]);
        }
    }

    #[test]
    fn another_length_restarts_the_count_and_the_same_does_not() {
        let mut trade = Trade::from_bar(bar(0, 96), Tick(960), TradeBars::Two);
        trade.set_bars(TradeBars::Two, bar(3, 96));
        assert_eq!(turns(&trade, 2..4), [('A', 4), ('A', 4)]);
        trade.set_bars(TradeBars::One, bar(3, 96));
        assert_eq!(turns(&trade, 3..7), [('P', 5), ('P', 5), ('A', 6), ('P', 7)]);
    }

    #[test]
    fn play_gives_antiphon_the_turn_from_that_bar() {
        let mut trade = Trade::from_bar(bar(0, 96), Tick(960), TradeBars::Four);
        trade.take_over(2);
        assert_eq!(turns(&trade, 1..7), [('P', 2), ('A', 6), ('A', 6), ('A', 6), ('A', 6), ('P', 10)]);
    }
}
