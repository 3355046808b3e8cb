//! Invalid host input: pass-through keeps working, the status line names the problem, and there are no panics and no hanging notes.

use antiphon_plugin::host_issues::HostIssue;
use antiphon_plugin::planning_session::PlanningPorts;
use antiphon_plugin::status_messages::status_message;
use antiphon_tests::linked::take_ports;
use antiphon_tests::{Block, Class, Host, Message, Outputs, Setup, Timed, Transport};

use crate::history::{json_start, project, seeds};
use crate::{LOADED, MANUAL, Random, assert_in_order, playing, sorted, still_held};

/// The status line's message on project and host.
fn message(ports: &PlanningPorts) -> String {
    status_message(&ports.state, &ports.meters).unwrap_or_default()
}

/// Plays blocks of 500 samples with this transport, and asserts that all of the player's messages pass.
fn assert_thru_works(what: &str, host: &mut dyn Host, mut transport: impl FnMut(u32) -> Option<Transport>) {
    let played = playing(21, 40 * 500, 16);
    let mut sent = Vec::new();
    for block in 0..40 {
        let start = u64::from(block) * 500;
        let inside = played.iter().filter(|timed| (start..start + 500).contains(&timed.sample));
        let inside: Vec<_> = inside.map(|timed| Timed { sample: timed.sample - start, ..*timed }).collect();
        let outcome = host.process(&Block { frames: 500, transport: transport(block), messages: &inside, ..Block::default() });
        sent.extend(outcome.messages.iter().map(|timed| Timed { sample: timed.sample + start, ..*timed }));
    }
    assert_in_order(&sent);
    assert_eq!(sorted(&sent), sorted(&played), "{what}");
}

#[test]
fn missing_or_invalid_transport_leaves_thru_working_and_is_reported() {
    let rolling = Transport { playing: true, tempo: Some(120.0), metre: Some((4, 4)), position: Some(0.0), bar: Some(0.0), cycle: None };
    let at = move |position: f64| Transport { position: Some(position), ..rolling };
    type TransportOf = Box<dyn Fn(u32) -> Option<Transport>>;
    // The issue reported to the player, where both formats transmit the invalid value.
    let expected_issue = |name: &str| match name {
        "no transport" => Some(HostIssue::Transport),
        "nothing but rolling" | "tempo 0" | "tempo below 0" | "tempo NaN" | "infinite tempo" => Some(HostIssue::Tempo),
        "metre 0/0" | "metre 65535/3" => Some(HostIssue::Metre),
        "position backwards" => Some(HostIssue::UnsteadyPosition),
        _ => None,
    };
    let transports: [(&str, TransportOf); 15] = [
        ("no transport", Box::new(|_| None)),
        ("a transport now and then", Box::new(move |block| (block % 3 == 0).then_some(at(f64::from(block))))),
        ("nothing but rolling", Box::new(|_| Some(Transport { playing: true, ..Transport::default() }))),
        ("tempo 0", Box::new(move |_| Some(Transport { tempo: Some(0.0), ..rolling }))),
        ("tempo below 0", Box::new(move |_| Some(Transport { tempo: Some(-120.0), ..rolling }))),
        ("tempo NaN", Box::new(move |_| Some(Transport { tempo: Some(f64::NAN), ..rolling }))),
        ("infinite tempo", Box::new(move |_| Some(Transport { tempo: Some(f64::INFINITY), ..rolling }))),
        ("metre 0/0", Box::new(move |_| Some(Transport { metre: Some((0, 0)), ..rolling }))),
        ("metre 65535/3", Box::new(move |_| Some(Transport { metre: Some((65_535, 3)), ..rolling }))),
        ("constant position", Box::new(move |_| Some(rolling))),
        ("position backwards", Box::new(move |block| Some(at(1000.0 - 7.3 * f64::from(block))))),
        ("position NaN", Box::new(move |_| Some(at(f64::NAN)))),
        ("position out of range", Box::new(move |block| Some(at(1e300 * f64::from(block))))),
        ("a loop without length", Box::new(move |_| Some(Transport { cycle: Some((4.0, 4.0)), ..rolling }))),
        ("a loop backwards", Box::new(move |_| Some(Transport { cycle: Some((8.0, 4.0)), ..rolling }))),
    ];
    for (name, transport) in &transports {
        for (format, make) in LOADED {
            let mut host = make(Class::Instrument, Setup::default());
            assert_thru_works(&format!("{format}, {name}"), &mut *host, transport);
        }
        for (format, make) in MANUAL {
            let mut host = make(Class::Instrument, Setup::default());
            let ports = take_ports();
            assert_thru_works(&format!("{format}, {name}"), &mut *host, transport);
            if let Some(issue) = expected_issue(name) {
                assert!(message(&ports).contains(issue.message()), "{format}, {name}: {}", message(&ports));
            }
        }
    }
}

#[test]
fn invalid_sample_rate_leaves_thru_working_and_is_reported() {
    let transport = |block| Some(Transport { playing: true, tempo: Some(120.0), position: Some(f64::from(block)), ..Transport::default() });
    for sample_rate in [0.0, -44_100.0, f64::NAN, f64::INFINITY, 1e-9] {
        let setup = Setup { sample_rate, ..Setup::default() };
        for (format, make) in LOADED {
            assert_thru_works(&format!("{format}, {sample_rate} Hz"), &mut *make(Class::NoteFx, setup), transport);
        }
        for (format, make) in MANUAL {
            let mut host = make(Class::NoteFx, setup);
            let ports = take_ports();
            assert_thru_works(&format!("{format}, {sample_rate} Hz"), &mut *host, transport);
            assert!(message(&ports).contains(HostIssue::SampleRate.message()), "{format}, {sample_rate} Hz: {}", message(&ports));
        }
    }
}

