//! `antiphon check` as its users see it.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;
#[path = "common/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Output};

use antiphon_engine::music::{Clip, Note, Part, Role, Tick};
use program::{demo, report, source, text};
use serde_json::json;

/// No model, no ONNX Runtime.
fn check(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    program.env("ANTIPHON_ONNXRUNTIME", "absent.so").arg("check").args(arguments).output().unwrap()
}

#[test]
fn band_is_understood_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("band.png");
    let understood = report(&check(&[text(&demo("band.mid")), "--json", "--picture", text(&picture)]));
    assert_eq!((&understood["bars"], &understood["continues_at"]), (&json!(16), &json!(17)));
    assert_eq!(understood["metres"], json!([{"bar": 1, "metre": "4/4"}]));
    let parts = understood["parts"].as_array().unwrap();
    let drums = parts.iter().find(|part| part["name"] == "Drums").unwrap();
    assert_eq!((&drums["role"], &drums["channel"]), (&json!("drums"), &json!(10)));
    assert!(parts.iter().any(|part| part["role"] == "bass" && part["program"].is_u64()));
    assert!(understood["key"].is_string() && understood["chords"].as_array().unwrap().len() >= 8);
    assert_eq!(understood["repaired"], json!([]));
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    let table = String::from_utf8(check(&[text(&demo("band.mid"))]).stdout).unwrap();
    for words in ["16 bars of 4/4", "Drums", "channel", "chords", "continues at bar 17 in "] {
        assert!(table.contains(words), "{words}: {table}");
    }
}

#[test]
fn repairs_and_cast_parts_are_named() {
    let note = |onset: i64| Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch: 38, velocity: 80, role: Role::Keys };
    let beat = Part { name: "Loop".into(), notes: vec![note(0), note(24)], ..Part::default() };
    let (_folder, path) = source(&Clip { parts: vec![beat], end: Tick(96), ..Clip::default() });
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(*b"rest");
    std::fs::write(&path, bytes).unwrap();
    let understood = report(&check(&[text(&path), "--json", "--roles", "Loop=drums"]));
    assert_eq!(understood["parts"][0]["role"], "drums");
    assert!(understood["repaired"][0].as_str().unwrap().contains("bytes after the end"), "{understood}");
}

#[test]
fn file_that_cannot_be_read_is_refused_by_name() {
    for (input, says) in [("absent.mid", "absent.mid"), (text(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path()), "MThd")]
    {
        let output = check(&[input]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty() && String::from_utf8(output.stderr).unwrap().contains(says));
    }
}
