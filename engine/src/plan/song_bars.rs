//! Numbers of the song's bars, through changes of metre.
//!
//! Hosts report a metre and a bar line, and most of them no number. So the changes of metre that were seen are remembered, and bars are
//! counted from the start of the song through them. Where a part of the song was skipped, its bars are counted in the metre before it.

use super::{SongBar, SongPosition};

/// The changes of metre of a song, as far as it was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SongBars {
    /// First bar of each stretch in one metre, in order; never empty, and no bar could be counted from the stretch before.
    stretches: Vec<SongBar>,
}

impl SongBars {
    /// A song with bars like this one throughout.
    pub(super) fn new(bar: SongBar) -> Self {
        let first = SongPosition(bar.start.0.rem_euclid(length(bar)));
        Self { stretches: vec![SongBar { start: first, ..bar }] }
    }

    /// Learns that a bar begins here, as do those after it up to the next known change.
    pub(super) fn learn(&mut self, bar: SongBar) {
        // Hosts that begin a little before the song, or count in, have a bar there. It is no bar of the song, but shows its metre.
        let first = self.stretches[0];
        if bar.start < SongPosition(0) {
            if bar.metre != first.metre {
                self.stretches[0] = Self::new(bar).stretches[0];
            }
            return;
        }
        let place = self.stretches.partition_point(|stretch| stretch.start < bar.start);
        let before = place.checked_sub(1).map(|before| self.stretches[before]);
        if self.stretches.get(place).is_some_and(|stretch| stretch.start == bar.start) {
            self.stretches[place] = bar;
        } else if before.is_none_or(|before| !continues(before, bar)) {
            self.stretches.insert(place, bar);
        }
        self.stretches.dedup_by(|later, earlier| continues(*earlier, *later));
    }

    /// Learns that a whole bar was played here. What is known of the bars after it stays.
    pub(super) fn pass(&mut self, bar: SongBar) {
        let known = self.stretch_at(bar.start);
        if continues(known, bar) {
            return;
        }
        let after = SongPosition(bar.start.0.saturating_add(length(bar)));
        if known.start == bar.start && self.stretch_at(after) == known {
            self.stretches.push(SongBar { start: after, ..known });
            self.stretches.sort_by_key(|stretch| stretch.start);
        }
        self.learn(bar);
    }

    /// Number of the bar that a position lies in: the first one of the song is 1, those of a count-in are 0 and less.
    ///
    /// ```
    /// use antiphon_engine::music::{Metre, Tick};
    /// use antiphon_engine::plan::{MusicalClock, SongBar, SongPosition};
    ///
    /// let bar = |start, beats| SongBar { start: SongPosition(start), metre: Metre::new(beats, 4).expect("a metre") };
    /// let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4));
    /// clock.advance(Tick(2 * 96));
    /// // Two bars of 4/4, then 3/4.
    /// clock.align(bar(2 * 96, 3));
    /// let number = |position| clock.song_bars().number(SongPosition(position));
    /// assert_eq!([-1, 0, 96, 192, 263, 264].map(number), [0, 1, 2, 3, 3, 4]);
    /// ```
    #[must_use]
    pub fn number(&self, position: SongPosition) -> i64 {
        let mut number = 1;
        let mut stretch = self.stretches[0];
        for next in self.stretches.iter().skip(1).take_while(|next| next.start <= position) {
            // A bar cut short by the change counts, too.
            let (whole, rest) = (next.start.since(stretch.start).0 / length(stretch), next.start.since(stretch.start).0 % length(stretch));
            number += whole + i64::from(rest > 0);
            stretch = *next;
        }
        number + position.since(stretch.start).0.div_euclid(length(stretch))
    }

    /// Number of the bar that begins at a position; `None` between bar lines.
    #[must_use]
    pub fn number_from(&self, line: SongPosition) -> Option<i64> {
        let stretch = self.stretch_at(line);
        (line.since(stretch.start).0.rem_euclid(length(stretch)) == 0).then(|| self.number(line))
    }

    /// The stretch that a position lies in, or the first one.
    fn stretch_at(&self, position: SongPosition) -> SongBar {
        let after = self.stretches.partition_point(|stretch| stretch.start <= position);
        self.stretches[after.saturating_sub(1)]
    }
}

