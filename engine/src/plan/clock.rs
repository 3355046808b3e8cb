//! The unwrapped musical clock, and its map to the host's song.
//!
//! The engine counts ticks that never run backwards. A song may loop, and its player may jump about in it: those are edits of the map from
//! clock to song, never of the clock. Bars are counted on the clock; a jump closes the open one short. Tempo does not show here: the
//! plug-in turns samples into ticks.

use std::collections::VecDeque;

use super::{SongBar, SongBars, SongPosition};
use crate::music::{Bar, Metre, Tick};

/// Maximum of closed bars kept; the notes of older bars are the caller's to keep.
const BARS_KEPT: usize = 1024;

/// A stretch of the map from clock to song, from this tick on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    clock: Tick,
    song: SongPosition,
}

/// Monotonic clock with its map to song positions.
#[derive(Debug, Clone)]
pub struct MusicalClock {
    now: Tick,
    /// Stretches between jumps in order of time; there is always one, and the first reaches back as far as the bars do.
    segments: VecDeque<Segment>,
    /// Bars that are over, in order of time.
    closed: VecDeque<Bar>,
    /// The bar that `now` lies in, with its foreseen length.
    open: Bar,
    /// Metre of the bars after it.
    metre: Metre,
    /// Bars of the song as far as they are known.
    song_bars: SongBars,
}

impl MusicalClock {
    /// A clock at tick 0, with the song at this position.
    #[must_use]
    pub fn new(song: SongPosition, bar: SongBar) -> Self {
        Self {
            now: Tick::ZERO,
            segments: VecDeque::from([Segment { clock: Tick::ZERO, song }]),
            closed: VecDeque::new(),
            open: Bar { index: 0, start: Tick::ZERO, length: bar.left(song), metre: bar.metre },
            metre: bar.metre,
            song_bars: SongBars::new(bar),
        }
    }

    /// Current tick.
    #[must_use]
    pub const fn now(&self) -> Tick {
        self.now
    }

    /// Current song position.
    #[must_use]
    pub fn song(&self) -> SongPosition {
        self.song_at(self.now)
    }

    /// Advances clock and song. Negative lengths count as 0: the clock never runs backwards.
    pub fn advance(&mut self, by: Tick) {
        self.now = self.now.saturating_add(by.max(Tick::ZERO));
        while self.now >= self.open.end() {
            if self.open.length == self.open.metre.bar_length() {
                self.song_bars.pass(SongBar { start: self.song_at(self.open.start), metre: self.open.metre });
            }
            self.close(self.open.end(), self.metre.bar_length());
        }
    }

    /// Moves the song to another position, for a loop or a locate. The open bar is closed short, and a new one opens, which reaches to the song's
    /// next bar line.
    ///
    /// ```
    /// use antiphon_engine::music::{Metre, Tick};
    /// use antiphon_engine::plan::{MusicalClock, SongBar, SongPosition};
    ///
    /// let bar = |start| SongBar { start: SongPosition(start), metre: Metre::COMMON };
    /// let mut clock = MusicalClock::new(SongPosition(0), bar(0));
    /// clock.advance(Tick(30));
    /// // Back to the start: the clock itself never runs backwards.
    /// clock.jump(SongPosition(0), bar(0));
    /// assert_eq!((clock.now(), clock.song()), (Tick(30), SongPosition(0)));
    /// let bars: Vec<_> = clock.bars().map(|bar| (bar.start, bar.length)).collect();
    /// assert_eq!(bars, [(Tick(0), Tick(30)), (Tick(30), Tick(96))]);
    /// ```
    pub fn jump(&mut self, song: SongPosition, bar: SongBar) {
        self.metre = bar.metre;
        self.song_bars.learn(bar);
        if self.now > self.open.start {
            self.close(self.now, bar.left(song));
        } else {
            // Nothing was played in the bar that opened here: it becomes the new one.
            self.open = Bar { length: bar.left(song), metre: bar.metre, ..self.open };
        }
        if self.segments.back().is_some_and(|last| last.clock == self.now) {
            self.segments.pop_back();
        }
        self.segments.push_back(Segment { clock: self.now, song });
    }

    /// Aligns the bars to the host's, without a jump. A metre that changes takes hold of the open bar; a bar line that the clock did
    /// not foresee closes the open bar short, at that line if the clock has it in the open bar, otherwise where the next one falls.
    pub fn align(&mut self, bar: SongBar) {
        let left = bar.left(self.song());
        let end = self.now.saturating_add(left);
        self.metre = bar.metre;
        self.song_bars.learn(SongBar { start: SongPosition(self.song().after(left).0 - bar.metre.bar_length().0), ..bar });
        let start = end - bar.metre.bar_length();
        if start > self.open.start {
            self.close(start, bar.metre.bar_length());
        } else {
            self.open = Bar { length: end - self.open.start, metre: bar.metre, ..self.open };
        }
    }

