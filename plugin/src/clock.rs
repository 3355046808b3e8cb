//! Samples to ticks and back: the host's transport as the engine's unwrapped clock.
//!
//! The clock runs at the host's tempo from the place it last knew. The position that the host reports with each block is a check, not the
//! time: taken at its word it would lose a beat in 45 at 133 bpm and 44.1 kHz, where a block's end and the next block's start round apart.
//! A small difference is steered away within the block, a large one is a jump. Jumps never turn the clock back: they change which place of
//! the song it stands for ([`Turn`]).

use antiphon_engine::music::{Metre, OFFSETS_PER_TICK, TICKS_PER_QUARTER, Tick};
use antiphon_engine::plan::{SongBar, SongPosition};
use nice_plug::prelude::Transport;

/// The tempo until a host names one, in quarters per minute.
const FIRST_TEMPO: f64 = 120.0;
/// Tempi that are believed, in quarters per minute.
const TEMPI: std::ops::RangeInclusive<f64> = 1.0..=5_000.0;
/// A host's rounding, in ticks, that is not worth steering after: Ardour's positions are whole 1920ths of a quarter.
const ROUNDING: f64 = 1.5 * 24.0 / 1_920.0;
/// A difference from the host, in ticks, that is steered away; a larger one is a jump. What a tempo change within the last block explains
/// comes on top.
const DRIFT: f64 = 1.0;
/// A moment this small part of a sample after a sample belongs to it: whole numbers do not survive arithmetic exactly.
const SAMPLE_SLACK: f64 = 1e-3;
/// How far, in ticks, the clock may be ahead of a place that the song jumps to: it waits there. A host that loops by whole samples comes back
/// up to one early or late, and must not cost a tick each time.
const WAIT: f64 = 0.25;
/// A difference, in ticks, between numbers that arithmetic should have left equal.
const EQUAL: f64 = 1e-6;
/// Positions that are believed, in ticks or samples: a thousand years, and exact as a float.
const FARTHEST: f64 = 1e15;

/// A moment on the unwrapped clock: ticks with their fraction.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Moment(pub f64);

impl Moment {
    /// The tick it lies in or on.
    #[must_use]
    pub fn tick(self) -> Tick {
        Tick(tick_of(self.0))
    }

    /// The nearest eighth of a tick: the nearest tick, and what is left, -4 to 3.
    #[must_use]
    pub fn nearest(self) -> (Tick, i8) {
        let eighths = whole(self.0 * OFFSETS_PER_TICK as f64);
        let onset = (eighths.saturating_add(OFFSETS_PER_TICK / 2)).div_euclid(OFFSETS_PER_TICK);
        (Tick(onset), i8::try_from(eighths.saturating_sub(onset.saturating_mul(OFFSETS_PER_TICK))).unwrap_or(0))
    }
}

impl From<Tick> for Moment {
    /// Exact below 2^53 ticks, six million years at 120 bpm.
    fn from(tick: Tick) -> Self {
        Self(tick.0 as f64)
    }
}

/// The nearest whole number; the nearest there is for what an `i64` cannot hold.
#[allow(clippy::cast_possible_truncation, reason = "`as` saturates, and takes NaN for 0")]
const fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// The tick that a number of ticks lies in or on.
const fn tick_of(ticks: f64) -> i64 {
    whole((ticks + EQUAL).floor())
}

/// Where the host says it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Position {
    /// In ticks from the start of the song.
    Musical(f64),
    /// In samples from the start of the song: no tempo map is known.
    Samples(i64),
    /// It does not say.
    Unknown,
}

/// What the host says about the time of a block. What is absurd is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostTime {
    /// Whether the transport rolls.
    pub playing: bool,
    /// Quarters per minute.
    pub tempo: Option<f64>,
    /// The time signature.
    pub metre: Option<Metre>,
    /// The block's first sample.
    pub position: Position,
    /// A bar line, in ticks from the start of the song. Hosts disagree on which: only its phase counts.
    pub bar_line: Option<f64>,
    /// The loop's start and end, in ticks from the start of the song, while it is on.
    pub cycle: Option<(f64, f64)>,
}

