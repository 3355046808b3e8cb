//! Reproducible archives: the same files give the same bytes, whenever and wherever they are packed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::layout::System;
use crate::{cli, standalone};

/// Modification time of all files, in seconds from 1970: the earliest time a zip archive can express, in 1980.
const CHANGED: u64 = 315_532_800;
/// Mode of executables and libraries.
const ANYBODY_ENTERS: u32 = 0o755;
/// Mode of all other files.
const ANYBODY_READS: u32 = 0o644;

/// Archive format of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For Linux.
    TarGz,
    /// For Windows and macOS.
    Zip,
}

impl Kind {
    pub(crate) fn of(system: System) -> Self {
        match system {
            System::Linux => Self::TarGz,
            System::MacOs | System::Windows => Self::Zip,
        }
    }

    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::TarGz => "tar.gz",
            Self::Zip => "zip",
        }
    }
}

/// Packs `folder` into an archive, under its own name.
pub(crate) fn pack(kind: Kind, folder: &Path) -> Result<Vec<u8>> {
    let name = folder.file_name().with_context(|| format!("{} has no name", folder.display()))?.to_string_lossy().into_owned();
    let mut files = Vec::new();
    list(folder, &name, &mut files)?;
    // Sorted by name, since the file system's order varies.
    files.sort();
    let packed = match kind {
        Kind::TarGz => tar_gz(&files),
        Kind::Zip => zip(&files),
    };
    packed.with_context(|| format!("packing {}", folder.display()))
}

/// A line for `sha256sum --check`.
pub(crate) fn checksum(name: &str, bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}  {name}\n")
}

/// Lists all files of a folder: name in the archive, and path.
fn list(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        let name = format!("{name}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() { list(&path, &name, files)? } else { files.push((name, path)) }
    }
    Ok(())
}

/// File mode: libraries and programs are executable.
fn mode(path: &Path) -> u32 {
    let library = ["so", "clap", "vst3", "dylib", "dll"].iter().any(|extension| path.extension().is_some_and(|other| other == *extension));
    let executable = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "MacOS");
    let program = [standalone::PACKAGE, cli::COMMAND].iter().any(|name| path.file_name() == Some(name.as_ref()))
        || path.extension().is_some_and(|extension| extension == "exe");
    if library || executable || program { ANYBODY_ENTERS } else { ANYBODY_READS }
}

fn tar_gz(files: &[(String, PathBuf)]) -> Result<Vec<u8>> {
    // The gzip header contains neither name nor time.
    let mut archive = tar::Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::best()));
    for (name, path) in files {
        let mut file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(file.metadata()?.len());
        header.set_mode(mode(path));
        header.set_mtime(CHANGED);
        archive.append_data(&mut header, name, &mut file)?;
    }
    Ok(archive.into_inner()?.finish()?)
}

fn zip(files: &[(String, PathBuf)]) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, path) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode(path));
        archive.start_file(name.as_str(), options)?;
        archive.write_all(&fs::read(path).with_context(|| format!("reading {}", path.display()))?)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::layout::{Format, Platform};

    /// The same files, created in this order.
    fn folder(order: &[usize]) -> tempfile::TempDir {
        let files = [("b.txt", "words"), ("inner/lib.so", "library"), ("inner/deep/a.txt", "more words")];
        let place = tempfile::tempdir().unwrap();
        for &index in order {
            let path = place.path().join("Some-1.2").join(files[index].0);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, files[index].1).unwrap();
        }
        place
    }

    #[test]
    fn same_files_give_the_same_archive() {
        let (one, other) = (folder(&[0, 1, 2]), folder(&[2, 1, 0]));
        let touched = File::options().write(true).open(other.path().join("Some-1.2/b.txt")).unwrap();
        touched.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        for kind in [Kind::TarGz, Kind::Zip] {
            let [first, second] = [&one, &other].map(|place| pack(kind, &place.path().join("Some-1.2")).unwrap());
            assert_eq!(first, second, "{kind:?}");
        }
    }

    #[test]
    fn tar_archive_unpacks_to_the_packed_files() {
        let place = folder(&[0, 1, 2]);
        let bytes = pack(Kind::TarGz, &place.path().join("Some-1.2")).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), text, entry.header().mode().unwrap(), entry.header().mtime().unwrap())
        });
        let expected = [
            ("Some-1.2/b.txt", "words", 0o644),
            ("Some-1.2/inner/deep/a.txt", "more words", 0o644),
            ("Some-1.2/inner/lib.so", "library", 0o755),
        ];
        assert_eq!(entries.collect::<Vec<_>>(), expected.map(|(name, text, mode)| (name.to_owned(), text.to_owned(), mode, CHANGED)));
    }

    #[test]
    fn programs_and_libraries_are_executable_in_the_archive() {
        for os in ["linux", "macos", "windows"] {
            let platform = Platform::of(os, "x86_64").unwrap();
            let bundles = Format::ALL.map(|format| platform.bundle(format, "Antiphon"));
            for made in bundles.into_iter().chain([platform.program("Antiphon"), platform.command_line("Antiphon", cli::COMMAND)]) {
                let name = made.folder.join(made.library);
                assert_eq!(mode(&name), ANYBODY_ENTERS, "{}", name.display());
            }
        }
        assert_eq!(mode(Path::new("Antiphon-standalone/MODEL_CARD.md")), ANYBODY_READS);
    }

    #[test]
    fn zip_archive_unpacks_to_the_packed_files() {
        let place = folder(&[2, 0, 1]);
        let bytes = pack(Kind::Zip, &place.path().join("Some-1.2")).unwrap();
        let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["Some-1.2/b.txt", "Some-1.2/inner/deep/a.txt", "Some-1.2/inner/lib.so"]);
        let mut library = archive.by_name("Some-1.2/inner/lib.so").unwrap();
        assert_eq!(library.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut text = String::new();
        library.read_to_string(&mut text).unwrap();
        assert_eq!(text, "library");
    }

    #[test]
    fn checksum_line_has_the_format_of_sha256sum() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  some.zip\n";
        assert_eq!(checksum("some.zip", b"abc"), expected);
    }
}
