//! Follows the host transport block by block, through loops, jumps and metre changes.

use antiphon_engine::plan::{SongBar, SongPosition};

use super::bar_lines::Place;
use super::span::SAMPLE_SLACK;
use super::{Cause, Clock, HostTime, Motion, MusicalTime, Position, Span, TransportEvent};
use antiphon_engine::plan::{EQUAL, whole};

/// Host rounding, in ticks, that is not corrected: Ardour's positions are whole 1920ths of a quarter.
pub(super) const ROUNDING: f64 = 1.5 * 24.0 / 1_920.0;
/// Largest difference to the host, in ticks, that is corrected gradually; more is a jump. A tempo change within the last block adds to it.
const DRIFT: f64 = 1.0;
/// How far, in ticks, the clock may be ahead of a jump target and wait for it. A host that loops by whole samples returns up to one sample
/// early or late, which must not cost a tick each time.
const WAIT: f64 = 0.25;

impl Clock {
    /// Compares host and clock at the start of a block, and sets the clock rate for the block.
    pub(super) fn follow(&mut self, host: &HostTime, rate: f64, last: Span, frames: u32) -> Option<TransportEvent> {
        if !host.playing {
            if self.was_playing {
                self.set_rate_from(self.now(), 0.0);
                self.motion = Motion::Stopped;
                self.lines.reset_position();
                return Some(self.transport_event(Cause::Stop));
            }
            let rate = if self.motion == Motion::Internal { rate } else { 0.0 };
            self.keep_rate(rate);
            if self.motion == Motion::Stopped
                && let Some(metre) = host.metre
            {
                // The metre of the first bar once the player starts it.
                self.bar.metre = metre;
            }
            return None;
        }
        let cause = if self.was_playing { Cause::Locate } else { Cause::Start };
        match host.position {
            Position::Unknown if self.was_playing => {
                self.motion = Motion::Internal;
                self.keep_rate(rate);
                None
            }
            Position::Unknown => {
                self.motion = Motion::Internal;
                self.set_rate_from(self.now().ceil(), rate);
                self.lines.reset_position();
                self.bar = self.song_bar(host, self.song_at(MusicalTime(self.anchor)));
                Some(self.transport_event(cause))
            }
            Position::Samples(sample) if self.motion == Motion::Host && self.next_sample == Some(sample) => {
                self.keep_rate(rate);
                self.realign(host)
            }
            Position::Samples(sample) => Some(self.jump(host, sample as f64 * rate, rate, cause, frames)),
            Position::Musical(song) if self.motion == Motion::Host => {
                let error = song - self.song_at(MusicalTime(self.now()));
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

    /// Continues at this rate.
    fn keep_rate(&mut self, rate: f64) {
        #[allow(clippy::float_cmp, reason = "an equal rate keeps the anchor; any other needs a new one")]
        if rate != self.rate {
            self.set_rate_from(self.now(), rate);
        }
    }

    /// Runs through this block so that its end coincides with the host's. Never backwards: a clock that is ahead stops.
    fn steer(&mut self, error: f64, rate: f64, frames: u32) {
        let frames = f64::from(frames.max(1));
        self.set_rate_from(self.now(), (rate + error / frames).max(0.0));
    }

    /// Maps the clock to another song position from here on, by a whole number of ticks. The clock advances to the same fraction of a tick,
    /// or waits if it is only slightly ahead.
    fn jump(&mut self, host: &HostTime, song: f64, rate: f64, cause: Cause, frames: u32) -> TransportEvent {
        let ahead = song - self.now();
        let nearest = ahead.round();
        let shift = if ahead - nearest >= -WAIT { nearest } else { ahead.floor() };
        let error = ahead - shift;
        self.song = whole(shift);
        self.motion = Motion::Host;
        if error < 0.0 {
            self.steer(error, rate, frames);
        } else {
            self.set_rate_from(self.now() + error, rate);
        }
        self.lines.reset_position();
        self.bar = self.song_bar(host, song);
        self.transport_event(cause)
    }

    /// Whether this jump is the loop's: from loop end to loop start, each within one block.
    fn is_loop(&self, host: &HostTime, song: f64, last: Span) -> bool {
        let reach = f64::from(last.frames) * last.rate + DRIFT;
        host.cycle.is_some_and(|(start, end)| {
            (song - start).abs() <= reach && (self.song_at(MusicalTime(self.now())) - end).abs() <= reach && song < end
        })
    }

    /// The loop end, if it falls within this block: hosts need not split blocks there. Only for loops of whole ticks, since the clock runs
    /// on.
    pub(super) fn wrap(&mut self, host: &HostTime, frames: u32) -> Option<TransportEvent> {
        let (start, end) = host.cycle.filter(|_| host.playing && self.motion == Motion::Host && self.rate > 0.0)?;
        let length = end - start;
        let song = self.song_at(MusicalTime(self.now()));
        let passes = song < end - EQUAL && song + f64::from(frames) * self.rate > end + EQUAL;
        if !passes || (length - length.round()).abs() > EQUAL || !matches!(host.position, Position::Musical(_)) {
            return None;
        }
        let sample = u32::try_from(whole(((end - song) / self.rate - SAMPLE_SLACK).ceil())).ok().filter(|&sample| sample < frames)?;
        let at = MusicalTime(self.now() + f64::from(sample) * self.rate);
        self.song = self.song.saturating_sub(whole(length));
        self.lines.reset_position();
        self.bar = self.lines.bar_after_loop(start, self.bar);
        Some(TransportEvent { cause: Cause::Loop, sample, at, song: self.song_tick(at), bar: self.bar })
    }

    /// A metre change event if the bar lines have moved.
    fn realign(&mut self, host: &HostTime) -> Option<TransportEvent> {
        let bar = self.song_bar(host, self.song_at(MusicalTime(self.now())));
        let same = bar.metre == self.bar.metre && bar.start.since(self.bar.start).0 % bar.metre.bar_length().0 == 0;
        self.bar = bar;
        (!same).then(|| self.transport_event(Cause::Metre))
    }

    /// The bar in which the block begins.
    fn song_bar(&mut self, host: &HostTime, song: f64) -> SongBar {
        self.lines.bar(Place { song, metre: host.metre.unwrap_or(self.bar.metre), reported: host.bar_line })
    }

    fn transport_event(&self, cause: Cause) -> TransportEvent {
        let at = MusicalTime(self.now());
        TransportEvent { cause, sample: 0, at, song: self.song_tick(at), bar: self.bar }
    }

    /// Song tick that corresponds to a clock time.
    pub(super) fn song_tick(&self, time: MusicalTime) -> SongPosition {
        SongPosition(time.tick().0.saturating_add(self.song))
    }
}
