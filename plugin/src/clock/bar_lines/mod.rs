//! Bar lines of the song: the host's, as long as they are plausible, otherwise counted from the last change of metre.
//!
//! Hosts disagree on what they report as the bar position. Most give the start of the current bar; some give the start of the next one, a
//! constant 0, or nothing. Ardour gives the bar number times four quarters whatever the metre, which is a bar line in 4/4 only.

use std::cmp::Ordering;

use antiphon_engine::music::{Metre, TICKS_PER_QUARTER};
use antiphon_engine::plan::{SongBar, SongPosition, tick_of, whole};

use super::follow::ROUNDING;

/// Capacity of the list of metre changes.
const CHANGES: usize = 64;
/// A 4/4 bar in ticks: the factor Ardour multiplies bar numbers by.
const COMMON_BAR: i64 = 4 * TICKS_PER_QUARTER;

/// Song position and host report at the start of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Ticks from the start of the song.
    pub(super) song: f64,
    pub(super) metre: Metre,
    /// The bar line that the host reports, in ticks from the start of the song.
    pub(super) reported: Option<f64>,
}

/// How far the host's bar lines are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Nothing contradicts them so far.
    Unproven,
    /// In this metre one advanced by exactly a bar, at a bar line.
    Proven(Metre),
    /// They cannot be bar lines.
    Refuted,
}

/// The bar lines of a song. Fixed size and no heap, because it lives on the audio thread.
#[derive(Debug, Clone)]
pub(super) struct BarLines {
    trust: Trust,
    /// The previous block; `None` after a jump of the song position.
    last: Option<Place>,
    /// Song position, in ticks, at which the reported bar line last moved or the metre last changed. A bar line, whatever was reported.
    last_edge: Option<f64>,
    /// Bar lines from which the bars of a metre are counted, up to the next entry. Sorted by song position; the first `len` are valid.
    changes: [SongBar; CHANGES],
    len: usize,
}

impl BarLines {
    pub(super) const fn new() -> Self {
        let none = SongBar { start: SongPosition(0), metre: Metre::COMMON };
        Self { trust: Trust::Unproven, last: None, last_edge: None, changes: [none; CHANGES], len: 0 }
    }

    /// The song position jumps, or playback stops.
    pub(super) const fn reset_position(&mut self) {
        self.last = None;
        self.last_edge = None;
    }

    /// Whether the host's bar lines are ignored because they cannot be right.
    pub(super) fn are_refuted(&self) -> bool {
        self.trust == Trust::Refuted
    }

    /// The bar in which a block begins.
    pub(super) fn bar(&mut self, now: Place) -> SongBar {
        match self.last.replace(now) {
            Some(last) => self.compare(last, now),
            None => self.first_block(now),
        }
        if now.reported.is_some_and(|reported| !is_near(reported, now)) {
            self.trust = Trust::Refuted;
        }
        let Some(reported) = now.reported.filter(|reported| self.trusts(*reported, now)) else {
            return self.counted(now.song, now.metre);
        };
        if self.trust == Trust::Proven(now.metre) {
            self.remember_unless_counted(reported, now);
        }
        bar_of(whole(reported), now.song, now.metre)
    }

    /// First block after a jump. Users mostly locate to bar lines, so a reported bar line exactly at the position is taken as one.
    fn first_block(&mut self, now: Place) {
        if self.trust != Trust::Refuted
            && let Some(line) = now.reported.filter(|reported| (reported - now.song).abs() <= ROUNDING)
        {
            self.remember_unless_counted(line, now);
        }
    }

    /// The bar at the loop start, reached within a block and therefore not reported by the host. `end` is the bar at the loop end.
    pub(super) fn bar_after_loop(&self, song: f64, end: SongBar) -> SongBar {
        let change = self.changes().iter().rev().find(|change| change.start.0 as f64 <= song + ROUNDING);
        let line = change.copied().filter(|change| change.metre != end.metre).unwrap_or(end);
        bar_of(line.start.0, song, line.metre)
    }

    /// The bar counted from the last metre change, or from the start of the song if no change to this metre is known.
    fn counted(&self, song: f64, metre: Metre) -> SongBar {
        let change = self.change_before(song, metre).filter(|change| change.metre == metre);
        bar_of(change.map_or(0, |change| change.start.0), song, metre)
    }

    fn changes(&self) -> &[SongBar] {
        self.changes.get(..self.len).unwrap_or_default()
    }

    /// The last metre change at or before a position in this metre. Hosts round: a change within [`ROUNDING`] counts either way.
    fn change_before(&self, song: f64, metre: Metre) -> Option<SongBar> {
        let from_start = |change: &SongBar| song - change.start.0 as f64;
        let before = |change: &&SongBar| from_start(change) > ROUNDING || from_start(change) >= -ROUNDING && change.metre == metre;
        self.changes().iter().rev().find(before).copied()
    }

    /// Updates trust and metre changes from two blocks that follow each other in the song.
    fn compare(&mut self, last: Place, now: Place) {
        if last.metre != now.metre {
            self.metre_changed(last, now);
        } else if let (Some(before), Some(reported)) = (last.reported, now.reported)
            && (reported - before).abs() > ROUNDING
        {
            self.bar_line_moved(reported - before, last, now);
        }
    }

