//! Standard output and standard error. Whoever reads them may stop: that ends nothing and is no error.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;

use crate::output::is_standard;

/// Where a report goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    /// Where standard output is taken by the result itself.
    Error,
}

impl Stream {
    /// The stream for the report of a command whose result goes to `output`.
    pub(crate) fn beside(output: &Path) -> Self {
        if is_standard(output) { Self::Error } else { Self::Output }
    }

    /// Prints text, and not a word more if nobody reads it.
    ///
    /// # Errors
    /// What the system says, but for a closed pipe.
    pub(crate) fn print(self, text: &str) -> Result<()> {
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

/// Says something beside the result, on standard error.
pub(crate) fn remark(text: &str) {
    // There is nowhere left to complain to.
    let _ = writeln!(io::stderr(), "antiphon: {text}");
}

/// Whether an error is a pipe that its reader has closed.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.any(|kind| kind == io::ErrorKind::BrokenPipe)
}
