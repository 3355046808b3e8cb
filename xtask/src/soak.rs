//! `cargo xtask soak`: hours of playing with the model, on a virtual clock.

use std::path::Path;

use anyhow::Result;

use crate::{process, runtime, setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Arguments for the program: --minutes 60, --tempo 240, --instances 16 --workers 2, --json; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    setup::run()?;
    let library = args.library.obtain(root)?;
    // Its result depends on processor time, so it is what users get.
    let mut soak = process::cargo();
    soak.current_dir(root).env(runtime::VARIABLE, &library);
    process::run(soak.args(["run", "--release", "--locked", "--package", "antiphon-tests", "--bin", "soak", "--"]).args(&args.rest))
}
