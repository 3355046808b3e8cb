//! A host on Windows, driven from outside: one command per run, what it saw as lines of text. `cargo xtask test --windows` runs it in Wine,
//! and the tests in `tests/tests/wine` read the lines; it works the same on Windows.

#[cfg(windows)]
mod commands;
#[cfg(windows)]
mod editor;
#[cfg(windows)]
mod hosts;

#[cfg(windows)]
fn main() -> anyhow::Result<()> {
    commands::run()
}

#[cfg(not(windows))]
fn main() {
    eprintln!("error: this host is for Windows. Build it with `cargo xtask test --windows`");
    std::process::exit(2);
}
