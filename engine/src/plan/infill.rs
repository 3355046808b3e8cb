//! Infill: where in the time to come the marked bars of the song lie.

use super::{MusicalClock, SongPosition};
use crate::music::{Bar, Tick};

/// Most bars between the open bar and a fill that is planned.
pub const AHEAD_BARS: usize = 8;
/// Bars of the song that are foreseen: the open one, those before a fill, and the longest fill.
const FORESEEN_BARS: usize = 1 + AHEAD_BARS + 8;

/// Marked bars of the song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InfillRange {
    /// Number of the first one, 1 to 999.
    pub from: u16,
    /// How many they are, 1 to 8.
    pub bars: u8,
}

impl InfillRange {
    /// Whether the bar of this number is marked.
    #[must_use]
    pub fn contains(self, number: i64) -> bool {
        let from = i64::from(self.from);
        (from..from + i64::from(self.bars)).contains(&number)
    }
}

impl Default for InfillRange {
    fn default() -> Self {
        Self { from: 5, bars: 1 }
    }
}

/// Loop of the host's song.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SongLoop {
    start: SongPosition,
    end: SongPosition,
}

impl SongLoop {
    /// A loop between two positions; `None` if it is empty.
    #[must_use]
    pub fn new(start: SongPosition, end: SongPosition) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// First position of the loop.
    #[must_use]
    pub const fn start(self) -> SongPosition {
        self.start
    }

    /// First position after the loop.
    #[must_use]
    pub const fn end(self) -> SongPosition {
        self.end
    }

    /// Whether a song that is here will reach the end of the loop and return.
    #[must_use]
    pub fn is_ahead(self, song: SongPosition) -> bool {
        song < self.end
    }
}

/// A bar that is open or to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeseenBar {
    /// The bar on the clock.
    pub bar: Bar,
    /// Its bar line in the song; of a bar that was entered in its middle, the line before.
    pub line: SongPosition,
    /// Its number in the song: the first is 1.
    pub number: i64,
}

/// The open bar and those that follow, as far as the song is foreseen: up to a loop end that is not on a bar line.
///
/// ```
/// use antiphon_engine::music::{Metre, Tick};
/// use antiphon_engine::plan::{MusicalClock, SongBar, SongLoop, SongPosition, foreseen_bars};
///
/// let bar = SongBar { start: SongPosition(0), metre: Metre::COMMON };
/// let mut clock = MusicalClock::new(SongPosition(0), bar);
/// clock.advance(Tick(100));
/// let numbers = |cycle| foreseen_bars(&clock, cycle).take(4).map(|bar| bar.number).collect::<Vec<_>>();
/// assert_eq!(numbers(None), [2, 3, 4, 5]);
/// assert_eq!(numbers(SongLoop::new(SongPosition(0), SongPosition(288))), [2, 3, 1, 2]);
/// ```
pub fn foreseen_bars(clock: &MusicalClock, cycle: Option<SongLoop>) -> impl Iterator<Item = ForeseenBar> {
    let open = clock.open_bar();
    let (now, song) = (clock.now(), song_now(clock, cycle));
    let cycle = cycle.filter(|cycle| cycle.is_ahead(song));
    let bars = std::iter::successors(Some(open), |bar| clock.bar_at(bar.end()));
    let mut end = song.after(open.end() - now);
    let mut is_lost = false;
    bars.take(FORESEEN_BARS).map_while(move |bar| {
        if is_lost {
            return None;
        }
        let length = bar.metre.bar_length();
        if bar.start > open.start {
            end = end.after(length);
        }
        let line = SongPosition(end.0.saturating_sub(length.0));
        match cycle {
            // The loop is shorter than the rest of the bar, or ends in its middle.
            Some(cycle) if cycle.end < end => is_lost = true,
            Some(cycle) if cycle.end == end => end = cycle.start,
            _ => {}
        }
        Some(ForeseenBar { bar, line, number: clock.song_bars().number(line) })
    })
}

/// Where the song is. One that has run up to the end of its loop is at the loop's start: the host's jump takes effect at the same tick.
#[must_use]
pub fn song_now(clock: &MusicalClock, cycle: Option<SongLoop>) -> SongPosition {
    let song = clock.song();
    let before = clock.now() - Tick(1);
    let has_run = |cycle: &SongLoop| cycle.end == song && clock.bar_at(before).is_some() && clock.song_at(before).after(Tick(1)) == song;
    cycle.filter(has_run).map_or(song, SongLoop::start)
}

