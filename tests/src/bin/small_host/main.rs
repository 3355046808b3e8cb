//! A host driven from outside: one command per run, what it saw as lines of text. `cargo xtask test --windows` runs it in Wine and `--arm` in
//! an emulator; the tests in `tests/tests/wine` and `tests/tests/arm` read the lines. It works the same on the systems themselves.

#[cfg(windows)]
mod allocations;
#[cfg(any(target_os = "linux", windows))]
mod commands;
#[cfg(windows)]
mod editor;
#[cfg(any(target_os = "linux", windows))]
mod hosts;

#[cfg(any(target_os = "linux", windows))]
fn main() -> anyhow::Result<()> {
    commands::run()
}

#[cfg(not(any(target_os = "linux", windows)))]
fn main() {
    eprintln!("error: this host is for Linux and Windows");
    std::process::exit(2);
}
