//! Running other programs, with their command lines shown.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The cargo that started this chore, so that a toolchain chosen with `cargo +NAME` is kept.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Prints the command on standard error, runs it in this terminal, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("\n> {line}");
    let status = command.status().with_context(|| format!("`{line}` did not start"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}); see its message above");
    }
    Ok(())
}

/// Like [`run`], but returns the command's standard output.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = line(command);
    eprintln!("\n> {line}");
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("`{line}` did not start"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}); see its message above", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something that is not text"))
}

/// Whether the command exists and succeeds. Its output is discarded.
pub(crate) fn succeeds<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command as typed, for display only: paths with spaces are not quoted.
fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_program_is_named() {
        let error = run(Command::new("antiphon-no-such-program").arg("now")).unwrap_err();
        assert!(format!("{error:#}").contains("`antiphon-no-such-program now` did not start"));
        assert!(!succeeds("antiphon-no-such-program", ["now"]));
    }

    #[test]
    fn command_line_is_shown_without_the_program_folder() {
        assert_eq!(line(Command::new("/some/where/cargo").args(["test", "--locked"])), "cargo test --locked");
    }
}
