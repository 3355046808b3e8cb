//! `cargo xtask bundle`: the plug-in bundles with everything they need, in `target/bundled`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::layout::{Bundle, Format, Platform, System};
use crate::target::{Profile, Target, TargetArgs};
use crate::{cli, macos, notices, process, runtime, standalone, tree, wine};

/// The package whose library hosts load.
const PACKAGE: &str = "antiphon-plugin";

/// The packages whose programs and libraries are tested on other platforms, and that of the tests' hosts.
pub(crate) fn tested(target: Target) -> Vec<&'static str> {
    let mut packages = vec![PACKAGE, cli::PACKAGE, wine::HOSTS];
    // On Linux it links ALSA's library, which Debian has no cross-compiling package of.
    if target.platform.system != System::Linux {
        packages.push(standalone::PACKAGE);
    }
    packages
}

/// Description of the model inside the library and of its training data.
const MODEL_CARD: &str = "MODEL_CARD.md";

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

/// A file to include, and its destination relative to the bundle's resources.
pub(crate) type Copied = (PathBuf, PathBuf);

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
    let (platform, names) = (target.platform, names(root)?);
    let runtime = runtime::obtain_for(root, platform, onnxruntime)?;
    eprintln!("ONNX Runtime: {}", runtime.display());
    let resources = resources(root, target, &runtime, PACKAGE)?;
    let library = library(&build(root, target, PACKAGE)?, target.library_extension())
        .with_context(|| format!("Cargo built {PACKAGE} but named no shared library"))?;
    for format in Format::ALL {
        let layout = platform.bundle(format, &names.name);
        lay_out(root, target, &layout, &library, &resources, |contents| macos::describe(contents, &names, format.kind()))?;
    }
    Ok(Bundles { home: home(root, target), platform, name: names.name })
}

/// Assembles a bundle folder in [`home`]. `describe` writes macOS's property list into a folder.
pub(crate) fn lay_out(
    root: &Path,
    target: Target,
    layout: &Bundle,
    binary: &Path,
    resources: &[Copied],
    describe: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let staging = tree::staging(&home(root, target))?;
    let new = staging.path().join(&layout.folder);
    fill(&new, layout, binary, resources)?;
    if let Some(contents) = &layout.property_list {
        describe(&new.join(contents))?;
        macos::sign(&new.join(&layout.resources).join(target.platform.system.runtime()))?;
        macos::sign(&new)?;
    }
    tree::put(staging, &new, &home(root, target).join(&layout.folder))
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

/// Builds a package; returns Cargo's JSON messages, which name the output files.
///
/// In the profile of tests all of [`tested`] are built: each alone would take other features of the crates that they share, and so build
/// many of them again. What is handed on has its own features only.
pub(crate) fn build(root: &Path, target: Target, package: &str) -> Result<String> {
    let mut cargo = target.cargo(root, "build")?;
    let packages = match target.profile {
        Profile::Release => vec![package],
        Profile::Dev => tested(target),
    };
    for package in packages {
        cargo.args(["--package", package]);
    }
    // The only default feature links the plug-in into the tests' hosts, which load it here.
    process::read(cargo.args(["--no-default-features", "--locked", "--message-format=json-render-diagnostics"]))
}

/// Path of the program called `name` in Cargo's messages.
pub(crate) fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    // Other kinds of message do not parse as an artifact, and are skipped.
    let mut artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    artifacts.find_map(|artifact| artifact.executable.filter(|_| artifact.target.name == name))
}

/// Path of the shared library of [`PACKAGE`] in Cargo's messages, by the extension of such files.
fn library(messages: &str, extension: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        filenames: Vec<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let target = PACKAGE.replace('-', "_");
    // Other kinds of message do not parse as an artifact, and are skipped.
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let files = artifacts.filter(|artifact| artifact.target.name == target).flat_map(|artifact| artifact.filenames);
    files.into_iter().find(|path| path.extension().is_some_and(|found| found == extension))
}

/// Everything to include besides the build output of `package`: ONNX Runtime, licences, and the model card.
pub(crate) fn resources(root: &Path, target: Target, runtime: &Path, package: &str) -> Result<Vec<Copied>> {
    let mut files = with_notices(target.platform, runtime);
    if files.len() == 1 {
        eprintln!("warning: no ONNX Runtime LICENSE found near {}: do not distribute these bundles", runtime.display());
    }
    files.extend(["LICENSE-APACHE", "LICENSE-MIT"].map(|name| (root.join(name), Path::new("licences").join(name))));
    files.push((root.join("models/licences"), "licences/model".into()));
    files.push((root.join("models").join(MODEL_CARD), MODEL_CARD.into()));
    files.extend(licences_of_code(root, target, package)?);
    Ok(files)
}

