//! Saving and restoring state, and surviving damaged state.

use antiphon_tests::{Block, Class, Host, Setup};
use serde_json::{Value, json};

use crate::history::{entries, json_start, kept, project, saved};
use crate::{LOADED, MANUAL, Make, Random};

/// Every parameter with a value other than its default.
const VALUES: [(&str, f64); 9] = [
    ("Mode", 0.25),
    ("Bars ahead", 1.0),
    ("Adventurousness", 0.75),
    ("Seed", 1.0),
    ("Thru", 0.0),
    ("Input role", 0.5),
    ("Output role", 0.25),
    ("Preview sound", 0.0),
    ("Keep", 1.0),
];

fn read(host: &mut dyn Host) -> Vec<f64> {
    VALUES.iter().map(|(name, _)| host.get(name)).collect()
}

/// Both formats from the built library, each with a project that has suggestions.
fn projects() -> impl Iterator<Item = (&'static str, Make, Vec<u8>)> {
    LOADED.into_iter().zip(MANUAL).map(|((format, make), (_, manual))| (format, make, project(manual, &[1, 2])))
}

/// Loads the project, sets every parameter, and returns the state.
fn changed(host: &mut dyn Host, project: &[u8]) -> Vec<u8> {
    assert!(host.load(project));
    VALUES.iter().for_each(|(name, value)| host.set(name, *value));
    host.process(&Block { frames: 64, ..Block::default() });
    host.save()
}

#[test]
fn saved_parameters_and_history_are_restored() {
    for (format, make, project) in projects() {
        for class in Class::ALL {
            let mut host = make(class, Setup::default());
            let chunk = changed(&mut *host, &project);
            assert_eq!(entries(&chunk).len(), 2, "{format}");
            let mut other = make(class, Setup::default());
            assert!(other.load(&chunk));
            let expected: Vec<_> = VALUES.iter().map(|(_, value)| *value).collect();
            assert_eq!(read(&mut *other), expected, "{format}");
            assert_eq!(other.save(), chunk, "{format}");
            // As after an undo.
            assert!(other.load(&chunk));
            assert_eq!(other.save(), chunk, "{format}");
        }
    }
}

#[test]
fn truncated_state_changes_nothing() {
    for (format, make, project) in projects() {
        let chunk = changed(&mut *make(Class::Instrument, Setup::default()), &project);
        let mut host = make(Class::Instrument, Setup::default());
        assert!(host.load(&project), "{format}");
        let before = host.save();
        for length in 0..chunk.len() {
            assert!(!host.load(&chunk[..length]), "{format}, {length} of {} bytes", chunk.len());
            assert_eq!(host.save(), before, "{format}, {length} of {} bytes", chunk.len());
        }
    }
}

#[test]
fn random_damage_to_a_state_is_survived() {
    for (format, make, project) in projects() {
        let mut dice = Random(77);
        let chunk = changed(&mut *make(Class::Instrument, Setup::default()), &project);
        let mut host = make(Class::Instrument, Setup::default());
        assert!(host.load(&project), "{format}");
        for _ in 0..300 {
            let mut damaged = chunk.clone();
            for _ in 0..=dice.roll(8) {
                let place = dice.roll(u32::try_from(damaged.len()).unwrap()) as usize;
                damaged[place] = dice.byte(256);
            }
            host.load(&damaged);
            let noise: Vec<_> = (0..dice.roll(400)).map(|_| dice.byte(256)).collect();
            assert!(!host.load(&noise), "{format}");
            assert!(read(&mut *host).iter().all(|value| (0.0..=1.0).contains(value)), "{format}");
            host.process(&Block { frames: 64, ..Block::default() });
        }
        assert!(host.load(&chunk), "{format}");
        assert!(kept(&host.save()) > 0, "{format}: what was kept is gone");
    }
}

/// The JSON of a chunk with `that` replaced by `this`. CLAP's chunk starts with the length of the JSON in eight bytes.
fn edited(chunk: &[u8], that: &str, this: &str) -> Vec<u8> {
    let start = json_start(chunk);
    let json = String::from_utf8(chunk[start..].to_vec()).unwrap();
    assert!(json.contains(that), "{json}");
    let json = json.replace(that, this);
    let length = u64::try_from(json.len()).unwrap().to_le_bytes();
    if start == 8 { [&length[..], json.as_bytes()].concat() } else { json.into_bytes() }
}

#[test]
fn damaged_object_changes_nothing_and_a_newer_one_is_kept() {
    for (format, make, project) in projects() {
        let chunk = changed(&mut *make(Class::Instrument, Setup::default()), &project);
        let mut host = make(Class::Instrument, Setup::default());
        let before = host.save();
        for damage in [r#"{\"version\":\"one\","#, "", r#"{\"version\":-1,"#, r#"{\"version\":1,\"history\":7,"#] {
            host.load(&edited(&chunk, r#"{\"version\":1,"#, damage));
            assert_eq!(host.save(), before, "{format}, {damage:?}");
        }
        let newer = edited(&chunk, r#"{\"version\":1,"#, r#"{\"version\":2,\"dreams\":7,"#);
        assert!(host.load(&newer), "{format}");
        let read: Value = saved(&host.save());
        assert_eq!((&read["version"], &read["dreams"], &read["history"]), (&json!(2), &json!(7), &saved(&chunk)["history"]), "{format}");
        assert_eq!(host.get("Bars ahead"), 1.0, "{format}");
        // Values out of range are clamped.
        assert!(host.load(&edited(&chunk, r#""horizon":{"i32":8}"#, r#""horizon":{"i32":-5}"#)), "{format}");
        assert_eq!(host.get("Bars ahead"), 0.0, "{format}");
    }
}
