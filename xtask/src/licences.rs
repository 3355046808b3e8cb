//! `cargo xtask licences`: checks the dependency tree against `deny.toml`.

use std::path::Path;

use anyhow::Result;

use crate::process;

/// Version of cargo-deny to install if there is none; an installed one is used whatever its version.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn run(root: &Path) -> Result<()> {
    let there = process::cargo().args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("cargo-deny is not installed: building version {CARGO_DENY}, which takes some minutes");
        // Unoptimised, it builds in half the time, and still runs in seconds.
        process::run(process::cargo().args(["install", "--debug", "--locked", "cargo-deny", "--version", CARGO_DENY]))?;
    }
    // Advisories are not checked: their database is a git repository, and a build must not depend on reaching it.
    process::run(process::cargo().current_dir(root).args(["deny", "--locked", "check", "licenses", "bans", "sources"]))
}
