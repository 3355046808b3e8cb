//! Samples to ticks and back: the host's transport as the engine's unwrapped clock.
//!
//! The clock runs at the host's tempo from the place it last knew. The position that the host reports with each block is a check, not the
//! time: taken at its word it would lose a beat in 45 at 133 bpm and 44.1 kHz, where a block's end and the next block's start round apart.
//! A small difference is steered away within the block, a large one is a jump. Jumps never turn the clock back: they change which place of
//! the song it stands for ([`Turn`]).

mod bar_lines;
mod follow;
mod host_time;
mod moment;
mod span;
#[cfg(test)]
mod tests;
mod turn;

use antiphon_engine::music::{Metre, TICKS_PER_QUARTER};
use antiphon_engine::plan::{SongBar, SongPosition};

use bar_lines::BarLines;
pub use host_time::{HostTime, Position};
pub use moment::Moment;
pub use span::Span;
pub use turn::{Cause, Turn, Turns};

/// The tempo until a host names one, in quarters per minute.
const FIRST_TEMPO: f64 = 120.0;

/// What drives the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Nothing: it waits for the player or the transport.
    Listening,
    /// The last tempo.
    Own,
    /// The host's position and tempo.
    Host,
}

/// The unwrapped clock of one instance.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Hertz; `None` if the host gave none that is one: the clock stands.
    sample_rate: Option<f64>,
    /// Quarters per minute.
    tempo: f64,
    motion: Motion,
    /// Whether the transport rolled in the last block.
    was_playing: bool,
    /// The clock's moment `run` samples ago.
    anchor: f64,
    /// Samples since then, all at `rate`, so that errors do not add up.
    run: u64,
    /// Ticks per sample.
    rate: f64,
    /// Song minus clock, in ticks.
    song: i64,
    bar: SongBar,
    lines: BarLines,
    /// What a host that counts samples says next.
    next_sample: Option<i64>,
    /// The last block.
    span: Span,
}

impl Clock {
    /// A clock at tick 0 that listens.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sample_rate: None,
            tempo: FIRST_TEMPO,
            motion: Motion::Listening,
            was_playing: false,
            anchor: 0.0,
            run: 0,
            rate: 0.0,
            song: 0,
            bar: SongBar { start: SongPosition(0), metre: Metre::COMMON },
            lines: BarLines::new(),
            next_sample: None,
            span: Span { start: 0.0, earliest: 0.0, rate: 0.0, frames: 0 },
        }
    }

    /// The host's sample rate, in hertz; one that is no rate stops the clock.
    pub fn set_sample_rate(&mut self, hertz: f32) {
        self.sample_rate = (hertz.is_finite() && hertz >= 1.0).then_some(f64::from(hertz));
        self.rest();
    }

    /// Stands still and listens, as after a reset: the next block of a rolling transport is a start.
    pub fn rest(&mut self) {
        self.hold(self.now(), 0.0);
        self.motion = Motion::Listening;
        self.was_playing = false;
        self.next_sample = None;
    }

    /// Begins a block: what turned at its start and within.
    pub fn begin(&mut self, host: &HostTime, frames: u32) -> Turns {
        let host = HostTime { playing: host.playing && self.has_sample_rate(), ..*host };
        let last = self.span;
        self.tempo = host.tempo.unwrap_or(self.tempo);
        let rate = self.sample_rate.map_or(0.0, |hertz| self.tempo * TICKS_PER_QUARTER as f64 / 60.0 / hertz);
        let earliest = self.now().max(last.end().0);
        let first = self.follow(&host, rate, last, frames);
        let within = self.wrap(&host, frames);
        self.next_sample = match host.position {
            Position::Samples(sample) if host.playing => Some(sample.saturating_add(i64::from(frames))),
            _ => None,
        };
        self.was_playing = host.playing;
        self.span = Span { start: self.now(), earliest, rate: self.rate, frames };
        self.run += u64::from(frames);
        Turns { first, within }
    }

    /// Starts a listening clock at a sample of the current block, on a whole tick and a bar line. `None` if it runs already, or cannot.
    pub fn wake(&mut self, sample: u32) -> Option<Turn> {
        let hertz = self.sample_rate.filter(|_| self.motion == Motion::Listening)?;
        let now = self.span.start.ceil();
        self.motion = Motion::Own;
        let rate = self.tempo * TICKS_PER_QUARTER as f64 / 60.0 / hertz;
        self.hold(now - f64::from(sample) * rate, rate);
        self.run = u64::from(self.span.frames);
        self.span = Span { start: self.anchor, rate, ..self.span };
        // Nobody says where the bars are: the first begins here.
        let song = self.song_tick(Moment(now));
        self.bar = SongBar { start: song, metre: self.bar.metre };
        Some(Turn { cause: Cause::Wake, sample, at: Moment(now), song, bar: self.bar })
    }

    /// The current block.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.span
    }

    /// What drives it.
    #[must_use]
    pub const fn motion(&self) -> Motion {
        self.motion
    }

    /// Quarters per minute.
    #[must_use]
    pub const fn tempo(&self) -> f64 {
        self.tempo
    }

    /// Where the song is while the clock is at this moment, in ticks.
    #[must_use]
    pub fn song_at(&self, moment: Moment) -> f64 {
        moment.0 + self.song as f64
    }

    /// Whether the host gave a sample rate.
    #[must_use]
    pub const fn has_sample_rate(&self) -> bool {
        self.sample_rate.is_some()
    }

    /// Whether the host's bar lines cannot be true, so that the bars are counted.
    #[must_use]
    pub fn counts_bars(&self) -> bool {
        self.lines.are_refuted()
    }

    /// The moment at which the next block begins.
    fn now(&self) -> f64 {
        self.anchor + self.run as f64 * self.rate
    }

    /// Runs on from here at this rate.
    fn hold(&mut self, moment: f64, rate: f64) {
        self.anchor = moment;
        self.run = 0;
        self.rate = rate;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
