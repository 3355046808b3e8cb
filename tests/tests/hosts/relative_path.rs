//! A host that loads the plug-in by a relative path: its runtime is found even if the working directory changes. In a child process, since
//! a process has one working directory and one runtime.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_tests::{ClapHost, Lengths, library};

use crate::offline::render;

/// Set in the child process.
const LOAD: &str = "ANTIPHON_TEST_RELATIVE";

#[test]
fn library_loaded_by_a_relative_path_finds_its_runtime() {
    if std::env::var_os(LOAD).is_some() {
        let rendered = render(
            |class, setup| {
                let host = ClapHost::bundled(Path::new("./antiphon.clap"), class, setup).unwrap();
                std::env::set_current_dir("/").unwrap();
                Box::new(host)
            },
            Lengths::Fixed(2048),
        );
        assert!(rendered.len() >= 24, "{} messages: nothing was planned", rendered.len());
        return;
    }
    let runtime = std::env::var_os(RUNTIME_VARIABLE).expect("`cargo xtask test` names ONNX Runtime");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(library::path(), folder.path().join("antiphon.clap")).unwrap();
    fs::create_dir(folder.path().join("Antiphon")).unwrap();
    symlink(fs::canonicalize(runtime).unwrap(), folder.path().join("Antiphon/libonnxruntime.so")).unwrap();
    let name = "relative_path::library_loaded_by_a_relative_path_finds_its_runtime";
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.current_dir(folder.path()).env(LOAD, "1").env_remove(RUNTIME_VARIABLE).env("XDG_DATA_HOME", folder.path());
    let outcome = command.args(["--exact", name]).output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}
