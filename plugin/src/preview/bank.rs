//! Voices that play the same kind of tone, and who of them plays what.

use antiphon_engine::plan::Key;

use super::tone::Tone;
use super::voice::Voice;

/// Of a voice that never sounded.
const NO_KEY: Key = Key::new(0, 0).unwrap();

/// Why a voice still sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// It has ended.
    Idle,
    /// Nothing holds it: it falls.
    Free,
    /// The pedal.
    Pedal,
    /// Its key.
    Key,
}

/// What a voice plays.
#[derive(Debug, Clone, Copy)]
struct Part {
    key: Key,
    hold: Hold,
}

/// A number of voices. Their parts stand apart from them, close together: who looks for a voice has few places of memory to see, and no cache may
/// hold them when a note comes.
pub(super) struct Bank<const VOICES: usize> {
    parts: [Part; VOICES],
    voices: Box<[Voice]>,
}

impl<const VOICES: usize> Bank<VOICES> {
    /// Voices that have ended. `tone` is any: it is not heard.
    pub(super) fn new(tone: &Tone) -> Self {
        Self { parts: [Part { key: NO_KEY, hold: Hold::Idle }; VOICES], voices: (0..VOICES).map(|_| Voice::new(tone.clone())).collect() }
    }

    /// Starts a note, in place of one that is idle, or that nothing holds; of several the quietest. Hands back what it cuts off of the note before: a
    /// sample of each side.
    pub(super) fn strike(&mut self, key: Key, tone: Tone) -> [f32; 2] {
        let idle = self.parts.iter().position(|part| part.hold == Hold::Idle);
        let first = idle.unwrap_or_else(|| self.least());
        self.parts[first] = Part { key, hold: Hold::Key };
        let cut = self.voices[first].start(tone);
        if idle.is_some() { [0.0; 2] } else { cut }
    }

    /// The voice that is missed least, where none is idle.
    #[cold]
    #[inline(never)]
    fn least(&self) -> usize {
        let order = |voice: usize| (self.parts[voice].hold, self.voices[voice].loudness());
        let less = |one: &usize, other: &usize| order(*one).partial_cmp(&order(*other)).unwrap_or(std::cmp::Ordering::Equal);
        (0..VOICES).min_by(less).unwrap_or(0)
    }

    /// The keys that are meant are up; where the pedal of their channel is down, one bit of `pedals` each, it holds them on.
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

    /// A channel's pedal is up.
    pub(super) fn raise_pedal(&mut self, channel: u8) {
        for (part, voice) in self.parts.iter_mut().zip(&mut self.voices) {
            if part.hold == Hold::Pedal && part.key.channel() == channel {
                part.hold = Hold::Free;
                voice.release();
            }
        }
    }

    /// The keys that are meant end as fast as can be without a click: their samples are multiplied by this, each once more than the one before.
    pub(super) fn fade(&mut self, factor: f32, is_meant: impl Fn(Key) -> bool) {
        for (part, voice) in self.parts.iter_mut().zip(&mut self.voices) {
            if part.hold != Hold::Idle && is_meant(part.key) {
                part.hold = Hold::Free;
                voice.fall(factor);
            }
        }
    }

    /// All have ended.
    pub(super) fn stop(&mut self) {
        self.parts.iter_mut().for_each(|part| part.hold = Hold::Idle);
    }

    /// Adds the next samples to both sides. `bend` multiplies a channel's pitches. Whether there was anything to hear.
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
