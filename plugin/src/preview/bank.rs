//! Voice allocation among voices of one kind.

use antiphon_engine::plan::Key;

use super::tone::Tone;
use super::voice::Voice;

/// Key of a voice that was never used.
const NO_KEY: Key = Key::new(0, 0).unwrap();

/// What sustains a voice, in order of stealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// It has ended.
    Idle,
    /// Nothing: it is decaying.
    Free,
    /// The pedal.
    Pedal,
    /// Its key.
    Key,
}

/// Allocation state of a voice.
#[derive(Debug, Clone, Copy)]
struct Part {
    key: Key,
    hold: Hold,
}

/// A number of voices. Their allocation state is stored separately and compactly: searching for a voice touches little memory, which is
/// usually not cached when a note comes.
pub(super) struct Bank<const VOICES: usize> {
    parts: [Part; VOICES],
    voices: Box<[Voice]>,
}

impl<const VOICES: usize> Bank<VOICES> {
    /// Idle voices. `tone` is a placeholder.
    pub(super) fn new(tone: &Tone) -> Self {
        Self { parts: [Part { key: NO_KEY, hold: Hold::Idle }; VOICES], voices: (0..VOICES).map(|_| Voice::new(tone.clone())).collect() }
    }

    /// Starts a note on an idle voice; if there is none, steals one, released voices first, of these the quietest. Returns the last output
    /// sample of the stolen voice, left and right.
    pub(super) fn strike(&mut self, key: Key, tone: Tone) -> [f32; 2] {
        let idle = self.parts.iter().position(|part| part.hold == Hold::Idle);
        let first = idle.unwrap_or_else(|| self.least());
        self.parts[first] = Part { key, hold: Hold::Key };
        let cut = self.voices[first].start(tone);
        if idle.is_some() { [0.0; 2] } else { cut }
    }

    /// The voice to steal, if none is idle.
    #[cold]
    #[inline(never)]
    fn least(&self) -> usize {
        let order = |voice: usize| (self.parts[voice].hold, self.voices[voice].loudness());
        let less = |one: &usize, other: &usize| order(*one).partial_cmp(&order(*other)).unwrap_or(std::cmp::Ordering::Equal);
        (0..VOICES).min_by(less).unwrap_or(0)
    }

    /// Releases the matching keys. Where the channel's bit of `pedals` is set, the pedal sustains them.
    pub(super) fn let_go(&mut self, pedals: u16, is_meant: impl Fn(Key) -> bool) {
        for (part, voice) in self.parts.iter_mut().zip(&mut self.voices) {
            if part.hold == Hold::Key && is_meant(part.key) {
                if pedals >> part.key.channel() & 1 == 1 {
                    part.hold = Hold::Pedal;
                } else {
                    part.hold = Hold::Free;
                    voice.release();
                }
            }
        }
    }

    /// A channel's pedal was released.
    pub(super) fn raise_pedal(&mut self, channel: u8) {
        for (part, voice) in self.parts.iter_mut().zip(&mut self.voices) {
            if part.hold == Hold::Pedal && part.key.channel() == channel {
                part.hold = Hold::Free;
                voice.release();
            }
        }
    }

    /// Fades the matching keys out without a click: from now on each sample is multiplied by `factor` once more than the one before.
    pub(super) fn fade(&mut self, factor: f32, is_meant: impl Fn(Key) -> bool) {
        for (part, voice) in self.parts.iter_mut().zip(&mut self.voices) {
            if part.hold != Hold::Idle && is_meant(part.key) {
                part.hold = Hold::Free;
                voice.fall(factor);
            }
        }
    }

    /// Ends all voices at once.
    pub(super) fn stop(&mut self) {
        self.parts.iter_mut().for_each(|part| part.hold = Hold::Idle);
    }

    /// Adds the next samples to both channels. `bend` is the pitch factor of a MIDI channel. Returns whether any voice was active.
    pub(super) fn add(&mut self, bend: impl Fn(u8) -> f32, left: &mut [f32], right: &mut [f32]) -> bool {
        let mut sounds = false;
        for (part, voice) in self.parts.iter_mut().zip(&mut self.voices) {
            if part.hold != Hold::Idle {
                sounds = true;
                if !voice.add(bend(part.key.channel()), left, right) {
                    part.hold = Hold::Idle;
                }
            }
        }
        sounds
    }
}