    /// Song position at a tick; extrapolated beyond the segments kept.
    #[must_use]
    pub fn song_at(&self, clock: Tick) -> SongPosition {
        let after = self.segments.partition_point(|segment| segment.clock <= clock);
        let segment = self.segments[after.saturating_sub(1)];
        segment.song.after(Tick(clock.0.saturating_sub(segment.clock.0)))
    }

    /// Last tick up to now at which the song was at this position: the latest pass of a loop. `None` if no segment kept contains it.
    #[must_use]
    pub fn last_at(&self, song: SongPosition) -> Option<Tick> {
        let mut end = self.now.saturating_add(Tick(1));
        for segment in self.segments.iter().rev() {
            let clock = segment.clock.saturating_add(song.since(segment.song));
            if segment.clock <= clock && clock < end {
                return Some(clock);
            }
            end = segment.clock;
        }
        None
    }

    /// Of all ticks at which the song is at this position, the nearest to now; what lies ahead counts as far as the song goes on without a jump.
    #[must_use]
    pub fn nearest_at(&self, song: SongPosition) -> Option<Tick> {
        let ends = self.segments.iter().skip(1).map(|segment| segment.clock).chain([Tick::MAX]);
        let ticks = self.segments.iter().zip(ends).filter_map(|(segment, end)| {
            let clock = segment.clock.saturating_add(song.since(segment.song));
            (segment.clock <= clock && clock < end).then_some(clock)
        });
        ticks.min_by_key(|tick| (*tick - self.now).0.abs())
    }

    /// Bars of the song, which have numbers.
    #[must_use]
    pub const fn song_bars(&self) -> &SongBars {
        &self.song_bars
    }

    /// The open bar, with its foreseen length.
    #[must_use]
    pub const fn open_bar(&self) -> Bar {
        self.open
    }

