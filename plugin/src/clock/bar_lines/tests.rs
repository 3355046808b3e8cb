//! Bar lines against simulated hosts that report them in different ways.

use super::*;

/// What a simulated host reports as its bar position.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Report {
    Current,
    Next,
    /// Ardour 7.3: the bar number, from 1, times four quarters.
    Number,
    Zero,
    Nothing,
}

const REPORTS: [Report; 5] = [Report::Current, Report::Next, Report::Number, Report::Zero, Report::Nothing];

/// A song with metre changes at bar lines, and a simulated host that plays it.
struct Song {
    /// Number of bars and metre of each section; the last section has no end.
    parts: Vec<(i64, Metre)>,
    report: Report,
    lines: BarLines,
}

impl Song {
    fn new(parts: &[(i64, (u8, u8))], report: Report) -> Self {
        let metre = |(numerator, denominator)| Metre::new(numerator, denominator).unwrap();
        Self { parts: parts.iter().map(|&(bars, of)| (bars, metre(of))).collect(), report, lines: BarLines::new() }
    }

    /// Number, from 1, and position of the bar at a song position.
    fn truth(&self, song: f64) -> (i64, SongBar) {
        let (mut number, mut start) = (1, 0);
        for (index, &(bars, metre)) in self.parts.iter().enumerate() {
            let length = metre.bar_length().0;
            if index + 1 == self.parts.len() || song < (start + bars * length) as f64 {
                let passed = (tick_of(song) - start).div_euclid(length);
                return (number + passed, SongBar { start: SongPosition(start + passed * length), metre });
            }
            (number, start) = (number + bars, start + bars * length);
        }
        unreachable!("the last part goes on")
    }

    fn place(&self, song: f64) -> Place {
        let (number, bar) = self.truth(song);
        let start = bar.start.0 as f64;
        let reported = match self.report {
            Report::Current => Some(start),
            Report::Next => Some(start + bar.metre.bar_length().0 as f64),
            Report::Number => Some((number * COMMON_BAR) as f64),
            Report::Zero => Some(0.0),
            Report::Nothing => None,
        };
        Place { song, metre: bar.metre, reported }
    }

    /// Plays a range block by block. Returns how many blocks got a wrong bar.
    fn play(&mut self, from: f64, to: f64, block: f64) -> usize {
        self.lines.reset_position();
        let mut wrong = 0;
        let mut song = from;
        while song < to {
            let (bar, truth) = (self.lines.bar(self.place(song)), self.truth(song).1);
            // Any bar line of the right phase is correct.
            wrong += usize::from(bar.metre != truth.metre || (bar.start.0 - truth.start.0) % bar.metre.bar_length().0 != 0);
            song += block;
        }
        wrong
    }
}

const METRES: [(u8, u8); 9] = [(2, 4), (3, 4), (4, 4), (5, 4), (6, 8), (7, 8), (9, 8), (12, 8), (2, 2)];

#[test]
fn bars_from_the_song_start_are_right_for_every_report_and_metre() {
    for (metre, report) in METRES.into_iter().flat_map(|metre| REPORTS.map(|report| (metre, report))) {
        for block in [0.032_f64, 0.512, 2.048] {
            let mut song = Song::new(&[(1, metre)], report);
            assert_eq!(song.play(0.0, (20_000.0 * block).min(3_000.0), block), 0, "{metre:?}, {report:?}, blocks of {block} ticks");
            for from in [700.0, 1.3, 95.5, 1440.0] {
                assert_eq!(song.play(from, from + 600.0, block), 0, "{metre:?}, {report:?}, from {from}");
            }
        }
    }
}

