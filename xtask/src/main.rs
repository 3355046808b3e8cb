//! Every chore of the project: `cargo xtask CHORE`.
//!
//! One file per chore; what they share stands in `process` (running programs), `system` (Debian packages), `runtime` (ONNX Runtime), `layout`
//! (where a bundle's parts lie), `macos` (what bundles need there), `notices` (licences of crates), `pack` (archives) and `tree` (folders as wholes).

mod ardour;
mod bundle;
mod cli;
mod demo;
mod dist;
mod install;
mod layout;
mod licences;
mod macos;
mod notices;
mod pack;
mod process;
mod runtime;
mod setup;
mod standalone;
mod system;
mod test;
mod tree;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Every chore of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Set up what is needed, build the bundles, load one in a host, play it a demo clip, and name what it answered: MIDI files and pictures
    Demo(demo::Args),
    /// Set up what the tests need and run every Rust test of the workspace
    Test(test::Args),
    /// Build the plug-in and lay out its CLAP and VST3 bundles in target/bundled, each with all it needs
    Bundle(bundle::Args),
    /// Make the bundles and copy them into this user's plug-in folders; or, with --cli, the command line into the folder of programs
    Install(install::Args),
    /// Build the program that needs no host, and lay it out in target/bundled with all it needs
    Standalone(standalone::Args),
    /// Build the command line `antiphon`, and lay it out in target/bundled with the ONNX Runtime that it takes
    Cli(cli::Args),
    /// Play the VST3 in Ardour without a screen, and check what it sends; installs Ardour on Debian. Takes five minutes
    Ardour(ardour::Args),
    /// Make the bundles and the program, and pack them into one archive for this platform, to be installed without tools or a network
    Dist(dist::Args),
    /// Install the Debian packages that building and testing everything takes, if any is missing
    Setup,
    /// Check the licences and the sources of every dependency against deny.toml
    Licences,
}

/// The folder of the workspace's Cargo.toml.
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
        Chore::Setup => setup::run(),
        Chore::Dist(args) => dist::run(root(), &args),
        Chore::Licences => licences::run(root()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            // 2: the cure is in the reader's hands and stands in the message, as in the `antiphon` command line.
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
    fn the_command_line_is_consistent() {
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
    fn the_root_is_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }
}