    /// The metre changed between the last block and this one.
    fn metre_changed(&mut self, last: Place, now: Place) {
        let own = now.reported.and_then(|reported| line_between(reported, now.metre, last.song, now.song));
        let old = self.counted(last.song, last.metre);
        let start = own.or_else(|| line_between(old.start.0 as f64, last.metre, last.song, now.song));
        let start = start.unwrap_or_else(|| beat_between(now.metre, last.song, now.song));
        if own.is_none() && now.reported.is_some() {
            self.trust = Trust::Refuted;
        } else if matches!(self.trust, Trust::Proven(_)) {
            self.trust = Trust::Proven(now.metre);
        }
        if self.change_before(last.song, last.metre).is_none() {
            let first = old.start.0.rem_euclid(last.metre.bar_length().0);
            self.remember(SongBar { start: SongPosition(first), metre: last.metre }, last.song);
        }
        self.remember(SongBar { start: SongPosition(whole(start)), metre: now.metre }, now.song);
        self.last_edge = Some(start);
    }

    /// The reported bar line moved between the last block and this one, so a bar line was passed, whatever position was reported.
    fn bar_line_moved(&mut self, by: f64, last: Place, now: Place) {
        let metre = now.metre;
        let own = now.reported.and_then(|reported| line_between(reported, metre, last.song, now.song));
        let counted = self.counted(last.song, metre).start.0 as f64;
        let line = own.or_else(|| line_between(counted, metre, last.song, now.song));
        let line = line.unwrap_or_else(|| beat_between(metre, last.song, now.song));
        let bar = metre.bar_length().0 as f64;
        if own.is_some() && (by - bar).abs() <= ROUNDING {
            self.trust = Trust::Proven(metre);
        } else if own.is_none() || self.trust != Trust::Proven(metre) {
            self.trust = Trust::Refuted;
        }
        // Two edges one bar apart are bar lines, even if the reported position says otherwise.
        let is_a_bar_apart = |before: f64| (line - before - bar).abs() <= 2.0 * (now.song - last.song) + ROUNDING;
        let is_counted = line_between(counted, metre, last.song, now.song).is_some();
        if self.last_edge.replace(line).is_some_and(is_a_bar_apart) && !is_counted {
            self.remember(SongBar { start: SongPosition(whole(line)), metre }, now.song);
        }
    }

    /// Whether a reported bar line, at most one bar away, is used.
    fn trusts(&self, reported: f64, now: Place) -> bool {
        match self.trust {
            Trust::Refuted => false,
            Trust::Proven(metre) if metre == now.metre => true,
            Trust::Proven(_) | Trust::Unproven => !may_be_bar_number(reported, now),
        }
    }

    /// Stores a bar line to count from, unless counting gives it already.
    fn remember_unless_counted(&mut self, line: f64, now: Place) {
        let bar = bar_of(whole(line), now.song, now.metre);
        if bar != self.counted(now.song, now.metre) {
            self.remember(bar, now.song);
        }
    }

    /// Stores a bar line to count from, and drops the entries from there up to `song`, which has the same metre: they were wrong.
    fn remember(&mut self, line: SongBar, song: f64) {
        let stays = |change: &SongBar| change.start < line.start || change.start.0 as f64 > song.max(line.start.0 as f64);
        let mut kept = 0;
        for index in 0..self.len {
            if stays(&self.changes[index]) {
                self.changes[kept] = self.changes[index];
                kept += 1;
            }
        }
        if kept == CHANGES {
            // The oldest position goes first.
            self.changes.copy_within(1.., 0);
            kept -= 1;
        }
        let place = self.changes[..kept].partition_point(|change| change.start < line.start);
        self.changes.copy_within(place..kept, place + 1);
        self.changes[place] = line;
        self.len = kept + 1;
    }
}

/// Whether a reported bar line lies within one bar of the position it is reported at.
fn is_near(reported: f64, now: Place) -> bool {
    (reported - now.song).abs() <= now.metre.bar_length().0 as f64 + ROUNDING
}

/// Whether the report may be a bar number times four quarters rather than a bar line. In bars shorter than 4/4 that value lies ahead.
fn may_be_bar_number(reported: f64, now: Place) -> bool {
    let off = reported - (reported / COMMON_BAR as f64).round() * COMMON_BAR as f64;
    let can_be = match now.metre.bar_length().0.cmp(&COMMON_BAR) {
        Ordering::Less => reported > now.song + ROUNDING,
        Ordering::Equal => false,
        Ordering::Greater => true,
    };
    can_be && off.abs() <= ROUNDING
}

/// The bar containing a position, counted from any bar line of its metre.
fn bar_of(line: i64, song: f64, metre: Metre) -> SongBar {
    let length = metre.bar_length().0;
    let bars = tick_of(song).saturating_sub(line).div_euclid(length);
    SongBar { start: SongPosition(line.saturating_add(bars.saturating_mul(length))), metre }
}

/// The last bar line passed between the starts of two blocks, counted from any bar line. Hosts may report it one block late.
fn line_between(line: f64, metre: Metre, last: f64, now: f64) -> Option<f64> {
    let length = metre.bar_length().0 as f64;
    let passed = line + ((now + ROUNDING - line) / length).floor() * length;
    (passed > last - (now - last)).then_some(passed)
}

/// The last beat passed between the starts of two blocks, counted from the start of the song; otherwise the last tick.
fn beat_between(metre: Metre, last: f64, now: f64) -> f64 {
    let beat = COMMON_BAR as f64 / f64::from(metre.denominator());
    let passed = ((now + ROUNDING) / beat).floor() * beat;
    if passed > last - (now - last) { passed } else { (now + ROUNDING).floor() }
}

#[cfg(test)]
mod tests;
