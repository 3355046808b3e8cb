//! Where the bars of the song begin: as the host reports it while that can be true, otherwise counted from the last change of metre.
//!
//! Hosts disagree on what they report. Most give the start of the current bar; some give the start of the next one, a constant 0, or nothing.
//! Ardour gives the number of the bar times four quarters whatever the metre, which is a bar line in common time only.

use antiphon_engine::music::{Metre, TICKS_PER_QUARTER};
use antiphon_engine::plan::{SongBar, SongPosition};

use super::follow::ROUNDING;
use super::moment::{tick_of, whole};

/// Changes of metre that are remembered at most.
const CHANGES: usize = 64;
/// A bar of common time, in ticks: what Ardour multiplies bar numbers by.
const COMMON_BAR: i64 = 4 * TICKS_PER_QUARTER;

/// The song at the start of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Ticks from the start of the song.
    pub(super) song: f64,
    pub(super) metre: Metre,
    /// The bar line that the host reports, in ticks from the start of the song.
    pub(super) reported: Option<f64>,
}

/// How far the reported bar lines are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Nothing speaks against them.
    Unproven,
    /// In this metre they have moved by one bar, at a bar line of theirs.
    Proven(Metre),
    /// They cannot be bar lines.
    Refuted,
}

/// The bar lines of a song. Fixed in size: it lives on the audio thread.
#[derive(Debug, Clone)]
pub(super) struct BarLines {
    trust: Trust,
    /// The last block, unless the song went on elsewhere since.
    last: Option<Place>,
    /// Where the reported bar line moved, or the metre changed, last: a bar line whatever was reported.
    edge: Option<f64>,
    /// A bar line from which bars of a metre are counted, up to the next change. In order of the song; the first `known` count.
    changes: [SongBar; CHANGES],
    known: usize,
}

impl BarLines {
    pub(super) const fn new() -> Self {
        let none = SongBar { start: SongPosition(0), metre: Metre::COMMON };
        Self { trust: Trust::Unproven, last: None, edge: None, changes: [none; CHANGES], known: 0 }
    }

    /// The song goes on elsewhere, or not at all.
    pub(super) const fn leave(&mut self) {
        self.last = None;
        self.edge = None;
    }

    /// Whether the host's bar lines are ignored because they cannot be true.
    pub(super) fn are_refuted(&self) -> bool {
        self.trust == Trust::Refuted
    }

    /// The bar in which a block begins.
    pub(super) fn bar(&mut self, now: Place) -> SongBar {
        if let Some(last) = self.last.replace(now) {
            self.watch(last, now);
        }
        if now.reported.is_some_and(|reported| !is_near(reported, now)) {
            self.trust = Trust::Refuted;
        }
        let counted = self.counted(now.song, now.metre);
        let Some(reported) = now.reported.filter(|reported| self.believes(*reported, now)) else { return counted };
        let bar = bar_of(whole(reported), now.song, now.metre);
        if self.trust == Trust::Proven(now.metre) && bar != counted {
            self.remember(bar, now.song);
        }
        bar
    }

    /// The bar at the start of the song's loop, which is reached within a block: nothing is reported of it, and `end` is the bar at the loop's end.
    pub(super) fn bar_after_loop(&self, song: f64, end: SongBar) -> SongBar {
        let line = self.change_at(song).filter(|change| change.metre != end.metre).unwrap_or(end);
        bar_of(line.start.0, song, line.metre)
    }

    /// The bar by counting from the last change of metre; from the start of the song where no change to this metre is known.
    fn counted(&self, song: f64, metre: Metre) -> SongBar {
        let change = self.change_at(song).filter(|change| change.metre == metre);
        bar_of(change.map_or(0, |change| change.start.0), song, metre)
    }

    fn changes(&self) -> &[SongBar] {
        self.changes.get(..self.known).unwrap_or_default()
    }

    /// The last change of metre up to a place.
    fn change_at(&self, song: f64) -> Option<SongBar> {
        self.changes().iter().rev().find(|change| change.start.0 as f64 <= song + ROUNDING).copied()
    }

    /// What the last block and this one, which follow each other in the song, say about bar lines.
    fn watch(&mut self, last: Place, now: Place) {
        if last.metre != now.metre {
            self.change_metre(last, now);
        } else if let (Some(before), Some(reported)) = (last.reported, now.reported)
            && (reported - before).abs() > ROUNDING
        {
            self.move_line(reported - before, last, now);
        }
    }

    /// The metre changed between the last block and this one.
    fn change_metre(&mut self, last: Place, now: Place) {
        let own = now.reported.and_then(|reported| line_between(reported, now.metre, last.song, now.song));
        let old = self.counted(last.song, last.metre);
        let start = own.or_else(|| line_between(old.start.0 as f64, last.metre, last.song, now.song));
        let start = start.unwrap_or_else(|| beat_between(now.metre, last.song, now.song));
        if own.is_none() && now.reported.is_some() {
            self.trust = Trust::Refuted;
        } else if matches!(self.trust, Trust::Proven(_)) {
            self.trust = Trust::Proven(now.metre);
        }
        if self.change_at(last.song).is_none() {
            self.remember(old, last.song);
        }
        self.remember(SongBar { start: SongPosition(whole(start)), metre: now.metre }, now.song);
        self.edge = Some(start);
    }

