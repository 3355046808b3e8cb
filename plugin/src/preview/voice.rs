//! One voice: a note, made a chunk at a time, and how it starts and ends.

use super::tone::Tone;
use super::wave::{self, CHUNK, Chunk};

/// A voice that is quieter than this, -86 dB, has ended.
const SILENCE: f32 = 5e-5;

/// A voice, in lines of the cache of its own.
#[repr(align(64))]
pub(super) struct Voice {
    /// What it plays, as it stands at the end of the chunk.
    tone: Tone,
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
        Self { tone, rise: 0.0, falling: 1.0, chunk: [0.0; CHUNK], heard: CHUNK }
    }

    /// How loud it is at most from the end of the chunk on.
    pub(super) fn loudness(&self) -> f32 {
        self.tone.levels[0] + self.tone.levels[1]
    }

    /// Starts a note. Hands back what it cuts off of the note before: a sample of each side.
    pub(super) fn start(&mut self, tone: Tone) -> [f32; 2] {
        let last = self.heard.checked_sub(1).map_or(0.0, |last| self.chunk[last]);
        let cut = self.tone.sides.map(|side| side * last);
        *self = Self::new(tone);
        cut
    }

    /// Nothing holds it any more.
    pub(super) fn release(&mut self) {
        self.fall(self.tone.release);
    }

    /// Adds its next samples. `bend` multiplies its pitch from the next chunk on. Whether there is any more to hear.
    pub(super) fn add(&mut self, bend: f32, left: &mut [f32], right: &mut [f32]) -> bool {
        let mut done = 0;
        while done < left.len() {
            if self.heard == CHUNK && !self.fill(bend) {
                return false;
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
        true
    }

    /// Makes the next chunk; whether there is any more to hear.
    fn fill(&mut self, bend: f32) -> bool {
        if self.loudness() < SILENCE {
            return false;
        }
        let Tone { source, levels, decays, rise, .. } = &mut self.tone;
        // What nobody hears need not be made, and must not become subnormal.
        for level in levels.iter_mut().filter(|level| **level < SILENCE * 1e-2) {
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
    pub(super) fn fall(&mut self, factor: f32) {
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
