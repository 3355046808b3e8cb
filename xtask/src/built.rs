//! Libraries and programs that one call of Cargo built, and what is handed on with each of them: ONNX Runtime, licences, the model card.
//!
//! One call for packages that may have each other's features: alone, each takes the crates that they share with other features, so that
//! another call compiles them again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::layout::{Platform, System};
use crate::target::Target;
use crate::{notices, process, runtime, standalone, system};

/// Description of the model inside the libraries and programs, and of its training data.
const MODEL_CARD: &str = "MODEL_CARD.md";

/// A file to include, and its destination relative to a bundle's resources.
pub(crate) type Copied = (PathBuf, PathBuf);

/// What was built.
pub(crate) struct Built {
    pub(crate) target: Target,
    /// Everything to include in a bundle besides the library or program.
    pub(crate) resources: Vec<Copied>,
    /// Cargo's JSON messages, which name the output files.
    pub(crate) messages: String,
}

impl Built {
    /// Builds `products`, which are handed on, with the library `onnxruntime` or the pinned one, and in the same call the packages `beside`
    /// them.
    pub(crate) fn make(root: &Path, target: Target, onnxruntime: Option<&Path>, products: &[&str], beside: &[&str]) -> Result<Self> {
        if products.contains(&standalone::PACKAGE) && target.platform.system == System::Linux && !target.is_cross() {
            system::ensure(&system::FOR_STANDALONE)?;
        }
        let runtime = runtime::obtain_for(root, target.platform, onnxruntime)?;
        eprintln!("ONNX Runtime: {}", runtime.display());
        let resources = resources(root, target, &runtime, products)?;
        let packages: Vec<_> = products.iter().chain(beside).copied().collect();
        let messages = build(root, target, &packages)?;
        Ok(Self { target, resources, messages })
    }

    /// Path of the program called `name`.
    pub(crate) fn executable(&self, name: &str) -> Result<PathBuf> {
        executable(&self.messages, name).with_context(|| format!("Cargo named no program {name}"))
    }

    /// Path of the shared library of a package.
    pub(crate) fn library(&self, package: &str) -> Result<PathBuf> {
        library(&self.messages, package, self.target.library_extension())
            .with_context(|| format!("Cargo built {package} but named no shared library"))
    }
}

/// Builds packages in one call; returns Cargo's JSON messages, which name the output files.
pub(crate) fn build(root: &Path, target: Target, packages: &[&str]) -> Result<String> {
    let names = packages.join(", ");
    eprintln!(
        "Building {names} for {}: up to a quarter of an hour with two processors, if nothing was built before",
        target.platform.name()
    );
    let start = Instant::now();
    let mut cargo = target.cargo(root, "build")?;
    for package in packages {
        cargo.args(["--package", package]);
    }
    // The only default feature links the plug-in into the tests' hosts, which load it here.
    let messages = process::read(cargo.args(["--no-default-features", "--locked", "--message-format=json-render-diagnostics"]))?;
    eprintln!("Built {names} in {} s", start.elapsed().as_secs());
    Ok(messages)
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

/// Path of the shared library of a package in Cargo's messages, by the extension of such files.
fn library(messages: &str, package: &str, extension: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        filenames: Vec<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let target = package.replace('-', "_");
    // Other kinds of message do not parse as an artifact, and are skipped.
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    let files = artifacts.filter(|artifact| artifact.target.name == target).flat_map(|artifact| artifact.filenames);
    files.into_iter().find(|path| path.extension().is_some_and(|found| found == extension))
}

/// Everything to include besides the output of the build of `products`: ONNX Runtime, licences, and the model card.
fn resources(root: &Path, target: Target, runtime: &Path, products: &[&str]) -> Result<Vec<Copied>> {
    let mut files = with_notices(target.platform, runtime);
    if files.len() == 1 {
        eprintln!("warning: no ONNX Runtime LICENSE found near {}: do not distribute these bundles", runtime.display());
    }
    files.extend(["LICENSE-APACHE", "LICENSE-MIT"].map(|name| (root.join(name), Path::new("licences").join(name))));
    files.push((root.join("models/licences"), "licences/model".into()));
    files.push((root.join("models").join(MODEL_CARD), MODEL_CARD.into()));
    files.extend(licences_of_code(root, target, products)?);
    Ok(files)
}

/// ONNX Runtime and its notices.
fn with_notices(platform: Platform, runtime: &Path) -> Vec<Copied> {
    let notices = runtime::notices(runtime).into_iter().map(|(notice, name)| (notice, Path::new("licences/onnxruntime").join(name)));
    std::iter::once((runtime.to_path_buf(), platform.system.runtime().into())).chain(notices).collect()
}

/// Licences of the code linked into `products`.
fn licences_of_code(root: &Path, target: Target, products: &[&str]) -> Result<Vec<Copied>> {
    let folder = root.join("target/licences").join(target.platform.name()).join(products.join("+"));
    let crates = folder.join("crates.md");
    let text = notices::of_crates(root, target, products)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bundle, cli};

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
        let found = |messages: &str| library(messages, bundle::PACKAGE, std::env::consts::DLL_EXTENSION);
        assert_eq!(found(&messages), Some(PathBuf::from(format!("/t/libantiphon_plugin{suffix}"))));
        assert_eq!(found(r#"{"reason":"build-finished","success":true}"#), None);
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
    fn resources_are_runtime_model_card_and_licences() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = folder.path().join("libonnxruntime.so.9");
        fs::write(&runtime, "runtime").unwrap();
        fs::write(folder.path().join("LICENSE"), "terms").unwrap();
        let target = Target::here().unwrap();
        let resources = resources(crate::root(), target, &runtime, &[bundle::PACKAGE]).unwrap();
        let source = |to: &str| resources.iter().find(|(_, other)| other == Path::new(to)).map(|(from, _)| from.clone());
        assert_eq!(source(target.platform.system.runtime()), Some(runtime.clone()));
        assert_eq!(source("licences/onnxruntime/LICENSE"), Some(folder.path().join("LICENSE")));
        for file in [MODEL_CARD, "licences/LICENSE-MIT", "licences/LICENSE-APACHE", "licences/model", "licences/crates.md"] {
            assert!(source(file).is_some_and(|from| from.exists()), "{file}");
        }
    }

    #[test]
    fn licences_of_what_is_built_together_are_those_of_all_its_packages() {
        let products = [bundle::PACKAGE, cli::PACKAGE, standalone::PACKAGE];
        let files = licences_of_code(crate::root(), Target::here().unwrap(), &products).unwrap();
        let text = fs::read_to_string(&files[0].0).unwrap();
        // Of the plug-in, the command line, its pictures and the program.
        for name in ["egui", "indicatif", "tiny-skia", "cpal"] {
            assert!(text.contains(&format!("| {name} |")), "{name}");
        }
    }
}
