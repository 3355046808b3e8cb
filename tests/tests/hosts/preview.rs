//! The preview synth in hosts, under the allocation guard.

use antiphon_engine::music::{Note, Role, Tick};
use antiphon_engine::plan::Deviation;
use antiphon_engine::session::{InputEvent, PlannedEvent};
use antiphon_tests::linked::take_ports;
use antiphon_tests::{Block, Class, Host, Message, Outputs, Setup, Timed, Transport};
use ringbuf::traits::{Consumer, Producer};

use crate::{LOADED, MANUAL, Make, playing};

const RATE: f64 = 48_000.0;

/// Transport of a block at this sample of a song at 120 bpm.
fn rolling(sample: u32) -> Option<Transport> {
    let position = f64::from(sample) / RATE * 2.0;
    Some(Transport { playing: true, tempo: Some(120.0), metre: Some((4, 4)), position: Some(position), bar: Some(0.0), cycle: None })
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

fn is_silent(samples: &[f32]) -> bool {
    samples.iter().all(|sample| *sample == 0.0)
}

/// Note-on for middle C at this sample of the block.
fn struck(sample: u64) -> Timed {
    Timed { sample, message: Message::NoteOn { channel: 0, key: 60, velocity: 0.8 } }
}

#[test]
fn planned_note_is_audible_from_its_sample_on() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let mut ports = take_ports();
        host.process(&Block { frames: 1000, transport: rolling(0), ..Block::default() });
        // 1,000 samples per tick.
        let note = Note { onset: Tick(3), offset: 0, duration: Tick(24), pitch: 60, velocity: 90, role: Role::Keys };
        let epochs = ports
            .events
            .pop_iter()
            .filter_map(|event| if let InputEvent::TransportChange { epoch, .. } = event { Some(epoch) } else { None });
        let epoch = epochs.last().unwrap();
        ports.planned.try_push(PlannedEvent::Note { epoch, note, channel: 0, deviation: Deviation::default() }).unwrap();
        let out = host.process(&Block { frames: 10_000, transport: rolling(1000), ..Block::default() });
        assert_eq!(out.messages.len(), 1, "{format}");
        for side in &out.audio {
            assert!(is_silent(&side[..2000]), "{format}");
            assert!(rms(&side[2000..]) > 0.02, "{format}: {}", rms(&side[2000..]));
        }
        // The transport stops: the note and its sound end.
        let stopped = Some(Transport { playing: false, ..rolling(11_000).unwrap() });
        let out = host.process(&Block { frames: 10_000, transport: stopped, ..Block::default() });
        assert!(rms(&out.audio[0][8000..]) < 0.2 * rms(&out.audio[0][..500]), "{format}");
        host.process(&Block { frames: 96_000, transport: stopped, ..Block::default() });
        let out = host.process(&Block { frames: 1000, transport: stopped, ..Block::default() });
        assert!(out.audio.iter().all(|side| is_silent(side)), "{format}");
    }
}

/// Sound of a key that the plan plays again at once, in blocks of 64, and the messages that the host got.
fn repeated_key(make: Make, outputs: Outputs) -> (Vec<f32>, usize) {
    const FRAMES: u32 = 64;
    let mut host = make(Class::Instrument, Setup::default());
    let mut ports = take_ports();
    let (mut sound, mut messages, mut epoch) = (Vec::new(), 0, None);
    for block in 0..1000 {
        let out = host.process(&Block { frames: FRAMES, transport: rolling(block * FRAMES), outputs, ..Block::default() });
        sound.extend_from_slice(&out.audio[0]);
        messages += out.messages.len();
        let begun = |event| if let InputEvent::TransportChange { epoch, .. } = event { Some(epoch) } else { None };
        let Some(begun) = ports.events.pop_iter().filter_map(begun).last().filter(|_| epoch.is_none()) else { continue };
        epoch = Some(begun);
        for (onset, duration) in [(3, 20), (12, 30)] {
            let note = Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch: 60, velocity: 90, role: Role::Keys };
            ports.planned.try_push(PlannedEvent::Note { epoch: begun, note, channel: 0, deviation: Deviation::default() }).unwrap();
        }
    }
    (sound, messages)
}

