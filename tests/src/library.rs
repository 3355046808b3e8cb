//! Path of the built library.

use std::path::PathBuf;

/// The library built with the tests: Cargo puts it next to the test program.
///
/// # Panics
/// If it does not exist.
#[must_use]
pub fn path() -> PathBuf {
    let program = std::env::current_exe().expect("the test program knows its path");
    let name = libloading::library_filename("antiphon_plugin");
    let found = program.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no {} beside {}: build it with `cargo build -p antiphon-plugin`", name.display(), program.display()))
}
