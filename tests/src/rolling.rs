//! A rolling transport, and sequences of block lengths.

use crate::{Block, Host, Timed, Transport};

/// A song playing at a steady tempo.
#[derive(Debug, Clone, Copy)]
pub struct RollingTransport {
    /// Quarters per minute.
    pub tempo: f64,
    /// Sample rate in hertz.
    pub sample_rate: f64,
    /// Start position in quarters.
    pub from: f64,
    /// Samples played since then.
    pub played: u64,
    /// Numerator and denominator.
    pub metre: (u16, u16),
    /// Loop in quarters. Blocks are not split at its end.
    pub cycle: Option<(f64, f64)>,
}

impl RollingTransport {
    /// Starts at the beginning of the song.
    #[must_use]
    pub const fn new(tempo: f64, sample_rate: f64) -> Self {
        Self { tempo, sample_rate, from: 0.0, played: 0, metre: (4, 4), cycle: None }
    }

    /// Samples per tick; a quarter has 24 ticks.
    #[must_use]
    pub fn samples_per_tick(&self) -> f64 {
        self.sample_rate * 60.0 / self.tempo / 24.0
    }

    /// First sample at or after a tick from the start. A thousandth of a sample is tolerated as rounding.
    #[must_use]
    pub fn sample_of(&self, tick: f64) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample of a short song")]
        let sample = (tick * self.samples_per_tick() - 1e-3).ceil() as u64;
        sample
    }

    /// Length of a bar in quarters.
    #[must_use]
    pub fn quarters_per_bar(&self) -> f64 {
        f64::from(self.metre.0) * 4.0 / f64::from(self.metre.1)
    }

    /// Transport information for the next block.
    #[must_use]
    pub fn transport(&self) -> Transport {
        let straight = self.from + self.played as f64 / self.samples_per_tick() / 24.0;
        let position = match self.cycle {
            Some((start, end)) if straight >= end => start + (straight - start) % (end - start),
            _ => straight,
        };
        let bar = (position / self.quarters_per_bar()).floor() * self.quarters_per_bar();
        Transport {
            playing: true,
            tempo: Some(self.tempo),
            metre: Some(self.metre),
            position: Some(position),
            bar: Some(bar),
            cycle: self.cycle,
        }
    }

    /// Plays blocks of these lengths up to a sample. Input `messages` and output are timed from the start. `between` is called before each
    /// block with the samples played so far and the block length.
    pub fn play(
        &mut self,
        host: &mut dyn Host,
        mut lengths: Lengths,
        messages: &[Timed],
        until: u64,
        mut between: impl FnMut(u64, u32),
    ) -> Vec<Timed> {
        let mut out = Vec::new();
        let mut left = messages;
        while self.played < until {
            let frames = lengths.next_length().min(u32::try_from(until - self.played).unwrap_or(u32::MAX));
            let start = self.played;
            let now = left.partition_point(|message| message.sample < start + u64::from(frames));
            let inside: Vec<_> = left[..now].iter().map(|timed| Timed { sample: timed.sample - start, ..*timed }).collect();
            left = &left[now..];
            between(start, frames);
            let block = Block { frames, transport: Some(self.transport()), messages: &inside, ..Block::default() };
            out.extend(host.process(&block).messages.iter().map(|timed| Timed { sample: timed.sample + start, ..*timed }));
            self.played += u64::from(frames);
        }
        out
    }
}

/// Block lengths.
#[derive(Debug, Clone, Copy)]
pub enum Lengths {
    /// Constant.
    Fixed(u32),
    /// Pseudo-random, 1 to 2,048, from this seed.
    Random(u32),
}

impl Lengths {
    fn next_length(&mut self) -> u32 {
        match self {
            Self::Fixed(frames) => *frames,
            Self::Random(state) => {
                // Numerical Recipes' generator; its high bits are the random ones.
                *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (*state >> 16) % 2048 + 1
            }
        }
    }
}
