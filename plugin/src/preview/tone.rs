//! What a note sounds like: numbers for the two graphs, an electric piano and a drum.
//!
//! Neither is a copy of an instrument. They are to tell pitches, chords, a kick from a snare and loud from soft, and to be pleasant for an
//! evening.

use fundsp::prelude32::*;

/// The highest frequency that is sounded, as a share of the sample rate: above half of it there is none.
const HIGHEST: f32 = 0.45;
/// Of one voice, at full velocity. Six of them reach full scale before the limiter.
const LEVEL: f32 = 0.25;
/// The sample rate at which the noise levels were set, in hertz: white noise has less in a band the higher the rate.
const NOISE_RATE: f32 = 48_000.0;

/// What a graph reads. Written between two of its runs, by the same thread.
#[derive(Default)]
pub(super) struct Controls {
    /// The main oscillator, hertz.
    pub(super) hertz: Shared,
    /// How far the main oscillator is pushed around `hertz`, hertz. Electric piano only.
    pub(super) deviation: Shared,
    /// The second oscillator, or the middle of the noise, hertz.
    pub(super) second: Shared,
    /// The Q of the noise. Drum only.
    pub(super) q: Shared,
}

/// A kind of graph with two channels out, each with its own decay.
pub(super) type Graph = fn(&Controls) -> Box<dyn AudioUnit>;

/// An electric piano: a sine that a second one of its own pitch pushes around, and a bell above.
pub(super) fn piano(controls: &Controls) -> Box<dyn AudioUnit> {
    // A cosine in frequency is a sine in phase: the pair then makes no direct current.
    let pushed = (var(&controls.hertz) >> sine().phase(0.25)) * var(&controls.deviation) + var(&controls.hertz);
    Box::new((pushed >> sine().phase(0.0)) | (var(&controls.second) >> sine().phase(0.0)))
}

/// A drum: a skin and a band of noise.
pub(super) fn drum(controls: &Controls) -> Box<dyn AudioUnit> {
    let band = (noise() | var(&controls.second) | var(&controls.q)) >> bandpass();
    Box::new((var(&controls.hertz) >> sine().phase(0.0)) | band)
}

/// One note on one of the graphs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tone {
    /// The main oscillator, hertz.
    pub(super) hertz: f32,
    /// How much higher it starts, as a share of `hertz`, and how fast that goes, seconds.
    pub(super) sweep: (f32, f32),
    /// The index of modulation at the start, what is left of it, and how fast it goes, seconds.
    pub(super) index: (f32, f32, f32),
    /// The second oscillator, or the middle of the noise, hertz.
    pub(super) second: f32,
    /// The Q of the noise.
    pub(super) q: f32,
    /// How loud each channel of the graph starts.
    pub(super) levels: [f32; 2],
    /// How fast each falls to 1/e, seconds.
    pub(super) decays: [f32; 2],
    /// From nothing to full, seconds.
    pub(super) attack: f32,
    /// How fast it falls to 1/e when its key is let go, seconds; `None` if it rings out.
    pub(super) release: Option<f32>,
    /// -1 to 1, left to right.
    pub(super) pan: f32,
}

impl Tone {
    /// A key of the electric piano, struck with a velocity of 0 to 1, at a sample rate in hertz.
    pub(super) fn piano(pitch: u8, velocity: f32, rate: f32) -> Self {
        let hertz = midi_hz(f32::from(pitch));
        let highest = HIGHEST * rate;
        // 0 for the lowest key of a piano, 1 for the highest.
        let height = (f32::from(pitch) - 21.0) / 87.0;
        // Each step of the index adds about a harmonic: none above half the sample rate.
        let room = ((highest / hertz - 1.0) / 3.0).clamp(0.0, 1.0);
        let brightness = (0.25 + 1.5 * velocity * velocity) * (1.25 - height).clamp(0.2, 1.2) * room;
        let level = LEVEL * loudness(velocity) * if hertz < highest { 1.0 } else { 0.0 };
        let bell = if 4.0 * hertz < highest { 0.05 + 0.15 * velocity } else { 0.0 };
        let decay = 2.6 * (-1.6 * height).exp();
        Self {
            hertz,
            sweep: (0.0, 1.0),
            index: (brightness, 0.2, 0.35 * decay),
            second: (4.0 * hertz).min(highest),
            q: 1.0,
            levels: [level, level * bell],
            decays: [decay, 0.12 * decay],
            attack: 0.0015,
            release: Some(0.07),
            pan: (height - 0.5).clamp(-0.5, 0.5) * 0.6,
        }
    }

