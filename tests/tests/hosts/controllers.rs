//! Parameters written by a host and controllers moved by the player: only the latter are events.

use std::io::Write;
use std::sync::Arc;

use antiphon_engine::session::InputEvent;
use antiphon_tests::linked::take_ports;
use antiphon_tests::{Block, Class, Host, Message, Setup, Timed, Transport, Vst3Host};
use parking_lot::Mutex;
use ringbuf::traits::Consumer;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::history::project;
use crate::{LOADED, MANUAL};

const STOPPED: Transport =
    Transport { playing: false, tempo: Some(120.0), metre: Some((4, 4)), position: Some(0.0), bar: Some(0.0), cycle: None };
const ROLLING: Transport = Transport { playing: true, ..STOPPED };

/// Plays a block; returns the output messages.
fn block(host: &mut dyn Host, transport: Transport, messages: &[Message]) -> Vec<Message> {
    let messages: Vec<_> = messages.iter().map(|&message| Timed { sample: 0, message }).collect();
    let block = Block { frames: 64, transport: Some(transport), messages: &messages, ..Block::default() };
    host.process(&block).messages.iter().map(|timed| timed.message).collect()
}

fn control(controller: u8, value: u8) -> Message {
    Message::Control { channel: 3, controller, value }
}

fn bend(value: u16) -> Message {
    Message::Bend { channel: 3, value }
}

#[test]
fn parameters_written_back_make_no_events() {
    for ((format, make), (_, manual)) in LOADED.into_iter().zip(MANUAL) {
        let chunk = project(manual, &[1, 2]);
        for transport in [STOPPED, ROLLING] {
            for class in Class::ALL {
                let mut host = make(class, Setup::default());
                host.write_back();
                assert_eq!(block(&mut *host, transport, &[]), [], "{format}: made again");
                assert!(host.load(&chunk));
                for time in 0..3 {
                    host.write_back();
                    assert_eq!(block(&mut *host, transport, &[]), [], "{format}: loaded, time {time}");
                }
                // The player has moved controllers, and the host writes back their values.
                let moved = [control(64, 127), control(1, 9), bend(77)];
                assert_eq!(block(&mut *host, ROLLING, &moved), moved, "{format}");
                host.write_back();
                assert_eq!(block(&mut *host, transport, &[]), [], "{format}: played");
                assert!(host.load(&chunk));
                host.write_back();
                assert_eq!(block(&mut *host, transport, &[]), [], "{format}: loaded again");
            }
        }
    }
}

#[test]
fn loaded_instance_sends_nothing_before_playing() {
    for ((format, make), (_, manual)) in LOADED.into_iter().zip(MANUAL) {
        let chunk = project(manual, &[1, 2]);
        let mut host = make(Class::Instrument, Setup::default());
        assert!(host.load(&chunk));
        host.write_back();
        for round in 0..2000 {
            let transport =
                if round < 1000 { STOPPED } else { Transport { position: Some(f64::from(round - 1000) * 64.0 / 24_000.0), ..ROLLING } };
            assert_eq!(block(&mut *host, transport, &[]), [], "{format}, block {round}");
        }
    }
}

#[test]
fn all_controllers_written_at_once_are_no_events() {
    for class in Class::ALL {
        let mut host = Vst3Host::loaded(class, Setup::default());
        for (transport, value) in [(STOPPED, 0.5), (ROLLING, 1.0), (STOPPED, 0.25)] {
            host.write_controllers(value);
            assert_eq!(block(&mut host, transport, &[]), []);
            assert_eq!(host.controller_value(5, 64).0, value, "the host reads what it wrote");
        }
        assert_eq!(block(&mut host, STOPPED, &[control(64, 32)]), [control(64, 32)], "the pedal is moved to where it was written");
    }
}

#[test]
fn written_pedal_parameters_are_not_captured() {
    let mut host = Vst3Host::with_manual_session(Class::Instrument, Setup::default());
    let mut ports = take_ports();
    host.write_controllers(0.5);
    block(&mut host, ROLLING, &[]);
    let events: Vec<_> = ports.events.pop_iter().collect();
    assert!(!events.is_empty() && !events.iter().any(|event| matches!(event, InputEvent::Pedal { .. })), "{events:?}");
}

#[test]
fn hidden_parameters_have_midi_defaults_and_then_the_played_values() {
    let mut host = Vst3Host::loaded(Class::Instrument, Setup::default());
    let at = |host: &Vst3Host, channel, controller| {
        let (value, default) = host.controller_value(channel, controller);
        assert!((value - default).abs() < 1e-6, "channel {channel}, controller {controller}");
        value * 127.0
    };
    for channel in [0, 3, 15] {
        for controller in 0..=128 {
            let expected = match controller {
                7 => 100.0,
                8 | 10 => 64.0,
                11 => 127.0,
                _ => 0.0,
            };
            assert!((at(&host, channel, controller) - expected).abs() < 1e-4, "channel {channel}, controller {controller}");
        }
        assert!((at(&host, channel, 129) / 127.0 * 16_383.0 - 8192.0).abs() < 0.01);
    }
    block(&mut host, ROLLING, &[control(64, 127), bend(0)]);
    assert_eq!((host.controller_value(3, 64).0, host.controller_value(3, 129).0), (1.0, 0.0));
    // A change of the host's display moves no controller.
    assert!(host.display(3, 64, 0.5));
    assert_eq!((host.controller_value(3, 64).0, block(&mut host, ROLLING, &[])), (0.5, vec![]));
}

