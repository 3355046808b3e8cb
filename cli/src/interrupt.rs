//! Ctrl-C and other requests to end: files that have only a temporary name yet are removed first.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Exit code of a program that Ctrl-C has ended: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// Temporary files of this process.
static TEMPORARIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A temporary file that is removed if the program is interrupted.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// Makes a temporary file and registers it. No request to end is answered in between.
    pub fn make<T>(make: impl FnOnce() -> std::io::Result<T>, path: impl FnOnce(&T) -> &Path) -> std::io::Result<(T, Self)> {
        let mut temporaries = lock();
        let made = make()?;
        let path = path(&made).to_owned();
        temporaries.push(path.clone());
        Ok((made, Self(path)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        lock().retain(|path| *path != self.0);
    }
}

fn lock() -> MutexGuard<'static, Vec<PathBuf>> {
    // The list of names is whole at any time.
    TEMPORARIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on a request to end leaves no temporary file behind.
pub fn install() {
    let end = || {
        for path in lock().iter() {
            // It may have got its name, or be gone: in both cases no cleanup is left.
            let _ = std::fs::remove_file(path);
        }
        std::process::exit(INTERRUPTED);
    };
    if let Err(error) = ctrlc::set_handler(end) {
        crate::console::remark(&format!("Ctrl-C may leave a temporary file behind: {error}"));
    }
}
