//! Licences of every crate linked into the plug-in or the program, as one document to distribute with it.
//!
//! The linked crates are those that `cargo tree` lists for this platform, without build and test dependencies. The texts are those in the
//! crates' packages. For packages without one, [`STANDARD`] and [`NAMED`] provide it; a crate that neither covers is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;
use crate::target::Target;

/// Licences with a fixed text, which can stand in for a missing file.
const STANDARD: [(&str, &str); 3] = [
    ("Apache-2.0", include_str!("../../LICENSE-APACHE")),
    ("BSL-1.0", include_str!("../licences/BSL-1.0.txt")),
    ("Unlicense", include_str!("../licences/Unlicense.txt")),
];

/// Licence texts, with their copyright holders, for crates whose packages contain none.
const NAMED: [(&str, &str); 3] = [
    ("nice-plug", include_str!("../licences/nice-plug-ISC.txt")),
    ("nice-plug-core", include_str!("../licences/nice-plug-ISC.txt")),
    ("nice-plug-egui", include_str!("../licences/nice-plug-ISC.txt")),
];

/// Beginnings of licence file names, in upper case.
const BEGINNINGS: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
/// Search depth in a package: fonts and borrowed code have their licences in a subfolder.
const DEPTH: usize = 3;
/// The standard library's licences, relative to the toolchain; every Rust library contains the standard library.
const OF_RUST: &str = "share/doc/rust/COPYRIGHT-library.html";

/// A crate without a licence text to distribute.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} {version} ({licence}) comes without the text of its licence. Find the text where the crate is made, put it into xtask/licences, and name it in xtask/src/notices.rs"
)]
struct NoText {
    name: String,
    version: String,
    licence: String,
}

/// A linked crate, as described by `cargo metadata`.
#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    version: String,
    /// An SPDX expression.
    license: Option<String>,
    repository: Option<String>,
    manifest_path: PathBuf,
    /// Where it comes from; `None` for our own.
    source: Option<String>,
}

impl Package {
    fn licence(&self) -> &str {
        self.license.as_deref().unwrap_or("no licence stated")
    }

    /// Licence texts of the crate, by file name.
    fn texts(&self) -> Result<BTreeMap<String, String>> {
        let folder = self.manifest_path.parent().unwrap_or(Path::new("."));
        let mut texts = BTreeMap::new();
        gather(folder, folder, DEPTH, &mut texts)?;
        // A text in a subfolder covers only that subfolder.
        if texts.keys().any(|name| !name.contains('/')) {
            return Ok(texts);
        }
        let named = NAMED.iter().find(|(name, _)| *name == self.name);
        let standard = || STANDARD.iter().find(|(licence, _)| is_offered(self.licence(), licence));
        let (name, text) = named.or_else(standard).ok_or_else(|| NoText {
            name: self.name.clone(),
            version: self.version.clone(),
            licence: self.licence().to_owned(),
        })?;
        texts.insert((*name).to_owned(), (*text).to_owned());
        Ok(texts)
    }
}

/// Whether an SPDX expression permits choosing this licence.
fn is_offered(expression: &str, licence: &str) -> bool {
    expression.split(['(', ')', ' ', '/']).any(|word| word == licence)
}

