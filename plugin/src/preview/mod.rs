//! The plug-in's own sound: what it sends out is heard without a synthesiser.
//!
//! It sounds every note that leaves the plug-in, the player's and the plan's, as an instrument behind it would. `synth` plays them on voices,
//! `bank` says which, `voice` is one, `tone` says what the keys sound like, `source` and `wave` make it.

mod bank;
mod source;
mod synth;
mod tone;
mod voice;
mod wave;

#[cfg(test)]
mod tests;

pub use synth::{DRUM_VOICES, PITCHED_VOICES};

use crate::port::{Event, Sound};
use synth::Synth;

/// The sample rate where the host's is none, in hertz.
const USUAL_RATE: f32 = 48_000.0;

/// The plug-in's own sound. Nothing but [`new`](Self::new) allocates.
pub struct Preview {
    synth: Synth,
    on: bool,
}

impl Preview {
    /// Silent, for a sample rate in hertz.
    #[must_use]
    pub fn new(hertz: f32) -> Self {
        let rate = if (1_000.0..=1_000_000.0).contains(&hertz) { hertz } else { USUAL_RATE };
        Self { synth: Synth::new(rate), on: false }
    }

    /// The host's reset: everything is silent at once.
    pub fn reset(&mut self) {
        self.synth.stop();
    }

    /// Begins a block, whose sides are silent. What sounds when it is switched off fades in a few milliseconds.
    pub fn begin<'a>(&'a mut self, on: bool, left: &'a mut [f32], right: &'a mut [f32]) -> Performance<'a> {
        if self.on && !on {
            self.synth.fade();
        }
        self.on = on;
        Performance { preview: self, left, right, made: 0 }
    }
}

/// The sound of one block, made as its events come. What no event asked for is made when it is dropped.
pub struct Performance<'a> {
    preview: &'a mut Preview,
    left: &'a mut [f32],
    right: &'a mut [f32],
    /// Samples that are made.
    made: usize,
}

impl Performance<'_> {
    /// Plays an event at its sample. Events come in order of time; one that comes late sounds at once.
    pub fn play(&mut self, event: &Event, sound: Sound) {
        if self.preview.on {
            self.make(event.timing() as usize);
            self.preview.synth.play(event, sound);
        }
    }

    /// Makes the samples up to this one.
    fn make(&mut self, until: usize) {
        let until = until.min(self.left.len()).max(self.made);
        let span = self.made..until;
        self.preview.synth.add(&mut self.left[span.clone()], &mut self.right[span]);
        self.made = until;
    }
}

impl Drop for Performance<'_> {
    fn drop(&mut self) {
        self.make(usize::MAX);
    }
}
