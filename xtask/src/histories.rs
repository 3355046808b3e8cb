//! `cargo xtask histories`: random histories of the plug-in, as many as you like; `cargo xtask test` runs ten thousand.

use std::path::Path;

use anyhow::Result;

use crate::{process, runtime, setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Arguments for the program: --count 1000000 --jobs 8, --seed 62, --engine real, --history FILE; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    setup::install()?;
    let library = args.library.obtain(root)?;
    // Built like the tests: in a release build nothing would watch for allocations.
    let mut build = process::cargo();
    process::run(build.current_dir(root).args(["test", "--workspace", "--all-features", "--locked", "--no-run", "--test", "histories"]))?;
    let program = root.join("target/debug/histories");
    process::run(std::process::Command::new(program).env(runtime::VARIABLE, &library).args(&args.rest))
}
