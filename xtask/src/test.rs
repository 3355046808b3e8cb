//! `cargo xtask test`: runs every Rust test of the workspace; with `--windows`, those of the Windows build, in Wine.

use std::path::Path;

use anyhow::Result;

use crate::{process, runtime, setup, wine};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Cross-compile for Windows and test that in Wine, on Debian 12
    #[arg(long)]
    windows: bool,
    /// Arguments for `cargo test`, for instance the name of a test, or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let library = args.library.obtain(root)?;
    eprintln!("ONNX Runtime: {}", library.display());
    if args.windows {
        return wine::run(root, &library, &args.rest);
    }
    setup::run()?;
    let mut tests = process::cargo();
    tests.current_dir(root).env(runtime::VARIABLE, &library).args(["test", "--workspace", "--all-features", "--locked"]).args(&args.rest);
    process::run(&mut tests)
}
