//! `cargo xtask licences`: the dependency tree against `deny.toml`.

use std::path::Path;

use anyhow::Result;

use crate::process;

/// The cargo-deny that is installed where there is none; any other that is there is used as it is.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run(root: &Path) -> Result<()> {
    let there = process::cargo().args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("cargo-deny is not installed: building version {CARGO_DENY}, which takes some minutes");
        // Without optimisation it is built in half the time, and reads the tree in seconds.
        process::run(process::cargo().args(["install", "--debug", "--locked", "cargo-deny", "--version", CARGO_DENY]))?;
    }
    // Advisories are left out: their database is a git repository, not a package, and a build must not depend on reaching it.
    process::run(process::cargo().current_dir(root).args(["deny", "--locked", "check", "licenses", "bans", "sources"]))
}
