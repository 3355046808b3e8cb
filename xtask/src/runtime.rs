//! ONNX Runtime's shared library, extracted from the Python wheel on PyPI.
//!
//! The wheel is the only build of the library that an ordinary package client can download, and pip checks it against the hash pinned here.
//! Python is used only for the download.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use zip::ZipArchive;

use crate::layout::Platform;
use crate::{process, system};

/// The version to download. `ort`'s feature `api-24` in the workspace's Cargo.toml requires 1.24 or later.
pub(crate) const VERSION: &str = "1.31.1";

/// Environment variable in which the engine and its tests look for the library's absolute path.
pub(crate) const VARIABLE: &str = "ANTIPHON_ONNXRUNTIME";

/// Files next to the library that its licence requires us to distribute.
const NOTICES: [&str; 2] = ["LICENSE", "ThirdPartyNotices.txt"];

/// The library that a chore runs with.
#[derive(clap::Args)]
pub(crate) struct LibraryArgs {
    /// Use this ONNX Runtime library instead of downloading the pinned one
    #[arg(long = "onnxruntime", value_name = "PATH")]
    given: Option<PathBuf>,
}

impl LibraryArgs {
    /// Path of the library, which is downloaded if it has to be.
    pub(crate) fn obtain(&self, root: &Path) -> Result<PathBuf> {
        obtain(root, self.given.as_deref())
    }
}

/// The wheel of one platform.
#[derive(Debug)]
struct Wheel {
    /// `std::env::consts::OS`.
    os: &'static str,
    /// `std::env::consts::ARCH`.
    arch: &'static str,
    /// Platform tag in the wheel's name. The Python tag is cp311 throughout; the library does not depend on it.
    tag: &'static str,
    /// SHA-256 of the wheel.
    sha256: &'static str,
    /// File name of the library, in the wheel's folder `onnxruntime/capi`.
    library: &'static str,
}

const WHEELS: [Wheel; 4] = [
    Wheel {
        os: "linux",
        arch: "x86_64",
        tag: "manylinux_2_28_x86_64",
        sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
        library: "libonnxruntime.so.1.31.1",
    },
    Wheel {
        os: "linux",
        arch: "aarch64",
        tag: "manylinux_2_28_aarch64",
        sha256: "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
        library: "libonnxruntime.so.1.31.1",
    },
    Wheel {
        os: "windows",
        arch: "x86_64",
        tag: "win_amd64",
        sha256: "c3d91b5de31e2fc82d71bd65b2b22bddee8b49057a3a36338e9a868e0ea90c05",
        library: "onnxruntime.dll",
    },
    Wheel {
        os: "macos",
        arch: "aarch64",
        tag: "macosx_14_0_arm64",
        sha256: "60b6b69bfe580eab576cacc5d132a0e9cf2a37fcfd18d46dd191042b1d1ed0d7",
        library: "libonnxruntime.1.31.1.dylib",
    },
];

impl Wheel {
    fn of(os: &str, arch: &str) -> Option<&'static Self> {
        WHEELS.iter().find(|wheel| wheel.os == os && wheel.arch == arch)
    }

    /// A requirements file with which pip accepts only this wheel.
    fn requirement(&self) -> String {
        format!("onnxruntime=={VERSION} --hash=sha256:{}\n", self.sha256)
    }
}

/// The user named a library that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{place} names {}, which is not a file. Give the full path of {library}, or leave it out: then the chore fetches version {VERSION}", path.display())]
pub(crate) struct NotAFile {
    /// The argument or variable.
    place: &'static str,
    path: PathBuf,
    /// File name of the library on this platform.
    library: &'static str,
}

/// Absolute path of this platform's library: `given`, else the one [`VARIABLE`] names, else the pinned version, downloaded into `target` once.
pub(crate) fn obtain(root: &Path, given: Option<&Path>) -> Result<PathBuf> {
    obtain_from(root, (std::env::consts::OS, std::env::consts::ARCH), given)
}

