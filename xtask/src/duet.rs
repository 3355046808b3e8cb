//! `cargo xtask duet`: what the session plays beside held-out parts, on a virtual clock.

use std::path::Path;

use anyhow::Result;

use crate::{process, runtime, setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Arguments for the program: MUSIC --split FILE --pieces 20 --json; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    setup::run()?;
    let library = args.library.obtain(root)?;
    // Lateness depends on processor time, so it is what users get.
    let mut duet = process::cargo();
    duet.current_dir(root).env(runtime::VARIABLE, &library);
    process::run(duet.args(["run", "--release", "--locked", "--package", "antiphon-tests", "--bin", "duet", "--"]).args(&args.rest))
}