impl HostTime {
    /// Reads nice-plug's transport.
    #[must_use]
    pub fn read(transport: &Transport) -> Self {
        let ticks = |quarters: f64| Some(quarters * TICKS_PER_QUARTER as f64).filter(|ticks| ticks.abs() < FARTHEST);
        let number = |number: Option<i32>| number.and_then(|number| u8::try_from(number).ok());
        let metre = number(transport.time_sig_numerator).zip(number(transport.time_sig_denominator));
        let position = match transport.pos_beats {
            Some(quarters) => ticks(quarters).map(Position::Musical),
            None => transport.pos_samples().filter(|&sample| (sample as f64).abs() < FARTHEST).map(Position::Samples),
        };
        Self {
            playing: transport.playing,
            tempo: transport.tempo.filter(|tempo| TEMPI.contains(tempo)),
            metre: metre.and_then(|(numerator, denominator)| Metre::new(numerator, denominator)),
            position: position.unwrap_or(Position::Unknown),
            // A host that counts samples only has none: nice-plug would make one up from the tempo of the moment.
            bar_line: transport.pos_beats.and_then(|_| transport.bar_start_pos_beats()).and_then(ticks),
            cycle: transport
                .loop_range_beats()
                .and_then(|(start, end)| ticks(start).zip(ticks(end)))
                .filter(|(start, end)| end - start >= 1.0),
        }
    }
}

/// Why the clock's place in the song changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The transport started.
    Start,
    /// The transport stopped. The clock only listens.
    Stop,
    /// The song went on elsewhere.
    Locate,
    /// The song went back to the start of its loop.
    Loop,
    /// The player played, or pressed Play, with the transport stopped: the clock runs by itself.
    Wake,
    /// The metre or the bar lines changed, without a jump.
    Metre,
}

/// A change of the map from clock to song.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// Why.
    pub cause: Cause,
    /// When, in samples from the start of the block.
    pub sample: u32,
    /// When, on the clock.
    pub at: Moment,
    /// The tick of the song that the clock's tick stands for from now on.
    pub song: SongPosition,
    /// A bar line of the song, and the metre.
    pub bar: SongBar,
}

/// The turns of a block: one at its first sample, one within.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Turns {
    /// At the first sample.
    pub first: Option<Turn>,
    /// Later: the song's loop wraps around.
    pub within: Option<Turn>,
}

/// A block on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// The first sample's moment.
    start: f64,
    /// Nothing in the block lies before it.
    earliest: f64,
    /// Ticks per sample; 0 while the clock stands.
    rate: f64,
    /// Samples.
    frames: u32,
}

impl Span {
    /// The moment of a sample.
    #[must_use]
    pub fn moment(&self, sample: u32) -> Moment {
        Moment((self.start + f64::from(sample) * self.rate).max(self.earliest))
    }

    /// The moment after its last sample.
    #[must_use]
    pub fn end(&self) -> Moment {
        self.moment(self.frames)
    }

    /// The first sample at or after a moment: negative if it is over before the block, at least `frames` if it comes after the block. While
    /// the clock stands, what is not over is never.
    #[must_use]
    pub fn sample(&self, moment: Moment) -> i64 {
        let ahead = moment.0 - self.start;
        if self.rate > 0.0 {
            whole((ahead / self.rate - SAMPLE_SLACK).ceil())
        } else if ahead < 0.0 {
            -1
        } else {
            i64::MAX
        }
    }

