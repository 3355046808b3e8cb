//! Standard output and standard error. A closed pipe is not an error and does not end the program.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;

use anyhow::Result;

use crate::interrupt;
use crate::output::is_standard;

/// The program's name, which begins each line of its own on standard error.
static PROGRAM: OnceLock<&str> = OnceLock::new();

/// Runs a program's command, and returns the exit code: its own, 0 if its reader closed the pipe, or 2 after an error, which is printed.
/// A request to end leaves no temporary file behind.
pub fn run(program: &'static str, command: impl FnOnce() -> Result<ExitCode>) -> ExitCode {
    PROGRAM.get_or_init(|| program);
    interrupt::install();
    match command() {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            remark(&message(&error));
            ExitCode::from(2)
        }
    }
}

/// The error and its causes, each printed once: the library's errors name their cause in their own words already.
fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message += &format!(": {cause}");
        }
    }
    message
}

/// Where a report goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error, where standard output is taken by the result itself.
    Error,
}

impl Stream {
    /// The stream for the report of a command whose result goes to `output`.
    pub fn beside(output: &Path) -> Self {
        if is_standard(output) { Self::Error } else { Self::Output }
    }

    /// Prints text; prints no more once the pipe is closed.
    ///
    /// # Errors
    /// The system's error, except for a closed pipe.
    pub fn print(self, text: &str) -> Result<()> {
        let written = match self {
            Self::Output => write(io::stdout().lock(), text),
            Self::Error => write(io::stderr().lock(), text),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }
}

fn write(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes()).and_then(|()| to.flush())
}

/// Prints a remark beside the result, on standard error.
pub fn remark(text: &str) {
    // There is nowhere left to complain to.
    let _ = writeln!(io::stderr(), "{}: {text}", PROGRAM.get().copied().unwrap_or("antiphon"));
}

/// Whether an error is a pipe that its reader has closed.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.any(|kind| kind == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn message_of_an_error_that_contains_its_cause_has_the_cause_once() {
        let error = Err::<(), _>(anyhow!("no such file")).context("song.mid: no such file; check the path").context("continuing failed");
        assert_eq!(message(&error.unwrap_err()), "continuing failed: song.mid: no such file; check the path");
    }
}