/// Collects the licence files of a package.
fn gather(root: &Path, folder: &Path, depth: usize, texts: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        if path.is_dir() {
            if depth > 1 {
                gather(root, &path, depth - 1, texts)?;
            }
        } else if is_about_rights(&path) {
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let name: Vec<_> = path.strip_prefix(root).unwrap_or(&path).iter().map(|part| part.to_string_lossy()).collect();
            texts.insert(name.join("/"), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(())
}

/// Whether a file is a licence, judged by its name, or a text next to a font.
fn is_about_rights(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    let is_text = !path.extension().is_some_and(|extension| ["rs", "toml", "json", "hbs"].iter().any(|other| extension == *other));
    let beside_typeface = || {
        let mut neighbours = path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        neighbours.any(|other| other.path().extension().is_some_and(|extension| extension == "ttf" || extension == "otf"))
    };
    is_text && (BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || name.ends_with(".TXT") && beside_typeface())
}

/// The document on the crates linked into `packages`, which are built together.
pub(crate) fn of_crates(root: &Path, target: Target, packages: &[&str]) -> Result<String> {
    let mut tree = process::cargo();
    tree.current_dir(root).args(["tree", "--locked", "--edges", "no-build,no-dev,no-proc-macro"]).args(target.tree_args());
    for package in packages {
        tree.args(["--package", package]);
    }
    let linked = linked(&process::read(tree.args(["--prefix", "none", "--format", "{p}"]))?);
    let mut metadata = process::cargo();
    let all = process::read(metadata.current_dir(root).args(["metadata", "--locked", "--format-version", "1"]))?;
    document(&chosen(&all, &linked)?)
}

/// Name and version of each crate listed by `cargo tree`.
fn linked(tree: &str) -> BTreeSet<(String, String)> {
    let words = tree.lines().map(|line| line.split_whitespace());
    words.filter_map(|mut words| Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))).collect()
}

/// The linked third-party crates, by name and version.
fn chosen(metadata: &str, linked: &BTreeSet<(String, String)>) -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let Metadata { mut packages } = serde_json::from_str(metadata).context("reading what `cargo metadata` printed")?;
    packages.retain(|package| package.source.is_some() && linked.contains(&(package.name.clone(), package.version.clone())));
    packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(packages)
}

/// A table of the crates, and each licence text once, with the crates it covers.
fn document(packages: &[Package]) -> Result<String> {
    // Texts are compared without whitespace, in which packages differ.
    let mut texts: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let mut table = String::new();
    for package in packages {
        let Package { name, version, .. } = package;
        let repository = package.repository.as_deref().unwrap_or("");
        writeln!(table, "| {name} | {version} | {} | {repository} |", package.licence())?;
        for (file, text) in package.texts()? {
            let key = text.split_whitespace().collect::<Vec<_>>().join(" ");
            texts.entry(key).or_insert_with(|| (text, Vec::new())).1.push(format!("{name} {version} ({file})"));
        }
    }
    let mut sections: Vec<_> = texts.into_values().collect();
    sections.sort_by(|a, b| a.1.cmp(&b.1));
    let mut document = format!(
        "# Crates inside Antiphon\n\nWhat this text comes with holds these {} crates of others, under the licences below. Where one leaves the choice, any of those it names may be chosen.\n\n| crate | version | licence | source |\n| --- | --- | --- | --- |\n{table}",
        packages.len()
    );
    for (text, crates) in sections {
        let text = text.replace("\r\n", "\n");
        write!(document, "\n## {}\n\n````text\n{}\n````\n", crates.join(", "), text.trim_matches('\n'))?;
    }
    Ok(document)
}

/// Folder of the compiler and its libraries.
pub(crate) fn sysroot() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}

