//! `cargo xtask test`: runs every Rust test of the workspace.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{process, runtime, setup};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Use this ONNX Runtime library instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
    /// Arguments for `cargo test`, for instance the name of a test, or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    setup::run()?;
    let library = runtime::obtain(root, args.onnxruntime.as_deref())?;
    eprintln!("ONNX Runtime: {}", library.display());
    let mut tests = process::cargo();
    tests.current_dir(root).env(runtime::VARIABLE, &library).args(["test", "--workspace", "--all-features", "--locked"]).args(&args.rest);
    process::run(&mut tests)
}
