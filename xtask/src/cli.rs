//! `cargo xtask cli`: the command line `antiphon`, with ONNX Runtime next to it.
//!
//! `cargo xtask install --cli` copies both into the user's folders: the engine looks for ONNX Runtime next to the program and in the user's
//! data folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::built::{self, Built};
use crate::layout::{Bundle, Platform};
use crate::target::{Target, TargetArgs};
use crate::{bundle, process};

/// The package of the program.
pub(crate) const PACKAGE: &str = "antiphon-cli";
/// Name of the program.
pub(crate) const COMMAND: &str = "antiphon";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Put this ONNX Runtime library next to the program instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

/// The finished program.
pub(crate) struct CommandLine {
    /// The folder that contains its folder.
    pub(crate) home: PathBuf,
    /// Layout of its folder.
    pub(crate) layout: Bundle,
    pub(crate) platform: Platform,
}

impl CommandLine {
    /// The top folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.join(&self.layout.folder)
    }

    /// The program, and the library it needs.
    pub(crate) fn files(&self) -> [PathBuf; 2] {
        let folder = self.folder();
        [folder.join(&self.layout.library), folder.join(&self.layout.resources).join(self.platform.system.runtime())]
    }
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let [program, _] = make(root, args.target.target()?, args.onnxruntime.as_deref())?.files();
    println!("{}", program.display());
    Ok(())
}

/// Builds the program, and lays it out with the library `onnxruntime` or the pinned one.
pub(crate) fn make(root: &Path, target: Target, onnxruntime: Option<&Path>) -> Result<CommandLine> {
    assemble(root, &Built::make(root, target, onnxruntime, &[PACKAGE], &[])?)
}

/// Lays out the program.
pub(crate) fn assemble(root: &Path, built: &Built) -> Result<CommandLine> {
    let (platform, names) = (built.target.platform, bundle::names(root)?);
    let layout = platform.command_line(&names.name, COMMAND);
    bundle::lay_out(root, built, &layout, &built.executable(COMMAND)?, |_| Ok(()))?;
    Ok(CommandLine { home: bundle::home(root, built.target), layout, platform })
}

/// The program of this system as the tests build it: with the features of `cargo xtask test`, so that nothing is rebuilt.
pub(crate) fn for_tests(root: &Path) -> Result<PathBuf> {
    let mut cargo = process::cargo();
    cargo.current_dir(root).args(["build", "--workspace", "--all-features", "--locked", "--bin", COMMAND]);
    let messages = process::read(cargo.arg("--message-format=json-render-diagnostics"))?;
    built::executable(&messages, COMMAND).with_context(|| format!("Cargo named no program {COMMAND}"))
}

/// Destinations of the [`files`](CommandLine::files) in the user's folders. `data_home` is `XDG_DATA_HOME`.
pub(crate) fn places(platform: Platform, home: &Path, data_home: Option<&Path>) -> [PathBuf; 2] {
    let (system, program) = (platform.system, platform.command_line("", COMMAND).library);
    [system.program_folder(home).join(program), system.data_folder(home, data_home).join(system.runtime())]
}

/// Prints how to start the program installed into `folder`, given the variable `PATH`.
pub(crate) fn say_how_to_start(folder: &Path, path: Option<&Path>) {
    if is_on_path(folder, path) {
        println!("`{COMMAND} --help` says what it does.");
    } else {
        println!("Add {} to your PATH; then `{COMMAND} --help` says what it does.", folder.display());
    }
}

fn is_on_path(folder: &Path, path: Option<&Path>) -> bool {
    path.is_some_and(|path| std::env::split_paths(path).any(|entry| entry == folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_and_library_go_where_shell_and_engine_look() {
        let linux = Platform::of("linux", "x86_64").unwrap();
        let home = Path::new("/home/u");
        let expected = ["/home/u/.local/bin/antiphon", "/home/u/.local/share/antiphon/libonnxruntime.so"].map(PathBuf::from);
        assert_eq!(places(linux, home, None), expected);
        assert_eq!(places(linux, home, Some(Path::new("/data")))[1], Path::new("/data/antiphon/libonnxruntime.so"));
    }

    #[test]
    fn folder_on_the_path_is_recognised() {
        let folder = Path::new("/home/u/.local/bin");
        assert!(is_on_path(folder, Some(Path::new("/usr/bin:/home/u/.local/bin"))));
        assert!(!is_on_path(folder, Some(Path::new("/usr/bin:/home/u/.local"))));
        assert!(!is_on_path(folder, None));
    }
}
