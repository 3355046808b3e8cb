//! Copying and atomically replacing folders.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// A new hidden folder in `folder`, in which something is prepared before [`put`] publishes it; deleted when dropped. Creates `folder` if
/// needed.
pub(crate) fn staging(folder: &Path) -> Result<TempDir> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    tempfile::Builder::new().prefix(".antiphon-").tempdir_in(folder).with_context(|| format!("making a folder in {}", folder.display()))
}

/// Copies a file, and creates its parent folders.
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let copy = || -> io::Result<()> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(from, to).map(drop)
    };
    copy().with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

/// Copies a folder recursively. Links are replaced by what they point to.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let name = entry.with_context(|| format!("reading {}", from.display()))?.file_name();
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() { copy(&source, &target)? } else { copy_file(&source, &target)? }
    }
    Ok(())
}

/// Moves the finished folder `new` in `staging` to `place`, replacing what was there. If the move fails, the old folder is restored.
///
/// The folder at `place` is never incomplete, since it is moved as a whole. A host still running the old library keeps its file.
pub(crate) fn put(staging: TempDir, new: &Path, place: &Path) -> Result<()> {
    let old = staging.path().join("replaced");
    let replaces = place.symlink_metadata().is_ok();
    if replaces {
        fs::rename(place, &old)
            .with_context(|| format!("moving the old {} out of the way. If a host is using it, close the host", place.display()))?;
    }
    let moved = fs::rename(new, place).with_context(|| format!("moving the new folder to {}", place.display()));
    if moved.is_err()
        && replaces
        && let Err(error) = fs::rename(&old, place)
    {
        let kept = staging.keep().join("replaced");
        return Err(error).with_context(|| format!("putting the old {} back: it is kept at {}", place.display(), kept.display()));
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with one file in a subfolder.
    fn make(folder: &Path, text: &str) {
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("inner/file"), text).unwrap();
    }

    fn text(folder: &Path) -> String {
        fs::read_to_string(folder.join("inner/file")).unwrap()
    }

    /// Names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn copy_has_every_file() {
        let folder = tempfile::tempdir().unwrap();
        make(&folder.path().join("from"), "words");
        copy(&folder.path().join("from"), &folder.path().join("to/deep")).unwrap();
        assert_eq!(text(&folder.path().join("to/deep")), "words");
    }

    #[test]
    fn new_folder_replaces_the_old_one_completely() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("place");
        make(&place, "old");
        fs::write(place.join("only in the old one"), "").unwrap();

        let staging = staging(folder.path()).unwrap();
        make(&staging.path().join("new"), "new");
        let new = staging.path().join("new");
        put(staging, &new, &place).unwrap();
        assert_eq!(text(&place), "new");
        assert_eq!(names(&place), ["inner"]);
        assert_eq!(names(folder.path()), ["place"]);
    }

    #[test]
    fn failed_move_restores_the_old_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("place");
        make(&place, "old");
        let staging = staging(folder.path()).unwrap();
        let new = staging.path().join("was never made");
        put(staging, &new, &place).unwrap_err();
        assert_eq!(text(&place), "old");
        assert_eq!(names(folder.path()), ["place"]);
    }
}
