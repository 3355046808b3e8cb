//! The preview synth: makes the plug-in's output audible without an instrument behind it.
//!
//! It plays every note that leaves the plug-in, the player's and the plan's. `synth` maps events to voices, `bank` allocates voices,
//! `voice` renders one, `tone` defines the sounds, `source` and `wave` generate them.

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

/// Sample rate in hertz, if the host's is invalid.
const FALLBACK_RATE: f32 = 48_000.0;

/// The preview synth. Only [`new`](Self::new) allocates.
pub struct Preview {
    synth: Synth,
    on: bool,
}

impl Preview {
    /// A silent synth for a sample rate in hertz.
    #[must_use]
    pub fn new(hertz: f32) -> Self {
        let rate = if (1_000.0..=1_000_000.0).contains(&hertz) { hertz } else { FALLBACK_RATE };
        Self { synth: Synth::new(rate), on: false }
    }

    /// Silences everything at once.
    pub fn reset(&mut self) {
        self.synth.stop();
    }

    /// Begins a block whose output buffers are zero. When `on` goes off, sounding notes fade in a few milliseconds.
    pub fn begin<'a>(&'a mut self, on: bool, left: &'a mut [f32], right: &'a mut [f32]) -> BlockRenderer<'a> {
        if self.on && !on {
            self.synth.fade();
        }
        self.on = on;
        BlockRenderer { preview: self, left, right, rendered: 0 }
    }
}

/// Renders one block in step with its events. Dropping it renders the rest of the block.
pub struct BlockRenderer<'a> {
    preview: &'a mut Preview,
    left: &'a mut [f32],
    right: &'a mut [f32],
    /// Number of samples rendered.
    rendered: usize,
}

impl BlockRenderer<'_> {
    /// Plays an event at its sample. Events must come in order of time; a late one is played at once.
    pub fn play(&mut self, event: &Event, sound: Sound) {
        if self.preview.on {
            self.render(event.timing() as usize);
            self.preview.synth.play(event, sound);
        }
    }

    /// Renders up to this sample.
    fn render(&mut self, until: usize) {
        let until = until.min(self.left.len()).max(self.rendered);
        let span = self.rendered..until;
        self.preview.synth.add(&mut self.left[span.clone()], &mut self.right[span]);
        self.rendered = until;
    }
}

impl Drop for BlockRenderer<'_> {
    fn drop(&mut self) {
        self.render(usize::MAX);
    }
}
