//! Chores that play to the model on a virtual clock: `cargo xtask soak` and `cargo xtask duet`.

use std::path::Path;

use anyhow::Result;

use crate::{process, runtime, setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Arguments for the program; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

/// Runs a program of the tests.
pub(crate) fn run(root: &Path, program: &str, args: &Args) -> Result<()> {
    setup::install()?;
    let library = args.library.obtain(root)?;
    // What is late depends on processor time, so it is built as for users.
    let mut run = process::cargo();
    run.current_dir(root).env(runtime::VARIABLE, &library);
    process::run(run.args(["run", "--release", "--locked", "--package", "antiphon-tests", "--bin", program, "--"]).args(&args.rest))
}
