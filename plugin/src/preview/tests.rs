//! Measurements of the preview synth's output.

use antiphon_engine::plan::MidiKey;
use nice_plug::midi::{NoteEvent, control_change};

use super::*;
use crate::port::{note_off, note_on};

const RATE: f32 = 48_000.0;
/// One second, in samples.
const SECOND: usize = 48_000;
const A4: MidiKey = MidiKey::new(0, 69).unwrap();
const KICK: MidiKey = MidiKey::new(9, 36).unwrap();
const SNARE: MidiKey = MidiKey::new(9, 38).unwrap();
const HAT: MidiKey = MidiKey::new(9, 42).unwrap();
const OPEN_HAT: MidiKey = MidiKey::new(9, 46).unwrap();

/// Plays events at their samples from the start, in blocks that cycle through these lengths; returns both channels.
fn play(rate: f32, samples: usize, events: &[Event], lengths: &[usize]) -> [Vec<f32>; 2] {
    let mut preview = Preview::new(rate);
    play_on(&mut preview, samples, events, lengths)
}

fn play_on(preview: &mut Preview, samples: usize, events: &[Event], lengths: &[usize]) -> [Vec<f32>; 2] {
    let mut sides = [vec![0.0; samples], vec![0.0; samples]];
    let (mut start, mut lengths) = (0, lengths.iter().cycle());
    while start < samples {
        let end = (start + lengths.next().unwrap()).min(samples);
        let [left, right] = &mut sides;
        let mut renderer = preview.begin(true, &mut left[start..end], &mut right[start..end]);
        for event in events.iter().filter(|event| (start..end).contains(&(event.timing() as usize))) {
            let mut event = *event;
            event.subtract_timing(u32::try_from(start).unwrap());
            renderer.play(&event, Sound::ByChannel);
        }
        start = end;
    }
    sides
}

fn control(timing: u32, cc: u8, value: f32) -> Event {
    NoteEvent::MidiCC { timing, channel: 0, cc, value }
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}

/// Largest difference between adjacent samples.
fn jump(samples: &[f32]) -> f32 {
    samples.windows(2).fold(0.0, |jump, pair| (pair[1] - pair[0]).abs().max(jump))
}

/// Magnitude at one frequency: one term of a Fourier transform, with a Hann window.
fn strength(samples: &[f32], hertz: f64, rate: f64) -> f64 {
    let turn = std::f64::consts::TAU;
    let term = |(index, sample): (usize, &f32)| {
        let window = 0.5 - 0.5 * (turn * index as f64 / samples.len() as f64).cos();
        let (sine, cosine) = (turn * hertz * index as f64 / rate).sin_cos();
        (f64::from(*sample) * window * sine, f64::from(*sample) * window * cosine)
    };
    let (sine, cosine) = samples.iter().enumerate().map(term).fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1));
    sine.hypot(cosine)
}

/// Share of the energy that lies between two frequencies.
fn share(samples: &[f32], from: f64, to: f64) -> f64 {
    let energy = |hertz: f64| strength(&samples[..4096], hertz, f64::from(RATE)).powi(2);
    let (mut within, mut all) = (0.0, 0.0);
    for step in 1..1000 {
        let hertz = 24.0 * f64::from(step);
        let energy = energy(hertz);
        all += energy;
        within += if (from..to).contains(&hertz) { energy } else { 0.0 };
    }
    within / all
}

#[test]
fn note_starts_at_its_sample_and_decays_to_silence() {
    let [left, right] = play(RATE, 4 * SECOND, &[note_on(1000, A4, 100), note_off(30_000, A4)], &[512]);
    for side in [left, right] {
        assert!(side[..1000].iter().all(|sample| *sample == 0.0));
        assert!(side[1000..1010].iter().any(|sample| *sample != 0.0));
        assert!(rms(&side[1000..30_000]) > 0.02);
        // 0.1 s after release it is much quieter, later silent.
        assert!(rms(&side[34_800..39_600]) < 0.2 * rms(&side[25_000..29_800]));
        assert!(side[3 * SECOND..].iter().all(|sample| *sample == 0.0));
        assert!(side.iter().all(|sample| !sample.is_subnormal()));
    }
}

#[test]
fn strongest_frequency_is_that_of_the_key() {
    for pitch in (33..=96).step_by(9) {
        let [left, _] = play(RATE, SECOND, &[note_on(0, MidiKey::new(0, pitch).unwrap(), 90)], &[512]);
        let hertz = 440.0 * ((f64::from(pitch) - 69.0) / 12.0).exp2();
        let at = |semitones: f64| strength(&left[4800..], hertz * (semitones / 12.0).exp2(), RATE.into());
        // The key's own frequency is stronger than neighbours a tenth of a semitone away, and than all other keys.
        let own = at(0.0);
        for semitones in [-0.1, 0.1].into_iter().chain((-24..=36).filter(|step| *step != 0).map(f64::from)) {
            assert!(own > at(semitones), "key {pitch}: more at {semitones} semitones");
        }
    }
}

