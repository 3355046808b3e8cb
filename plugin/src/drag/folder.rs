//! Temporary folder for dragged files, one per process.
//!
//! A host may read a file long after the drop, so the folder outlives its process and is removed when a later process opens its own. A
//! locked file in each folder shows whether its process is alive: the system releases the lock however the process ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use antiphon_engine::files::write_whole;
use parking_lot::Mutex;

/// Prefix of the folder names.
const PREFIX: &str = "antiphon-drag-";
/// File that stays locked while the folder's process lives.
const LOCK: &str = "lock";

/// This process's folder, created at its first drag.
static FOLDER: Mutex<Option<Arc<DragFolder>>> = Mutex::new(None);

/// A folder for dragged files.
#[derive(Debug)]
pub struct DragFolder {
    path: PathBuf,
    /// Locked as long as the process lives.
    _lock: File,
    /// Number of files written so far.
    files: AtomicU32,
}

impl DragFolder {
    /// This process's folder, shared by its plug-in instances.
    ///
    /// # Errors
    /// The file system's error.
    pub fn of_this_process() -> io::Result<Arc<Self>> {
        let mut folder = FOLDER.lock();
        if let Some(folder) = &*folder {
            return Ok(Arc::clone(folder));
        }
        let opened = Arc::new(Self::open_in(&std::env::temp_dir())?);
        *folder = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// Creates a folder next to those of other processes, and removes folders whose process has ended.
    ///
    /// # Errors
    /// The file system's error for the new folder. Old folders that cannot be removed are left.
    pub fn open_in(parent: &Path) -> io::Result<Self> {
        remove_abandoned(parent);
        let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?.keep();
        // Locked before it gets the name that other processes look for.
        let unnamed = path.join("new-lock");
        let lock = OpenOptions::new().write(true).create_new(true).open(&unnamed)?;
        lock.lock()?;
        fs::rename(&unnamed, path.join(LOCK))?;
        Ok(Self { path, _lock: lock, files: AtomicU32::new(0) })
    }

    /// Writes a file at a path no other drag uses, and returns its absolute path.
    ///
    /// # Errors
    /// The file system's error.
    pub fn put(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let number = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = self.path.join(number.to_string());
        fs::create_dir_all(&folder)?;
        let path = folder.join(name);
        write_whole(&path, bytes)?;
        Ok(path)
    }
}

/// Removes folders whose process has ended. Unreadable or undeletable ones are assumed to belong to someone else.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // `file_type` does not follow symbolic links.
        if ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether no process holds the lock. A folder without a lock file is still being created.
fn is_abandoned(folder: &Path) -> bool {
    let Ok(lock) = OpenOptions::new().write(true).open(folder.join(LOCK)) else { return false };
    match lock.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_get_different_paths_and_keep_the_name() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DragFolder::open_in(parent.path()).unwrap();
        let (first, second) = (folder.put("a b.mid", b"one").unwrap(), folder.put("a b.mid", b"two").unwrap());
        assert_ne!(first, second);
        assert!(first.is_absolute() && first.ends_with("a b.mid") && second.ends_with("a b.mid"));
        assert_eq!((fs::read(first).unwrap(), fs::read(second).unwrap()), (b"one".to_vec(), b"two".to_vec()));
    }

    #[test]
    fn files_of_an_ended_process_are_removed_when_the_next_one_starts() {
        let parent = tempfile::tempdir().unwrap();
        let (living, gone) = (DragFolder::open_in(parent.path()).unwrap(), DragFolder::open_in(parent.path()).unwrap());
        let (kept, abandoned) = (living.put("kept.mid", b"").unwrap(), gone.put("abandoned.mid", b"").unwrap());
        // Dropping releases the lock, as the end of a process does.
        drop(gone);
        assert!(abandoned.exists());
        let _next = DragFolder::open_in(parent.path()).unwrap();
        assert!(kept.exists() && !abandoned.exists());
    }

    #[test]
    fn foreign_files_and_folders_are_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let (other, unfinished) = (parent.path().join("other"), parent.path().join(format!("{PREFIX}unfinished")));
        for folder in [&other, &unfinished] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(other.join(LOCK), b"").unwrap();
        let file = parent.path().join(format!("{PREFIX}file"));
        fs::write(&file, b"").unwrap();
        DragFolder::open_in(parent.path()).unwrap();
        assert!(other.exists() && unfinished.exists() && file.exists());
    }

    #[test]
    fn instances_of_one_process_share_a_folder() {
        let (one, other) = (DragFolder::of_this_process().unwrap(), DragFolder::of_this_process().unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }
}
