//! `cargo xtask test`: runs every Rust test of the workspace.

use std::path::Path;

use anyhow::Result;

use crate::{process, runtime, setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Arguments for `cargo test`, for instance the name of a test, or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    setup::run()?;
    let library = args.library.obtain(root)?;
    eprintln!("ONNX Runtime: {}", library.display());
    let mut tests = process::cargo();
    tests.current_dir(root).env(runtime::VARIABLE, &library).args(["test", "--workspace", "--all-features", "--locked"]).args(&args.rest);
    process::run(&mut tests)
}
