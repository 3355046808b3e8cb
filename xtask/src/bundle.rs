//! `cargo xtask bundle`: the plug-in bundles with everything they need, in `target/bundled`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::built::{Built, Copied};
use crate::layout::{Bundle, Format, Platform};
use crate::target::{Profile, Target, TargetArgs};
use crate::{macos, tree};

/// The package whose library hosts load.
pub(crate) const PACKAGE: &str = "antiphon-plugin";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Put this ONNX Runtime library into the bundles instead of downloading the pinned one
    #[arg(long, value_name = "PATH")]
    onnxruntime: Option<PathBuf>,
}

/// Section of a package in `bundler.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Names {
    /// Name of the bundles on disk.
    pub(crate) name: String,
    /// Reverse domain name, for macOS.
    pub(crate) identifier: String,
}

/// Both finished bundles.
pub(crate) struct Bundles {
    /// The folder that contains them.
    pub(crate) home: PathBuf,
    /// Target platform.
    pub(crate) platform: Platform,
    /// Name of the bundles.
    pub(crate) name: String,
}

impl Bundles {
    /// Layout of a bundle.
    pub(crate) fn layout(&self, format: Format) -> Bundle {
        self.platform.bundle(format, &self.name)
    }

    /// The top folder of a bundle.
    pub(crate) fn folder(&self, format: Format) -> PathBuf {
        self.home.join(self.layout(format).folder)
    }

    /// The file of a bundle that hosts load.
    pub(crate) fn library(&self, format: Format) -> PathBuf {
        self.folder(format).join(self.layout(format).library)
    }
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let bundles = make(root, args.target.target()?, args.onnxruntime.as_deref())?;
    for format in Format::ALL {
        println!("{}", bundles.folder(format).display());
    }
    Ok(())
}

/// Builds both bundles in [`home`], with the library `onnxruntime` or the pinned one.
pub(crate) fn make(root: &Path, target: Target, onnxruntime: Option<&Path>) -> Result<Bundles> {
    assemble(root, &Built::make(root, target, onnxruntime, &[PACKAGE], &[])?)
}

/// Lays out both bundles in [`home`].
pub(crate) fn assemble(root: &Path, built: &Built) -> Result<Bundles> {
    let (platform, names) = (built.target.platform, names(root)?);
    let library = built.library(PACKAGE)?;
    for format in Format::ALL {
        let layout = platform.bundle(format, &names.name);
        lay_out(root, built, &layout, &library, |contents| macos::describe(contents, &names, format.kind()))?;
    }
    Ok(Bundles { home: home(root, built.target), platform, name: names.name })
}

/// Assembles a bundle folder in [`home`]. `describe` writes macOS's property list into a folder.
pub(crate) fn lay_out(
    root: &Path,
    built: &Built,
    layout: &Bundle,
    binary: &Path,
    describe: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let home = home(root, built.target);
    let staging = tree::staging(&home)?;
    let new = staging.path().join(&layout.folder);
    fill(&new, layout, binary, &built.resources)?;
    if let Some(contents) = &layout.property_list {
        describe(&new.join(contents))?;
        macos::sign(&new.join(&layout.resources).join(built.target.platform.system.runtime()))?;
        macos::sign(&new)?;
    }
    tree::put(staging, &new, &home.join(&layout.folder))
}

/// Folder of the finished bundles. Those for other platforms, and those for tests, have one of their own.
pub(crate) fn home(root: &Path, target: Target) -> PathBuf {
    let bundled = root.join("target/bundled");
    match target.profile {
        Profile::Dev => bundled.join(format!("{}-dev", target.platform.name())),
        Profile::Release if target.is_cross() => bundled.join(target.platform.name()),
        Profile::Release => bundled,
    }
}

/// Names of our bundles.
pub(crate) fn names(root: &Path) -> Result<Names> {
    let path = root.join("bundler.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut packages: HashMap<String, Names> = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    packages.remove(PACKAGE).with_context(|| format!("{} has no section [{PACKAGE}]", path.display()))
}

/// Lays out the bundle in the folder `new`.
fn fill(new: &Path, layout: &Bundle, binary: &Path, resources: &[Copied]) -> Result<()> {
    tree::copy_file(binary, &new.join(&layout.library))?;
    for (from, to) in resources {
        let to = new.join(&layout.resources).join(to);
        if from.is_dir() { tree::copy(from, &to)? } else { tree::copy_file(from, &to)? }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_have_a_name_and_an_identifier() {
        let names = names(crate::root()).unwrap();
        assert_eq!((names.name.as_str(), names.identifier.as_str()), ("Antiphon", "org.antiphon.antiphon"));
    }

    #[test]
    fn bundle_contains_library_and_resources() {
        let folder = tempfile::tempdir().unwrap();
        let [library, runtime, licences] = ["built", "libonnxruntime.so.9", "model"].map(|name| folder.path().join(name));
        fs::write(&library, "library").unwrap();
        fs::write(&runtime, "runtime").unwrap();
        fs::create_dir(&licences).unwrap();
        fs::write(licences.join("ATTRIBUTION.md"), "thanks").unwrap();
        let platform = Target::here().unwrap().platform;
        let resources = [(runtime, platform.system.runtime().into()), (licences, "licences/model".into())];
        let layouts = Format::ALL.map(|format| platform.bundle(format, "Some"));
        for layout in layouts.into_iter().chain([platform.program("Some")]) {
            let new = folder.path().join(&layout.folder);
            fill(&new, &layout, &library, &resources).unwrap();
            let text = |path: &Path| fs::read_to_string(new.join(path)).unwrap();
            assert_eq!(text(&layout.library), "library");
            assert_eq!(text(&layout.resources.join(platform.system.runtime())), "runtime");
            assert_eq!(text(&layout.resources.join("licences/model/ATTRIBUTION.md")), "thanks");
        }
    }
}
