//! Files of the user: their folder, and writing them whole or not at all.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Temporary names tried beside a file before giving up.
const ATTEMPTS: u32 = 100;

/// Antiphon's folder in the user's data folder, by the system's convention; `None` without a home. It need not exist.
#[must_use]
pub fn user_data() -> Option<PathBuf> {
    user_data_folder(|name| env::var_os(name).map(PathBuf::from))
}

fn user_data_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|path| path.is_absolute());
    if cfg!(windows) {
        set("LOCALAPPDATA").map(|base| base.join("Antiphon"))
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Application Support/Antiphon"))
    } else {
        set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share"))).map(|base| base.join("antiphon"))
    }
}

/// Writes a file whole: to a temporary file in the same folder, which then takes the file's name. Whoever looks sees the old file or the new
/// one, never half of it; where writing fails, nothing is left behind.
///
/// # Errors
/// What the file system says: no such folder, no permission, no space.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, temporary) = create_beside(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        // The first error is the one to report; a temporary file that cannot be removed either is the file system's affair.
        let _ = fs::remove_file(&temporary);
    })
}

/// Creates a new file in the folder of `path`.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"));
    };
    let process = std::process::id();
    for attempt in 0..ATTEMPTS {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{process}-{attempt}.part"));
        let temporary = path.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (file, temporary)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free temporary name beside the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn user_data_folder_follows_the_systems_convention() {
        let folder = user_data_folder(|name| match name {
            "HOME" => Some(PathBuf::from("/home/u")),
            _ => None,
        });
        if cfg!(target_os = "linux") {
            assert_eq!(folder, Some(PathBuf::from("/home/u/.local/share/antiphon")));
            let folder = user_data_folder(|name| (name == "XDG_DATA_HOME").then(|| PathBuf::from("/data")));
            assert_eq!(folder, Some(PathBuf::from("/data/antiphon")));
            assert_eq!(user_data_folder(|_| Some(PathBuf::from("relative"))), None);
        }
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mid");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.mid"]);
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let occupied = folder.path().join("taken");
        fs::create_dir(&occupied).unwrap();
        fs::write(occupied.join("file"), b"").unwrap();
        write_whole(&occupied, b"new").unwrap_err();
        assert_eq!(names(folder.path()), ["taken"]);
        write_whole(&folder.path().join("missing").join("a.mid"), b"new").unwrap_err();
        assert_eq!(names(folder.path()), ["taken"]);
    }
}
