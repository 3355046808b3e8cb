//! One voice: a note, made a chunk at a time, and how it starts and ends.

use antiphon_engine::plan::Key;

use super::tone::Tone;
use super::wave::{self, CHUNK, Chunk};

/// A voice that is quieter than this, -94 dB, has ended.
const SILENCE: f32 = 2e-5;
/// Of a voice that never sounded.
const NO_KEY: Key = Key::new(0, 0).unwrap();

/// Why a voice still sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    /// It has ended.
    Idle,
    /// Nothing holds it: it falls.
    Free,
    /// The pedal.
    Pedal,
    /// Its key.
    Key,
}

/// A voice.
pub(super) struct Voice {
    /// What it plays, as it stands at the end of the chunk.
    tone: Tone,
    key: Key,
    hold: Hold,
    /// 0 to 1, while it starts; at the end of the chunk.
    rise: f32,
    /// What each sample is multiplied by once nothing holds it.
    falling: f32,
    /// Its next samples, both parts together.
    chunk: Chunk,
    /// Samples of the chunk that were heard.
    heard: usize,
}

impl Voice {
    /// A voice that has ended, of a note that was never heard.
    pub(super) const fn new(tone: Tone) -> Self {
        Self { tone, key: NO_KEY, hold: Hold::Idle, rise: 0.0, falling: 1.0, chunk: [0.0; CHUNK], heard: CHUNK }
    }

    pub(super) const fn key(&self) -> Key {
        self.key
    }

    pub(super) const fn hold(&self) -> Hold {
        self.hold
    }

    /// How loud it is at most from the end of the chunk on.
    pub(super) fn loudness(&self) -> f32 {
        self.tone.levels[0] + self.tone.levels[1]
    }

    /// Starts a note. Hands back what it cuts off of the note before: a sample of each side.
    pub(super) fn start(&mut self, key: Key, tone: Tone) -> [f32; 2] {
        let last = if self.hold == Hold::Idle { 0.0 } else { self.heard.checked_sub(1).map_or(0.0, |last| self.chunk[last]) };
        let cut = self.tone.sides.map(|side| side * last);
        *self = Self { key, hold: Hold::Key, ..Self::new(tone) };
        cut
    }

    /// Its key is up; the pedal may hold it on.
    pub(super) fn let_go(&mut self, pedal: bool) {
        match (self.hold, pedal) {
            (Hold::Key, true) => self.hold = Hold::Pedal,
            (Hold::Key | Hold::Pedal, false) => {
                self.hold = Hold::Free;
                self.fall(self.tone.release);
            }
            _ => {}
        }
    }

    /// It ends as fast as can be without a click: its samples are multiplied by this, each once more than the one before.
    pub(super) fn fade(&mut self, factor: f32) {
        if self.hold != Hold::Idle {
            self.hold = Hold::Free;
            self.fall(factor);
        }
    }

    /// It ends here.
    pub(super) const fn stop(&mut self) {
        self.hold = Hold::Idle;
    }

    /// Adds its next samples. `bend` multiplies its pitch from the next chunk on.
    pub(super) fn add(&mut self, bend: f32, left: &mut [f32], right: &mut [f32]) {
        let mut done = 0;
        while done < left.len() && self.hold != Hold::Idle {
            if self.heard == CHUNK && !self.fill(bend) {
                return;
            }
            let count = (CHUNK - self.heard).min(left.len() - done);
            let (span, ahead) = (self.heard..self.heard + count, done..done + count);
            for (sample, (left, right)) in self.chunk[span].iter().zip(left[ahead.clone()].iter_mut().zip(&mut right[ahead])) {
                *left += self.tone.sides[0] * sample;
                *right += self.tone.sides[1] * sample;
            }
            self.heard += count;
            done += count;
        }
    }

    /// Makes the next chunk; whether there is any more to hear.
    fn fill(&mut self, bend: f32) -> bool {
        if self.loudness() < SILENCE {
            self.hold = Hold::Idle;
            return false;
        }
        let Tone { source, levels, decays, rise, .. } = &mut self.tone;
        // What nobody hears need not be made, and must not become subnormal.
        for level in levels.iter_mut().filter(|level| **level < SILENCE * 1e-3) {
            *level = 0.0;
        }
        let parts = source.next(bend, levels.map(|level| level > 0.0));
        self.chunk = [0.0; CHUNK];
        for ((part, level), decay) in parts.into_iter().zip(levels).zip(decays) {
            let Some(part) = part else { continue };
            let levels = wave::fall(level, *decay * self.falling);
            for (sample, (part, level)) in self.chunk.iter_mut().zip(part.into_iter().zip(levels)) {
                *sample += part * level;
            }
        }
        if self.rise < 1.0 {
            for sample in &mut self.chunk {
                self.rise = (self.rise + *rise).min(1.0);
                *sample *= self.rise;
            }
        }
        self.heard = 0;
        true
    }

    /// From its next sample on it falls by this factor, in place of the one so far: the rest of the chunk is made already.
    fn fall(&mut self, factor: f32) {
        let more = factor / self.falling;
        self.falling = factor;
        let mut left = 1.0;
        for sample in &mut self.chunk[self.heard..] {
            *sample *= left;
            left *= more;
        }
        self.tone.levels = self.tone.levels.map(|level| level * left);
    }
}