    /// The reported bar line moved between the last block and this one: so a bar line was passed, wherever the reported one lies.
    fn move_line(&mut self, by: f64, last: Place, now: Place) {
        let metre = now.metre;
        let own = now.reported.and_then(|reported| line_between(reported, metre, last.song, now.song));
        let counted = self.counted(last.song, metre).start.0 as f64;
        let line = own.or_else(|| line_between(counted, metre, last.song, now.song));
        let line = line.unwrap_or_else(|| beat_between(metre, last.song, now.song));
        let Some(before) = self.edge.replace(line) else { return };
        let bar = metre.bar_length().0 as f64;
        let is_whole_bar = (line - before - bar).abs() <= 2.0 * (now.song - last.song) + ROUNDING;
        if own.is_some() && is_whole_bar && (by - bar).abs() <= ROUNDING {
            self.trust = Trust::Proven(metre);
        } else if own.is_none() || self.trust != Trust::Proven(metre) {
            self.trust = Trust::Refuted;
        }
        // Twice a bar apart: bars begin there, although the reported line does not say so.
        let counted = line_between(counted, metre, last.song, now.song);
        if is_whole_bar && counted.is_none() {
            self.remember(SongBar { start: SongPosition(whole(line)), metre }, now.song);
        }
    }

    /// Whether a reported bar line, at most a bar away, counts.
    fn believes(&self, reported: f64, now: Place) -> bool {
        match self.trust {
            Trust::Refuted => false,
            Trust::Proven(metre) if metre == now.metre => true,
            Trust::Proven(_) | Trust::Unproven => !may_be_number(reported, now),
        }
    }

    /// Bars are counted from this bar line on. What was known from there up to `song`, which lies in its metre, was wrong.
    fn remember(&mut self, line: SongBar, song: f64) {
        let stays = |change: &SongBar| change.start < line.start || change.start.0 as f64 > song + ROUNDING;
        let mut kept = 0;
        for index in 0..self.known {
            if stays(&self.changes[index]) {
                self.changes[kept] = self.changes[index];
                kept += 1;
            }
        }
        if kept == CHANGES {
            // The first goes: songs are played on from there.
            self.changes.copy_within(1.., 0);
            kept -= 1;
        }
        let place = self.changes[..kept].partition_point(|change| change.start < line.start);
        self.changes.copy_within(place..kept, place + 1);
        self.changes[place] = line;
        self.known = kept + 1;
    }
}

/// Whether a reported bar line lies at most a bar before or behind the place it is reported at.
fn is_near(reported: f64, now: Place) -> bool {
    (reported - now.song).abs() <= now.metre.bar_length().0 as f64 + ROUNDING
}

/// Whether what is reported may be the number of the bar times four quarters, and no bar line: not on it, and not in common time.
fn may_be_number(reported: f64, now: Place) -> bool {
    let off = reported - (reported / COMMON_BAR as f64).round() * COMMON_BAR as f64;
    off.abs() <= ROUNDING && now.metre.bar_length().0 != COMMON_BAR && (reported - now.song).abs() > ROUNDING
}

/// The bar in which a place lies, counted from any bar line of its metre.
fn bar_of(line: i64, song: f64, metre: Metre) -> SongBar {
    let length = metre.bar_length().0;
    let bars = tick_of(song + ROUNDING).saturating_sub(line).div_euclid(length);
    SongBar { start: SongPosition(line.saturating_add(bars.saturating_mul(length))), metre }
}

/// The last bar line, counted from any, that was passed between the starts of two blocks; hosts may report it a block late.
fn line_between(line: f64, metre: Metre, last: f64, now: f64) -> Option<f64> {
    let length = metre.bar_length().0 as f64;
    let passed = line + ((now + ROUNDING - line) / length).floor() * length;
    (passed > last - (now - last)).then_some(passed)
}