/// Length of a whole bar, in ticks.
fn length(bar: SongBar) -> i64 {
    bar.metre.bar_length().0
}

/// Whether a bar is one of those counted from an earlier one.
fn continues(earlier: SongBar, bar: SongBar) -> bool {
    earlier.metre == bar.metre && bar.start.since(earlier.start).0.rem_euclid(length(bar)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::music::Metre;

    fn bar(start: i64, beats: u8) -> SongBar {
        SongBar { start: SongPosition(start), metre: Metre::new(beats, 4).unwrap() }
    }

    fn numbers<const N: usize>(bars: &SongBars, positions: [i64; N]) -> [i64; N] {
        positions.map(|position| bars.number(SongPosition(position)))
    }

    #[test]
    fn bars_are_counted_through_a_change_of_metre_and_back() {
        let mut bars = SongBars::new(bar(0, 4));
        bars.learn(bar(192, 3));
        bars.learn(bar(192 + 144, 4));
        assert_eq!(numbers(&bars, [0, 191, 192, 264, 335, 336, 431, 432]), [1, 2, 3, 4, 4, 5, 5, 6]);
        assert_eq!([192, 200, 336, 432].map(|line| bars.number_from(SongPosition(line))), [Some(3), None, Some(5), Some(6)]);
    }

    #[test]
    fn bar_cut_short_by_a_change_counts() {
        let mut bars = SongBars::new(bar(0, 4));
        bars.learn(bar(100, 3));
        assert_eq!(numbers(&bars, [96, 99, 100, 172]), [2, 2, 3, 4]);
    }

    #[test]
    fn bar_before_the_start_of_the_song_is_not_its_first() {
        let mut bars = SongBars::new(bar(0, 4));
        bars.learn(bar(-96, 4));
        bars.pass(bar(-96, 4));
        assert_eq!(numbers(&bars, [-96, -1, 0, 96, 192]), [0, 0, 1, 2, 3]);
        bars.learn(bar(-72, 3));
        assert_eq!(numbers(&bars, [-72, -1, 0, 72, 144]), [0, 0, 1, 2, 3]);
    }

    #[test]
    fn upbeat_before_the_first_bar_line_has_number_0() {
        let bars = SongBars::new(bar(48, 4));
        assert_eq!(numbers(&bars, [0, 47, 48, 144]), [0, 0, 1, 2]);
    }

    #[test]
    fn change_that_was_skipped_is_found_when_the_song_plays_through_it() {
        // First seen in 3/4, located from bar 1 into the middle of a part in 4/4.
        let mut bars = SongBars::new(bar(720, 3));
        let song = [0, 72, 144, 216].map(|start| bar(start, 3));
        bars.learn(bar(0, 4));
        assert_eq!(bars, SongBars::new(bar(0, 4)), "all of it is in 4/4 until something else is played");
        for bar in song {
            bars.pass(bar);
        }
        bars.learn(bar(288, 4));
        assert_eq!(numbers(&bars, [0, 72, 288, 384]), [1, 2, 5, 6]);
    }

    #[test]
    fn bar_passed_in_another_metre_leaves_what_is_known_after_it() {
        let mut bars = SongBars::new(bar(0, 4));
        bars.learn(bar(384, 3));
        bars.pass(bar(384, 4));
        assert_eq!(numbers(&bars, [384, 480, 552]), [5, 6, 7]);
    }

    proptest! {
        #[test]
        fn numbers_of_a_song_that_is_played_through_are_those_of_its_bars(parts in prop::collection::vec((1i64..9, 1u8..8), 1..6)) {
            let mut bars = SongBars::new(bar(0, parts[0].1));
            let (mut lines, mut start) = (Vec::new(), 0);
            for (count, beats) in parts {
                bars.learn(bar(start, beats));
                for _ in 0..count {
                    lines.push(start);
                    bars.pass(bar(start, beats));
                    start += i64::from(beats) * 24;
                }
            }
            for (number, line) in (1i64..).zip(lines) {
                prop_assert_eq!(bars.number_from(SongPosition(line)), Some(number));
                prop_assert_eq!(bars.number(SongPosition(line + 23)), number);
            }
        }
    }
}