    /// Samples in it.
    #[must_use]
    pub const fn frames(&self) -> u32 {
        self.frames
    }
}

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

    /// Compares the host's time with the clock's at the start of a block, and sets the rate for the block.
    fn follow(&mut self, host: &HostTime, rate: f64, last: Span, frames: u32) -> Option<Turn> {
        if !host.playing {
            if self.was_playing {
                self.hold(self.now(), 0.0);
                self.motion = Motion::Listening;
                return Some(self.turn(Cause::Stop));
            }
            let rate = if self.motion == Motion::Own { rate } else { 0.0 };
            self.keep_rate(rate);
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
    fn wrap(&mut self, host: &HostTime, frames: u32) -> Option<Turn> {
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
        self.bar = SongBar { start: SongPosition(self.bar.start.0.saturating_sub(whole(length))), metre: self.bar.metre };
        Some(Turn { cause: Cause::Loop, sample, at, song: self.song_tick(at), bar: self.bar })
    }

    /// A turn if the bar lines are no longer where they were.
    fn realign(&mut self, host: &HostTime) -> Option<Turn> {
        let bar = self.song_bar(host, self.song_at(Moment(self.now())));
        let same = bar.metre == self.bar.metre && bar.start.since(self.bar.start).0 % bar.metre.bar_length().0 == 0;
        self.bar = bar;
        (!same).then(|| self.turn(Cause::Metre))
    }

    /// A bar line of the song: the host's, or, from a host that names none, one counted from the start of the song.
    fn song_bar(&self, host: &HostTime, song: f64) -> SongBar {
        let metre = host.metre.unwrap_or(self.bar.metre);
        let length = metre.bar_length().0;
        let start = host.bar_line.map_or_else(|| tick_of(song).div_euclid(length) * length, whole);
        SongBar { start: SongPosition(start), metre }
    }

    fn turn(&self, cause: Cause) -> Turn {
        let at = Moment(self.now());
        Turn { cause, sample: 0, at, song: self.song_tick(at), bar: self.bar }
    }

    /// The tick of the song that the clock's tick stands for.
    fn song_tick(&self, moment: Moment) -> SongPosition {
        SongPosition(moment.tick().0.saturating_add(self.song))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SILENT: HostTime =
        HostTime { playing: false, tempo: None, metre: None, position: Position::Unknown, bar_line: None, cycle: None };

    /// A host that plays from a place of its song at a steady tempo.
    struct Host {
        clock: Clock,
        hertz: f64,
        time: HostTime,
        /// Samples played since the last locate.
        played: u64,
        from: f64,
    }

    impl Host {
        fn new(tempo: f64, hertz: f32) -> Self {
            let mut clock = Clock::new();
            clock.set_sample_rate(hertz);
            let time = HostTime { playing: true, tempo: Some(tempo), metre: Some(Metre::COMMON), ..SILENT };
            Self { clock, hertz: f64::from(hertz), time, played: 0, from: 0.0 }
        }

        fn rate(&self) -> f64 {
            self.time.tempo.unwrap() * 24.0 / 60.0 / self.hertz
        }

        fn song(&self) -> f64 {
            self.from + self.played as f64 * self.rate()
        }

        fn block(&mut self, frames: u32) -> Turns {
            self.time.position = Position::Musical(self.song());
            self.played += u64::from(frames);
            self.clock.begin(&self.time, frames)
        }

        fn locate(&mut self, to: f64) {
            (self.from, self.played) = (to, 0);
        }
    }

    fn cause(turn: Option<Turn>) -> Option<Cause> {
        turn.map(|turn| turn.cause)
    }

    /// Lengths of blocks: fixed, and as random as it takes.
    fn lengths(seed: u32) -> impl Iterator<Item = u32> {
        let mut state = seed;
        std::iter::from_fn(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some(state % 2048 + 1)
        })
    }

    #[test]
    fn time_is_taken_to_the_nearest_tick_and_eighth() {
        let at = |ticks| Moment(ticks).nearest();
        assert_eq!([at(3.0), at(3.375), at(3.5), at(3.99)], [(Tick(3), 0), (Tick(3), 3), (Tick(4), -4), (Tick(4), 0)]);
    }

    #[test]
    fn every_tick_has_its_sample_whatever_the_blocks() {
        for (tempo, hertz) in [(133.0, 44_100.0), (120.0, 48_000.0), (97.3, 96_000.0), (120.0, 44_100.0), (61.0, 22_050.0)] {
            for seed in 0..4 {
                let mut host = Host::new(tempo, hertz);
                let per_tick = 1.0 / host.rate();
                let mut tick = 0i64;
                let mut before = 0i64;
                for frames in lengths(seed).take(3000) {
                    host.block(frames);
                    let span = host.clock.span();
                    loop {
                        let sample = span.sample(Moment::from(Tick(tick)));
                        if sample >= i64::from(frames) {
                            break;
                        }
                        let expected = whole((tick as f64 * per_tick - SAMPLE_SLACK).ceil());
                        assert_eq!(before + sample, expected, "{tempo} bpm at {hertz} Hz, tick {tick}");
                        tick += 1;
                    }
                    before += i64::from(frames);
                }
                assert!(tick > 1000);
            }
        }
    }

    #[test]
    fn a_start_takes_over_the_fraction_of_a_tick() {
        let mut host = Host::new(120.0, 48_000.0);
        host.locate(77.25);
        let turn = host.block(64).first.unwrap();
        assert_eq!((turn.cause, turn.at, turn.song), (Cause::Start, Moment(0.25), SongPosition(77)));
        assert_eq!(turn.bar, SongBar { start: SongPosition(0), metre: Metre::COMMON });
        assert_eq!(host.block(64), Turns::default());
    }

    #[test]
    fn a_locate_never_turns_the_clock_back() {
        let mut host = Host::new(120.0, 48_000.0);
        host.block(48_000);
        host.locate(5.5);
        let turn = host.block(64).first.unwrap();
        assert_eq!((turn.cause, turn.at, turn.song), (Cause::Locate, Moment(48.5), SongPosition(5)));
    }

    #[test]
    fn a_loop_wraps_within_the_block() {
        let mut host = Host::new(120.0, 48_000.0);
        host.time.cycle = Some((96.0, 192.0));
        host.locate(190.0);
        // Two ticks to the end, 1000 samples each.
        let turns = host.block(3000);
        let wrap = turns.within.unwrap();
        assert_eq!((wrap.cause, wrap.sample, wrap.at, wrap.song), (Cause::Loop, 2000, Moment(2.0), SongPosition(96)));
        host.locate(97.0);
        assert_eq!(host.block(500), Turns::default());
        assert_eq!(host.clock.span().start, 3.0);
    }

    #[test]
    fn a_loop_between_blocks_is_told_from_a_locate() {
        let mut host = Host::new(120.0, 48_000.0);
        host.time.cycle = Some((96.0, 192.0));
        host.locate(191.0);
        assert_eq!(host.block(1000).within, None);
        host.locate(96.0);
        assert_eq!(cause(host.block(64).first), Some(Cause::Loop));
        host.locate(150.0);
        assert_eq!(cause(host.block(64).first), Some(Cause::Locate));
    }

    #[test]
    fn a_loop_cut_at_whole_samples_costs_no_tick() {
        let mut host = Host::new(133.0, 44_100.0);
        host.time.cycle = Some((96.0, 192.0));
        host.locate(96.0);
        let mut before = host.block(1).first.unwrap().at.tick();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some samples of a bar")]
        let bar = (96.0 / host.rate()).ceil() as u64;
        for pass in 0..50 {
            while host.played < bar {
                let frames = u32::try_from(bar - host.played).unwrap().min(512);
                let turns = host.block(frames);
                assert!(turns == Turns::default(), "{pass}: {turns:?}");
            }
            host.locate(96.0);
            let turn = host.block(512).first.unwrap();
            assert_eq!((turn.cause, turn.song, turn.at.tick() - before), (Cause::Loop, SongPosition(96), Tick(96)), "{pass}");
            before = turn.at.tick();
        }
    }

    #[test]
    fn ardours_rounding_does_not_move_the_clock() {
        let mut host = Host::new(133.0, 44_100.0);
        for frames in lengths(7).take(2000) {
            host.time.position = Position::Musical((host.song() * 80.0).round() / 80.0);
            host.played += u64::from(frames);
            let turns = host.clock.begin(&host.time, frames);
            assert!(turns.first.is_none_or(|turn| turn.cause == Cause::Start), "{turns:?}");
            assert!((host.clock.span().end().0 - host.song()).abs() < 1e-6);
        }
    }

    #[test]
    fn a_tempo_ramp_is_followed_without_jumps() {
        let mut host = Host::new(60.0, 48_000.0);
        let (mut song, mut tempo, mut before) = (0.0, 60.0, 0.0);
        for block in 0..2000 {
            host.time.tempo = Some(tempo);
            host.time.position = Position::Musical(song);
            let turns = host.clock.begin(&host.time, 512);
            assert!(turns.first.is_none() || block == 0, "{turns:?}");
            let end = host.clock.span().end().0;
            assert!(end >= before);
            before = end;
            // The ramp goes on within the block: half of it counts for the block.
            let next: f64 = if block < 1000 { tempo + 0.2 } else { tempo - 0.15 };
            song += 512.0 * (tempo + next) / 2.0 * 24.0 / 60.0 / 48_000.0;
            tempo = next;
            assert!((host.clock.span().end().0 - song).abs() < 2.0 * ROUNDING, "{block}");
        }
    }

    #[test]
    fn a_tempo_change_within_a_block_is_no_jump() {
        let mut host = Host::new(60.0, 48_000.0);
        host.block(8192);
        // 200 bpm from the block's first sample on, as told only with the next.
        host.locate(8192.0 * 200.0 * 24.0 / 60.0 / 48_000.0);
        host.time.tempo = Some(200.0);
        assert_eq!(host.block(8192), Turns::default());
        assert!((host.clock.span().end().0 - host.song()).abs() < 1e-9);
    }

    #[test]
    fn stopping_and_starting_are_told() {
        let mut host = Host::new(120.0, 48_000.0);
        host.block(100);
        host.time.playing = false;
        assert_eq!(cause(host.block(100).first), Some(Cause::Stop));
        assert_eq!(host.block(100), Turns::default());
        assert_eq!(host.clock.motion(), Motion::Listening);
        host.time.playing = true;
        assert_eq!(cause(host.block(100).first), Some(Cause::Start));
    }

    #[test]
    fn without_a_transport_the_player_starts_the_clock() {
        let mut clock = Clock::new();
        clock.set_sample_rate(48_000.0);
        assert_eq!(clock.begin(&SILENT, 256), Turns::default());
        assert_eq!(clock.span().end(), Moment(0.0));
        clock.begin(&SILENT, 2048);
        let turn = clock.wake(40).unwrap();
        assert_eq!((turn.cause, turn.sample, turn.at), (Cause::Wake, 40, Moment(0.0)));
        assert_eq!(clock.wake(50), None);
        assert_eq!(clock.span().sample(Moment(1.0)), 1040);
        // Before it, the clock stood.
        assert_eq!(clock.span().moment(0), Moment(0.0));
        clock.begin(&SILENT, 256);
        assert_eq!(clock.span().sample(Moment(2.0)), 2040 - 2048);
        assert_eq!(clock.span().sample(Moment(3.0)), 3040 - 2048);
    }

    #[test]
    fn a_host_that_counts_samples_is_followed_through_tempo_changes() {
        let mut host = Host::new(120.0, 48_000.0);
        for (number, tempo) in (0i64..).zip([120.0, 120.0, 180.0, 90.0]) {
            host.time.tempo = Some(tempo);
            host.time.position = Position::Samples(number * 4800);
            let turns = host.clock.begin(&host.time, 4800);
            assert_eq!(cause(turns.first), (number == 0).then_some(Cause::Start));
        }
        // A tenth of a second each.
        assert!((host.clock.span().end().0 - (4.8 + 4.8 + 7.2 + 3.6)).abs() < 1e-9);
        host.time.position = Position::Samples(0);
        assert_eq!(cause(host.clock.begin(&host.time, 64).first), Some(Cause::Locate));
    }

    #[test]
    fn a_new_metre_turns_the_bar_lines_only() {
        let mut host = Host::new(120.0, 48_000.0);
        host.time.bar_line = Some(0.0);
        host.block(96_000);
        host.time.metre = Metre::new(3, 4);
        host.time.bar_line = Some(96.0);
        let turn = host.block(64).first.unwrap();
        assert_eq!((turn.cause, turn.at), (Cause::Metre, Moment(96.0)));
        // The next bar's start, as Ardour says it, is the same phase.
        host.time.bar_line = Some(168.0);
        assert_eq!(host.block(64), Turns::default());
    }

    #[test]
    fn without_a_sample_rate_the_clock_stands() {
        for hertz in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let mut host = Host::new(120.0, 48_000.0);
            host.clock.set_sample_rate(hertz);
            assert_eq!(host.block(64), Turns::default());
            assert_eq!(host.block(64), Turns::default());
            assert_eq!(host.clock.wake(0), None);
            assert_eq!(host.clock.span().end(), Moment(0.0));
        }
    }

    #[test]
    fn absurd_transports_are_read_as_silence() {
        let mut transport = Transport::new(0.0);
        (transport.playing, transport.tempo) = (true, Some(0.0));
        (transport.time_sig_numerator, transport.time_sig_denominator) = (Some(0), Some(0));
        (transport.pos_beats, transport.loop_range_beats) = (Some(f64::NAN), Some((4.0, 4.0)));
        let read = HostTime::read(&transport);
        assert_eq!(read, HostTime { playing: true, ..SILENT });
    }

    fn host_time() -> impl Strategy<Value = HostTime> {
        let position = prop_oneof![
            (-1e4..1e5f64).prop_map(Position::Musical),
            (-1e15..1e15f64).prop_map(Position::Musical),
            any::<i32>().prop_map(|sample| Position::Samples(sample.into())),
            Just(Position::Unknown),
        ];
        let cycle = prop::option::of((-100.0..1e3f64, 1.0..1e3f64).prop_map(|(start, length)| (start, start + length)));
        let metre = prop::option::of((1..=16u8, 0..=5u32).prop_map(|(numerator, power)| Metre::new(numerator, 1 << power).unwrap()));
        let bar_line = prop::option::of(-1e15..1e15f64);
        (any::<bool>(), prop::option::of(1.0..5000.0f64), metre, position, bar_line, cycle)
            .prop_map(|(playing, tempo, metre, position, bar_line, cycle)| HostTime { playing, tempo, metre, position, bar_line, cycle })
    }

    proptest! {
        /// Whatever a host says, the clock never runs back, and every turn has the fraction of its song.
        #[test]
        fn the_clock_never_runs_back(blocks in prop::collection::vec((host_time(), 0..5000u32, any::<bool>()), 1..60)) {
            let mut clock = Clock::new();
            clock.set_sample_rate(44_100.0);
            let mut before = Moment(0.0);
            for (time, frames, wakes) in blocks {
                let turns = clock.begin(&time, frames);
                let woken = if wakes { clock.wake(frames / 2) } else { None };
                let span = clock.span();
                for sample in [0, frames / 3, frames] {
                    prop_assert!(span.moment(sample) >= before, "{:?} {:?}", span.moment(sample), before);
                    before = span.moment(sample);
                }
                for turn in turns.first.into_iter().chain(turns.within).chain(woken) {
                    prop_assert!(turn.sample == 0 || turn.sample < frames || frames == 0);
                    prop_assert!(turn.at >= Moment(0.0) && turn.at.0 <= span.end().0 + EQUAL);
                }
            }
        }
    }
}