    /// The bars kept, in order of time, the open one last.
    pub fn bars(&self) -> impl DoubleEndedIterator<Item = Bar> + '_ {
        self.closed.iter().copied().chain([self.open])
    }

    /// The bar that a tick lies in: a closed bar that is kept, the open bar, or a foreseen one. `None` before the bars kept.
    #[must_use]
    pub fn bar_at(&self, clock: Tick) -> Option<Bar> {
        if clock >= self.open.end() {
            let length = self.metre.bar_length();
            let passed = (clock - self.open.end()).0 / length.0;
            let index = u32::try_from(passed).ok().and_then(|passed| self.open.index.checked_add(1)?.checked_add(passed))?;
            return Some(Bar { index, start: self.open.end() + Tick(passed * length.0), length, metre: self.metre });
        }
        if clock >= self.open.start {
            return Some(self.open);
        }
        let after = self.closed.partition_point(|bar| bar.start <= clock);
        self.closed.get(after.checked_sub(1)?).copied()
    }

    /// The next bar line after now.
    #[must_use]
    pub fn next_bar_line(&self) -> Tick {
        self.open.end()
    }

    /// First planning tick after a tick: every bar is divided into as many intervals as fit, counted from its line, and the last one takes
    /// the remainder. So none is shorter than `interval`, unless the whole bar is. `None` before the bars kept.
    ///
    /// ```
    /// use antiphon_engine::music::{Metre, Tick};
    /// use antiphon_engine::plan::{MusicalClock, SongBar, SongPosition};
    ///
    /// // 7/8 is three and a half quarters: the last interval of the bar is one and a half.
    /// let metre = Metre::new(7, 8).expect("a metre");
    /// let clock = MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre });
    /// let ticks = std::iter::successors(Some(Tick::ZERO), |tick| clock.planning_tick_after(*tick, Tick(24)));
    /// assert_eq!(ticks.take(4).collect::<Vec<_>>(), [Tick(0), Tick(24), Tick(48), Tick(84)]);
    /// ```
    #[must_use]
    pub fn planning_tick_after(&self, clock: Tick, interval: Tick) -> Option<Tick> {
        let bar = self.bar_at(clock)?;
        let interval = interval.max(Tick(1));
        let next = ((clock - bar.start).0 / interval.0 + 1) * interval.0;
        Some(if next + interval.0 <= bar.length.0 { bar.start + Tick(next) } else { bar.end() })
    }

    /// Closes the open bar at `end`, which is not before its start, and opens the next.
    fn close(&mut self, end: Tick, length: Tick) {
        self.closed.push_back(Bar { length: end - self.open.start, ..self.open });
        // 2^32 bars are 270 years of 4/4 at 120: the count stays there.
        self.open = Bar { index: self.open.index.saturating_add(1), start: end, length, metre: self.metre };
        if self.closed.len() > BARS_KEPT {
            self.closed.pop_front();
        }
        let oldest = self.closed[0].start;
        while self.segments.get(1).is_some_and(|segment| segment.clock <= oldest) {
            self.segments.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bar(start: i64, numerator: u8, denominator: u8) -> SongBar {
        SongBar { start: SongPosition(start), metre: Metre::new(numerator, denominator).unwrap() }
    }

    fn spans(clock: &MusicalClock) -> Vec<(u32, i64, i64)> {
        clock.bars().map(|bar| (bar.index, bar.start.0, bar.length.0)).collect()
    }

    #[test]
    fn bars_are_contiguous_while_the_song_advances() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
        clock.advance(Tick(200));
        assert_eq!(spans(&clock), [(0, 0, 96), (1, 96, 96), (2, 192, 96)]);
        assert_eq!(clock.song(), SongPosition(200));
        clock.advance(Tick(-50));
        assert_eq!(clock.now(), Tick(200));
    }

    #[test]
    fn loop_on_bar_lines_leaves_every_bar_whole() {
        let mut clock = MusicalClock::new(SongPosition(960), bar(960, 4, 4));
        for _ in 0..3 {
            clock.advance(Tick(192));
            clock.jump(SongPosition(960), bar(960, 4, 4));
        }
        assert!(clock.bars().all(|bar| bar.length == Tick(96)));
        assert_eq!(clock.now(), Tick(576));
        assert_eq!(clock.song_at(Tick(200)), SongPosition(968));
        // The latest pass.
        assert_eq!(clock.last_at(SongPosition(970)), Some(Tick(394)));
        assert_eq!(clock.last_at(SongPosition(960)), Some(Tick(576)));
        assert_eq!(clock.last_at(SongPosition(0)), None);
        // The latest pass, or ahead of it.
        let nearest = [960, 970, 960 + 100, 0].map(|song| clock.nearest_at(SongPosition(song)).map(|tick| tick.0));
        assert_eq!(nearest, [Some(576), Some(586), Some(484), None]);
    }

    #[test]
    fn jump_closes_the_open_bar_and_the_next_ends_at_the_songs_bar_line() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
        clock.advance(Tick(120));
        clock.jump(SongPosition(480 + 30), bar(480, 3, 4));
        clock.advance(Tick(50));
        assert_eq!(spans(&clock), [(0, 0, 96), (1, 96, 24), (2, 120, 42), (3, 162, 72)]);
        assert_eq!(clock.song_at(Tick(162)), SongPosition(552));
    }

    #[test]
    fn jump_on_a_bar_line_opens_no_empty_bar() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
        clock.advance(Tick(96));
        clock.jump(SongPosition(12), bar(0, 4, 4));
        clock.jump(SongPosition(24), bar(0, 4, 4));
        assert_eq!(spans(&clock), [(0, 0, 96), (1, 96, 72)]);
        assert_eq!(clock.song(), SongPosition(24));
    }

    #[test]
    fn metre_change_on_a_bar_line_applies_there() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
        clock.advance(Tick(96));
        clock.align(bar(96, 6, 8));
        clock.advance(Tick(80));
        assert_eq!(spans(&clock), [(0, 0, 96), (1, 96, 72), (2, 168, 72)]);
        // The block reached past the bar line before the host reported the metre.
        clock.advance(Tick(70));
        clock.align(bar(240, 2, 4));
        assert_eq!(spans(&clock)[2..], [(2, 168, 72), (3, 240, 48)]);
    }

    #[test]
    fn unforeseen_bar_line_closes_the_open_bar() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
        clock.advance(Tick(60));
        clock.align(bar(48, 4, 4));
        assert_eq!(spans(&clock), [(0, 0, 48), (1, 48, 96)]);
        // The host names a bar that is over: the phase of its bar lines counts.
        clock.advance(Tick(50));
        clock.align(bar(0, 4, 4));
        assert_eq!(clock.open_bar().end(), Tick(192));
    }

    #[test]
    fn bar_at_a_later_tick_is_foreseen() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 3, 4));
        clock.advance(Tick(10));
        assert_eq!(clock.bar_at(Tick(71)).map(|bar| bar.index), Some(0));
        let later = clock.bar_at(Tick(150)).unwrap();
        assert_eq!((later.index, later.start, later.length), (2, Tick(144), Tick(72)));
    }

    #[test]
    fn planning_ticks_are_counted_from_the_bar_line() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 7, 8));
        clock.advance(Tick(1));
        let ticks = |from: i64| clock.planning_tick_after(Tick(from), Tick(24)).unwrap().0;
        assert_eq!([ticks(0), ticks(24), ticks(48), ticks(83), ticks(84)], [24, 48, 84, 84, 108]);
        assert_eq!(clock.planning_tick_after(Tick(5), Tick(500)), Some(Tick(84)));
    }

    #[derive(Debug, Clone)]
    enum Act {
        Advance(i64),
        Jump(i64, i64, (u8, u8)),
        Align(i64, (u8, u8)),
    }

    fn act() -> impl Strategy<Value = Act> {
        let metre = || prop::sample::select(vec![(4u8, 4u8), (3, 4), (6, 8), (7, 8), (1, 32)]);
        prop_oneof![
            4 => (-5..150i64).prop_map(Act::Advance),
            1 => (-200..900i64, -300..900i64, metre()).prop_map(|(to, bar, metre)| Act::Jump(to, bar, metre)),
            1 => (-300..900i64, metre()).prop_map(|(bar, metre)| Act::Align(bar, metre)),
        ]
    }

    proptest! {
        #[test]
        fn clock_under_any_edits_is_monotonic_and_its_bars_leave_no_gap(acts in prop::collection::vec(act(), 1..60)) {
            let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
            let mut song = 0;
            for act in acts {
                let before = clock.now();
                match act {
                    Act::Advance(by) => {
                        clock.advance(Tick(by));
                        song += by.max(0);
                        prop_assert_eq!(clock.now() - before, Tick(by.max(0)));
                    }
                    Act::Jump(to, start, (numerator, denominator)) => {
                        clock.jump(SongPosition(to), bar(start, numerator, denominator));
                        song = to;
                        prop_assert_eq!(clock.now(), before);
                    }
                    Act::Align(start, (numerator, denominator)) => {
                        clock.align(bar(start, numerator, denominator));
                        prop_assert_eq!(clock.now(), before);
                        let line = SongPosition(start).since(clock.song_at(clock.next_bar_line()));
                        prop_assert_eq!(line.0.rem_euclid(clock.open_bar().metre.bar_length().0), 0);
                    }
                }
                prop_assert_eq!(clock.song(), SongPosition(song));
                prop_assert_eq!(clock.last_at(SongPosition(song)), Some(clock.now()));
                let open = clock.open_bar();
                prop_assert!(open.start <= clock.now() && clock.now() < open.end());
                let bars: Vec<_> = clock.bars().collect();
                prop_assert!(bars.iter().all(|bar| bar.length >= Tick(1)));
                for pair in bars.windows(2) {
                    prop_assert_eq!((pair[0].end(), pair[0].index + 1), (pair[1].start, pair[1].index));
                }
                for bar in &bars {
                    prop_assert_eq!(clock.bar_at(bar.start), Some(*bar));
                    let song = clock.song_at(bar.start);
                    prop_assert_eq!(clock.last_at(song).map(|tick| clock.song_at(tick)), Some(song));
                    prop_assert!(clock.last_at(song) >= Some(bar.start));
                }
            }
            for tick in 0..clock.now().0 {
                let next = clock.planning_tick_after(Tick(tick), Tick(24)).unwrap();
                prop_assert!(next > Tick(tick) && next <= clock.bar_at(Tick(tick)).unwrap().end());
            }
        }
    }

    #[test]
    fn clock_after_many_jumps_keeps_bounded_and_correct_segments() {
        let mut clock = MusicalClock::new(SongPosition(0), bar(0, 4, 4));
        for round in 0..5_000 {
            clock.advance(Tick(7));
            clock.jump(SongPosition(round % 13), bar(0, 4, 4));
        }
        assert!(clock.bars().count() <= BARS_KEPT + 1);
        assert!(clock.segments.len() <= BARS_KEPT + 2);
        assert_eq!(clock.now(), Tick(35_000));
        assert_eq!(clock.bar_at(Tick(0)), None);
        let oldest = clock.bars().next().unwrap();
        assert_eq!(clock.song_at(oldest.start), SongPosition(i64::from(oldest.index - 1) % 13));
    }
}
