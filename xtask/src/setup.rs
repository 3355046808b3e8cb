//! `cargo xtask setup`: installs the system packages needed to build and test everything.

use anyhow::Result;

use crate::system;

pub(crate) fn run() -> Result<()> {
    if cfg!(target_os = "linux") {
        let packages = system::FOR_STANDALONE.iter().chain(&system::FOR_DISPLAY).chain(&system::FOR_DROP).chain(&system::FOR_FOCUS);
        system::ensure(packages)?;
    }
    Ok(())
}