/// Like [`obtain`], for another platform: [`VARIABLE`] counts for this one only.
pub(crate) fn obtain_for(root: &Path, platform: Platform, given: Option<&Path>) -> Result<PathBuf> {
    obtain_from(root, (platform.system.name(), platform.arch), given)
}

fn obtain_from(root: &Path, (os, arch): (&str, &str), given: Option<&Path>) -> Result<PathBuf> {
    let wheel = Wheel::of(os, arch);
    let is_here = (os, arch) == (std::env::consts::OS, std::env::consts::ARCH);
    let variable = std::env::var_os(VARIABLE).filter(|_| is_here).map(PathBuf::from);
    let named = given.map(|path| ("--onnxruntime", path)).or(variable.as_deref().map(|path| (VARIABLE, path)));
    if let Some((place, path)) = named {
        let library = wheel.map_or("the ONNX Runtime library", |wheel| wheel.library);
        if !path.is_file() {
            return Err(NotAFile { place, path: path.into(), library }.into());
        }
        return std::path::absolute(path).with_context(|| format!("{} has no full path", path.display()));
    }
    let wheel = wheel.with_context(|| {
        format!("there is no wheel of ONNX Runtime {VERSION} for {os} on {arch}. Build the library and name it with --onnxruntime")
    })?;
    let home = root.join("target/onnxruntime");
    let folder = if is_here { home.join(VERSION) } else { home.join(format!("{VERSION}-{os}-{arch}")) };
    let library = folder.join(wheel.library);
    if !library.is_file() {
        fetch(wheel, &folder)?;
    }
    Ok(library)
}

/// Notices of a library, with their names: next to it, as [`obtain`] puts them, or one folder up, as in an installed wheel. Empty if there
/// are none.
pub(crate) fn notices(library: &Path) -> Vec<(PathBuf, &'static str)> {
    let notice_in = |folder: &Path| NOTICES.map(|name| (folder.join(name), name));
    let folders = library.ancestors().skip(1).take(2);
    let found = folders.map(|folder| notice_in(folder).into_iter().filter(|(path, _)| path.is_file()).collect::<Vec<_>>());
    found.into_iter().find(|notices| !notices.is_empty()).unwrap_or_default()
}

/// Downloads the wheel and extracts its library and notices into `folder`, which appears only when complete.
fn fetch(wheel: &Wheel, folder: &Path) -> Result<()> {
    system::ensure(&system::FOR_PIP)?;
    eprintln!("Fetching ONNX Runtime {VERSION} ({}, about 25 MB) into {}", wheel.tag, folder.display());
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let download = tempfile::tempdir_in(parent).with_context(|| format!("making a folder in {}", parent.display()))?;

    let requirements = download.path().join("requirements.txt");
    fs::write(&requirements, wheel.requirement()).with_context(|| format!("writing {}", requirements.display()))?;
    let pip = ["-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:"];
    let platform = ["--platform", wheel.tag, "--python-version", "311", "--implementation", "cp"];
    process::run(
        Command::new("python3").args(pip).args(platform).arg("--requirement").arg(&requirements).arg("--dest").arg(download.path()),
    )
    .context("fetching ONNX Runtime. Without a network, name a library with --onnxruntime")?;
    let file = download.path().join(format!("onnxruntime-{VERSION}-cp311-cp311-{}.whl", wheel.tag));

    let unpacked = download.path().join("unpacked");
    fs::create_dir(&unpacked).with_context(|| format!("making {}", unpacked.display()))?;
    unpack(&file, wheel.library, &unpacked).with_context(|| format!("unpacking {}", file.display()))?;
    match fs::rename(&unpacked, folder) {
        // Another process was faster; its folder is equivalent.
        Err(_) if folder.join(wheel.library).is_file() => Ok(()),
        moved => moved.with_context(|| {
            format!("moving the library to {}. If that folder is left from a failed attempt, delete it", folder.display())
        }),
    }
}

