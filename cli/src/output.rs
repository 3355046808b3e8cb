//! A file that a command writes: a regular one under another name until it is whole, a device, a pipe or standard output straight away.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use crate::interrupt::Temporary;

/// Most symbolic links that are followed: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// The file to be written.
pub struct Output<'a> {
    path: &'a Path,
    /// The option that named it: what to change if it cannot be written.
    option: &'static str,
    target: Target,
}

/// Where the bytes go.
enum Target {
    /// `-`.
    Stdout,
    /// A device, a FIFO or the like: opened when there is something to write, since opening a FIFO waits for its reader.
    Special,
    /// A regular file, all symbolic links followed, and the permissions of the older one.
    File { path: PathBuf, permissions: Option<Permissions> },
    /// A regular file in a folder where no other can be made: written in place.
    InPlace(PathBuf),
}

impl<'a> Output<'a> {
    /// Checks the path before any work is done, so that one that cannot be written fails early. Creates no file yet.
    pub fn create(path: &'a Path, option: &'static str) -> Result<Self> {
        let target = if is_standard(path) { Target::Stdout } else { target(path).map_err(|error| refusal(path, option, &error))? };
        if let Target::File { path: place, .. } = &target
            && place.is_dir()
        {
            bail!("{}: is a folder; give {option} a file name", path.display());
        }
        Ok(Self { path, option, target })
    }

    /// Writes the content, and gives the file its name when it is whole. Returns its size in bytes, as `content` does.
    pub fn write(self, content: impl FnOnce(&mut dyn Write) -> io::Result<usize>) -> Result<usize> {
        let Self { path, option, target } = self;
        let written = match target {
            Target::Stdout => through(io::stdout().lock(), content),
            Target::Special => OpenOptions::new().write(true).open(path).and_then(|file| through(file, content)),
            Target::InPlace(path) => OpenOptions::new().write(true).truncate(true).open(path).and_then(|file| through(file, content)),
            Target::File { path, permissions } => replace(&path, permissions, content),
        };
        written.map_err(|error| refusal(path, option, &error))
    }
}

/// Whether a path means standard input or output.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn target(path: &Path) -> io::Result<Target> {
    let (path, metadata) = followed(path)?;
    let permissions = metadata.as_ref().map(Metadata::permissions);
    match metadata {
        Some(metadata) if metadata.is_dir() => return Ok(Target::File { path, permissions }),
        Some(metadata) if !metadata.is_file() => return Ok(Target::Special),
        // A file that may not be written is not to be replaced either.
        Some(_) => drop(OpenOptions::new().write(true).open(&path)?),
        None => {}
    }
    // Without a name on most systems, and removed at once: it checks only whether the folder is writable.
    match tempfile::tempfile_in(folder(&path)) {
        Ok(_) => Ok(Target::File { path, permissions }),
        Err(_) if permissions.is_some() => Ok(Target::InPlace(path)),
        Err(error) => Err(without_temporary_name(&error)),
    }
}

/// Checks before any work is done that a missing folder can be created and written to. Creates nothing yet.
///
/// # Errors
/// A file in its way, a link to nowhere, or a folder above it that may not be written.
pub fn check_new_folder(path: &Path, option: &str) -> Result<()> {
    // The last of a relative path's ancestors is the empty one.
    let in_here = |ancestor: &Path| if ancestor.as_os_str().is_empty() { Path::new(".").to_owned() } else { ancestor.to_owned() };
    let Some(nearest) = path.ancestors().map(in_here).find(|ancestor| fs::symlink_metadata(ancestor).is_ok()) else {
        bail!("{}: cannot be made: there is no folder above it; change {option}", path.display());
    };
    if !nearest.is_dir() {
        let what = if nearest.exists() { "is a file" } else { "is a link that leads nowhere" };
        if nearest == path {
            bail!("{}: {what}; give {option} a folder", path.display());
        }
        bail!("{}: cannot be made: {} {what}; change {option}", path.display(), nearest.display());
    }
    tempfile::tempfile_in(&nearest).map(drop).map_err(|error| {
        let error = without_temporary_name(&error);
        anyhow!("{}: cannot be made in {}: {error}; allow it, or change {option}", path.display(), nearest.display())
    })
}

/// The system's error, without the name of the temporary file.
fn without_temporary_name(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error)
}

