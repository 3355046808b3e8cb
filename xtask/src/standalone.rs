//! `cargo xtask standalone`: the stand-alone program with everything it needs, in `target/bundled`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::layout::{Bundle, Kind, System};
use crate::target::{Target, TargetArgs};
use crate::{bundle, macos, runtime, system};

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
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let program = make(root, args.target.target()?, args.onnxruntime.as_deref())?;
    println!("{}", program.folder().join(&program.layout.library).display());
    Ok(())
}

/// Builds the program, and lays it out with the library `onnxruntime` or the pinned one.
pub(crate) fn make(root: &Path, target: Target, onnxruntime: Option<&Path>) -> Result<Program> {
    if target.platform.system == System::Linux && !target.is_cross() {
        system::ensure(&system::FOR_STANDALONE)?;
    }
    let (platform, names) = (target.platform, bundle::names(root)?);
    let runtime = runtime::obtain_for(root, platform, onnxruntime)?;
    let resources = bundle::resources(root, target, &runtime, PACKAGE)?;
    let messages = bundle::build(root, target, PACKAGE)?;
    let binary = bundle::executable(&messages, PACKAGE).with_context(|| format!("Cargo built {PACKAGE} but named no program"))?;
    let layout = platform.program(&names.name);
    bundle::lay_out(root, target, &layout, &binary, &resources, |contents| macos::describe(contents, &names, Kind::PROGRAM))?;
    Ok(Program { home: bundle::home(root, target), layout })
}