/// Licences of Rust's standard library, if the toolchain has them, and their name in a bundle.
pub(crate) fn of_rust() -> Option<(PathBuf, &'static str)> {
    let path = sysroot()?.join(OF_RUST);
    path.is_file().then_some((path, "rust-standard-library.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package in this folder, with these files.
    fn package(folder: &Path, name: &str, licence: &str, files: &[(&str, &str)]) -> Package {
        let root = folder.join(name);
        for (file, text) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(&root).unwrap();
        let source = Some("registry".into());
        Package {
            name: name.into(),
            version: "1.2.3".into(),
            license: Some(licence.into()),
            repository: None,
            manifest_path: root.join("Cargo.toml"),
            source,
        }
    }

    #[test]
    fn licence_text_of_several_crates_appears_once() {
        let folder = tempfile::tempdir().unwrap();
        let packages = [
            package(folder.path(), "a", "MIT", &[("LICENSE-MIT", "Terms of A\nand others"), ("src/license.rs", "code")]),
            package(folder.path(), "b", "MIT", &[("LICENCE.md", "Terms of A and others\r\n"), ("NOTICE", "B thanks C")]),
        ];
        let text = document(&packages).unwrap();
        assert_eq!(text.matches("Terms of A").count(), 1);
        assert!(
            text.contains("## a 1.2.3 (LICENSE-MIT), b 1.2.3 (LICENCE.md)") && text.contains("B thanks C") && !text.contains("code"),
            "{text}"
        );
        assert_eq!(document(&packages).unwrap(), text);
    }

    #[test]
    fn licence_of_a_font_does_not_cover_the_crate() {
        let folder = tempfile::tempdir().unwrap();
        let files = [("fonts/Some.ttf", ""), ("fonts/OFL.txt", "of the typeface"), ("src/words.txt", "not a licence")];
        let fonts = package(folder.path(), "fonts", "(MIT OR Apache-2.0) AND OFL-1.1", &files);
        let texts = fonts.texts().unwrap();
        assert_eq!(texts.keys().collect::<Vec<_>>(), ["Apache-2.0", "fonts/OFL.txt"]);
        assert!(texts["Apache-2.0"].contains("TERMS AND CONDITIONS"));
    }

    #[test]
    fn crate_without_a_licence_text_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = document(&[package(folder.path(), "bare", "MIT", &[])]).unwrap_err();
        assert!(error.is::<NoText>());
        assert!(error.to_string().contains("bare 1.2.3 (MIT)") && error.to_string().contains("xtask/licences"), "{error}");
        assert!(document(&[package(folder.path(), "nice-plug", "ISC", &[])]).unwrap().contains("Robbert van der Helm"));
    }

    #[test]
    fn third_party_crates_are_chosen_from_cargo_metadata() {
        let linked = linked("antiphon-plugin v0.1.0 (/some/where)\negui v0.37.0\nserde v1.0.0\nserde v1.0.0 (*)\n");
        assert_eq!(linked.len(), 3);
        let metadata = r#"{"packages":[
            {"name":"serde","version":"1.0.0","license":"MIT","repository":null,"manifest_path":"/r/serde/Cargo.toml","source":"registry"},
            {"name":"serde","version":"2.0.0","license":"MIT","repository":null,"manifest_path":"/r/serde2/Cargo.toml","source":"registry"},
            {"name":"antiphon-plugin","version":"0.1.0","license":"MIT","repository":null,"manifest_path":"/w/Cargo.toml","source":null},
            {"name":"egui","version":"0.37.0","license":"MIT","repository":null,"manifest_path":"/r/egui/Cargo.toml","source":"registry"}]}"#;
        let names: Vec<_> = chosen(metadata, &linked).unwrap().into_iter().map(|package| (package.name, package.version)).collect();
        assert_eq!(names, [("egui".into(), "0.37.0".into()), ("serde".into(), "1.0.0".into())]);
    }

    #[test]
    fn crates_of_the_plug_in_have_licence_texts() {
        let document = of_crates(crate::root(), Target::here().unwrap(), &["antiphon-plugin"]).unwrap();
        for expected in ["| egui |", "| nice-plug | ", "| ort |", "SIL OPEN FONT LICENSE", "Permission is hereby granted"] {
            assert!(document.contains(expected), "{expected}");
        }
        // The program's audio dependencies are not linked into the plug-in.
        assert!(!document.contains("| jack") && !document.contains("| alsa") && !document.contains("| cpal"));
    }

    #[test]
    fn crates_of_the_program_have_licence_texts() {
        let document = of_crates(crate::root(), Target::here().unwrap(), &["antiphon-standalone"]).unwrap();
        for expected in ["| egui |", "| nice-plug |", "| cpal |", "| midir |", "| jack |", "| jack-sys |"] {
            assert!(document.contains(expected), "{expected}");
        }
    }
}
