//! A random musician: phrases and rests, Play and Another, stops and returns.

use std::collections::VecDeque;

use antiphon_tests::Message;
use fastrand::Rng;

/// Modes by their step.
const INFILL: u8 = 4;
/// Bars of the loop that an infilling musician plays in; it contains the bars that are marked by default.
const LOOP_BARS: f64 = 8.0;

/// Degrees of a major scale from C3 on.
const SCALE: [u8; 10] = [48, 50, 52, 53, 55, 57, 59, 60, 62, 64];

/// What the musician does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Act {
    /// A message at a sample of the block.
    Send(u32, Message),
    /// The transport rolls from a position in quarters.
    Roll(f64),
    /// The transport stops.
    Halt,
    /// The host's loop is set between two positions in quarters, or off.
    Loop(Option<(f64, f64)>),
    /// A parameter is set, 0 to 1.
    Set(&'static str, f64),
}

/// Who plays when, of several musicians.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns {
    /// Number of this one, from 0.
    pub(crate) place: u32,
    /// How many there are.
    pub(crate) of: u32,
    /// How many play at any time.
    pub(crate) playing: u32,
}

impl Turns {
    /// Bars of a turn.
    const BARS: u32 = 8;

    /// Whether this one plays in a bar.
    const fn plays(self, bar: u32) -> bool {
        (bar / Self::BARS * self.playing + self.place) % self.of < self.playing
    }
}

/// One musician. Its time is in samples.
#[derive(Debug)]
pub(crate) struct Musician {
    random: Rng,
    /// Samples of a quarter.
    quarter: f64,
    /// Steps of Mode to choose among.
    modes: Vec<u8>,
    turns: Turns,
    now: u64,
    /// Acts to come, in order of time.
    ahead: VecDeque<(u64, Act)>,
    /// Where the next bar begins.
    bar: u64,
    /// Bars played so far.
    bars: u32,
    /// Step of Mode.
    mode: u8,
    /// Whether it rests while the plan sounds; otherwise it plays over it.
    listens: bool,
    /// Whether a planned note has sounded since the last bar line.
    hears: bool,
}

impl Musician {
    pub(crate) fn new(seed: u64, quarter: f64, modes: Vec<u8>, turns: Turns) -> Self {
        let ahead = VecDeque::from([(0, Act::Roll(0.0))]);
        Self { random: Rng::with_seed(seed), quarter, modes, turns, now: 0, ahead, bar: 0, bars: 0, mode: 0, listens: false, hears: false }
    }

    /// A planned note sounds.
    pub(crate) const fn hear(&mut self) {
        self.hears = true;
    }

    /// The acts of the next block.
    pub(crate) fn acts(&mut self, frames: u32) -> Vec<Act> {
        let end = self.now + u64::from(frames);
        while self.bar < end {
            self.compose_bar();
        }
        let mut acts = Vec::new();
        while let Some((at, act)) = self.ahead.pop_front_if(|(at, _)| *at < end) {
            let sample = u32::try_from(at.saturating_sub(self.now)).unwrap_or_default();
            acts.push(if let Act::Send(_, message) = act { Act::Send(sample, message) } else { act });
        }
        self.now = end;
        acts
    }

    /// Samples of so many quarters.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few bars")]
    fn samples(&self, quarters: f64) -> u64 {
        (quarters * self.quarter) as u64
    }