#[test]
fn empty_blocks_and_blocks_without_outputs_leave_thru_working() {
    for (format, make) in LOADED {
        for class in Class::ALL {
            let mut host = make(class, Setup::default());
            for _ in 0..10 {
                host.process(&Block::default());
                host.process(&Block { frames: 64, outputs: Outputs::None, ..Block::default() });
            }
            assert_thru_works(&format!("{format}, {class:?}"), &mut *host, |_| None);
        }
    }
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let ports = take_ports();
        for _ in 0..10 {
            host.process(&Block { transport: Some(Transport { tempo: Some(120.0), ..Transport::default() }), ..Block::default() });
            host.process(&Block { frames: 64, outputs: Outputs::None, ..Block::default() });
        }
        assert_eq!(message(&ports), "", "{format}: nothing is wrong with that");
    }
}

#[test]
fn damaged_foreign_or_newer_state_leaves_thru_working_and_is_reported() {
    for (format, make) in MANUAL {
        let chunk = project(make, &[1, 2]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let json = json_start(&chunk);
        let packed = |json_text: &str| {
            let length = u64::try_from(json_text.len()).unwrap().to_le_bytes();
            [&length[..json], json_text.as_bytes()].concat()
        };
        let whole = text(&chunk[json..]);
        let edited = |that: &str, this: &str| {
            assert!(whole.contains(that), "{whole}");
            packed(&whole.replace(that, this))
        };
        let mut dice = Random(5);
        let noise: Vec<_> = (0..500).map(|_| dice.byte(256)).collect();
        // Whether the host is told that the state was accepted; the message; the seeds in the history afterwards.
        type Case = (&'static str, Vec<u8>, bool, &'static str, &'static [u64]);
        let states: [Case; 7] = [
            ("truncated", chunk[..chunk.len() / 2].to_vec(), false, "", &[7]),
            ("random", noise, false, "", &[7]),
            ("empty", Vec::new(), false, "", &[7]),
            ("truncated inside", edited(r#"]}}""#, r#"""#), true, "it is damaged", &[7]),
            ("damaged inside", edited(r#"{\"version\":1,"#, r#"{\"version\":null,"#), true, "it is damaged", &[7]),
            ("foreign", packed(r#"{"version":"3","params":{"bypass":{"bool":true}},"fields":{}}"#), true, "another program", &[7]),
            ("newer", edited(r#"{\"version\":1,"#, r#"{\"version\":9,\"x\":[1],"#), true, "A newer Antiphon", &[1, 2, 7]),
        ];
        for (name, state, accepted, expected, entries) in states {
            let mut host = make(Class::NoteFx, Setup::default());
            let ports = take_ports();
            assert!(host.load(&project(make, &[7])), "{format}");
            assert_eq!(host.load(&state), accepted, "{format}, {name}");
            assert_eq!((seeds(&ports.state).as_slice(), host.get("Bypass")), (entries, 0.0), "{format}, {name}");
            assert_thru_works(&format!("{format}, {name}"), &mut *host, |_| None);
            assert!(message(&ports).contains(expected), "{format}, {name}: {}", message(&ports));
        }
    }
}

#[test]
fn ten_thousand_events_in_a_block_all_pass() {
    for (format, make) in LOADED {
        for same_sample in [true, false] {
            let mut host = make(Class::Instrument, Setup::default());
            // Every key of every channel, on and off, several times over; then the same with each round in one sample.
            let messages: Vec<_> = (0..10_240u16)
                .map(|index| {
                    let (round, key) = (index / 2048, index % 2048);
                    let [channel, key] = [key / 128, key % 128].map(|number| u8::try_from(number).unwrap());
                    let sample = if same_sample { u64::from(round) * 400 } else { u64::from(index) / 5 };
                    let message = if round % 2 == 0 {
                        Message::NoteOn { channel, key, velocity: 0.5 }
                    } else {
                        Message::NoteOff { channel, key, velocity: 0.5 }
                    };
                    Timed { sample, message }
                })
                .collect();
            let sent = host.process(&Block { frames: 2048, messages: &messages, ..Block::default() }).messages;
            assert_eq!(sorted(&sent), sorted(&messages), "{format}");
            assert_eq!(still_held(&sent).len(), 2048, "{format}");
        }
    }
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let ports = take_ports();
        let on = |index: u16| {
            let [channel, key] = [index / 128 % 16, index % 128].map(|number| u8::try_from(number).unwrap());
            Timed { sample: u64::from(index) / 5, message: Message::NoteOn { channel, key, velocity: 0.5 } }
        };
        let messages: Vec<_> = (0..10_240).map(on).collect();
        assert_eq!(
            host.process(&Block { frames: 2048, messages: &messages, ..Block::default() }).messages.len(),
            messages.len(),
            "{format}"
        );
        assert!(message(&ports).contains("too fast to be used for planning"), "{format}: {}", message(&ports));
    }
}

#[test]
fn thousand_notes_without_length_in_one_sample_do_not_hang() {
    for (format, make) in LOADED {
        let mut host = make(Class::Instrument, Setup::default());
        let messages: Vec<_> = (0..1000u16)
            .flat_map(|index| {
                let key = u8::try_from(index % 128).unwrap();
                let (on, off) = (Message::NoteOn { channel: 3, key, velocity: 1.0 }, Message::NoteOff { channel: 3, key, velocity: 0.0 });
                [on, off].map(|message| Timed { sample: 17, message })
            })
            .collect();
        let sent = host.process(&Block { frames: 64, messages: &messages, ..Block::default() }).messages;
        assert_eq!(sent.len(), 2000, "{format}");
        assert_eq!(still_held(&sent), [], "{format}");
    }
}