#[test]
fn plan_sounds_the_same_in_a_host_without_an_event_output() {
    for (format, make) in MANUAL {
        let (with, messages) = repeated_key(make, Outputs::All);
        assert!(rms(&with[15_000..40_000]) > 0.02 && messages == 4, "{format}: {messages} messages");
        let (without, messages) = repeated_key(make, Outputs::Audio);
        assert_eq!(messages, 0, "{format}");
        let first = with.iter().zip(&without).position(|(one, other)| one != other);
        assert_eq!(first, None, "{format}: first sample that differs");
    }
}

#[test]
fn player_is_audible_unless_thru_or_preview_is_off() {
    for (format, make) in LOADED {
        let sounds = |prepare: &dyn Fn(&mut dyn Host)| {
            let mut host = make(Class::Instrument, Setup::default());
            prepare(&mut *host);
            let out = host.process(&Block { frames: 4800, messages: &[struck(100)], ..Block::default() });
            assert!(is_silent(&out.audio[0][..100]), "{format}");
            rms(&out.audio[0][100..]) > 0.02
        };
        assert!(sounds(&|_| ()), "{format}");
        for name in ["Thru", "Preview sound"] {
            assert!(!sounds(&|host| host.set(name, 0.0)), "{format}: {name}");
        }
        assert!(!sounds(&|host| host.set("Bypass", 1.0)), "{format}");
    }
}

#[test]
fn preview_is_silent_after_off_bypass_or_reset_during_a_note() {
    type End = (&'static str, fn(&mut dyn Host));
    let ends: [End; 3] =
        [("off", |host| host.set("Preview sound", 0.0)), ("bypass", |host| host.set("Bypass", 1.0)), ("reset", |host| host.reset())];
    for (format, make) in LOADED {
        for (name, end) in ends {
            let mut host = make(Class::Instrument, Setup::default());
            host.process(&Block { frames: 4800, messages: &[struck(0)], ..Block::default() });
            end(&mut *host);
            let out = host.process(&Block { frames: 9600, ..Block::default() });
            assert!(is_silent(&out.audio[0][4800..]), "{format}: {name}");
        }
    }
}

#[test]
fn note_effect_is_silent_and_passes_no_subnormals() {
    let tiny = f32::MIN_POSITIVE / 3.0;
    let audio = [0.5, tiny, -tiny, f32::MIN_POSITIVE, 0.0, -0.25, 1e-45, 2.0];
    for (format, make) in LOADED {
        let mut host = make(Class::NoteFx, Setup::default());
        host.set("Preview sound", 1.0);
        let out = host.process(&Block { frames: 8, messages: &[struck(0)], audio: &audio, ..Block::default() });
        for side in &out.audio {
            assert_eq!(side[..], [0.5, 0.0, 0.0, f32::MIN_POSITIVE, 0.0, -0.25, 0.0, 2.0], "{format}");
        }
    }
}

#[test]
fn preview_output_does_not_depend_on_the_block_length() {
    let played = playing(5, 20_000, 16);
    for (format, make) in LOADED {
        let sound = |frames: u32| {
            let mut host = make(Class::Instrument, Setup::default());
            let mut sides = [Vec::new(), Vec::new()];
            for start in (0..20_000).step_by(frames as usize) {
                let span = u64::from(start)..u64::from((start + frames).min(20_000));
                let inside = played.iter().filter(|timed| span.contains(&timed.sample));
                let inside: Vec<_> = inside.map(|timed| Timed { sample: timed.sample - span.start, ..*timed }).collect();
                let frames = u32::try_from(span.end - span.start).unwrap();
                let out = host.process(&Block { frames, messages: &inside, ..Block::default() });
                sides.iter_mut().zip(out.audio).for_each(|(side, more)| side.extend(more));
            }
            sides
        };
        let whole = sound(20_000);
        assert!(rms(&whole[0]) > 0.02, "{format}");
        for frames in [32, 441] {
            assert!(sound(frames) == whole, "{format}: blocks of {frames}");
        }
    }
}
