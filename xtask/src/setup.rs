//! `cargo xtask setup`: what the system must have before everything here can be built and tested.

use anyhow::Result;

use crate::system;

pub(crate) fn run() -> Result<()> {
    if cfg!(target_os = "linux") {
        let packages = system::FOR_STANDALONE.iter().chain(&system::FOR_DISPLAY).chain(&system::FOR_DROP).chain(&system::FOR_FOCUS);
        system::ensure(packages)?;
    }
    Ok(())
}