/// Target of a path and its metadata; a dangling link gives the place where the file is to be created.
fn followed(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = folder(&path).join(fs::read_link(&path)?),
            Ok(metadata) => return Ok((path, Some(metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((path, None)),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("its symbolic links lead round in a circle"))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes straight to where it goes.
fn through(to: impl Write, content: impl FnOnce(&mut dyn Write) -> io::Result<usize>) -> io::Result<usize> {
    let mut to = BufWriter::new(to);
    let bytes = content(&mut to)?;
    to.flush()?;
    Ok(bytes)
}

/// Writes a file whole or not at all.
fn replace(path: &Path, permissions: Option<Permissions>, content: impl FnOnce(&mut dyn Write) -> io::Result<usize>) -> io::Result<usize> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".antiphon");
    // Like any new file, not private as temporary ones are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let (file, _removed_if_interrupted) = Temporary::make(|| builder.tempfile_in(folder(path)), tempfile::NamedTempFile::path)?;
    let bytes = through(file.as_file(), content)?;
    if let Some(permissions) = permissions {
        File::set_permissions(file.as_file(), permissions)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(bytes)
}

/// Message with the fault, its place and the cure.
fn refusal(path: &Path, option: &'static str, error: &io::Error) -> anyhow::Error {
    use io::ErrorKind;
    let name = path.display();
    let error = match error.kind() {
        ErrorKind::BrokenPipe => return anyhow::Error::new(io::Error::from(ErrorKind::BrokenPipe)),
        ErrorKind::NotFound if !folder(path).exists() => {
            return anyhow!("{name}: cannot be written: there is no folder {}; make it, or change {option}", folder(path).display());
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            return anyhow!("{name}: cannot be written: {error}; allow it, or change {option}");
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            return anyhow!("{name}: cannot be written: {error}; make room, or change {option}");
        }
        _ => error,
    };
    anyhow!("{name}: cannot be written: {error}; check {option}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the text as a command would.
    fn write(path: &Path, text: &str) -> Result<usize> {
        Output::create(path, "--output")?.write(|to| to.write_all(text.as_bytes()).map(|()| text.len()))
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn output_that_fails_half_way_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        let output = Output::create(&path, "--output").unwrap();
        assert_eq!(names(folder.path()).len(), 0, "no file is created before there is something to write");
        let failed = output.write(|to| {
            to.write_all(b"half")?;
            Err(io::Error::other("a broken disk"))
        });
        assert!(failed.unwrap_err().to_string().contains("a broken disk"));
        assert_eq!(names(folder.path()).len(), 0);
        write(&path, "whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn output_that_cannot_be_written_names_the_cause_and_the_option() {
        let folder = tempfile::tempdir().unwrap();
        let message = write(folder.path(), "").unwrap_err().to_string();
        assert!(message.contains("is a folder; give --output"), "{message}");
        let message = write(&folder.path().join("no/such.bin"), "").unwrap_err().to_string();
        assert!(message.contains("there is no folder") && message.contains("--output") && !message.contains(".antiphon"), "{message}");
    }

    #[test]
    fn new_folder_that_cannot_be_created_is_refused_with_the_path_in_its_way() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("song.mid"), "").unwrap();
        let message = |name: &str| check_new_folder(&at(name), "--output").unwrap_err().to_string();
        assert!(message("song.mid").ends_with("song.mid: is a file; give --output a folder"), "{}", message("song.mid"));
        let below = message("song.mid/a/b");
        assert!(below.contains("song.mid/a/b: cannot be made: ") && below.ends_with("song.mid is a file; change --output"), "{below}");
        check_new_folder(&at("a/b"), "--output").unwrap();
        check_new_folder(Path::new("a-new-folder/of-the-working-one"), "--output").unwrap();
        assert_eq!(names(folder.path()), ["song.mid"], "no file is created");
    }

    #[cfg(unix)]
    #[test]
    fn new_folder_behind_a_link_to_nowhere_or_in_a_place_of_the_system_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        let message = check_new_folder(&link.join("a"), "--output").unwrap_err().to_string();
        assert!(message.ends_with("link is a link that leads nowhere; change --output"), "{message}");
        // No user can create files there, independent of permissions.
        let message = check_new_folder(Path::new("/proc/antiphon/a"), "--output").unwrap_err().to_string();
        assert!(message.contains("cannot be made in /proc: ") && !message.contains(".tmp"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn output_keeps_the_permissions_of_the_older_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mid");
        for mode in [0o600, 0o640, 0o755] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            write(&path, "new").unwrap();
            assert_eq!((fs::metadata(&path).unwrap().permissions().mode() & 0o777, fs::read(&path).unwrap()), (mode, b"new".to_vec()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn output_goes_through_symbolic_links_and_leaves_them() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink("real/song.mid", at("first")).unwrap();
        symlink("first", at("second")).unwrap();
        for text in ["made", "replaced"] {
            write(&at("second"), text).unwrap();
            assert_eq!(fs::read_to_string(at("real/song.mid")).unwrap(), text);
            assert!(fs::symlink_metadata(at("second")).unwrap().is_symlink());
        }
        symlink("round", at("round")).unwrap();
        assert!(write(&at("round"), "").unwrap_err().to_string().contains("circle"));
    }

    #[cfg(unix)]
    #[test]
    fn output_to_a_device_leaves_the_device() {
        use std::os::unix::fs::FileTypeExt;
        write(Path::new("/dev/null"), "gone").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let full = write(Path::new("/dev/full"), "too much").unwrap_err().to_string();
        assert!(full.contains("/dev/full: cannot be written: No space left") && full.contains("make room"), "{full}");
    }
}
