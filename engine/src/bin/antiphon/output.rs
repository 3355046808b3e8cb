//! A file that a command writes, under another name until it is whole.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use anyhow::{Context, bail};

/// The file to be written.
pub(crate) struct Output<'a> {
    path: &'a Path,
    /// The option that named it: what to change if it cannot be written.
    option: &'static str,
    file: tempfile::NamedTempFile,
}

impl<'a> Output<'a> {
    /// Begins the file now, so that a place that cannot be written is known before the work is done.
    pub(crate) fn create(path: &'a Path, option: &'static str) -> anyhow::Result<Self> {
        if path.is_dir() {
            bail!("{}: is a folder; give {option} a file name", path.display());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".antiphon");
        // Like any new file, not private as temporary ones are.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).with_context(|| format!("{}: cannot be written; check {option}", path.display()))?;
        Ok(Self { path, option, file })
    }

    /// Writes the content and gives the file its name. Returns its size in bytes, as `content` does.
    pub(crate) fn write(self, content: impl FnOnce(BufWriter<&File>) -> io::Result<usize>) -> anyhow::Result<usize> {
        let Self { path, option, file } = self;
        let bytes = content(BufWriter::new(file.as_file()))
            .with_context(|| format!("{}: cannot be written; check the free space", path.display()))?;
        file.persist(path).with_context(|| format!("{}: cannot be written; check {option}", path.display()))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        let failed = Output::create(&path, "-o").unwrap().write(|mut to| {
            to.write_all(b"half")?;
            Err(io::Error::other("no space"))
        });
        assert!(format!("{:#}", failed.unwrap_err()).contains("no space"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        Output::create(&path, "-o").unwrap().write(|mut to| to.write_all(b"whole").map(|()| 5)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_place_that_cannot_be_written_names_the_option() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("no/such.bin")] {
            assert!(Output::create(&path, "--output").err().unwrap().to_string().contains("--output"));
        }
    }
}
