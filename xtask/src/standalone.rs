//! `cargo xtask standalone`: the stand-alone program with everything it needs, in `target/bundled`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::built::Built;
use crate::layout::{Bundle, Kind};
use crate::target::{Target, TargetArgs};
use crate::{bundle, macos};

/// The package of the program.
pub(crate) const PACKAGE: &str = "antiphon-standalone";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Put this ONNX Runtime library next to the program instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

/// The finished program.
pub(crate) struct Program {
    /// The folder that contains its folder.
    pub(crate) home: PathBuf,
    /// Layout of its folder.
    pub(crate) layout: Bundle,
}

impl Program {
    /// The top folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.home.join(&self.layout.folder)
    }

    /// The program's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join(&self.layout.library)
    }
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let program = make(root, args.target.target()?, args.onnxruntime.as_deref())?;
    println!("{}", program.file().display());
    Ok(())
}

/// Builds the program, and lays it out with the library `onnxruntime` or the pinned one.
fn make(root: &Path, target: Target, onnxruntime: Option<&Path>) -> Result<Program> {
    assemble(root, &Built::make(root, target, onnxruntime, &[PACKAGE], &[])?)
}

/// Lays out the program.
pub(crate) fn assemble(root: &Path, built: &Built) -> Result<Program> {
    let (platform, names) = (built.target.platform, bundle::names(root)?);
    let layout = platform.program(&names.name);
    bundle::lay_out(root, built, &layout, &built.executable(PACKAGE)?, |contents| macos::describe(contents, &names, Kind::PROGRAM))?;
    Ok(Program { home: bundle::home(root, built.target), layout })
}
