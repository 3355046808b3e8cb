//! Standard output and standard error. Whoever reads them may stop: that ends nothing and is no error.

use std::io::{self, Write};

use anyhow::Result;

/// Prints text to standard output, and not a word more if nobody reads it.
///
/// # Errors
/// What the system says, but for a closed pipe.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Says something beside the result, on standard error.
pub(crate) fn remark(text: &str) {
    // There is nowhere left to complain to.
    let _ = writeln!(io::stderr(), "antiphon: {text}");
}

/// Whether an error is a pipe that its reader has closed.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}
