//! Sound definitions: parameters of an electric piano and a drum kit.
//!
//! They imitate no particular instrument. Pitches, chords, kick and snare, loud and soft must be easy to tell apart, and pleasant to listen
//! to. Exponentials and angles are computed once per key, so that a note start needs a few multiplications only: a whole chord may start in
//! one block, with code and tables not in the cache.

use core::f32::consts::{FRAC_PI_4, TAU};

use super::source::{DecayingValue, Drum, Piano, Source};
use super::wave::{Band, CHUNK};

/// Highest generated frequency, as a share of the sample rate.
const HIGHEST: f32 = 0.45;
/// Level of one voice at full velocity. Six of them reach full scale before the limiter.
const LEVEL: f32 = 0.25;
/// Sample rate, in hertz, at which the noise levels were tuned: in a band, white noise has less power the higher the rate.
const NOISE_RATE: f32 = 48_000.0;
/// Release time constant of the piano, in seconds.
const RELEASE: f32 = 0.07;

/// Parameters of one note.
#[derive(Debug, Clone)]
pub(super) struct Tone {
    pub(super) source: Source,
    /// Level of each partial.
    pub(super) levels: [f32; 2],
    /// Decay factor of each partial, per sample.
    pub(super) decays: [f32; 2],
    /// Attack increment per sample, from 0 to 1.
    pub(super) rise: f32,
    /// Release factor per sample; 1 if the note rings out.
    pub(super) release: f32,
    /// Gain of the left and right channel.
    pub(super) sides: [f32; 2],
}

/// Tones of all keys at one sample rate.
pub(super) struct Tones {
    /// At velocity 1; bell level and modulation index are scaled by velocity per note.
    piano: Vec<Tone>,
    /// At velocity 1.
    drums: Vec<Tone>,
}

impl Tones {
    /// Tones for a sample rate in hertz.
    pub(super) fn new(rate: f32) -> Self {
        Self { piano: (0..128).map(|pitch| piano(pitch, rate)).collect(), drums: (0..128).map(|pitch| drum(pitch, rate)).collect() }
    }

    /// Electric piano: key 0 to 127, velocity 0 to 1.
    pub(super) fn piano(&self, pitch: u8, velocity: f32) -> Tone {
        let mut tone = self.piano[usize::from(pitch)].clone();
        let loudness = loudness(velocity);
        tone.levels = [tone.levels[0] * loudness, tone.levels[1] * loudness * (0.05 + 0.15 * velocity)];
        if let Source::Piano(piano) = &mut tone.source {
            piano.brighten(0.25 + 1.5 * velocity * velocity);
        }
        tone
    }

    /// General MIDI percussion: key 0 to 127, velocity 0 to 1.
    pub(super) fn drum(&self, pitch: u8, velocity: f32) -> Tone {
        let mut tone = self.drums[usize::from(pitch)].clone();
        tone.levels = tone.levels.map(|level| level * loudness(velocity));
        tone
    }
}

fn piano(pitch: u8, rate: f32) -> Tone {
    let hertz = hertz(pitch.into());
    let highest = HIGHEST * rate;
    // 0 for a piano's lowest key, 1 for its highest.
    let height = (f32::from(pitch) - 21.0) / 87.0;
    // Each unit of the index adds about one harmonic; limited so that none exceeds half the sample rate.
    let room = ((highest / hertz - 1.0) / 3.0).clamp(0.0, 1.0);
    let index = (1.25 - height).clamp(0.2, 1.2) * room / TAU;
    let decay = 2.6 * (-1.6 * height).exp();
    let level = if hertz < highest { LEVEL } else { 0.0 };
    let bell = if 4.0 * hertz < highest { level } else { 0.0 };
    Tone {
        source: Source::Piano(Piano::new(
            [hertz / rate, (4.0 * hertz).min(highest) / rate],
            DecayingValue { rest: 0.2 * index, above: 0.8 * index, factor: factor(0.35 * decay * rate / CHUNK as f32) },
        )),
        levels: [level, bell],
        decays: [decay, 0.12 * decay].map(|seconds| factor(seconds * rate)),
        rise: 1.0 / (0.0015 * rate).max(1.0),
        release: factor(RELEASE * rate),
        sides: sides((height - 0.5).clamp(-0.5, 0.5) * 0.6),
    }
}

fn drum(pitch: u8, rate: f32) -> Tone {
    let highest = HIGHEST * rate;
    let skin = |hertz: f32, level: f32, decay: f32| (hertz, level, decay);
    let silent = skin(100.0, 0.0, 0.05);
    // Skin; noise: centre frequency, Q, level, decay time; pan.
    let ((pitched, body, ring), (middle, q, hiss, fade), pan) = match pitch {
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
        // Other percussion: a short wooden sound, higher for higher keys.
        _ => (skin(hertz(f32::from(pitch) + 12.0), 0.5, 0.05), (2500.0, 0.8, 0.4, 0.012), 0.2),
    };
    let noise = (rate / NOISE_RATE).sqrt().min(3.0);
    let (above, time) = if pitched < 400.0 { (3.0, 0.016) } else { (0.0, 1.0) };
    Tone {
        source: Source::Drum(Drum::new(
            pitched.min(highest) / rate,
            DecayingValue { rest: 1.0, above, factor: factor(time * rate / CHUNK as f32) },
            Band::new(f32::min(middle, highest) / rate, q),
        )),
        levels: [LEVEL * body, LEVEL * hiss * noise],
        decays: [ring, fade].map(|seconds| factor(seconds * rate)),
        rise: 1.0 / (0.0005 * rate).max(1.0),
        release: 1.0,
        sides: sides(pan),
    }
}

/// Frequency of a key in equal temperament, in hertz.
fn hertz(pitch: f32) -> f32 {
    440.0 * ((pitch - 69.0) / 12.0).exp2()
}

/// Factor per sample that decays to 1/e in this many samples.
pub(super) fn factor(samples: f32) -> f32 {
    (-1.0 / samples).exp()
}

/// Constant-power pan gains, left and right, for a pan of -1 (left) to 1 (right).
fn sides(pan: f32) -> [f32; 2] {
    let angle = (pan + 1.0) * FRAC_PI_4;
    [angle.cos(), angle.sin()]
}

/// Gain for a velocity of 0 to 1. A square root instead of a power is a single instruction.
fn loudness(velocity: f32) -> f32 {
    0.05 + 0.95 * velocity * velocity.sqrt()
}

/// The drum choked by this one: the hi-hats share a pair of cymbals.
pub(super) const fn choked_by(pitch: u8) -> Option<u8> {
    match pitch {
        42 | 44 => Some(46),
        _ => None,
    }
}
