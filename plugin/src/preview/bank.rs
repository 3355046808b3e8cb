//! Voice allocation among voices of one kind.

use antiphon_engine::plan::MidiKey;

use super::tone::Tone;
use super::voice::Voice;

/// Key of a voice that was never used.
const NO_KEY: MidiKey = MidiKey::new(0, 0).unwrap();

/// What sustains a voice, in order of stealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sustain {
    /// It has ended.
    Idle,
    /// Nothing: it is decaying.
    None,
    /// The pedal.
    Pedal,
    /// Its key.
    Key,
}

/// Allocation state of a voice.
#[derive(Debug, Clone, Copy)]
struct VoiceState {
    key: MidiKey,
    sustain: Sustain,
}

/// A number of voices. Their allocation state is stored separately and compactly: searching for a voice touches little memory, which is
/// usually not cached when a note comes.
pub(super) struct Bank<const VOICES: usize> {
    states: [VoiceState; VOICES],
    voices: Box<[Voice]>,
}

impl<const VOICES: usize> Bank<VOICES> {
    /// Idle voices. `tone` is a placeholder.
    pub(super) fn new(tone: &Tone) -> Self {
        Self {
            states: [VoiceState { key: NO_KEY, sustain: Sustain::Idle }; VOICES],
            voices: (0..VOICES).map(|_| Voice::new(tone.clone())).collect(),
        }
    }

    /// Starts a note on an idle voice; if there is none, steals one, released voices first, of these the quietest. Returns the last output
    /// sample of the stolen voice, left and right.
    pub(super) fn note_on(&mut self, key: MidiKey, tone: Tone) -> [f32; 2] {
        let idle = self.states.iter().position(|state| state.sustain == Sustain::Idle);
        let first = idle.unwrap_or_else(|| self.voice_to_steal());
        self.states[first] = VoiceState { key, sustain: Sustain::Key };
        let cut = self.voices[first].start(tone);
        if idle.is_some() { [0.0; 2] } else { cut }
    }

    /// The voice to steal, if none is idle.
    #[cold]
    #[inline(never)]
    fn voice_to_steal(&self) -> usize {
        let order = |voice: usize| (self.states[voice].sustain, self.voices[voice].loudness());
        let less = |one: &usize, other: &usize| order(*one).partial_cmp(&order(*other)).unwrap_or(std::cmp::Ordering::Equal);
        (0..VOICES).min_by(less).unwrap_or(0)
    }

    /// Releases the matching keys. Where the channel's bit of `pedals` is set, the pedal sustains them.
    pub(super) fn note_off(&mut self, pedals: u16, matches: impl Fn(MidiKey) -> bool) {
        for (state, voice) in self.states.iter_mut().zip(&mut self.voices) {
            if state.sustain == Sustain::Key && matches(state.key) {
                if pedals >> state.key.channel() & 1 == 1 {
                    state.sustain = Sustain::Pedal;
                } else {
                    state.sustain = Sustain::None;
                    voice.release();
                }
            }
        }
    }

    /// A channel's pedal was released.
    pub(super) fn release_pedal(&mut self, channel: u8) {
        for (state, voice) in self.states.iter_mut().zip(&mut self.voices) {
            if state.sustain == Sustain::Pedal && state.key.channel() == channel {
                state.sustain = Sustain::None;
                voice.release();
            }
        }
    }

    /// Fades the matching keys out without a click: from now on each sample is multiplied by `factor` once more than the one before.
    pub(super) fn fade(&mut self, factor: f32, matches: impl Fn(MidiKey) -> bool) {
        for (state, voice) in self.states.iter_mut().zip(&mut self.voices) {
            if state.sustain != Sustain::Idle && matches(state.key) {
                state.sustain = Sustain::None;
                voice.set_decay(factor);
            }
        }
    }

    /// Ends all voices at once.
    pub(super) fn stop(&mut self) {
        self.states.iter_mut().for_each(|state| state.sustain = Sustain::Idle);
    }

    /// Adds the next samples to both channels. `bend` is the pitch factor of a MIDI channel. Returns whether any voice was active.
    pub(super) fn add(&mut self, bend: impl Fn(u8) -> f32, left: &mut [f32], right: &mut [f32]) -> bool {
        let mut sounds = false;
        for (state, voice) in self.states.iter_mut().zip(&mut self.voices) {
            if state.sustain != Sustain::Idle {
                sounds = true;
                if !voice.add(bend(state.key.channel()), left, right) {
                    state.sustain = Sustain::Idle;
                }
            }
        }
        sounds
    }
}