/// Extracts the library and the notices from a wheel, which is a zip archive.
fn unpack(wheel: &Path, library: &str, into: &Path) -> Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    let entries = std::iter::once((format!("onnxruntime/capi/{library}"), library))
        .chain(NOTICES.iter().map(|&notice| (format!("onnxruntime/{notice}"), notice)));
    for (entry, name) in entries {
        let mut packed = archive.by_name(&entry).with_context(|| format!("no {entry} in it"))?;
        io::copy(&mut packed, &mut File::create(into.join(name))?).with_context(|| format!("reading {entry}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn platforms_have_their_own_wheel_and_a_full_hash() {
        for wheel in &WHEELS {
            assert_eq!(Wheel::of(wheel.os, wheel.arch).map(|found| found.tag), Some(wheel.tag), "two wheels for one platform");
            assert!(wheel.sha256.len() == 64 && wheel.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{wheel:?}");
            assert_eq!(WHEELS.iter().filter(|other| other.sha256 == wheel.sha256).count(), 1, "{wheel:?}");
            // The Windows library has no version in its name.
            assert!(wheel.library.contains(VERSION) || wheel.os == "windows", "{wheel:?}");
        }
        assert!(Wheel::of("plan9", "x86_64").is_none());
    }

    #[test]
    fn requirement_pins_version_and_hash() {
        let wheel = Wheel::of("linux", "x86_64").unwrap();
        assert_eq!(
            wheel.requirement(),
            "onnxruntime==1.31.1 --hash=sha256:5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f\n"
        );
    }

    #[test]
    fn named_library_must_exist_and_becomes_absolute() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("libonnxruntime.so");
        let error = obtain(folder.path(), Some(&absent)).unwrap_err();
        assert!(error.is::<NotAFile>());
        assert!(error.to_string().contains("--onnxruntime") && error.to_string().contains("libonnxruntime.so"));

        fs::write(&absent, "library").unwrap();
        assert_eq!(obtain(folder.path(), Some(&absent)).unwrap(), absent);
    }

    #[test]
    fn notices_are_found_next_to_the_library_or_one_folder_up() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("capi/lib.so");
        assert_eq!(notices(&library), []);
        fs::write(folder.path().join("LICENSE"), "terms").unwrap();
        assert_eq!(notices(&library), [(folder.path().join("LICENSE"), "LICENSE")]);
        fs::create_dir(folder.path().join("capi")).unwrap();
        fs::write(folder.path().join("capi/ThirdPartyNotices.txt"), "terms").unwrap();
        assert_eq!(notices(&library), [(folder.path().join("capi/ThirdPartyNotices.txt"), "ThirdPartyNotices.txt")]);
    }

    #[test]
    fn wheel_is_unpacked_to_library_and_notices() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("some.whl");
        write_wheel(
            &wheel,
            &["onnxruntime/capi/lib.so", "onnxruntime/LICENSE", "onnxruntime/ThirdPartyNotices.txt", "onnxruntime/setup.py"],
        );
        let into = folder.path().join("into");
        fs::create_dir(&into).unwrap();
        unpack(&wheel, "lib.so", &into).unwrap();
        let mut names: Vec<_> = fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["LICENSE", "ThirdPartyNotices.txt", "lib.so"]);
        assert_eq!(fs::read_to_string(into.join("lib.so")).unwrap(), "onnxruntime/capi/lib.so");
    }

    #[test]
    fn wheel_without_the_library_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("some.whl");
        write_wheel(&wheel, &["onnxruntime/LICENSE"]);
        let error = unpack(&wheel, "lib.so", folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("onnxruntime/capi/lib.so"));
    }

    /// A zip archive in which every entry contains its own name.
    fn write_wheel(path: &Path, entries: &[&str]) {
        let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
        for entry in entries {
            archive.start_file(*entry, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(entry.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
    }
}