#[test]
fn moved_controllers_pass_at_once_and_unchanged_values_do_not() {
    let mut host = Vst3Host::loaded(Class::Instrument, Setup::default());
    let quiet = |host: &mut Vst3Host, messages: &[Message]| block(host, STOPPED, messages);
    assert_eq!(quiet(&mut host, &[control(7, 100), bend(8192), control(64, 0)]), [], "unchanged values");
    let moved = [control(7, 99), bend(8000), control(64, 127)];
    assert_eq!(quiet(&mut host, &moved), moved);
    assert_eq!(quiet(&mut host, &moved), [], "unchanged values");
    // Data entry, parameter numbers and mode messages are events every time.
    for message in [control(101, 0), control(100, 0), control(6, 2), control(123, 0), control(120, 0)] {
        assert_eq!([quiet(&mut host, &[message]), quiet(&mut host, &[message])], [[message], [message]]);
    }
    // When playback starts, hosts resend controllers, and the receiver may have changed meanwhile.
    let chased = [control(7, 99), control(10, 64)];
    assert_eq!(block(&mut host, ROLLING, &chased), chased);
    assert_eq!(block(&mut host, ROLLING, &chased), []);
}

#[test]
fn channel_mode_message_releases_captured_keys_and_pedal() {
    for (format, make) in MANUAL {
        for controller in [120, 121, 123] {
            let mut host = make(Class::Instrument, Setup::default());
            let mut ports = take_ports();
            let held = [
                control(64, 127),
                Message::NoteOn { channel: 3, key: 60, velocity: 0.5 },
                Message::NoteOn { channel: 4, key: 60, velocity: 0.5 },
            ];
            block(&mut *host, ROLLING, &held);
            ports.events.pop_iter().for_each(drop);
            assert_eq!(block(&mut *host, ROLLING, &[control(controller, 0)]), [control(controller, 0)], "{format}");
            let events: Vec<_> = ports.events.pop_iter().collect();
            let released: Vec<_> = events
                .iter()
                .filter_map(|event| if let InputEvent::NoteOff { key, .. } = event { Some(key.channel()) } else { None })
                .collect();
            let pedal_up = events.iter().any(|event| matches!(event, InputEvent::Pedal { channel: 3, pressed: false, .. }));
            let expected: (&[u8], bool) = match controller {
                120 => (&[3], true),
                121 => (&[], true),
                _ => (&[3], false),
            };
            assert_eq!((&released[..], pedal_up), expected, "{format}, controller {controller}: {events:?}");
        }
    }
}

#[test]
fn note_on_with_velocity_0_releases_its_key() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let mut ports = take_ports();
        let [on, silent] = [0.5, 0.0].map(|velocity| Message::NoteOn { channel: 0, key: 60, velocity });
        let off = Message::NoteOff { channel: 0, key: 60, velocity: 0.0 };
        assert_eq!([block(&mut *host, ROLLING, &[on]), block(&mut *host, ROLLING, &[silent])], [[on], [off]], "{format}");
        let events: Vec<_> = ports.events.pop_iter().collect();
        let ended = events.iter().any(|event| matches!(event, InputEvent::NoteOff { key, .. } if key.pitch() == 60));
        assert!(ended, "{format}: {events:?}");
    }
}

/// Captured log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A host moved to another thread.
struct SendHost(Vst3Host);

// SAFETY: VST3 hosts process on a thread of their own; the creating thread waits meanwhile.
unsafe impl Send for SendHost {}

#[test]
fn automation_on_the_audio_thread_leaves_nothing_in_the_log() {
    let mut host = Vst3Host::with_manual_session(Class::Instrument, Setup::default());
    for (name, value) in [("Bars ahead", 1.0), ("Seed", 0.5), ("Adventurousness", 0.25), ("Thru", 0.0)] {
        host.set(name, value);
    }
    let log = Log::default();
    let (written, moved) = (log.clone(), SendHost(host));
    let mut host = std::thread::scope(|scope| {
        let audio = scope.spawn(move || {
            let SendHost(mut host) = { moved };
            let _logs = fmt().with_writer(move || written.clone()).finish().set_default();
            host.process(&Block { frames: 64, ..Block::default() });
            SendHost(host)
        });
        audio.join().unwrap().0
    });
    assert_eq!(String::from_utf8_lossy(&log.0.lock()), "");
    assert_eq!([host.get("Bars ahead"), host.get("Thru")], [1.0, 0.0]);
}