    /// Decides what happens in the next bar. Every note ends in it.
    fn compose_bar(&mut self) {
        let (start, half) = (self.bar, self.samples(0.5));
        let mut acts: Vec<(u64, Act)> = Vec::new();
        let plays = self.turns.plays(self.bars);
        if self.bars.is_multiple_of(Turns::BARS) {
            self.listens = self.random.bool();
        }
        let makes_room = std::mem::take(&mut self.hears) && self.listens;
        if plays && !makes_room && self.random.u8(..3) > 0 {
            let steps = [0.5, 1.0, 1.0, 2.0];
            let mut at = 0.0;
            while at < 4.0 {
                let length = steps[self.random.usize(..steps.len())];
                let (channel, key) = (0, SCALE[self.random.usize(..SCALE.len())]);
                if self.random.u8(..5) > 0 {
                    let on = start + self.samples(at);
                    let off = on + self.samples(f64::min(length, 4.0 - at) * 0.9);
                    let velocity = f32::from(self.random.u8(40..120)) / 127.0;
                    acts.push((on, Act::Send(0, Message::NoteOn { channel, key, velocity })));
                    acts.push((off, Act::Send(0, Message::NoteOff { channel, key, velocity: 0.0 })));
                }
                at += length;
            }
        }
        if plays && self.bars > 1 {
            let press = |name| [(start + half, Act::Set(name, 1.0)), (start + 2 * half, Act::Set(name, 0.0))];
            match self.random.u8(..16) {
                0..4 => acts.extend(press("Play")),
                4 => acts.extend(press("Another")),
                5 => acts.extend(press("Keep")),
                6 => acts.push((start + half, Act::Set("Bars ahead", f64::from(self.random.u8(..8)) / 7.0))),
                7 => {
                    self.mode = self.modes[self.random.usize(..self.modes.len())];
                    acts.push((start + half, Act::Set("Mode", f64::from(self.mode) / 4.0)));
                }
                _ => {}
            }
            // Now and then the song stops for two beats, or goes on elsewhere.
            match self.random.u8(..64) {
                0 => {
                    let position = f64::from(self.random.u8(..64)) * 4.0;
                    acts.extend([(start + self.samples(3.9), Act::Halt), (start + self.samples(3.95), Act::Roll(position))]);
                }
                1 => acts.push((start + self.samples(3.9), Act::Roll(f64::from(self.random.u8(..64)) * 4.0))),
                _ => {}
            }
        }
        if self.mode == INFILL && self.bars.is_multiple_of(Turns::BARS) {
            let end = Some((0.0, 4.0 * LOOP_BARS));
            acts.extend([(start, Act::Roll(0.0)), (start, Act::Loop(end))]);
            acts.push((start + half, Act::Set("Infill bars", f64::from(self.random.u8(..4)) / 7.0)));
        } else if self.mode != INFILL {
            acts.push((start, Act::Loop(None)));
        }
        acts.sort_by_key(|(at, act)| (*at, matches!(act, Act::Send(_, Message::NoteOn { .. }))));
        self.ahead.extend(acts);
        self.bar += self.samples(4.0);
        self.bars += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn musician_plays_paired_notes_presses_play_and_stops() {
        let mut musician = Musician::new(1, 1000.0, vec![0], Turns { place: 0, of: 1, playing: 1 });
        let acts: Vec<_> = (0..20_000).flat_map(|_| musician.acts(64)).collect();
        let count = |wanted: fn(&Act) -> bool| acts.iter().filter(|act| wanted(act)).count();
        let ons = count(|act| matches!(act, Act::Send(_, Message::NoteOn { .. })));
        let offs = count(|act| matches!(act, Act::Send(_, Message::NoteOff { .. })));
        assert!(ons > 200 && ons - offs < 2, "{ons} and {offs}");
        assert!(count(|act| *act == Act::Set("Play", 1.0)) > 10 && count(|act| *act == Act::Halt) > 0);
        assert_eq!(acts[0], Act::Roll(0.0));
    }

    #[test]
    fn musicians_take_turns_and_as_many_play_as_are_asked_for() {
        let turns = |place| Turns { place, of: 16, playing: 4 };
        for bar in 0..128 {
            assert_eq!((0..16).filter(|place| turns(*place).plays(bar)).count(), 4, "in bar {bar}");
        }
        assert!((0..16).all(|place| (0..32).filter(|bar| turns(place).plays(*bar)).count() == 8), "each has its eight bars");
    }
}
