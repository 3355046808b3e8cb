//! Selection and reading of the pieces to evaluate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use indicatif::ProgressBar;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::report::Skipped;
use crate::corpus::Piece;
use crate::corpus::find::Found;
use crate::corpus::split::{Split, SplitRule};

/// A MIDI file to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenFile {
    /// Name of its source.
    pub(super) source: String,
    /// `source/name.mid`.
    pub(super) path: String,
    full: PathBuf,
}

impl ChosenFile {
    /// Path to open.
    pub(super) fn full(&self) -> &Path {
        &self.full
    }

    /// For tests.
    #[cfg(test)]
    pub(super) fn new(source: &str, path: &str, full: PathBuf) -> Self {
        Self { source: source.to_owned(), path: path.to_owned(), full }
    }
}

/// Selection among the files found.
pub(super) struct Choice<'a> {
    /// Only the pieces of one split.
    pub(super) split: Option<(&'a SplitRule, Split)>,
    /// Largest number of pieces per source.
    pub(super) limit: Option<u32>,
}

impl Choice<'_> {
    /// The selected files, sorted by path. `dir` is the folder they were found in, for the message.
    pub(super) fn of(&self, found: Found, dir: &Path) -> anyhow::Result<Vec<ChosenFile>> {
        let mut by_source: BTreeMap<String, Vec<ChosenFile>> = BTreeMap::new();
        for file in found.files {
            if self.split.is_none_or(|(rule, only)| rule.split(&file.path) == Some(only)) {
                let source = found.sources[file.source].clone();
                let chosen = ChosenFile { source: source.clone(), path: file.path, full: file.full };
                by_source.entry(source).or_default().push(chosen);
            }
        }
        for files in by_source.values_mut() {
            if let Some(limit) = self.limit {
                files.sort_by_cached_key(|file| (Sha256::digest(file.path.as_bytes()), file.path.clone()));
                files.truncate(usize::try_from(limit)?);
            }
            files.sort_by(|a, b| a.path.cmp(&b.path));
        }
        let files: Vec<_> = by_source.into_values().flatten().collect();
        if files.is_empty() {
            bail!("{}: none of its pieces is in the selected split; check --split and --only", dir.display());
        }
        Ok(files)
    }
}

/// Result of reading the selected files.
#[derive(Debug)]
pub(super) struct ReadPieces {
    /// Files that were read, parallel to `pieces`.
    pub(super) files: Vec<ChosenFile>,
    /// The pieces, each with at least one note.
    pub(super) pieces: Vec<Piece>,
    /// Files that could not be read.
    pub(super) skipped: Vec<Skipped>,
}

/// Reads the files in parallel. Damaged files are skipped; it is an error if all are.
pub(super) fn read(files: Vec<ChosenFile>, dir: &Path, progress: &ProgressBar) -> anyhow::Result<ReadPieces> {
    progress.set_length(u64::try_from(files.len())?);
    let read = |file: ChosenFile| {
        let piece = Piece::read(&file.full);
        progress.inc(1);
        (file, piece)
    };
    let all: Vec<_> = files.into_par_iter().map(read).collect();
    progress.finish_and_clear();
    let mut read = ReadPieces { files: Vec::new(), pieces: Vec::new(), skipped: Vec::new() };
    for (file, piece) in all {
        match piece {
            Ok(piece) => {
                read.files.push(file);
                read.pieces.push(piece);
            }
            Err(error) => read.skipped.push(Skipped { path: file.path, reason: format!("{error:#}") }),
        }
    }
    if let (true, Some(first)) = (read.pieces.is_empty(), read.skipped.first()) {
        bail!("{}: none of its {} MIDI files can be read; the first: {}", dir.display(), read.skipped.len(), first.reason);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::find::MidiFile;

    fn found(paths: &[&str]) -> Found {
        let file = |path: &&str| MidiFile { path: (*path).to_owned(), full: path.into(), source: usize::from(path.starts_with('b')) };
        Found { sources: vec!["a".into(), "b".into()], files: paths.iter().map(file).collect() }
    }

    fn chosen(choice: &Choice<'_>, paths: &[&str]) -> Vec<String> {
        choice.of(found(paths), Path::new("dir")).unwrap().into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn limit_selects_the_same_pieces_of_each_source_every_time() {
        let few = Choice { split: None, limit: Some(2) };
        let first = chosen(&few, &["a/1", "a/2", "a/3", "a/4", "b/1"]);
        assert_eq!(first.len(), 3);
        assert!(first.is_sorted() && first[2] == "b/1");
        // Removing a piece that is not selected changes nothing.
        let unchosen = ["a/1", "a/2", "a/3", "a/4"].into_iter().find(|path| !first.contains(&(*path).to_owned())).unwrap();
        let rest: Vec<&str> = ["a/1", "a/2", "a/3", "a/4", "b/1"].into_iter().filter(|path| *path != unchosen).collect();
        assert_eq!(chosen(&few, &rest), first);
    }

    #[test]
    fn split_selects_its_pieces_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "path,source,split\na/1,a,train\na/2,a,valid\nb/1,b,train\n").unwrap();
        let rule = SplitRule::read(file.path()).unwrap();
        assert_eq!(chosen(&Choice { split: Some((&rule, Split::Valid)), limit: None }, &["a/1", "a/2", "b/1"]), ["a/2"]);
        let none = Choice { split: Some((&rule, Split::Test)), limit: None }.of(found(&["a/1", "b/1"]), Path::new("dir"));
        assert!(none.unwrap_err().to_string().contains("--split"));
    }

    #[test]
    fn damaged_file_is_skipped_and_named_and_only_damaged_files_are_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let full = dir.path().join(name);
            std::fs::write(&full, bytes).unwrap();
            ChosenFile { source: "a".into(), path: format!("a/{name}"), full }
        };
        // One track: middle C on and, a quarter note later, off.
        let good = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x0C\0\x90\x3C\x40\x60\x80\x3C\0\0\xFF\x2F\0";
        let (sound, cut) = (write("good.mid", good), write("cut.mid", &good[..30]));
        let read_some = read(vec![cut.clone(), sound], dir.path(), &ProgressBar::hidden()).unwrap();
        assert_eq!((read_some.files[0].path.as_str(), read_some.pieces.len()), ("a/good.mid", 1));
        assert_eq!(read_some.skipped[0].path, "a/cut.mid");
        assert!(read(vec![cut], dir.path(), &ProgressBar::hidden()).unwrap_err().to_string().contains("cut.mid"));
    }
}