#[test]
fn bars_from_any_position_are_right_for_every_report_and_metre() {
    for (metre, report) in METRES.into_iter().flat_map(|metre| REPORTS.map(|report| (metre, report))) {
        for from in 0..240 {
            let mut song = Song::new(&[(1, metre)], report);
            let from = f64::from(from) * 7.0;
            // At a multiple of 96, Ardour's number can look like a bar line until the next bar.
            if report == Report::Number && from % 96.0 == 0.0 {
                continue;
            }
            assert_eq!(song.play(from, from + 700.0, 0.512), 0, "{metre:?}, {report:?}, from {from}");
        }
    }
}

#[test]
fn metre_change_that_was_played_through_is_remembered() {
    let parts = [(3, (4, 4)), (5, (3, 4)), (2, (7, 8)), (3, (5, 4)), (2, (4, 4)), (4, (12, 8)), (1, (6, 8))];
    for report in REPORTS {
        for block in [0.032_f64, 0.512, 2.048] {
            let mut song = Song::new(&parts, report);
            assert_eq!(song.play(0.0, 2_400.0, block), 0, "{report:?}, blocks of {block} ticks");
            for from in [2_000.0, 300.0, 287.9999, 13.0, 288.0, 1_111.1, 648.0] {
                let wrong = song.play(from, from + 400.0, block);
                // Ardour rounds a position just before a change down to it.
                assert!(wrong <= usize::from(from == 287.9999), "{report:?}, from {from} {wrong} bars were wrong");
            }
        }
    }
}

#[test]
fn metre_change_that_was_skipped_is_found_within_two_bars() {
    let parts = [(3, (4, 4)), (2, (5, 4)), (1, (3, 4))];
    for report in [Report::Current, Report::Next, Report::Number] {
        let mut song = Song::new(&parts, report);
        song.play(540.0, 540.0 + 3.0 * 72.0, 0.5);
        assert_eq!(song.play(760.0, 1_200.0, 0.5), 0, "{report:?}");
    }
}

#[test]
fn reported_bar_after_a_skipped_metre_change_is_used_at_once() {
    for (metre, from) in [((3, 4), 289), ((2, 4), 301), ((7, 8), 400), ((4, 4), 500)] {
        let mut song = Song::new(&[(3, (4, 4)), (1, (2, 4)), (1, metre)], Report::Current);
        assert_eq!(song.play(f64::from(from) + 48.0, 900.0, 0.5), 0, "{metre:?}");
    }
}

#[test]
fn loop_over_a_metre_change_returns_to_the_metre_at_its_start() {
    let mut song = Song::new(&[(3, (4, 4)), (1, (3, 4))], Report::Zero);
    song.play(0.0, 500.0, 1.0);
    let end = song.truth(499.0).1;
    assert_eq!(song.lines.bar_after_loop(100.0, end), song.truth(100.0).1);
    assert_eq!(song.lines.bar_after_loop(300.0, end), song.truth(300.0).1);
}

#[test]
fn bar_line_that_moves_with_every_block_is_refuted_within_four_blocks() {
    let mut lines = BarLines::new();
    let metre = Metre::new(3, 4).unwrap();
    let wrong = (0..1_000).map(f64::from).filter(|&song| {
        let bar = lines.bar(Place { song, metre, reported: Some(song) });
        bar != bar_of(0, song, metre)
    });
    assert!(wrong.count() < 4);
    assert!(lines.are_refuted());
}

#[test]
fn list_of_metre_changes_keeps_the_last_ones_when_full() {
    let mut lines = BarLines::new();
    for index in 0..3 * i64::try_from(CHANGES).unwrap() {
        let metre = Metre::new(if index % 2 == 0 { 3 } else { 4 }, 4).unwrap();
        lines.remember(SongBar { start: SongPosition(index * 1_000 + 5), metre }, (index * 1_000 + 5) as f64);
    }
    let last = 3 * i64::try_from(CHANGES).unwrap() * 1_000 - 995;
    let metre = lines.changes()[CHANGES - 1].metre;
    assert_eq!(lines.counted(last as f64 + 50.0, metre).start, SongPosition(last));
    assert_eq!(lines.changes().len(), CHANGES);
}
