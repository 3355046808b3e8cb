//! Search for MIDI files in a folder of sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Most sources of a corpus file: their index is one byte.
const MAX_SOURCES: usize = 256;

/// Sources and their files.
pub(crate) struct Found {
    /// Names of the sources, sorted.
    pub(crate) sources: Vec<String>,
    /// Files of all sources, sorted by path.
    pub(crate) files: Vec<MidiFile>,
}

/// A MIDI file of a source.
pub(crate) struct MidiFile {
    /// `source/name.mid`, with slashes on every system.
    pub(crate) path: String,
    /// Path to open.
    pub(crate) full: PathBuf,
    /// Index into the sources.
    pub(crate) source: usize,
}

/// Finds the MIDI files in the sub-folders of `dir`: in all, or in the `wanted` ones. Sub-folders without MIDI files are not sources.
pub(crate) fn find(dir: &Path, wanted: &[String]) -> anyhow::Result<Found> {
    let mut found = Vec::new();
    for (name, path, is_dir) in entries(dir)? {
        if is_dir && (wanted.is_empty() || wanted.contains(&name)) {
            collect(&path, &name, &mut found)?;
        }
    }
    let source_of = |path: &str| path.split('/').next().unwrap_or_default().to_owned();
    let sources: Vec<String> = found.iter().map(|(path, _)| source_of(path)).collect::<BTreeSet<_>>().into_iter().collect();
    if let Some(missing) = wanted.iter().find(|name| !sources.contains(name)) {
        bail!("{}: no folder \"{missing}\" with MIDI files in it; check --sources", dir.display());
    }
    if sources.is_empty() {
        bail!("{}: no MIDI files (.mid, .midi) in its sub-folders; give each source a folder of its own", dir.display());
    }
    if sources.len() > MAX_SOURCES {
        bail!("{}: {} sources, more than the {MAX_SOURCES} a corpus can hold; choose with --sources", dir.display(), sources.len());
    }
    let number = |path: &str| sources.binary_search(&source_of(path)).unwrap_or_default();
    let mut files: Vec<_> = found.into_iter().map(|(path, full)| MidiFile { source: number(&path), path, full }).collect();
    files.sort_by(|a, b| (a.source, &a.path).cmp(&(b.source, &b.path)));
    Ok(Found { sources, files })
}

/// Adds the MIDI files of a folder and its sub-folders. Links are not followed, because they can form cycles.
fn collect(dir: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> anyhow::Result<()> {
    for (name, path, is_dir) in entries(dir)? {
        let relative = format!("{prefix}/{name}");
        let is_midi = path.extension().is_some_and(|end| ["mid", "midi", "kar", "rmi"].iter().any(|midi| end.eq_ignore_ascii_case(midi)));
        if is_dir {
            collect(&path, &relative, found)?;
        } else if is_midi {
            found.push((relative, path));
        }
    }
    Ok(())
}

/// Name, path, and whether it is a folder, for each entry of a folder.
fn entries(dir: &Path) -> anyhow::Result<Vec<(String, PathBuf, bool)>> {
    let failed = || format!("{}: cannot be read; check the path", dir.display());
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), entry.path(), entry.file_type()?.is_dir()))
    };
    std::fs::read_dir(dir).with_context(failed)?.map(entry).collect::<std::io::Result<_>>().with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_files_are_grouped_by_source_and_sorted_by_path() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["b/2.mid", "b/deep/1.MIDI", "a/x.mid", "a/notes.txt", "stray.mid", "empty/readme.txt"] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = find(dir.path(), &[]).unwrap();
        assert_eq!(found.sources, ["a", "b"]);
        assert_eq!(found.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a/x.mid", "b/2.mid", "b/deep/1.MIDI"]);
        assert_eq!(found.files.iter().map(|file| file.source).collect::<Vec<_>>(), [0, 1, 1]);

        assert_eq!(find(dir.path(), &["b".into()]).unwrap().files.len(), 2);
        let error = find(dir.path(), &["empty".into()]).err().unwrap().to_string();
        assert!(error.contains("\"empty\""), "{error}");
    }
}
