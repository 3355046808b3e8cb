//! One voice: renders a note chunk by chunk, with attack and release.

use super::tone::Tone;
use super::wave::{self, CHUNK, Chunk};

/// Level below which a voice has ended: -86 dB.
const SILENCE: f32 = 5e-5;

/// A voice, aligned to cache lines.
#[repr(align(64))]
pub(super) struct Voice {
    /// The note's parameters, as of the end of the chunk.
    tone: Tone,
    /// Attack gain, 0 to 1, at the end of the chunk.
    rise: f32,
    /// Release factor per sample; 1 while the note is sustained.
    release_factor: f32,
    /// The current chunk, both partials mixed.
    chunk: Chunk,
    /// Samples of the chunk already output.
    position: usize,
}

impl Voice {
    /// An ended voice.
    pub(super) const fn new(tone: Tone) -> Self {
        Self { tone, rise: 0.0, release_factor: 1.0, chunk: [0.0; CHUNK], position: CHUNK }
    }

    /// Upper bound of the level from the end of the chunk on.
    pub(super) fn loudness(&self) -> f32 {
        self.tone.levels[0] + self.tone.levels[1]
    }

    /// Starts a note. Returns the last output sample of the previous one, left and right.
    pub(super) fn start(&mut self, tone: Tone) -> [f32; 2] {
        let last = self.position.checked_sub(1).map_or(0.0, |last| self.chunk[last]);
        let cut = self.tone.sides.map(|side| side * last);
        *self = Self::new(tone);
        cut
    }

    /// Starts the release.
    pub(super) fn release(&mut self) {
        self.set_decay(self.tone.release);
    }

    /// Adds the next samples. `bend` is the pitch factor from the next chunk on. Returns whether the voice is still sounding.
    pub(super) fn add(&mut self, bend: f32, left: &mut [f32], right: &mut [f32]) -> bool {
        let mut done = 0;
        while done < left.len() {
            if self.position == CHUNK && !self.fill(bend) {
                return false;
            }
            let count = (CHUNK - self.position).min(left.len() - done);
            let (span, ahead) = (self.position..self.position + count, done..done + count);
            for (sample, (left, right)) in self.chunk[span].iter().zip(left[ahead.clone()].iter_mut().zip(&mut right[ahead])) {
                *left += self.tone.sides[0] * sample;
                *right += self.tone.sides[1] * sample;
            }
            self.position += count;
            done += count;
        }
        true
    }

    /// Renders the next chunk; returns whether the voice is still sounding.
    fn fill(&mut self, bend: f32) -> bool {
        if self.loudness() < SILENCE {
            return false;
        }
        let Tone { source, levels, decays, rise, .. } = &mut self.tone;
        // Inaudible partials are skipped, and must not become subnormal.
        for level in levels.iter_mut().filter(|level| **level < SILENCE * 1e-2) {
            *level = 0.0;
        }
        let parts = source.next(bend, levels.map(|level| level > 0.0));
        self.chunk = [0.0; CHUNK];
        for ((part, level), decay) in parts.into_iter().zip(levels).zip(decays) {
            let Some(part) = part else { continue };
            let levels = wave::decay(level, *decay * self.release_factor);
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
        self.position = 0;
        true
    }

    /// Changes the decay factor from the next sample on, including the samples of the chunk already rendered.
    pub(super) fn set_decay(&mut self, factor: f32) {
        let more = factor / self.release_factor;
        self.release_factor = factor;
        let mut left = 1.0;
        for sample in &mut self.chunk[self.position..] {
            *sample *= left;
            left *= more;
        }
        self.tone.levels = self.tone.levels.map(|level| level * left);
    }
}
