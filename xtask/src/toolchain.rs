//! The Rust toolchain that builds for another platform: rustup's with a standard library for it, or else Debian's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::debian_rust::DebianRust;
use crate::{notices, process};

/// A toolchain with a standard library for another platform.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The one that started this chore: the builds of all platforms share one compiler, and the macros they all run.
    Rustup {
        /// Folder of compiler and libraries.
        sysroot: PathBuf,
    },
    /// Where there is no rustup, or rustup's server cannot be reached.
    Debian(DebianRust),
}

impl Toolchain {
    /// A toolchain for `triple`. What is missing is downloaded, and built if need be.
    pub(crate) fn obtain(root: &Path, triple: &str) -> Result<Self> {
        // Does nothing if the library is there, and then takes no network.
        if process::succeeds("rustup", ["target", "add", triple]) {
            return Self::here();
        }
        let rust = DebianRust::obtain(root)?;
        rust.ensure_std(triple, &flags(&renamed(root, &rust.source())))?;
        Ok(Self::Debian(rust))
    }

    /// The one that started this chore, for this platform.
    pub(crate) fn here() -> Result<Self> {
        Ok(Self::Rustup { sysroot: notices::sysroot().context("this Rust compiler does not say where its libraries are")? })
    }

    /// Its Cargo.
    pub(crate) fn cargo(&self) -> Result<Command> {
        match self {
            Self::Rustup { .. } => Ok(process::cargo()),
            Self::Debian(rust) => rust.cargo(),
        }
    }

    /// Licences of Rust's standard library, and their name in a bundle.
    pub(crate) fn licence_of_std(&self) -> Option<(PathBuf, &'static str)> {
        match self {
            Self::Rustup { .. } => notices::of_rust(),
            Self::Debian(rust) => Some((rust.licence_of_std(), "rust-standard-library.txt")),
        }
    }

    /// Flags with which messages of the product name no folder of this machine, so that every checkout gives the same bytes.
    pub(crate) fn flags(&self, root: &Path) -> Vec<String> {
        flags(&self.renamed(root))
    }

    /// Folders of this machine, and the names that [`flags`](Self::flags) give them.
    pub(crate) fn renamed(&self, root: &Path) -> Vec<Renamed> {
        match self {
            Self::Rustup { sysroot } => renamed(root, &sysroot.join("lib/rustlib/src/rust")),
            Self::Debian(rust) => renamed(root, &rust.source()),
        }
    }
}

/// A folder of this machine, and its name in a product.
pub(crate) type Renamed = (PathBuf, &'static str);

/// New names for the workspace, the folder of the build, Cargo's folder of crates and the source of the standard library.
fn renamed(root: &Path, source: &Path) -> Vec<Renamed> {
    let set = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let cargo_home = set("CARGO_HOME").or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    // Build scripts write sources there. Anywhere, and of several names that fit a path the last is taken.
    let build = set("CARGO_TARGET_DIR").unwrap_or_else(|| root.join("target"));
    let places = [
        Some((root.to_owned(), "/antiphon")),
        Some((build, "/antiphon/target")),
        cargo_home.map(|home| (home, "/cargo")),
        Some((source.to_owned(), "/rust")),
    ];
    places.into_iter().flatten().collect()
}

/// The compiler's flags that give folders their new names.
fn flags(renamed: &[Renamed]) -> Vec<String> {
    renamed.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_hide_the_folders_of_this_machine() {
        let root = tempfile::tempdir().unwrap();
        let flags = Toolchain::Rustup { sysroot: root.path().join("rust") }.flags(root.path());
        assert!(flags.contains(&format!("--remap-path-prefix={}=/antiphon", root.path().display())), "{flags:?}");
        let places = ["=/antiphon/target", "=/cargo"];
        assert!(places.iter().all(|place| flags.iter().any(|flag| flag.ends_with(place))), "{flags:?}");
        assert!(flags.iter().any(|flag| flag.ends_with("rustlib/src/rust=/rust")), "{flags:?}");
    }
}