#[test]
fn pitch_bend_range_is_two_semitones() {
    let bend = |value| NoteEvent::MidiPitchBend { timing: 0, channel: 0, value };
    for (value, semitones) in [(0.0, -2.0), (0.5, 0.0), (0.75, 1.0), (1.0, 2.0)] {
        let [left, _] = play(RATE, SECOND, &[bend(value), note_on(0, A4, 90)], &[512]);
        let at = |semitones: f64| strength(&left, 440.0 * (semitones / 12.0).exp2(), RATE.into());
        assert!((-3..=3).map(f64::from).all(|other| other == semitones || at(other) < at(semitones)), "{value}");
    }
}

#[test]
fn higher_velocity_is_louder_and_brighter() {
    let notes = [1, 20, 64, 100, 127].map(|velocity| play(RATE, SECOND / 4, &[note_on(0, A4, velocity)], &[512])[0].clone());
    for pair in notes.windows(2) {
        assert!(rms(&pair[1]) > 1.2 * rms(&pair[0]));
        let brightness = |samples: &[f32]| strength(samples, 880.0, RATE.into()) / strength(samples, 440.0, RATE.into());
        assert!(brightness(&pair[1]) > brightness(&pair[0]));
    }
    assert!(rms(&notes[0]) > 1e-3);
}

#[test]
fn kick_snare_and_hat_have_different_spectra() {
    let hit = |key| play(RATE, SECOND / 4, &[note_on(0, key, 110)], &[512])[0].clone();
    let (kick, snare, hat) = (hit(KICK), hit(SNARE), hit(HAT));
    assert!(share(&kick, 0.0, 250.0) > 0.8, "{}", share(&kick, 0.0, 250.0));
    assert!(share(&snare, 500.0, 6000.0) > 0.4, "{}", share(&snare, 500.0, 6000.0));
    assert!(share(&snare, 0.0, 250.0) > 0.05, "{}", share(&snare, 0.0, 250.0));
    assert!(share(&hat, 5000.0, 24_000.0) > 0.8, "{}", share(&hat, 5000.0, 24_000.0));
    for drum in [kick, snare, hat] {
        assert!(peak(&drum) > 0.06);
    }
    // Every other drum key is audible, and so are drums on any channel with the drum sound.
    for pitch in 0..128 {
        assert!(peak(&hit(MidiKey::new(9, pitch).unwrap())) > 0.02, "{pitch}");
    }
    let mut preview = Preview::new(RATE);
    let (mut left, mut right) = (vec![0.0; 12_000], vec![0.0; 12_000]);
    preview.begin(true, &mut left, &mut right).play(&note_on(0, MidiKey::new(0, 36).unwrap(), 110), Sound::Percussion);
    assert_eq!(left, hit(KICK));
}

#[test]
fn closed_hat_chokes_an_open_one() {
    let both = |key| play(RATE, SECOND / 2, &[note_on(0, OPEN_HAT, 100), note_on(4800, key, 1)], &[512])[0].clone();
    let (closed, not) = (both(HAT), both(KICK));
    assert!(rms(&closed[7200..9600]) < 0.2 * rms(&not[7200..9600]));
}

#[test]
fn pedal_sustains_released_keys() {
    let held = |pedal: &[Event]| {
        let mut events = vec![note_on(0, A4, 90), note_off(4800, A4)];
        events.extend(pedal);
        events.sort_by_key(Event::timing);
        rms(&play(RATE, SECOND, &events, &[512])[0][24_000..26_400])
    };
    let (down, up) = (control(100, control_change::DAMPER_PEDAL, 1.0), control(12_000, control_change::DAMPER_PEDAL, 0.0));
    assert!(held(&[down]) > 10.0 * held(&[]));
    assert!(held(&[down]) > 10.0 * held(&[down, up]));
    assert!(held(&[down]) > 10.0 * held(&[down, control(12_000, control_change::ALL_SOUND_OFF, 0.0)]));
    assert!(held(&[down]) > 10.0 * held(&[down, control(12_000, control_change::RESET_ALL_CONTROLLERS, 0.0)]));
}

#[test]
fn starts_steals_and_releases_do_not_click() {
    let steady = jump(&play(RATE, SECOND, &[note_on(0, A4, 127)], &[512])[0]);
    let key = |index: u32| MidiKey::new(0, u8::try_from(45 + index * 7 % 25).unwrap()).unwrap();
    let starts = [note_on(100, A4, 127)];
    let restrikes: Vec<_> = (0..20).map(|index| note_on(index * 1777, A4, 127)).collect();
    let releases = [note_on(0, A4, 127), note_off(4321, A4)];
    for (what, events) in [("start", &starts[..]), ("restrike", &restrikes), ("release", &releases)] {
        let [left, right] = play(RATE, SECOND, events, &[512]);
        assert!(jump(&left).max(jump(&right)) < 2.5 * steady, "{what}: {} against {steady}", jump(&left));
    }
    // With voice stealing, the steepest step is about that of the same number of voices held.
    let steals: Vec<_> = (0..200).map(|index| note_on(index * 211, key(index), 60)).collect();
    let held: Vec<_> = (0..16).map(|index| note_on(0, MidiKey::new(0, 54 + index).unwrap(), 60)).collect();
    let [stealing, holding] = [steals, held].map(|events| jump(&play(RATE, SECOND, &events, &[512])[0]));
    assert!(stealing < 1.5 * holding, "{stealing} against {holding}");
    // Switched off during a note it fades, then is silent.
    let mut preview = Preview::new(RATE);
    let mut sides = play_on(&mut preview, 4800, &[note_on(0, A4, 127)], &[512]);
    let [mut left, mut right] = [vec![0.0; 9600], vec![0.0; 9600]];
    preview.begin(false, &mut left, &mut right).play(&note_on(3, A4, 127), Sound::ByChannel);
    sides[0].extend(left);
    assert!(jump(&sides[0]) < 2.5 * steady);
    assert!(sides[0][9600..].iter().all(|sample| *sample == 0.0));
}

