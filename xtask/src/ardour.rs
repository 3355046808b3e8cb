//! `cargo xtask ardour`: the VST3 in Ardour 7.3 without a screen.
//!
//! The scripts are in `tests/ardour`, the assertions in `tests/tests/ardour`. The library is the one that `cargo xtask test` builds.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::system::{self, Package};
use crate::{process, runtime};

/// Debian 12's Ardour: scripts and assertions are for the 7 series.
const ARDOUR: Package = Package { name: "ardour", present: || process::succeeds("ardour7-lua", ["--version"]) };

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    library: runtime::LibraryArgs,
    /// Run only tests with this in their names
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("Ardour is tested on Linux only: the scripts are for Debian's package");
    }
    // The workspace's features require the packages of the stand-alone program.
    system::ensure(system::FOR_STANDALONE.iter().chain([&ARDOUR]))?;
    if !(ARDOUR.present)() {
        bail!("there is still no `ardour7-lua`: this system's package `ardour` is not version 7. Debian 12 has it");
    }
    let library = args.library.obtain(root)?;
    let mut tests = process::cargo();
    tests.current_dir(root).env(runtime::VARIABLE, &library);
    // The same features as `cargo xtask test`, so that nothing is rebuilt.
    tests.args(["test", "--workspace", "--all-features", "--locked", "--test", "ardour", "--"]);
    // Two at a time: they mostly wait for real time to pass.
    tests.args(["--include-ignored", "--test-threads=2"]).args(&args.name);
    process::run(&mut tests).context("in Ardour")
}
