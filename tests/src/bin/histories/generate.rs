//! Random histories: the same seed gives the same history.

use fastrand::Rng;

use crate::planning::Engine;
use crate::script::KEYS;
use crate::step::{Controller, Format, History, Parameter, SessionRuns, Step, WindowCommand};

/// Sample rates. At the first, most often chosen, a beat takes few blocks.
const RATES: [f64; 8] = [8_000.0, 8_000.0, 8_000.0, 8_000.0, 11_025.0, 22_050.0, 44_100.0, 96_000.0];

/// Block lengths of hosts.
const LENGTHS: [u32; 10] = [16, 32, 64, 128, 256, 441, 480, 512, 1024, 2048];

/// Time signatures.
const METRES: [(u16, u16); 8] = [(4, 4), (3, 4), (7, 8), (6, 8), (2, 4), (5, 4), (1, 8), (12, 8)];

/// Channels of the player. Most messages are on the first.
const CHANNELS: [u8; 6] = [0, 0, 0, 1, 9, 15];

/// Controllers: modulation, volume, pedal, and channel mode messages.
const CONTROLLERS: [u8; 10] = [1, 7, 11, 64, 64, 64, 74, 120, 121, 123];

/// The history of a seed, with about so many steps at most. The model gets no block that is longer than a beat, in which it would be late.
pub(crate) fn history(seed: u64, most_steps: usize, engine: Engine) -> History {
    let mut random = Rng::with_seed(seed);
    let steps = random.usize(most_steps / 3..=most_steps);
    let rates = if engine == Engine::Real { &RATES[6..] } else { &RATES };
    let sample_rate = rates[random.usize(..rates.len())];
    let mut history = History {
        format: if random.bool() { Format::Clap } else { Format::Vst3 },
        is_note_fx: random.bool(),
        has_preview: random.u8(..8) == 0,
        sample_rate,
        tempo: tempo(&mut random),
        plan_seed: random.u64(..),
        steps: Vec::with_capacity(steps + 8),
    };
    if random.u8(..4) > 0 {
        history.steps.extend(opening(&mut random));
    }
    while history.steps.len() < steps {
        let step = step(&mut random);
        history.steps.push(step);
        let stops = matches!(
            step,
            Step::Halt
                | Step::Reset
                | Step::Reactivate
                | Step::Recreate
                | Step::Load { .. }
                | Step::LoadDamaged { .. }
                | Step::Transport { .. }
        );
        let silences = matches!(step, Step::Set { parameter: Parameter::Mode | Parameter::Bypass | Parameter::Take, .. });
        if (stops || silences) && random.bool() {
            history.steps.extend(revival(&mut random));
        }
    }
    history
}

/// A chord in a rolling song, and Play: most histories begin with a plan that plays.
fn opening(random: &mut Rng) -> Vec<Step> {
    let beat = Step::Blocks { frames: LENGTHS[random.usize(5..8)], count: 4, session: SessionRuns::EachBlock };
    let mut steps = vec![Step::Roll, beat];
    steps.extend((0..3).map(|third| Step::Strike { channel: 0, key: KEYS.0 + 4 * third, velocity: 90, at: 20 }));
    steps.extend([beat, Step::Release { number: 0, at: 0 }, Step::Release { number: 0, at: 9 }, beat]);
    steps.push(match random.bool() {
        true => Step::Set { parameter: Parameter::Play, value: 1.0 },
        false => Step::Window { command: WindowCommand::Play },
    });
    steps.extend([beat; 6]);
    steps
}

/// What brings the plan back.
fn revival(random: &mut Rng) -> Vec<Step> {
    let set = |parameter, value| Step::Set { parameter, value };
    let mut steps = vec![
        blocks(random),
        set(Parameter::Bypass, 0.0),
        set(Parameter::Mode, 0.0),
        set(Parameter::Take, 0.0),
        Step::Transport { reported: true },
        Step::Roll,
    ];
    steps.extend((0..3).map(|third| Step::Strike { channel: 0, key: KEYS.0 + 4 * third, velocity: 90, at: 20 }));
    steps.extend([set(Parameter::Play, 0.0), blocks(random), blocks(random), set(Parameter::Play, 1.0)]);
    steps.extend((0..3).map(|_| blocks(random)));
    steps
}

fn tempo(random: &mut Rng) -> f64 {
    match random.u8(..8) {
        0 => 20.0 + random.f64() * 40.0,
        1 => 480.0 + random.f64() * 480.0,
        _ => 120.0 + random.f64() * 240.0,
    }
}

