//! Chores of the project: `cargo xtask CHORE`.
//!
//! One file per chore; shared code is in `process` (running programs), `built` (one call of Cargo and what goes with its output), `system` (Debian packages), `runtime` (ONNX Runtime), `layout`
//! (layout of bundles), `target`, `toolchain` and `debian_rust` (building for other platforms), `macos` (bundle requirements there), `notices`
//! (licences of crates), `imports` and `traces` (what must not be in a product), `pack` (archives) and `tree` (copying and replacing folders).

mod ardour;
mod built;
mod bundle;
mod check;
mod cli;
mod debian_rust;
mod demo;
mod dist;
mod emulator;
mod gallery;
mod histories;
mod imports;
mod install;
mod layout;
mod licences;
mod line_ends;
mod macos;
mod notices;
mod pack;
mod process;
mod runtime;
mod setup;
mod simulation;
mod standalone;
mod system;
mod target;
mod test;
mod toolchain;
mod traces;
mod tree;
mod wine;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Build the bundles, load one in a host, play a demo clip to it, and write the answer as MIDI files and pictures; installs what is
    /// missing
    Demo(demo::Args),
    /// Run every Rust test of the workspace; with --windows or --arm, cross-compile for another platform and test that in Wine or in an
    /// emulator; installs what is missing
    Test(test::Args),
    /// Build the CLAP and VST3 bundles in target/bundled, with everything they need
    Bundle(bundle::Args),
    /// Build the bundles and copy them into this user's plug-in folders; with --cli, install the command line instead
    Install(install::Args),
    /// Build the stand-alone program in target/bundled, with everything it needs
    Standalone(standalone::Args),
    /// Build the command line `antiphon` in target/bundled, with the ONNX Runtime it needs
    Cli(cli::Args),
    /// Test the VST3 in Ardour without a screen; installs Ardour on Debian. Takes five minutes
    Ardour(ardour::Args),
    /// Run random histories of the plug-in in both formats, and check every block
    Histories(histories::Args),
    /// Simulate hours of playing with the model on a virtual clock, and report what was late or hung: --minutes 60 --tempo 240 --instances 16 --json
    Soak(simulation::Args),
    /// Type-check the whole workspace for another platform; --target aarch64-apple-darwin works, too
    Check(check::Args),
    /// Play one part of held-out pieces to a session in Accompany on a virtual clock, and measure what it plays: MUSIC --split FILE --pieces 20 --json
    Duet(simulation::Args),
    /// Make pictures of the window's main states in out/gallery; with --accept, renew those that tests compare and those of the guide
    Gallery(gallery::Args),
    /// Build bundles and programs, and pack them into an archive for a platform that installs without tools or network
    Dist(dist::Args),
    /// Install missing Debian packages needed to build and test everything; with --target, also the linker and standard library of another
    /// platform, and for Windows Wine
    Setup(setup::Args),
    /// Check licences and sources of all dependencies against deny.toml
    Licences,
}

/// The workspace root.
fn root() -> &'static Path {
    // The manifest's folder is `xtask`, so it has a parent.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Demo(args) => demo::run(root(), &args),
        Chore::Test(args) => test::run(root(), &args),
        Chore::Bundle(args) => bundle::run(root(), &args),
        Chore::Install(args) => install::run(root(), &args),
        Chore::Standalone(args) => standalone::run(root(), &args),
        Chore::Cli(args) => cli::run(root(), &args),
        Chore::Ardour(args) => ardour::run(root(), &args),
        Chore::Setup(args) => setup::run(root(), &args),
        Chore::Histories(args) => histories::run(root(), &args),
        Chore::Soak(args) => simulation::run(root(), "soak", &args),
        Chore::Check(args) => check::run(root(), &args),
        Chore::Duet(args) => simulation::run(root(), "duet", &args),
        Chore::Gallery(args) => gallery::run(root(), &args),
        Chore::Dist(args) => dist::run(root(), &args),
        Chore::Licences => licences::run(root()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            // 2: the user can fix it, and the message says how; as in the `antiphon` command line.
            let curable = error.is::<system::NotInstalled>() || error.is::<runtime::NotAFile>() || error.is::<install::NoHome>();
            if curable { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn readme_names_chores_that_exist() {
        let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
        let lines: Vec<_> = readme.lines().filter(|line| line.starts_with("cargo xtask ")).collect();
        assert!(lines.len() >= 4, "{lines:?}");
        for line in lines {
            let words = line.split('#').next().unwrap_or_default().split_whitespace().skip(2);
            Cli::try_parse_from(std::iter::once("cargo xtask").chain(words)).map(drop).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn root_is_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }
}
