//! `cargo xtask setup`: installs what building and testing everything takes; with `--target`, what another platform takes besides.

use std::path::Path;

use anyhow::Result;

use crate::layout::System;
use crate::system;
use crate::target::TargetArgs;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    install()?;
    let target = args.target.target()?;
    target.prepare(root)?;
    if target.is_cross() && target.platform.system == System::Windows {
        system::ensure(&system::FOR_WINE)?;
    }
    Ok(())
}

/// Installs the system packages for building and testing on this platform.
pub(crate) fn install() -> Result<()> {
    if cfg!(target_os = "linux") {
        let packages = system::FOR_STANDALONE.iter().chain(&system::FOR_DISPLAY).chain(&system::FOR_DROP).chain(&system::FOR_FOCUS);
        system::ensure(packages)?;
    }
    Ok(())
}
