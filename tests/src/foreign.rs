//! Another system's build beside that of this system: what it is given, and what its programs print and write.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Arguments of the demo, besides the paths, with which processors with the same instructions give the same notes.
pub const OFFLINE: [&str; 8] = ["--offline", "--no-editor", "--context-bars", "4", "--bars", "2", "--seed", "7"];

/// A path that `cargo xtask test` names in a variable.
///
/// # Panics
/// If the variable is not set.
#[must_use]
pub fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: these tests run by `cargo xtask test`")).into()
}

/// A demo clip.
///
/// # Panics
/// If the repository has no demo clips.
#[must_use]
pub fn clip(name: impl AsRef<OsStr>) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
    folder.canonicalize().expect("the repository has demo clips").join(name.as_ref())
}

/// Runs a program; returns what it printed.
///
/// # Panics
/// If it does not start, or fails.
pub fn text_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (text, errors) = texts(&output);
    assert!(output.status.success(), "{command:?}: {}\n{text}\n{errors}", output.status);
    text
}

/// What a program printed on its outputs.
#[must_use]
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    (text(&output.stdout), text(&output.stderr))
}

/// What follows a word at the beginning of a line.
///
/// # Panics
/// If no line begins with it.
#[must_use]
pub fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no line begins with {name}: {text}"))
}

/// Asserts that both folders have this file, with the same bytes.
///
/// # Panics
/// If not.
pub fn assert_same_file(here: &Path, there: &Path, name: &str) {
    let [here, there] = [here, there].map(|folder| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    assert!(here.len() > 100 && here == there, "{name} differs: {} and {} bytes", here.len(), there.len());
}

/// Asserts that both folders have a picture of this name, of the same size and with the same pixels. The bytes of the files depend on the
/// compressor, which another crate of the workspace may replace.
///
/// # Panics
/// If not.
pub fn assert_same_picture(here: &Path, there: &Path, name: &str) {
    assert!(pixels(&here.join(name)) == pixels(&there.join(name)), "{name} shows something else");
}

/// Width and pixels of a picture.
fn pixels(path: &Path) -> (u32, Vec<u8>) {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().expect("the picture has a header");
    let mut pixels = vec![0; reader.output_buffer_size().expect("the picture fits into memory")];
    let width = reader.next_frame(&mut pixels).expect("the picture is whole").width;
    (width, pixels)
}
