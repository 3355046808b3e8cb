//! Windows programs, run in Wine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A plug-in format: the host's name of it, and the variable that names the library.
pub(crate) const FORMATS: [(&str, &str); 2] = [("clap", "ANTIPHON_WINDOWS_CLAP"), ("vst3", "ANTIPHON_WINDOWS_VST3")];

/// A path that `cargo xtask test --windows` names.
pub(crate) fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test --windows`")).into()
}

/// A path of Linux as Windows programs in Wine see it.
pub(crate) fn seen(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}

/// The program that a variable names, to be run in Wine.
pub(crate) fn program(variable: &str) -> Command {
    let mut command = Command::new("wine");
    command.arg(named(variable)).env_remove("ANTIPHON_ONNXRUNTIME");
    command
}

/// The host, with a command for a library.
pub(crate) fn host(command: &str, format: &str, library: &Path) -> Command {
    let mut host = program("ANTIPHON_WINDOWS_HOST");
    host.args([command, format]).arg(seen(library));
    host
}

/// Runs a program that must succeed; returns what it printed.
pub(crate) fn text_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (text, errors) = texts(&output);
    assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
    text
}

/// What a program printed on its outputs.
pub(crate) fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    (text(&output.stdout), text(&output.stderr))
}

/// What follows a word at the beginning of a line.
pub(crate) fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no line begins with {name}: {text}"))
}

/// A demo clip.
pub(crate) fn clip(name: impl AsRef<OsStr>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo").canonicalize().unwrap().join(name.as_ref())
}
