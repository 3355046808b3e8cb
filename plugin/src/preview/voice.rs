//! One voice: a graph, its two decays, and how it starts and ends.

use antiphon_engine::plan::Key;
use fundsp::prelude32::{AudioUnit, BufferRef, BufferVec};

use super::tone::{Controls, Graph, Tone};

/// Samples a graph makes at once. They count from the note's first, so that a block's length changes nothing.
const CHUNK: usize = 16;
/// A voice that is quieter than this, -94 dB, has ended.
const SILENCE: f32 = 2e-5;
/// Of a voice that never sounded.
const NO_KEY: Key = Key::new(0, 0).unwrap();
/// How fast a voice falls to 1/e that must go, seconds.
const FADE: f32 = 0.004;

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
    controls: Controls,
    graph: Box<dyn AudioUnit>,
    chunk: BufferVec,
    /// Samples of the chunk that were heard.
    heard: usize,
    /// Hertz.
    rate: f32,
    tone: Tone,
    key: Key,
    hold: Hold,
    /// Samples since it started, up to the end of the chunk.
    age: f32,
    /// What the graph's channels are multiplied by now, and from one sample to the next.
    levels: [f32; 2],
    decays: [f32; 2],
    /// 0 to 1, while it starts, and the step of each sample.
    rise: f32,
    step: f32,
    /// 1 to 0, when it ends, and from one sample to the next.
    fall: f32,
    falling: f32,
    /// What left and right are multiplied by.
    sides: [f32; 2],
    /// The last sample of each side.
    last: [f32; 2],
}

impl Voice {
    pub(super) fn new(graph: Graph, rate: f32) -> Self {
        let controls = Controls::default();
        let mut graph = graph(&controls);
        graph.set_sample_rate(rate.into());
        graph.allocate();
        Self {
            controls,
            graph,
            chunk: BufferVec::new(2),
            heard: CHUNK,
            rate,
            tone: Tone::piano(60, 0.0, rate),
            key: NO_KEY,
            hold: Hold::Idle,
            age: 0.0,
            levels: [0.0; 2],
            decays: [0.0; 2],
            rise: 0.0,
            step: 1.0,
            fall: 0.0,
            falling: 1.0,
            sides: [0.0; 2],
            last: [0.0; 2],
        }
    }

    pub(super) const fn key(&self) -> Key {
        self.key
    }

    pub(super) const fn hold(&self) -> Hold {
        self.hold
    }

    /// How loud it is at most from here on.
    pub(super) fn loudness(&self) -> f32 {
        (self.levels[0] + self.levels[1]) * self.fall
    }

    /// Starts a note. Hands back what it cuts off of the note before: a sample of each side.
    pub(super) fn start(&mut self, key: Key, tone: Tone) -> [f32; 2] {
        let cut = if self.hold == Hold::Idle { [0.0; 2] } else { self.last };
        let angle = (tone.pan + 1.0) * core::f32::consts::FRAC_PI_4;
        self.graph.reset();
        self.heard = CHUNK;
        self.tone = tone;
        self.key = key;
        self.hold = Hold::Key;
        self.age = 0.0;
        self.levels = tone.levels;
        self.decays = tone.decays.map(|seconds| self.factor(seconds));
        self.rise = 0.0;
        self.step = 1.0 / (tone.attack * self.rate).max(1.0);
        (self.fall, self.falling) = (1.0, 1.0);
        self.sides = [angle.cos(), angle.sin()];
        self.last = [0.0; 2];
        cut
    }

    /// Its key is up; the pedal may hold it on.
    pub(super) fn let_go(&mut self, pedal: bool) {
        match (self.hold, pedal) {
            (Hold::Key, true) => self.hold = Hold::Pedal,
            (Hold::Key | Hold::Pedal, false) => {
                self.hold = Hold::Free;
                if let Some(seconds) = self.tone.release {
                    self.falling = self.factor(seconds);
                }
            }
            _ => {}
        }
    }

    /// It ends as fast as can be without a click.
    pub(super) fn fade(&mut self) {
        if self.hold != Hold::Idle {
            self.hold = Hold::Free;
            self.falling = self.factor(FADE);
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
            let [main, second] = [0, 1].map(|channel| channel_of(&self.chunk, channel));
            for ((main, second), (left, right)) in
                main[span.clone()].iter().zip(&second[span]).zip(left[ahead.clone()].iter_mut().zip(&mut right[ahead]))
            {
                self.rise = (self.rise + self.step).min(1.0);
                let sample = (main * self.levels[0] + second * self.levels[1]) * (self.rise * self.fall);
                self.last = self.sides.map(|side| side * sample);
                *left += self.last[0];
                *right += self.last[1];
                self.levels = [self.levels[0] * self.decays[0], self.levels[1] * self.decays[1]];
                self.fall *= self.falling;
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
        // What nobody hears must not become subnormal.
        for level in self.levels.iter_mut().filter(|level| **level < SILENCE * 1e-3) {
            *level = 0.0;
        }
        let seconds = self.age / self.rate;
        let hertz = self.tone.hertz_at(seconds) * bend;
        self.controls.hertz.set(hertz);
        self.controls.deviation.set(self.tone.index_at(seconds) * hertz);
        self.controls.second.set(self.tone.second * bend);
        self.controls.q.set(self.tone.q);
        self.graph.process(CHUNK, &BufferRef::empty(), &mut self.chunk.buffer_mut());
        self.age += CHUNK as f32;
        self.heard = 0;
        true
    }

    /// What a level is multiplied by each sample to fall to 1/e in so many seconds.
    fn factor(&self, seconds: f32) -> f32 {
        (-1.0 / (seconds * self.rate)).exp()
    }
}

/// The samples of a channel.
fn channel_of(chunk: &BufferVec, channel: usize) -> &[f32] {
    chunk.buffer_ref().channel_f32(channel)
}
