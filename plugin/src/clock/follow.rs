//! How the clock follows the host: block by block, through loops, jumps and changes of metre.

use antiphon_engine::plan::{SongBar, SongPosition};

use super::bar_lines::Place;
use super::moment::{EQUAL, whole};
use super::span::SAMPLE_SLACK;
use super::{Cause, Clock, HostTime, Moment, Motion, Position, Span, Turn};

/// A host's rounding, in ticks, that is not worth steering after: Ardour's positions are whole 1920ths of a quarter.
pub(super) const ROUNDING: f64 = 1.5 * 24.0 / 1_920.0;
/// A difference from the host, in ticks, that is steered away; a larger one is a jump. What a tempo change within the last block explains
/// comes on top.
const DRIFT: f64 = 1.0;
/// How far, in ticks, the clock may be ahead of a place that the song jumps to: it waits there. A host that loops by whole samples comes back
/// up to one early or late, and must not cost a tick each time.
const WAIT: f64 = 0.25;

impl Clock {
    /// Compares the host's time with the clock's at the start of a block, and sets the rate for the block.
    pub(super) fn follow(&mut self, host: &HostTime, rate: f64, last: Span, frames: u32) -> Option<Turn> {
        if !host.playing {
            if self.was_playing {
                self.hold(self.now(), 0.0);
                self.motion = Motion::Listening;
                self.lines.leave();
                return Some(self.turn(Cause::Stop));
            }
            let rate = if self.motion == Motion::Own { rate } else { 0.0 };
            self.keep_rate(rate);
            if self.motion == Motion::Listening
                && let Some(metre) = host.metre
            {
                // That of the first bar, when the player begins it.
                self.bar.metre = metre;
            }
            return None;
        }
        let cause = if self.was_playing { Cause::Locate } else { Cause::Start };
        match host.position {
            Position::Unknown if self.was_playing => {
                self.motion = Motion::Own;
                self.keep_rate(rate);
                None
            }
            Position::Unknown => {
                self.motion = Motion::Own;
                self.hold(self.now().ceil(), rate);
                self.lines.leave();
                self.bar = self.song_bar(host, self.song_at(Moment(self.anchor)));
                Some(self.turn(cause))
            }
            Position::Samples(sample) if self.motion == Motion::Host && self.next_sample == Some(sample) => {
                self.keep_rate(rate);
                self.realign(host)
            }
            Position::Samples(sample) => Some(self.jump(host, sample as f64 * rate, rate, cause, frames)),
            Position::Musical(song) if self.motion == Motion::Host => {
                let error = song - self.song_at(Moment(self.now()));
                let explained = (rate - last.rate).abs() * f64::from(last.frames);
                if error.abs() <= ROUNDING {
                    self.keep_rate(rate);
                    self.realign(host)
                } else if error.abs() <= DRIFT + explained {
                    self.steer(error, rate, frames);
                    self.realign(host)
                } else {
                    let cause = if self.is_loop(host, song, last) { Cause::Loop } else { cause };
                    Some(self.jump(host, song, rate, cause, frames))
                }
            }
            Position::Musical(song) => Some(self.jump(host, song, rate, cause, frames)),
        }
    }

    /// Carries on at this rate.
    fn keep_rate(&mut self, rate: f64) {
        #[allow(clippy::float_cmp, reason = "an equal rate keeps the anchor; any other needs a new one")]
        if rate != self.rate {
            self.hold(self.now(), rate);
        }
    }

    /// Runs through this block so that its end is where the host's will be. Never backwards: a clock that is ahead waits.
    fn steer(&mut self, error: f64, rate: f64, frames: u32) {
        let frames = f64::from(frames.max(1));
        self.hold(self.now(), (rate + error / frames).max(0.0));
    }

    /// Stands for another place of the song from here on, by a whole number of ticks: the clock moves on to the same fraction of a tick, or
    /// waits for it if it is hardly ahead.
    fn jump(&mut self, host: &HostTime, song: f64, rate: f64, cause: Cause, frames: u32) -> Turn {
        let ahead = song - self.now();
        let nearest = ahead.round();
        let shift = if ahead - nearest >= -WAIT { nearest } else { ahead.floor() };
        let error = ahead - shift;
        self.song = whole(shift);
        self.motion = Motion::Host;
        if error < 0.0 {
            self.steer(error, rate, frames);
        } else {
            self.hold(self.now() + error, rate);
        }
        self.lines.leave();
        self.bar = self.song_bar(host, song);
        self.turn(cause)
    }

    /// Whether this jump is the loop's: from its end to its start, each within the last block's length.
    fn is_loop(&self, host: &HostTime, song: f64, last: Span) -> bool {
        let reach = f64::from(last.frames) * last.rate + DRIFT;
        host.cycle.is_some_and(|(start, end)| {
            (song - start).abs() <= reach && (self.song_at(Moment(self.now())) - end).abs() <= reach && song < end
        })
    }

    /// The loop's end, if the song passes it within this block: hosts need not cut blocks there. Only whole ticks, since the clock runs on.
    pub(super) fn wrap(&mut self, host: &HostTime, frames: u32) -> Option<Turn> {
        let (start, end) = host.cycle.filter(|_| host.playing && self.motion == Motion::Host && self.rate > 0.0)?;
        let length = end - start;
        let song = self.song_at(Moment(self.now()));
        let passes = song < end - EQUAL && song + f64::from(frames) * self.rate > end + EQUAL;
        if !passes || (length - length.round()).abs() > EQUAL || !matches!(host.position, Position::Musical(_)) {
            return None;
        }
        let sample = u32::try_from(whole(((end - song) / self.rate - SAMPLE_SLACK).ceil())).ok().filter(|&sample| sample < frames)?;
        let at = Moment(self.now() + f64::from(sample) * self.rate);
        self.song = self.song.saturating_sub(whole(length));
        self.lines.leave();
        self.bar = self.lines.bar_after_loop(start, self.bar);
        Some(Turn { cause: Cause::Loop, sample, at, song: self.song_tick(at), bar: self.bar })
    }

    /// A turn if the bar lines are no longer where they were.
    fn realign(&mut self, host: &HostTime) -> Option<Turn> {
        let bar = self.song_bar(host, self.song_at(Moment(self.now())));
        let same = bar.metre == self.bar.metre && bar.start.since(self.bar.start).0 % bar.metre.bar_length().0 == 0;
        self.bar = bar;
        (!same).then(|| self.turn(Cause::Metre))
    }

    /// The bar of the song in which the block begins.
    fn song_bar(&mut self, host: &HostTime, song: f64) -> SongBar {
        self.lines.bar(Place { song, metre: host.metre.unwrap_or(self.bar.metre), reported: host.bar_line })
    }

    fn turn(&self, cause: Cause) -> Turn {
        let at = Moment(self.now());
        Turn { cause, sample: 0, at, song: self.song_tick(at), bar: self.bar }
    }

    /// The tick of the song that the clock's tick stands for.
    pub(super) fn song_tick(&self, moment: Moment) -> SongPosition {
        SongPosition(moment.tick().0.saturating_add(self.song))
    }
}
