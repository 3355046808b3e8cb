//! What the keys sound like: numbers for an electric piano and a drum kit.
//!
//! Neither is a copy of an instrument. They are to tell pitches, chords, a kick from a snare and loud from soft, and to be pleasant for an
//! evening. Exponentials and angles are reckoned once for every key, so that a note starts with a few multiplications: a chord starts in one
//! block, whose code and tables no cache may hold.

use core::f32::consts::{FRAC_PI_4, TAU};

use super::source::{Drum, Piano, Settling, Source};
use super::wave::{Band, CHUNK};

/// The highest frequency that is sounded, as a share of the sample rate: above half of it there is none.
const HIGHEST: f32 = 0.45;
/// Of one voice, at full velocity. Six of them reach full scale before the limiter.
const LEVEL: f32 = 0.25;
/// The sample rate at which the noise levels were set, in hertz: white noise has less in a band the higher the rate.
const NOISE_RATE: f32 = 48_000.0;
/// How fast a key of the piano that is let go falls to 1/e, seconds.
const RELEASE: f32 = 0.07;

/// What one note sounds like.
#[derive(Debug, Clone)]
pub(super) struct Tone {
    pub(super) source: Source,
    /// How loud each part of the source is.
    pub(super) levels: [f32; 2],
    /// What they are multiplied by each sample.
    pub(super) decays: [f32; 2],
    /// How much of full loudness each sample adds, from nothing on.
    pub(super) rise: f32,
    /// What each sample is multiplied by once the key is let go; 1 if it rings out.
    pub(super) release: f32,
    /// What left and right are multiplied by.
    pub(super) sides: [f32; 2],
}

/// Every key's tone at a sample rate.
pub(super) struct Tones {
    /// With velocity 1, but the bell and the index of modulation are still to be multiplied by what they are at a velocity.
    piano: Vec<Tone>,
    /// With velocity 1.
    drums: Vec<Tone>,
}

impl Tones {
    /// For a sample rate in hertz.
    pub(super) fn new(rate: f32) -> Self {
        Self { piano: (0..128).map(|pitch| piano(pitch, rate)).collect(), drums: (0..128).map(|pitch| drum(pitch, rate)).collect() }
    }

    /// A key of the electric piano, 0 to 127, struck with a velocity of 0 to 1.
    pub(super) fn piano(&self, pitch: u8, velocity: f32) -> Tone {
        let mut tone = self.piano[usize::from(pitch)].clone();
        let loudness = loudness(velocity);
        tone.levels = [tone.levels[0] * loudness, tone.levels[1] * loudness * (0.05 + 0.15 * velocity)];
        if let Source::Piano(piano) = &mut tone.source {
            piano.brighten(0.25 + 1.5 * velocity * velocity);
        }
        tone
    }

    /// A key of General MIDI's percussion, 0 to 127, struck with a velocity of 0 to 1.
    pub(super) fn drum(&self, pitch: u8, velocity: f32) -> Tone {
        let mut tone = self.drums[usize::from(pitch)].clone();
        tone.levels = tone.levels.map(|level| level * loudness(velocity));
        tone
    }
}

fn piano(pitch: u8, rate: f32) -> Tone {
    let hertz = hertz(pitch.into());
    let highest = HIGHEST * rate;
    // 0 for the lowest key of a piano, 1 for the highest.
    let height = (f32::from(pitch) - 21.0) / 87.0;
    // Each step of the index adds about a harmonic: none above half the sample rate.
    let room = ((highest / hertz - 1.0) / 3.0).clamp(0.0, 1.0);
    let index = (1.25 - height).clamp(0.2, 1.2) * room / TAU;
    let decay = 2.6 * (-1.6 * height).exp();
    let level = if hertz < highest { LEVEL } else { 0.0 };
    let bell = if 4.0 * hertz < highest { level } else { 0.0 };
    Tone {
        source: Source::Piano(Piano::new(
            [hertz / rate, (4.0 * hertz).min(highest) / rate],
            Settling { rest: 0.2 * index, above: 0.8 * index, factor: factor(0.35 * decay * rate / CHUNK as f32) },
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
    // The skin; the noise: middle, Q, level, decay; where it stands.
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
        // The rest of the percussion: a short wooden sound, higher for higher keys.
        _ => (skin(hertz(f32::from(pitch) + 12.0), 0.5, 0.05), (2500.0, 0.8, 0.4, 0.012), 0.2),
    };
    let noise = (rate / NOISE_RATE).sqrt().min(3.0);
    let (above, time) = if pitched < 400.0 { (3.0, 0.016) } else { (0.0, 1.0) };
    Tone {
        source: Source::Drum(Drum::new(
            pitched.min(highest) / rate,
            Settling { rest: 1.0, above, factor: factor(time * rate / CHUNK as f32) },
            Band::new(f32::min(middle, highest) / rate, q),
        )),
        levels: [LEVEL * body, LEVEL * hiss * noise],
        decays: [ring, fade].map(|seconds| factor(seconds * rate)),
        rise: 1.0 / (0.0005 * rate).max(1.0),
        release: 1.0,
        sides: sides(pan),
    }
}

/// A key's frequency, in equal temperament.
fn hertz(pitch: f32) -> f32 {
    440.0 * ((pitch - 69.0) / 12.0).exp2()
}

/// What a level is multiplied by each sample to fall to 1/e in so many samples.
pub(super) fn factor(samples: f32) -> f32 {
    (-1.0 / samples).exp()
}

/// What left and right are multiplied by, from -1, left, to 1, right.
fn sides(pan: f32) -> [f32; 2] {
    let angle = (pan + 1.0) * FRAC_PI_4;
    [angle.cos(), angle.sin()]
}

/// How loud a velocity of 0 to 1 is, as a share of the loudest: a root, not a power, is one instruction.
fn loudness(velocity: f32) -> f32 {
    0.05 + 0.95 * velocity * velocity.sqrt()
}

/// The drum that ends when this one is struck: a hi-hat has one pair of cymbals.
pub(super) const fn choked_by(pitch: u8) -> Option<u8> {
    match pitch {
        42 | 44 => Some(46),
        _ => None,
    }
}
