//! Files as URIs, the form in which XDND hands them over.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Characters of a URI path that need no escape: RFC 3986's unreserved characters and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The file as `text/uri-list` (RFC 2483). Paths are bytes: anything but unreserved ASCII is percent-encoded.
pub(super) fn uri_list(file: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    format!("file://{}\r\n", percent_encode(file.as_os_str().as_bytes(), PATH)).into_bytes()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn special_characters_in_paths_are_percent_encoded() {
        let uri = |path: &[u8]| String::from_utf8(uri_list(Path::new(OsStr::from_bytes(path)))).unwrap();
        assert_eq!(uri(b"/tmp/a-b_c.d~/1.mid"), "file:///tmp/a-b_c.d~/1.mid\r\n");
        assert_eq!(uri("/tmp/Plan, bar 5 #1 ü%.mid".as_bytes()), "file:///tmp/Plan%2C%20bar%205%20%231%20%C3%BC%25.mid\r\n");
        assert_eq!(uri(b"/\xff\n"), "file:///%FF%0A\r\n");
    }
}