/// The last beat that was passed between the starts of two blocks, counted from the start of the song; otherwise the last tick.
fn beat_between(metre: Metre, last: f64, now: f64) -> f64 {
    let beat = COMMON_BAR as f64 / f64::from(metre.denominator());
    let passed = ((now + ROUNDING) / beat).floor() * beat;
    if passed > last - (now - last) { passed } else { (now + ROUNDING).floor() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a host reports as its bar line.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Report {
        Current,
        Next,
        /// As Ardour 7.3: the bar's number, from 1, times four quarters.
        Number,
        Zero,
        Nothing,
    }

    const REPORTS: [Report; 5] = [Report::Current, Report::Next, Report::Number, Report::Zero, Report::Nothing];

    /// A song whose metre changes at bar lines, and a host that plays it.
    struct Song {
        /// Bars of each metre, one after the other; the last goes on.
        parts: Vec<(i64, Metre)>,
        report: Report,
        lines: BarLines,
    }

    impl Song {
        fn new(parts: &[(i64, (u8, u8))], report: Report) -> Self {
            let metre = |(numerator, denominator)| Metre::new(numerator, denominator).unwrap();
            Self { parts: parts.iter().map(|&(bars, of)| (bars, metre(of))).collect(), report, lines: BarLines::new() }
        }

        /// The number of the bar at a place, from 1, and the bar.
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

        /// Plays from a place to another, block by block; how many of the bars were wrong.
        fn play(&mut self, from: f64, to: f64, block: f64) -> usize {
            self.lines.leave();
            let mut wrong = 0;
            let mut song = from;
            while song < to {
                wrong += usize::from(self.lines.bar(self.place(song)) != self.truth(song).1);
                song += block;
            }
            wrong
        }
    }

    const METRES: [(u8, u8); 9] = [(2, 4), (3, 4), (4, 4), (5, 4), (6, 8), (7, 8), (9, 8), (12, 8), (2, 2)];

    #[test]
    fn bars_of_one_metre_are_right_from_the_start_of_the_song_whatever_is_reported() {
        for (metre, report) in METRES.into_iter().flat_map(|metre| REPORTS.map(|report| (metre, report))) {
            for block in [0.032, 0.512, 2.048] {
                let mut song = Song::new(&[(1, metre)], report);
                assert_eq!(song.play(0.0, 3_000.0, block), 0, "{metre:?}, {report:?}, blocks of {block} ticks");
                for from in [700.0, 1.3, 95.5, 1440.0] {
                    assert_eq!(song.play(from, from + 600.0, block), 0, "{metre:?}, {report:?}, from {from}");
                }
            }
        }
    }

    #[test]
    fn bars_of_one_metre_are_right_wherever_the_song_starts_whatever_is_reported() {
        for (metre, report) in METRES.into_iter().flat_map(|metre| REPORTS.map(|report| (metre, report))) {
            for from in 0..240 {
                let mut song = Song::new(&[(1, metre)], report);
                let from = f64::from(from) * 7.0;
                // One in seven starts on a multiple of 96, where Ardour's number may pass for the bar line that is there; it is found out at the next.
                if report == Report::Number && from % 96.0 == 0.0 {
                    continue;
                }
                assert_eq!(song.play(from, from + 700.0, 0.512), 0, "{metre:?}, {report:?}, from {from}");
            }
        }
    }

    #[test]
    fn changes_of_metre_that_were_passed_are_known_ever_after() {
        let parts = [(3, (4, 4)), (5, (3, 4)), (2, (7, 8)), (3, (5, 4)), (2, (4, 4)), (4, (12, 8)), (1, (6, 8))];
        for report in REPORTS {
            for block in [0.032, 0.512, 2.048] {
                let mut song = Song::new(&parts, report);
                assert_eq!(song.play(0.0, 2_400.0, block), 0, "{report:?}, blocks of {block} ticks");
                for from in [2_000.0, 300.0, 287.9999, 13.0, 288.0, 1_111.1, 648.0] {
                    let wrong = song.play(from, from + 400.0, block);
                    // Ardour rounds a place just before a change down to it.
                    assert!(wrong <= usize::from(from == 287.9999), "{report:?}, from {from} {wrong} bars were wrong");
                }
            }
        }
    }

    #[test]
    fn a_change_of_metre_that_was_not_passed_is_found_within_two_bars_by_what_moves() {
        let parts = [(3, (4, 4)), (2, (5, 4)), (1, (3, 4))];
        for report in [Report::Current, Report::Next, Report::Number] {
            let mut song = Song::new(&parts, report);
            song.play(540.0, 540.0 + 3.0 * 72.0, 0.5);
            assert_eq!(song.play(760.0, 1_200.0, 0.5), 0, "{report:?}");
        }
    }

    #[test]
    fn a_loop_over_a_change_of_metre_returns_to_the_metre_at_its_start() {
        let mut song = Song::new(&[(3, (4, 4)), (1, (3, 4))], Report::Zero);
        song.play(0.0, 500.0, 1.0);
        let end = song.truth(499.0).1;
        assert_eq!(song.lines.bar_after_loop(100.0, end), song.truth(100.0).1);
        assert_eq!(song.lines.bar_after_loop(300.0, end), song.truth(300.0).1);
    }

    #[test]
    fn a_line_that_moves_with_every_block_is_not_believed_for_long() {
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
    fn more_changes_than_are_remembered_leave_the_last_ones() {
        let mut lines = BarLines::new();
        for index in 0..3 * i64::try_from(CHANGES).unwrap() {
            let metre = Metre::new(if index % 2 == 0 { 3 } else { 4 }, 4).unwrap();
            lines.remember(SongBar { start: SongPosition(index * 1_000 + 5), metre }, (index * 1_000 + 5) as f64);
        }
        let last = 3 * i64::try_from(CHANGES).unwrap() * 1_000 - 995;
        let metre = lines.change_at(last as f64 + 50.0).unwrap().metre;
        assert_eq!(lines.counted(last as f64 + 50.0, metre).start, SongPosition(last));
        assert_eq!(lines.changes().len(), CHANGES);
    }
}