#[test]
fn reset_silences_at_once() {
    let mut preview = Preview::new(RATE);
    play_on(&mut preview, 4800, &[control(0, control_change::DAMPER_PEDAL, 1.0), note_on(0, A4, 127), note_on(9, KICK, 127)], &[512]);
    preview.reset();
    let [left, right] = play_on(&mut preview, 4800, &[], &[512]);
    assert!(left.iter().chain(&right).all(|sample| *sample == 0.0));
    // The reset also released the pedal.
    let after = play_on(&mut preview, 4 * SECOND, &[note_on(0, A4, 127), note_off(480, A4)], &[512]);
    assert!(after[0][2 * SECOND..].iter().all(|sample| *sample == 0.0));
}

#[test]
fn all_keys_at_once_do_not_clip() {
    let all = (0..16).flat_map(|channel| (0..128).map(move |pitch| note_on(7, MidiKey::new(channel, pitch).unwrap(), 127)));
    let mut events: Vec<_> = all.clone().collect();
    events.extend(all.map(|event| match event {
        NoteEvent::NoteOn { voice_id, channel, key, velocity, .. } => NoteEvent::NoteOn { timing: 900, voice_id, channel, key, velocity },
        other => other,
    }));
    let [left, right] = play(RATE, SECOND, &events, &[512]);
    assert!(peak(&left).max(peak(&right)) < 1.0);
    assert!(rms(&left) > 0.05);
}

#[test]
fn output_is_finite_at_any_sample_rate() {
    let events = [note_on(0, A4, 127), note_on(0, MidiKey::new(0, 0).unwrap(), 127), note_on(3, MidiKey::new(0, 127).unwrap(), 127)];
    let drums = (27..=87).map(|pitch| note_on(5, MidiKey::new(9, pitch).unwrap(), 127));
    let events: Vec<_> = events.into_iter().chain(drums).collect();
    for rate in [8000.0, 11_025.0, 22_050.0, 44_100.0, 88_200.0, 192_000.0, 384_000.0, 0.0, -1.0, f32::NAN, f32::INFINITY] {
        let [left, right] = play(rate, 24_000, &events, &[512]);
        assert!(left.iter().chain(&right).all(|sample| sample.abs() < 1.0 && !sample.is_subnormal()), "{rate} Hz");
        assert!(rms(&left) > 0.01, "{rate} Hz");
    }
}

#[test]
fn nan_velocities_and_bends_give_finite_output() {
    let mut events = vec![note_on(9, A4, 100), note_on(10, A4, 100)];
    for event in &mut events {
        if let NoteEvent::NoteOn { velocity, .. } = event {
            *velocity = f32::NAN;
        }
    }
    events.insert(0, NoteEvent::MidiPitchBend { timing: 0, channel: 0, value: f32::NAN });
    events.insert(0, NoteEvent::MidiPitchBend { timing: 0, channel: 200, value: 1.0 });
    events.push(note_on(11, SNARE, 100));
    let [left, right] = play(RATE, 4800, &events, &[512]);
    assert!(left.iter().chain(&right).all(|sample| sample.is_finite()));
}

#[test]
fn output_does_not_depend_on_the_block_length() {
    let mut events: Vec<_> = (0..60)
        .flat_map(|index| {
            let key = MidiKey::new(if index % 3 == 0 { 9 } else { 0 }, u8::try_from(36 + index * 5 % 40).unwrap()).unwrap();
            [note_on(index * 301, key, 90), note_off(index * 301 + 7000, key)]
        })
        .chain([control(5000, control_change::DAMPER_PEDAL, 1.0), control(9000, control_change::DAMPER_PEDAL, 0.0)])
        .chain([NoteEvent::MidiPitchBend { timing: 7777, channel: 0, value: 0.7 }])
        .collect();
    events.sort_by_key(Event::timing);
    let whole = play(RATE, 24_000, &events, &[24_000]);
    for lengths in [&[1][..], &[7], &[16], &[32], &[441], &[1, 2, 3, 5, 8, 13, 0, 2048]] {
        assert_eq!(play(RATE, 24_000, &events, lengths), whole, "{lengths:?}");
    }
}