/// The next marked bars that begin at a tick or later and follow each other in the song.
///
/// Empty if they are more than [`AHEAD_BARS`] away. At most so many bars as are marked; fewer if the song is in the middle of them, or where the loop ends within them.
#[must_use]
pub fn next_marked(foreseen: &[ForeseenBar], range: InfillRange, from: Tick) -> &[ForeseenBar] {
    let is_ahead = |bar: &ForeseenBar| bar.bar.start >= from && range.contains(bar.number);
    let first = foreseen.iter().position(is_ahead).filter(|place| *place <= AHEAD_BARS + 1).unwrap_or(foreseen.len());
    let ahead = &foreseen[first..];
    let count = (0..).zip(ahead).take_while(|(place, bar)| range.contains(bar.number) && bar.number == ahead[0].number + place).count();
    &ahead[..count]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Metre;
    use crate::plan::SongBar;

    fn clock(song: i64, by: i64) -> MusicalClock {
        let mut clock = MusicalClock::new(SongPosition(song), SongBar { start: SongPosition(0), metre: Metre::COMMON });
        clock.advance(Tick(by));
        clock
    }

    fn cycle(start: i64, end: i64) -> Option<SongLoop> {
        SongLoop::new(SongPosition(start), SongPosition(end))
    }

    /// Number and start on the clock.
    fn marked(clock: &MusicalClock, cycle: Option<SongLoop>, (first, bars): (u16, u8), from: i64) -> Vec<(i64, i64)> {
        let foreseen: Vec<_> = foreseen_bars(clock, cycle).collect();
        let range = InfillRange { from: first, bars };
        next_marked(&foreseen, range, Tick(from)).iter().map(|bar| (bar.number, bar.bar.start.0)).collect()
    }

    #[test]
    fn marked_bars_ahead_are_found_in_the_song() {
        let clock = clock(0, 100);
        assert_eq!(marked(&clock, None, (4, 2), 0), [(4, 288), (5, 384)]);
        assert_eq!(marked(&clock, None, (2, 2), 120), [(3, 192)], "the open one has begun");
        assert_eq!(marked(&clock, None, (1, 1), 0), [], "it is past");
        assert_eq!(marked(&clock, None, (999, 8), 0), []);
    }

    #[test]
    fn marked_bars_of_a_loop_return_with_it() {
        let clock = clock(0, 100);
        let four = cycle(0, 384);
        assert_eq!(marked(&clock, four, (1, 2), 120), [(1, 384), (2, 480)]);
        assert_eq!(marked(&clock, four, (4, 3), 120), [(4, 288)], "the loop ends there");
        assert_eq!(marked(&clock, four, (1, 8), 120), [(3, 192), (4, 288)], "the loop is shorter");
        assert_eq!(marked(&clock, four, (5, 1), 120), [], "it lies outside of the loop");
        // A loop of one bar, wholly marked.
        assert_eq!(marked(&clock, cycle(96, 192), (2, 1), 120), [(2, 192)]);
        // A loop that the song has passed.
        assert_eq!(marked(&clock, cycle(0, 96), (3, 1), 120), [(3, 192)]);
    }

    #[test]
    fn song_is_foreseen_up_to_a_loop_end_within_a_bar() {
        let clock = clock(0, 100);
        assert_eq!(foreseen_bars(&clock, cycle(0, 300)).map(|bar| bar.number).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(foreseen_bars(&clock, None).count(), FORESEEN_BARS);
    }

    #[test]
    fn song_that_has_run_up_to_the_loop_end_is_at_its_start() {
        let bars = |clock: &MusicalClock| foreseen_bars(clock, cycle(0, 192)).take(3).map(|bar| bar.number).collect::<Vec<_>>();
        assert_eq!(bars(&clock(0, 192)), [1, 2, 1]);
        assert_eq!(bars(&clock(192, 0)), [3, 4, 5], "the song was put there");
        assert_eq!(bars(&clock(96, 97)), [3, 4, 5], "it has passed the end");
    }

    #[test]
    fn bar_entered_in_its_middle_has_the_line_before() {
        let clock = clock(240, 10);
        let bars: Vec<_> = foreseen_bars(&clock, None).take(2).map(|bar| (bar.line.0, bar.number, bar.bar.start.0)).collect();
        assert_eq!(bars, [(192, 3, 0), (288, 4, 48)]);
        assert_eq!(SongLoop::new(SongPosition(5), SongPosition(5)), None);
    }
}
