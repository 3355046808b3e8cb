//! `cargo xtask test`: runs every Rust test of the workspace; with `--windows` or `--arm`, those of another platform's build,
//! in Wine or in an emulator.

use std::path::Path;

use anyhow::Result;

use crate::target::Profile;
use crate::{emulator, process, runtime, setup, wine};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Cross-compile for Windows and test that in Wine, on Debian 12
    #[arg(long)]
    windows: bool,
    /// Cross-compile for Linux on 64-bit Arm and test that in an emulator, on Debian 12
    #[arg(long, conflicts_with = "windows")]
    arm: bool,
    /// With --windows: test what `cargo xtask dist` packs, instead of a build for tests, which takes a fraction of the time
    #[arg(long, requires = "windows")]
    release: bool,
    /// With --windows: only that the command line writes what that of Linux writes, which is built and run in some minutes
    #[arg(long, requires = "windows", conflicts_with = "release")]
    command_line: bool,
    /// Arguments for `cargo test`, for instance the name of a test, or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let library = args.library.obtain(root)?;
    eprintln!("ONNX Runtime: {}", library.display());
    if args.windows {
        if args.command_line {
            return wine::run_command_line(root, &library);
        }
        let profile = if args.release { Profile::Release } else { Profile::Dev };
        return wine::run(root, &library, profile, &args.rest);
    }
    if args.arm {
        return emulator::run(root, &library, &args.rest);
    }
    setup::install()?;
    let mut tests = process::cargo();
    tests.current_dir(root).env(runtime::VARIABLE, &library).args(["test", "--workspace", "--all-features", "--locked"]).args(&args.rest);
    process::run(&mut tests)
}