    /// A key of General MIDI's percussion, struck with a velocity of 0 to 1, at a sample rate in hertz.
    pub(super) fn drum(pitch: u8, velocity: f32, rate: f32) -> Self {
        let highest = HIGHEST * rate;
        let skin = |hertz: f32, level: f32, decay: f32| (hertz, level, decay);
        let silent = skin(100.0, 0.0, 0.05);
        // The skin; the noise: middle, Q, level, decay; where it stands.
        let ((hertz, body, ring), (second, q, hiss, fade), pan) = match pitch {
            35 | 36 => (skin(52.0, 1.5, 0.16), (3500.0, 0.7, 0.4, 0.008), 0.0),
            38 | 40 => (skin(185.0, 0.55, 0.07), (2600.0, 0.6, 2.8, 0.085), 0.0),
            37 => (skin(1700.0, 0.5, 0.012), (3000.0, 1.0, 1.0, 0.012), 0.1),
            39 => (silent, (1300.0, 1.2, 2.6, 0.08), 0.1),
            42 => (silent, (9000.0, 0.9, 1.0, 0.028), 0.3),
            44 => (silent, (8500.0, 0.9, 0.8, 0.05), 0.3),
            46 => (silent, (9000.0, 0.9, 0.9, 0.26), 0.3),
            41 | 43 | 45 | 47 | 48 | 50 => {
                let step = f32::from(pitch) - 41.0;
                (skin(82.0 * (step / 7.0).exp2(), 1.0, 0.2), (1200.0, 0.7, 0.5, 0.02), (step - 4.5) / 12.0)
            }
            49 | 52 | 55 | 57 => (silent, (6500.0, 0.5, 1.4, 0.7), -0.3),
            51 | 59 => (skin(3100.0, 0.05, 0.25), (8500.0, 1.5, 0.35, 0.35), -0.3),
            53 => (skin(2600.0, 0.25, 0.4), (8500.0, 1.5, 0.2, 0.3), -0.3),
            54 | 69 | 70 | 82 => (silent, (8000.0, 1.0, 0.7, 0.05), -0.2),
            56 => (skin(810.0, 0.5, 0.09), (3000.0, 1.0, 0.2, 0.02), 0.2),
            // The rest of the percussion: a short wooden sound, higher for higher keys.
            _ => (skin(midi_hz(f32::from(pitch) + 12.0), 0.5, 0.05), (2500.0, 0.8, 0.4, 0.012), 0.2),
        };
        let level = LEVEL * loudness(velocity);
        let noise = (rate / NOISE_RATE).sqrt().min(3.0);
        Self {
            hertz: hertz.min(highest),
            sweep: if hertz < 400.0 { (3.0, 0.016) } else { (0.0, 1.0) },
            index: (0.0, 0.0, 1.0),
            second: second.min(highest),
            q,
            levels: [level * body, level * hiss * noise],
            decays: [ring, fade],
            attack: 0.0005,
            release: None,
            pan,
        }
    }

    /// The main oscillator some seconds after the note started, hertz.
    pub(super) fn hertz_at(&self, seconds: f32) -> f32 {
        let (share, time) = self.sweep;
        self.hertz * (1.0 + share * (-seconds / time).exp())
    }

    /// The index of modulation some seconds after the note started.
    pub(super) fn index_at(&self, seconds: f32) -> f32 {
        let (start, rest, time) = self.index;
        start * (rest + (1.0 - rest) * (-seconds / time).exp())
    }
}

/// How loud a velocity of 0 to 1 is, as a share of the loudest.
fn loudness(velocity: f32) -> f32 {
    0.05 + 0.95 * velocity.powf(1.5)
}

/// The drum that ends when this one is struck: a hi-hat has one pair of cymbals.
pub(super) const fn choked_by(pitch: u8) -> Option<u8> {
    match pitch {
        42 | 44 => Some(46),
        _ => None,
    }
}
