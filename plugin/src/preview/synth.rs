//! Maps events to voices.

use antiphon_engine::plan::MidiKey;
use nice_plug::midi::{NoteEvent, control_change};

use super::bank::Bank;
use super::tone::{self, Tones};
use super::wave;
use crate::port::{Event, Sound};
use crate::thru::is_pressed;

/// Number of pitched voices.
pub const PITCHED_VOICES: usize = 16;
/// Number of drum voices.
pub const DRUM_VOICES: usize = 8;
/// General MIDI's percussion channel, counted from 0.
const DRUM_CHANNEL: u8 = 9;
/// Pitch bend range in semitones, as in General MIDI.
const BEND_SEMITONES: f32 = 2.0;
/// Time constant for fading a voice out, in seconds.
const FADE: f32 = 0.004;
/// Time constant for the residual of a stolen voice, in seconds.
const RESIDUAL_DECAY: f32 = 0.003;
/// Level below which the residual is dropped: -120 dB.
const RESIDUAL_FLOOR: f32 = 1e-6;

/// A small synthesizer. Everything is allocated in `new`.
pub(super) struct Synth {
    pitched: Bank<PITCHED_VOICES>,
    drums: Bank<DRUM_VOICES>,
    tones: Tones,
    /// Fade-out factor per sample.
    fade: f32,
    /// Channels whose sustain pedal is down, one bit each.
    pedals: u16,
    /// Pitch factor of each channel.
    bends: [f32; 16],
    /// Residual of stolen voices, left and right. It decays from their last sample, to avoid a click.
    residual: [f32; 2],
    residual_decay: f32,
}

impl Synth {
    /// A synthesizer for a sample rate in hertz.
    pub(super) fn new(rate: f32) -> Self {
        let tones = Tones::new(rate);
        Self {
            pitched: Bank::new(&tones.piano(0, 0.0)),
            drums: Bank::new(&tones.drum(0, 0.0)),
            tones,
            fade: tone::factor(FADE * rate),
            pedals: 0,
            bends: [1.0; 16],
            residual: [0.0; 2],
            residual_decay: tone::factor(RESIDUAL_DECAY * rate),
        }
    }

    /// Plays an event before the next sample.
    pub(super) fn play(&mut self, event: &Event, sound: Sound) {
        match *event {
            NoteEvent::NoteOn { channel, key, velocity, .. } => {
                let numbers = channel.number().zip(key.number());
                if let Some(key) = numbers.and_then(|(channel, pitch)| MidiKey::new(channel, pitch)) {
                    self.note_on(key, velocity, sound);
                }
            }
            NoteEvent::NoteOff { channel, key, .. } | NoteEvent::Choke { channel, key, .. } => {
                let matches = |struck: MidiKey| {
                    channel.number().is_none_or(|number| number == struck.channel())
                        && key.number().is_none_or(|pitch| pitch == struck.pitch())
                };
                self.note_off(matches);
            }
            NoteEvent::MidiPitchBend { channel: channel @ 0..16, value, .. } => self.bend(channel, value),
            NoteEvent::MidiCC { channel: channel @ 0..16, cc, value, .. } => self.control(channel, cc, value),
            _ => {}
        }
    }

    /// Fades everything out without a click.
    pub(super) fn fade(&mut self) {
        self.pedals = 0;
        self.bends = [1.0; 16];
        self.fade_keys(|_| true);
    }

    /// Ends everything at once.
    pub(super) fn stop(&mut self) {
        self.pedals = 0;
        self.bends = [1.0; 16];
        self.residual = [0.0; 2];
        self.pitched.stop();
        self.drums.stop();
    }

    /// Adds the next samples to both channels, which must be zero.
    pub(super) fn add(&mut self, left: &mut [f32], right: &mut [f32]) {
        // Between the notes of a chord.
        if left.is_empty() {
            return;
        }
        let pitched = self.pitched.add(|channel| self.bends[usize::from(channel)], left, right);
        let drums = self.drums.add(|_| 1.0, left, right);
        if !pitched && !drums && self.residual == [0.0; 2] {
            return;
        }
        if self.residual != [0.0; 2] {
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                *left += self.residual[0];
                *right += self.residual[1];
                self.residual =
                    self.residual.map(|residual| if residual.abs() < RESIDUAL_FLOOR { 0.0 } else { residual * self.residual_decay });
            }
        }
        for side in [left, right] {
            for sample in side {
                *sample = wave::tanh(*sample);
            }
        }
    }

    fn fade_keys(&mut self, matches: impl Fn(MidiKey) -> bool) {
        self.pitched.fade(self.fade, &matches);
        self.drums.fade(self.fade, &matches);
    }

    fn note_on(&mut self, key: MidiKey, velocity: f32, sound: Sound) {
        let velocity = if velocity.is_nan() { 0.0 } else { velocity.clamp(0.0, 1.0) };
        let cut = if sound == Sound::Percussion || key.channel() == DRUM_CHANNEL {
            // Repeated drum hits, and a closing hi-hat.
            let choked = tone::choked_by(key.pitch());
            self.drums.fade(self.fade, |other| other == key || choked == Some(other.pitch()));
            self.drums.note_on(key, self.tones.drum(key.pitch(), velocity))
        } else {
            // Repeated key.
            self.pitched.fade(self.fade, |other| other == key);
            self.pitched.note_on(key, self.tones.piano(key.pitch(), velocity))
        };
        self.residual = [self.residual[0] + cut[0], self.residual[1] + cut[1]];
    }

    fn note_off(&mut self, matches: impl Fn(MidiKey) -> bool) {
        self.pitched.note_off(self.pedals, &matches);
        self.drums.note_off(self.pedals, &matches);
    }

    fn bend(&mut self, channel: u8, value: f32) {
        // NaN becomes the centre.
        let value = if value.is_nan() { 0.5 } else { value.clamp(0.0, 1.0) };
        self.bends[usize::from(channel)] = ((value - 0.5) * 2.0 * BEND_SEMITONES / 12.0).exp2();
    }

    fn control(&mut self, channel: u8, controller: u8, value: f32) {
        match controller {
            control_change::DAMPER_PEDAL if is_pressed(value) => self.pedals |= 1 << channel,
            control_change::DAMPER_PEDAL => self.release_pedal(channel),
            control_change::ALL_SOUND_OFF => self.fade_keys(|key| key.channel() == channel),
            control_change::ALL_NOTES_OFF => self.note_off(|key| key.channel() == channel),
            control_change::RESET_ALL_CONTROLLERS => {
                self.release_pedal(channel);
                self.bend(channel, 0.5);
            }
            _ => {}
        }
    }

    fn release_pedal(&mut self, channel: u8) {
        self.pedals &= !(1 << channel);
        self.pitched.release_pedal(channel);
        self.drums.release_pedal(channel);
    }
}
