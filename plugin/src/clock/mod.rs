//! Samples to ticks and back: the host transport as the engine's unwrapped clock, which never runs backwards.
//!
//! The clock runs at the host's tempo from the last known position. The position the host reports with each block is only a check: taken
//! literally it would lose a beat in 45 at 133 bpm and 44.1 kHz, because block end and next block start round differently. Small
//! differences are corrected within the block; a large one is a jump. A jump changes the mapping from clock to song position
//! ([`TransportEvent`]), not the clock.

mod bar_lines;
mod follow;
mod host_time;
mod span;
#[cfg(test)]
mod tests;
mod transport_event;

use antiphon_engine::music::{Metre, TICKS_PER_QUARTER};
pub use antiphon_engine::plan::{Cause, MusicalTime};
use antiphon_engine::plan::{SongBar, SongPosition};

use bar_lines::BarLines;
pub use host_time::{HostTime, Position};
pub use span::Span;
pub use transport_event::{TransportEvent, TransportEvents};

/// Tempo before the host reports one, in quarters per minute.
const FIRST_TEMPO: f64 = 120.0;

/// What drives the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Nothing: the clock is stopped until the player or the transport starts it.
    Stopped,
    /// The clock itself, at the last tempo.
    Internal,
    /// The host's position and tempo.
    Host,
}

/// The unwrapped musical clock of one instance.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Sample rate in hertz; `None` if missing or invalid, in which case the clock is stopped.
    sample_rate: Option<f64>,
    /// Quarters per minute.
    tempo: f64,
    motion: Motion,
    /// Whether the transport rolled in the last block.
    was_playing: bool,
    /// Clock time in ticks, `run` samples ago.
    anchor: f64,
    /// Samples since `anchor`, all at `rate`. Multiplying avoids accumulated rounding.
    run: u64,
    /// Ticks per sample.
    rate: f64,
    /// Song position minus clock time, in ticks.
    song: i64,
    /// Ticks that the song went back within the current block, at its loop's end.
    wrapped: i64,
    bar: SongBar,
    lines: BarLines,
    /// Expected sample position of the next block, for hosts that report samples only.
    next_sample: Option<i64>,
    /// The current block.
    span: Span,
}

impl Clock {
    /// A stopped clock at tick 0.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sample_rate: None,
            tempo: FIRST_TEMPO,
            motion: Motion::Stopped,
            was_playing: false,
            anchor: 0.0,
            run: 0,
            rate: 0.0,
            song: 0,
            wrapped: 0,
            bar: SongBar { start: SongPosition(0), metre: Metre::COMMON },
            lines: BarLines::new(),
            next_sample: None,
            span: Span { start: 0.0, earliest: 0.0, rate: 0.0, frames: 0 },
        }
    }

    /// Sets the sample rate in hertz; an invalid one stops the clock.
    pub fn set_sample_rate(&mut self, hertz: f32) {
        self.sample_rate = (hertz.is_finite() && hertz >= 1.0).then_some(f64::from(hertz));
        self.stop();
    }

    /// Stops the clock, as after a reset: the next block with a rolling transport starts it.
    pub fn stop(&mut self) {
        self.set_rate_from(self.now(), 0.0);
        self.motion = Motion::Stopped;
        self.was_playing = false;
        self.next_sample = None;
    }

    /// Begins a block. Returns the transport changes at its start and within it.
    ///
    /// A jump backwards in the song does not turn the clock back; it changes the song position the clock stands for:
    ///
    /// ```
    /// use antiphon_plugin::clock::{Cause, Clock, HostTime, Position};
    ///
    /// let at = |ticks| HostTime {
    ///     playing: true,
    ///     tempo: Some(120.0),
    ///     metre: None,
    ///     position: Position::Musical(ticks),
    ///     bar_line: None,
    ///     cycle: None,
    /// };
    /// let mut clock = Clock::new();
    /// clock.set_sample_rate(48_000.0);
    /// clock.begin(&at(96.0), 1_000); // One tick long.
    /// let locate = clock.begin(&at(0.0), 1_000).first.expect("a transport change");
    /// assert_eq!((locate.cause, locate.at.0, locate.song.0), (Cause::Locate, 1.0, 0));
    /// ```
    pub fn begin(&mut self, host: &HostTime, frames: u32) -> TransportEvents {
        let host = HostTime { playing: host.playing && self.has_sample_rate(), ..*host };
        let last = self.span;
        self.tempo = host.tempo.unwrap_or(self.tempo);
        let rate = self.sample_rate.map_or(0.0, |hertz| self.tempo * TICKS_PER_QUARTER as f64 / 60.0 / hertz);
        let earliest = self.now().max(last.end().0);
        let first = self.follow(&host, rate, last, frames);
        let song = self.song;
        let within = self.wrap(&host, frames);
        self.wrapped = song.saturating_sub(self.song);
        self.next_sample = match host.position {
            Position::Samples(sample) if host.playing => Some(sample.saturating_add(i64::from(frames))),
            _ => None,
        };
        self.was_playing = host.playing;
        self.span = Span { start: self.now(), earliest, rate: self.rate, frames };
        self.run += u64::from(frames);
        TransportEvents { first, within }
    }

    /// Starts a stopped clock at a sample of the current block, on a whole tick and a bar line. `None` if it is running or cannot run.
    pub fn start(&mut self, sample: u32) -> Option<TransportEvent> {
        let hertz = self.sample_rate.filter(|_| self.motion == Motion::Stopped)?;
        let now = self.span.start.ceil();
        self.motion = Motion::Internal;
        let rate = self.tempo * TICKS_PER_QUARTER as f64 / 60.0 / hertz;
        self.set_rate_from(now - f64::from(sample) * rate, rate);
        self.run = u64::from(self.span.frames);
        self.span = Span { start: self.anchor, rate, ..self.span };
        // No host bar lines: the first bar begins here.
        let song = self.song_tick(MusicalTime(now));
        self.bar = SongBar { start: song, metre: self.bar.metre };
        Some(TransportEvent { cause: Cause::Wake, sample, at: MusicalTime(now), song, bar: self.bar })
    }

    /// The current block.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// What drives the clock.
    #[must_use]
    pub const fn motion(&self) -> Motion {
        self.motion
    }

    /// Quarters per minute.
    #[must_use]
    pub const fn tempo(&self) -> f64 {
        self.tempo
    }

    /// Song position, in ticks, at a clock time.
    #[must_use]
    pub fn song_at(&self, time: MusicalTime) -> f64 {
        time.0 + self.song as f64
    }

    /// Song position minus clock time, in ticks, of the block up to its loop's end and after it.
    #[must_use]
    pub const fn song_shifts(&self) -> (i64, i64) {
        (self.song.saturating_add(self.wrapped), self.song)
    }

    /// Whether the host set a valid sample rate.
    #[must_use]
    pub const fn has_sample_rate(&self) -> bool {
        self.sample_rate.is_some()
    }

    /// Whether bars are counted because the host's bar lines are implausible.
    #[must_use]
    pub fn counts_bars(&self) -> bool {
        self.lines.are_refuted()
    }

    /// Clock time, in ticks, at the start of the next block.
    fn now(&self) -> f64 {
        self.anchor + self.run as f64 * self.rate
    }

    /// Runs on from this time at this rate.
    fn set_rate_from(&mut self, time: f64, rate: f64) {
        self.anchor = time;
        self.run = 0;
        self.rate = rate;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
