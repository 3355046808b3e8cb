//! The program `antiphon` as its users see it: run on files in folders of their own.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use antiphon_engine::music::{Clip, smf};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::fixture;

/// A command with the tiny model of random weights, unless `arguments` name another: what it writes is no music, but keeps every promise.
pub(crate) fn run(command: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    program.arg(command).args(arguments);
    if !arguments.contains(&"--model") {
        program.arg("--model").arg(fixture("tiny.onnx"));
    }
    program.output().expect("the program runs")
}

/// The command with the model that is built in.
pub(crate) fn shipped(command: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_antiphon")).arg(command).args(arguments).output().expect("the program runs")
}

/// What a run that must succeed says.
pub(crate) fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// A run that must be refused with code 2 and without a file; its message.
pub(crate) fn refusal(command: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.mid");
    let output = run(command, &[arguments, &["-o", text(&out), "--seed", "1", "--json"]].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty() && folder.path().read_dir().expect("readable").count() == 0, "{arguments:?}");
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// A clip of ours.
pub(crate) fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo").join(name)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ours")
}

pub(crate) fn clip(path: &Path) -> Clip {
    smf::read_file(path).unwrap_or_else(|error| panic!("{error}")).clip
}

/// The clip as a file in a folder of its own.
pub(crate) fn source(clip: &Clip) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("source.mid");
    smf::write_file(clip, &path).expect("written");
    (folder, path)
}

/// Names of the files in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("readable").map(|entry| entry.expect("readable").file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().expect("a name of ours")).collect();
    names.sort();
    names
}
