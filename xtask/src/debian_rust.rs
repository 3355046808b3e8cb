//! Debian's Rust compiler with a standard library for another platform, for cross-compiling from Debian 12 with its packages alone.
//!
//! Debian has the library's source (`rust-web-src`) beside a compiler of the same version (`rustc-web`), so the library is built once, into
//! the compiler's own folder; from then on the platform is an ordinary target of stable Cargo. The packages are unpacked below `target`,
//! not installed: they conflict with rustup's compiler, which stays the one of every other chore.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{process, system, tree};

/// Compiler, Cargo and the standard library's source, all of one version. Debian's security updates move them up; no version is pinned.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// Folder of the unpacked packages, below the workspace's `target`.
const FOLDER: &str = "target/cross/rust";
/// Crates of the standard library that a target needs: `test` for its tests.
const STD: &str = "std,test,panic_unwind,panic_abort";

/// The unpacked toolchain.
#[derive(Debug)]
pub(crate) struct DebianRust {
    /// Contains Debian's `usr`.
    folder: PathBuf,
}

impl DebianRust {
    /// The toolchain below this workspace; downloaded if it is not there.
    pub(crate) fn obtain(root: &Path) -> Result<Self> {
        let rust = Self { folder: root.join(FOLDER) };
        if !rust.folder.join("usr/bin/rustc").is_file() {
            rust.fetch()?;
        }
        Ok(rust)
    }

    /// Its Cargo, with the compiler beside it.
    pub(crate) fn cargo(&self) -> Result<Command> {
        let bin = self.folder.join("usr/bin");
        let mut paths = vec![bin.clone()];
        paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut cargo = Command::new(bin.join("cargo"));
        // Without `RUSTC` and `PATH` rustup's proxies would answer.
        cargo.env("PATH", std::env::join_paths(paths).context("PATH has an entry that cannot be repeated")?);
        cargo.env("RUSTC", bin.join("rustc")).env("RUSTDOC", bin.join("rustdoc"));
        cargo.env("LD_LIBRARY_PATH", self.folder.join("usr/lib/x86_64-linux-gnu"));
        // Set by the rustup that started this chore.
        for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTFLAGS"] {
            cargo.env_remove(variable);
        }
        Ok(cargo)
    }

    /// Ensures that it has a standard library for `triple`, built with these flags.
    pub(crate) fn ensure_std(&self, triple: &str, flags: &[String]) -> Result<()> {
        let place = self.folder.join("usr/lib/rustlib").join(triple).join("lib");
        if place.is_dir() {
            return Ok(());
        }
        eprintln!("Building Rust's standard library for {triple} into {}", place.display());
        let staging = tree::staging(place.parent().unwrap_or(&self.folder))?;
        let empty = staging.path();
        fs::create_dir(empty.join("src")).and_then(|()| fs::write(empty.join("src/lib.rs"), "#![no_std]\n"))?;
        let manifest = "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n";
        fs::write(empty.join("Cargo.toml"), manifest)?;
        // The workspace's link-time optimisation reads the library's bitcode.
        let flags: Vec<_> = flags.iter().map(String::as_str).chain(["-Cembed-bitcode=yes"]).collect();
        let mut cargo = self.cargo()?;
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        // Building the library is unstable, using it is not.
        cargo.current_dir(empty).env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", empty.join("target"));
        process::run(cargo.args(["build", "--release", &format!("-Zbuild-std={STD}"), "--target", triple]))
            .with_context(|| format!("building Rust's standard library for {triple}"))?;
        let libraries = staging.path().join("lib");
        let built = empty.join("target").join(triple).join("release/deps");
        for entry in fs::read_dir(&built).with_context(|| format!("reading {}", built.display()))? {
            let path = entry.with_context(|| format!("reading {}", built.display()))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".rlib") && !name.starts_with("libempty") {
                tree::copy_file(&path, &libraries.join(name))?;
            }
        }
        tree::put(staging, &libraries, &place)
    }

    /// Licences of Rust's standard library.
    pub(crate) fn licence_of_std(&self) -> PathBuf {
        self.folder.join("usr/share/doc/libstd-rust-web-dev/copyright")
    }

    /// Path of the standard library's source, as its messages would name it.
    pub(crate) fn source(&self) -> PathBuf {
        self.folder.join("usr/lib/rustlib/src/rust")
    }

    /// Downloads and unpacks the packages, and those they need that this system lacks.
    fn fetch(&self) -> Result<()> {
        if !process::succeeds("dpkg-deb", ["--version"]) || !process::succeeds("apt-get", ["--version"]) {
            bail!("cross-compiling takes Debian's Rust ({}), and this system has no apt-get to fetch it", PACKAGES.join(", "));
        }
        system::update()?;
        let mut listing = Command::new("apt-get");
        listing.env("LC_ALL", "C").args(["install", "--print-uris", "--yes", "--no-install-recommends"]).args(PACKAGES);
        let missing = wanted(&process::read(&mut listing).context("asking Debian for its Rust")?);
        if !PACKAGES.iter().all(|package| missing.iter().any(|found| found.name == *package)) {
            bail!("some of {} are installed on this system, where they take rustup's place. Remove them first", PACKAGES.join(", "));
        }
        let megabytes = missing.iter().map(|package| package.bytes).sum::<u64>() / 1_000_000;
        eprintln!("Fetching Debian's Rust ({megabytes} MB, 900 MB unpacked) into {}", self.folder.display());
        let staging = tree::staging(self.folder.parent().unwrap_or(&self.folder))?;
        let new = staging.path().join("rust");
        for package in &missing {
            let folder = staging.path().join(&package.name);
            fs::create_dir(&folder).with_context(|| format!("making {}", folder.display()))?;
            process::run(Command::new("apt-get").args(["download", "--quiet", &package.name]).current_dir(&folder))?;
            for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
                process::run(Command::new("dpkg-deb").arg("--extract").arg(entry?.path()).arg(&new))?;
            }
            fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        tree::put(staging, &new, &self.folder)
    }
}

/// A package to download.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    name: String,
    /// Size of the archive.
    bytes: u64,
}

/// Packages in the output of `apt-get --print-uris`: lines of URI, file name and size.
fn wanted(uris: &str) -> Vec<Wanted> {
    let parse = |line: &str| {
        let mut words = line.strip_prefix('\'')?.split(' ').skip(1);
        let name = words.next()?.split('_').next()?.to_owned();
        Some(Wanted { name, bytes: words.next()?.parse().ok()? })
    };
    uris.lines().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_apt_with_their_sizes() {
        let uris = "Reading package lists...\nThe following NEW packages will be installed:\n  cargo-web libllvm22\n\
            'http://mirror/cargo-web_1.96.0%2bdfsg1_amd64.deb' cargo-web_1.96.0+dfsg1-1~deb12u2_amd64.deb 7646412 SHA256:00\n\
            'http://mirror/libllvm22_22.1.8_amd64.deb' libllvm22_1%3a22.1.8-1~deb12u1_amd64.deb 29378692 \n";
        let expected = [("cargo-web", 7_646_412), ("libllvm22", 29_378_692)].map(|(name, bytes)| Wanted { name: name.into(), bytes });
        assert_eq!(wanted(uris), expected);
    }
}
