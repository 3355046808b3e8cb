//! What `antiphon continue` refuses, with a message that names the cause, before anything is written.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use antiphon_engine::music::{Clip, Note, Part, Role, Tick, smf};
use common::tiny_without_queries;
use program::{demo, names, refusal, report, run, source, text};

/// The message of a run that must be refused.
fn refused(input: &Path, more: &[&str]) -> String {
    refusal("continue", &[&[text(input), "--picture"], more].concat())
}

fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
}

#[test]
fn bad_midi_files_are_refused_by_name_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(demo("pop.mid")).unwrap();
    let silent = smf::write(&Clip { end: Tick(96), ..Clip::default() }).unwrap();
    let mut absurd = whole.clone();
    absurd[12..14].copy_from_slice(&[0, 0]);
    // A metre's beats and a tempo's microseconds follow the length of their event.
    let zeroed = |event: &[u8], count: usize| {
        let mut bytes = whole.clone();
        let at = bytes.windows(event.len()).position(|window| window == event).unwrap() + event.len();
        bytes[at..at + count].fill(0);
        bytes
    };
    let (metre, tempo) = (zeroed(&[0xFF, 0x58, 4], 2), zeroed(&[0xFF, 0x51, 3], 3));
    // One track of 129 notes that never end; one of ten million events.
    let track = |events: Vec<u8>| {
        let length = u32::try_from(events.len()).unwrap().to_be_bytes();
        [b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".as_slice(), &length, &events].concat()
    };
    let held = track((0..129_u8).flat_map(|key| [0, 0x90, key % 128, 80]).collect());
    let endless = track([0, 0x90, 60, 80].into_iter().chain([0, 60, 0, 0, 60, 80].repeat(5_000_000)).collect());
    let cases: [(&str, &[u8], &str); 10] = [
        ("metre.mid", &metre, "metre of no beats (0/n) at byte"),
        ("tempo.mid", &tempo, "tempo of zero at byte"),
        ("held.mid", &held, "129 notes are struck and never end, the first at byte 22"),
        ("endless.mid", &endless, "events"),
        ("empty.mid", b"", "empty"),
        ("text.mid", b"Dear diary", "MThd"),
        ("half.mid", &whole[..whole.len() / 2], "byte"),
        ("header.mid", &absurd, "byte"),
        ("riff.mid", b"RIFF\0\0\0\0RMID", "MThd"),
        ("silent.mid", &silent, "no note"),
    ];
    for (name, bytes, says) in cases {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let message = refused(&path, &[]);
        assert!(message.contains(name) && message.contains(says), "{name}: {message}");
    }
    let absent = folder.path().join("absent.mid");
    assert!(refused(&absent, &[]).contains("absent.mid"));
    assert!(refused(folder.path(), &[]).contains(text(folder.path())));
}

#[test]
fn drums_alone_are_continued_only_when_asked_for() {
    let beat: Vec<Note> = (0..16).map(|n| note(24 * n, 12, if n % 2 == 0 { 36 } else { 38 }, Role::Drums)).collect();
    let drums = Part { name: "Kit".into(), channel: 9, notes: beat, ..Part::default() };
    let (folder, path) = source(&Clip { parts: vec![drums], end: Tick(384), ..Clip::default() });
    let out = folder.path().join("out");
    let message = refused(&path, &[]);
    assert!(message.contains("source.mid") && message.contains("--roles drums"), "{message}");
    let report = report(&run("continue", &[text(&path), "-o", text(&out), "--bars", "1", "--seed", "1", "--roles", "drums", "--json"]));
    assert_eq!(report["roles"], serde_json::json!(["drums"]));
}

#[test]
fn bad_model_or_runtime_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.onnx");
    fs::write(&damaged, vec![7; 5000]).unwrap();
    for name in ["damaged.onnx", "absent.onnx"] {
        let message = refused(&demo("pop.mid"), &["--model", text(&folder.path().join(name))]);
        assert!(message.contains(name), "{message}");
    }
    let message = refused(&demo("pop.mid"), &["--onnxruntime", text(&damaged)]);
    assert!(message.contains("damaged.onnx") && message.contains("onnxruntime"), "{message}");
}

#[test]
fn policy_that_the_model_cannot_serve_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let older = folder.path().join("older.onnx");
    fs::write(&older, tiny_without_queries()).unwrap();
    let message = refused(&demo("waltz.mid"), &["--policy", "topk", "--model", text(&older)]);
    assert!(message.contains("topk:8") && message.contains("export the model again"), "{message}");
}

#[test]
fn bad_options_are_refused_with_what_there_is() {
    let cases: [(&[&str], &str); 10] = [
        (&["--bars", "0"], "1..=256"),
        (&["--variations", "65"], "1..=64"),
        (&["--policy", "sparse"], "fine_coarse"),
        (&["--policy", "fixed:4"], "fixed:8,1"),
        (&["--policy", "strided:0"], "1 to 256"),
        (&["--roles", "kazoo"], "left-hand"),
        (&["--register", "c6:c3"], "swap"),
        (&["--register", "61:61", "--key", "C", "--scale-lock"], "widen"),
        (&["--adventurousness", "2"], "from 0 to 1"),
        (&["--key", "H dur"], "for instance"),
    ];
    for (options, says) in cases {
        let message = refused(&demo("pop.mid"), options);
        assert!(message.contains(says), "{options:?}: {message}");
    }
}

#[test]
fn folder_that_cannot_be_made_or_written_is_refused_before_the_model_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("taken"), "").unwrap();
    fs::create_dir_all(at("folder/pop-seed2.mid")).unwrap();
    for (out, says) in [
        ("taken", "taken: is a file; give --output a folder"),
        ("taken/a/b", "taken is a file; change --output"),
        ("folder", "pop-seed2.mid: is a folder; give --output a file name"),
    ] {
        let out = at(out);
        let output = run("continue", &[text(&demo("pop.mid")), "-o", text(&out), "--seed", "1", "-k", "2", "--model", "absent.onnx"]);
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(says) && !message.contains("absent.onnx"), "{message}");
    }
    assert_eq!(names(&at("folder")), ["pop-seed2.mid"], "the first variation is not written either");
}
