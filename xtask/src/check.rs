//! `cargo xtask check --target TRIPLE`: type-checks the whole workspace for another platform, so that code for it does not rot unseen.

use std::path::Path;

use anyhow::Result;

use crate::layout::System;
use crate::target::{Profile, TargetArgs};
use crate::{process, system};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let target = args.target.target()?.with(Profile::Dev);
    if target.platform.system == System::Linux && !target.is_cross() {
        system::ensure(&system::FOR_STANDALONE)?;
    }
    let mut check = target.cargo(root, "check")?;
    process::run(check.args(["--workspace", "--all-targets", "--all-features", "--locked"]))
}