fn blocks(random: &mut Rng) -> Step {
    let frames = if random.bool() { LENGTHS[random.usize(..LENGTHS.len())] } else { random.u32(16..=2048) };
    let count = match frames {
        0..128 => random.u8(1..24),
        128..600 => random.u8(1..12),
        _ => random.u8(1..4),
    };
    let session = if random.u8(..4) == 0 { SessionRuns::AtEnd } else { SessionRuns::EachBlock };
    Step::Blocks { frames, count, session }
}

fn step(random: &mut Rng) -> Step {
    let channel = CHANNELS[random.usize(..CHANNELS.len())];
    let key = if random.u8(..8) == 0 { random.u8(..128) } else { KEYS.0 + random.u8(..KEYS.1) };
    let at = random.u8(..);
    match random.u8(..100) {
        0..40 => blocks(random),
        40..52 => Step::Strike { channel, key, velocity: random.u8(..128), at },
        52..62 => Step::Release { number: random.u8(..), at },
        62..63 => Step::StrayRelease { channel, key, at },
        63..68 => Step::Send { message: controller(random, channel), at },
        68..77 => transport(random),
        77..83 => parameter(random),
        83..86 => Step::Set {
            parameter: [Parameter::Play, Parameter::Another, Parameter::Keep, Parameter::Panic][random.usize(..4)],
            value: f64::from(random.u8(..2)),
        },
        86..90 => {
            use WindowCommand::{Another, Earlier, Keep, Later, Now, Play};
            Step::Window { command: [Play, Play, Another, Keep, Earlier, Later, Now][random.usize(..7)] }
        }
        90..92 => Step::Save,
        92..94 => Step::Load { number: random.u8(..) },
        94 => Step::LoadDamaged { byte: random.u16(..) },
        95 => Step::WriteBack,
        96 => Step::Reset,
        97 => Step::Reactivate,
        98 => Step::Recreate,
        _ => Step::Worker { runs: if random.bool() { 0 } else { random.u8(..40) }, fails: random.bool() },
    }
}

fn controller(random: &mut Rng, channel: u8) -> Controller {
    let value = random.u8(..128);
    match random.u8(..6) {
        0 => Controller::Bend { channel, value: random.u16(..16_384) },
        1 => Controller::ChannelPressure { channel, value },
        2 => Controller::KeyPressure { number: random.u8(..), value },
        _ => Controller::Control { channel, controller: CONTROLLERS[random.usize(..CONTROLLERS.len())], value },
    }
}

fn transport(random: &mut Rng) -> Step {
    // Quarters on a bar line, on a beat, or anywhere.
    let quarters = match random.u8(..3) {
        0 => f64::from(random.u8(..16)) * 4.0,
        1 => f64::from(random.u8(..64)),
        _ => random.f64() * 64.0,
    };
    match random.u8(..16) {
        0..4 => Step::Roll,
        4..7 => Step::Halt,
        7 => Step::Transport { reported: random.bool() },
        8..10 => Step::Locate { quarters },
        10..12 => Step::Cycle { length: (random.u8(..3) > 0).then(|| f64::from(random.u8(1..16)) / 2.0) },
        12..14 => Step::Tempo { bpm: tempo(random) },
        _ => {
            let (numerator, denominator) = METRES[random.usize(..METRES.len())];
            Step::Metre { numerator, denominator }
        }
    }
}

fn parameter(random: &mut Rng) -> Step {
    let parameter = Parameter::ALL[random.usize(..Parameter::ALL.len())];
    let value = match parameter {
        // Most often the states in which something can be heard.
        Parameter::Bypass | Parameter::Mode | Parameter::Take => {
            if random.u8(..3) > 0 {
                0.0
            } else {
                random.f64()
            }
        }
        Parameter::Thru => {
            if random.u8(..3) > 0 {
                1.0
            } else {
                0.0
            }
        }
        // A song is short: its first bars.
        Parameter::InfillFrom => f64::from(random.u8(..8)) / 998.0,
        // The preview synth takes more time than all else.
        Parameter::Preview => 0.0,
        _ => random.f64(),
    };
    Step::Set { parameter, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_depends_on_the_seed_alone() {
        let history = |seed| history(seed, 60, Engine::Scripted);
        assert_eq!(history(7), history(7));
        assert_ne!(history(7).steps, history(8).steps);
    }

    #[test]
    fn histories_contain_every_kind_of_step() {
        let kinds: std::collections::HashSet<_> =
            (0..100).flat_map(|seed| history(seed, 60, Engine::Scripted).steps).map(|step| std::mem::discriminant(&step)).collect();
        assert_eq!(kinds.len(), 22);
    }
}
