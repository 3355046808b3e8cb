//! Traces of the machine that built a file: names of its folders, which would make two builds of the same sources differ.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use memchr::memmem;

use crate::toolchain::Renamed;

/// Ensures that a file names none of these folders by their names on this machine.
pub(crate) fn check(path: &Path, renamed: &[Renamed]) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    for (folder, name) in renamed {
        // Where the folder has its new name by chance, that name is no trace.
        if folder != Path::new(name)
            && let Some(found) = memmem::find(&bytes, folder.as_os_str().as_encoded_bytes())
        {
            let end = bytes[found..].iter().position(|byte| !byte.is_ascii_graphic()).map_or(bytes.len(), |length| found + length);
            let text = String::from_utf8_lossy(&bytes[found..end.min(found + 200)]);
            bail!("{} names a folder of this machine: {text}. Another machine would build other bytes", path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn folder_of_the_machine_is_an_error_that_shows_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library");
        let renamed = [(PathBuf::from("/home/u/antiphon"), "/antiphon"), (PathBuf::from("/cargo"), "/cargo")];
        fs::write(&path, b"\0/antiphon/engine/src/lib.rs\0/cargo/registry/serde\0").unwrap();
        check(&path, &renamed).unwrap();
        fs::write(&path, b"\0/antiphon/roll\0/home/u/antiphon/engine/src/lib.rs\0more").unwrap();
        let error = check(&path, &renamed).unwrap_err().to_string();
        assert!(error.contains(": /home/u/antiphon/engine/src/lib.rs. "), "{error}");
    }
}
