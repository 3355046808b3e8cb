//! Line ends of the texts in an archive for Windows, where Notepad of older versions shows a text without CR as one line.
//!
//! The sources keep LF, and licences keep the bytes of their owners; only the copies in the archive change, and only in their line ends.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Length of the beginning of a file that is searched for a zero byte, in bytes; the length that Git takes.
const BEGINNING: usize = 8000;

/// Ends every line of every text below `folder` with CR LF.
pub(crate) fn to_crlf(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        if path.is_dir() {
            to_crlf(&path)?;
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        if is_text(&bytes) {
            fs::write(&path, with_crlf(&bytes)).with_context(|| format!("writing {}", path.display()))?;
        }
    }
    Ok(())
}

/// Whether this is a text, in whatever encoding of a byte or more per character: programs, libraries and UTF-16 have zero bytes.
fn is_text(bytes: &[u8]) -> bool {
    !bytes[..bytes.len().min(BEGINNING)].contains(&0)
}

/// The bytes with a CR before each LF that has none. Bytes, since some licences are not in UTF-8.
fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut ended = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if byte == b'\n' && ended.last() != Some(&b'\r') {
            ended.push(b'\r');
        }
        ended.push(byte);
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_one_crlf_and_nothing_else_changes() {
        for (text, expected) in [
            (&b"one\ntwo\n"[..], &b"one\r\ntwo\r\n"[..]),
            (b"one\r\ntwo\n\nthree", b"one\r\ntwo\r\n\r\nthree"),
            (b"\n", b"\r\n"),
            // Latin-1, and a CR within a line.
            (b"M\xfcller\n1\r2\n", b"M\xfcller\r\n1\r2\r\n"),
            (b"", b""),
        ] {
            assert_eq!(with_crlf(text), expected, "{text:?}");
            assert_eq!(with_crlf(expected), expected, "a second time");
        }
    }

    #[test]
    fn texts_of_all_folders_are_converted_and_libraries_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let library = b"MZ\0\n\n\x01";
        fs::create_dir(folder.path().join("inner")).unwrap();
        for (name, bytes) in [("LICENSE", &b"terms\n"[..]), ("inner/card.md", b"# Card\n"), ("inner/some.dll", library)] {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        to_crlf(folder.path()).unwrap();
        let read = |name| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("LICENSE"), b"terms\r\n");
        assert_eq!(read("inner/card.md"), b"# Card\r\n");
        assert_eq!(read("inner/some.dll"), library);
    }
}