/// ONNX Runtime and its notices.
fn with_notices(platform: Platform, runtime: &Path) -> Vec<Copied> {
    let notices = runtime::notices(runtime).into_iter().map(|(notice, name)| (notice, Path::new("licences/onnxruntime").join(name)));
    std::iter::once((runtime.to_path_buf(), platform.system.runtime().into())).chain(notices).collect()
}

/// Licences of the code linked into `package`.
fn licences_of_code(root: &Path, target: Target, package: &str) -> Result<Vec<Copied>> {
    let folder = root.join("target/licences").join(target.platform.name()).join(package);
    let crates = folder.join("crates.md");
    let text = notices::of_crates(root, target, package)?;
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&crates, text));
    written.with_context(|| format!("writing {}", crates.display()))?;
    let mut files = vec![(crates, "licences/crates.md".into())];
    let others = target.notices(root)?;
    if others.is_empty() {
        eprintln!("warning: this toolchain has no licences of Rust's standard library: do not distribute these bundles");
    }
    files.extend(others.into_iter().map(|(path, name)| (path, Path::new("licences").join(name))));
    Ok(files)
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
    fn library_path_is_read_from_cargo_messages() {
        let suffix = std::env::consts::DLL_SUFFIX;
        let messages = [
            r#"{"reason":"compiler-artifact","target":{"name":"serde_derive"},"filenames":["/t/libserde_derive.SUFFIX"]}"#,
            r#"{"reason":"build-script-executed","package_id":"p","out_dir":"/t"}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"antiphon_plugin"},"filenames":["/t/libantiphon_plugin.rlib","/t/libantiphon_plugin.SUFFIX"]}"#,
            r#"{"reason":"build-finished","success":true}"#,
        ]
        .join("\n")
        .replace(".SUFFIX", suffix);
        assert_eq!(library(&messages, std::env::consts::DLL_EXTENSION), Some(PathBuf::from(format!("/t/libantiphon_plugin{suffix}"))));
        assert_eq!(library(r#"{"reason":"build-finished","success":true}"#, "so"), None);
    }

    #[test]
    fn program_path_is_read_from_cargo_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"serde"},"filenames":["/t/libserde.rlib"],"executable":null}
{"reason":"build-script-executed","package_id":"p","out_dir":"/t"}
{"reason":"compiler-artifact","target":{"name":"antiphon-standalone"},"filenames":["/t/antiphon-standalone"],"executable":"/t/antiphon-standalone"}"#;
        assert_eq!(executable(messages, "antiphon-standalone"), Some(PathBuf::from("/t/antiphon-standalone")));
        assert_eq!(executable(messages, "antiphon"), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#, "antiphon"), None);
    }

    #[test]
    fn bundle_contains_runtime_model_card_and_licences() {
        let folder = tempfile::tempdir().unwrap();
        let (library, runtime) = (folder.path().join("built"), folder.path().join("libonnxruntime.so.9"));
        fs::write(&library, "library").unwrap();
        fs::write(&runtime, "runtime").unwrap();
        fs::write(folder.path().join("LICENSE"), "terms").unwrap();
        let target = Target::here().unwrap();
        let platform = target.platform;
        let resources = resources(crate::root(), target, &runtime, PACKAGE).unwrap();
        let layouts = Format::ALL.map(|format| platform.bundle(format, "Some"));
        for layout in layouts.into_iter().chain([platform.program("Some")]) {
            let new = folder.path().join(&layout.folder);
            fill(&new, &layout, &library, &resources).unwrap();
            let text = |path: &Path| fs::read_to_string(new.join(path)).unwrap();
            assert_eq!(text(&layout.library), "library");
            assert_eq!(text(&layout.resources.join(platform.system.runtime())), "runtime");
            assert_eq!(text(&layout.resources.join("licences/onnxruntime/LICENSE")), "terms");
            for licence in
                [MODEL_CARD, "licences/LICENSE-MIT", "licences/LICENSE-APACHE", "licences/model/ATTRIBUTION.md", "licences/crates.md"]
            {
                assert!(!text(&layout.resources.join(licence)).is_empty(), "{licence}");
            }
        }
    }
}
