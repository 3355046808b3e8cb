//! Check that a file is a usable ONNX Runtime, before `ort` loads it: `ort` panics where an error with a cure is needed.

use std::{
    ffi::CStr,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use libloading::Library;
use ort::sys::{ORT_API_VERSION, OrtApiBase};

/// Why a file cannot be used as ONNX Runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryFault {
    /// There is no file at the path.
    #[error("there is no such file")]
    Missing,
    /// A folder without the library.
    #[error("the folder holds no ONNX Runtime library")]
    EmptyFolder,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file is shorter than its headers say: an interrupted download or copy.
    #[error("it is cut short: {length} bytes of at least {expected}; fetch it again")]
    Truncated {
        /// Size of the file in bytes.
        length: u64,
        /// Size in bytes according to its headers.
        expected: u64,
    },
    /// Not a shared library of this system.
    #[error("it is not a shared library of this system: {0}")]
    NotALibrary(String),
    /// Libraries of Microsoft's C++ runtime, which ONNX Runtime for Windows is linked with, are not installed.
    #[error(
        "Microsoft's C++ runtime is not installed ({} cannot be loaded). Install the \"Visual C++ Redistributable\" (X64) from https://aka.ms/vs/17/release/vc_redist.x64.exe and start the host again",
        missing.join(", ")
    )]
    NoCppRuntime {
        /// Their file names.
        missing: Vec<&'static str>,
    },
    /// A shared library, but another one.
    #[error("it is a shared library but not ONNX Runtime (it has no OrtGetApiBase)")]
    NotOnnxRuntime,
    /// ONNX Runtime, but older than the interface we were built for.
    #[error("it is ONNX Runtime {found}; 1.{ORT_API_VERSION} or later is needed")]
    TooOld {
        /// Its version.
        found: String,
    },
}

/// Checks that `path` is a complete ONNX Runtime of a usable version; returns the version.
///
/// # Errors
/// The first fault found.
pub(super) fn check(path: &Path) -> Result<String, LibraryFault> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(LibraryFault::EmptyFolder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(LibraryFault::Missing),
        Err(error) => return Err(error.into()),
    }
    if cfg!(target_os = "linux") {
        check_elf(&mut File::open(path)?)?;
    }
    // SAFETY: loading runs the library's initialisers. ONNX Runtime's only fill its own tables; that the file is a whole shared library was checked above.
    let library = unsafe { Library::new(path) }.map_err(|error| load_fault(&error))?;
    // SAFETY: `OrtGetApiBase` has had this signature since ONNX Runtime 1.0; no other library uses the name.
    let base = unsafe { library.get::<unsafe extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase") }
        .map_err(|_| LibraryFault::NotOnnxRuntime)?;
    // SAFETY: the function takes nothing and returns a pointer to a static table, or null.
    let Some(base) = (unsafe { base().as_ref() }) else { return Err(LibraryFault::NotOnnxRuntime) };
    // SAFETY: the table is initialised; the string is static and ends in NUL.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) }.to_string_lossy().into_owned();
    let minor = version.strip_prefix("1.").and_then(|rest| rest.split('.').next()).and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < ORT_API_VERSION) {
        return Err(LibraryFault::TooOld { found: version });
    }
    // SAFETY: `GetApi` may be called with any version; it returns null for one it does not have.
    if unsafe { (base.GetApi)(ORT_API_VERSION) }.is_null() {
        return Err(LibraryFault::TooOld { found: version });
    }
    Ok(version)
}

/// Libraries that ONNX Runtime for Windows imports and Windows does not bring with it.
const CPP_RUNTIME: [&str; 4] = ["MSVCP140.dll", "MSVCP140_1.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll"];

/// Why the system does not load a file. Windows says only that some library was not found, not which.
fn load_fault(error: &libloading::Error) -> LibraryFault {
    let missing = if cfg!(windows) {
        // SAFETY: Microsoft's own libraries, whose initialisers prepare the C++ runtime.
        missing_from(&CPP_RUNTIME, |name| unsafe { Library::new(name) }.is_ok())
    } else {
        Vec::new()
    };
    if missing.is_empty() { LibraryFault::NotALibrary(error.to_string()) } else { LibraryFault::NoCppRuntime { missing } }
}

/// The libraries that do not load.
fn missing_from(names: &[&'static str], loads: impl Fn(&str) -> bool) -> Vec<&'static str> {
    names.iter().copied().filter(|name| !loads(name)).collect()
}

/// Checks that every loadable segment of an ELF file lies inside the file. The dynamic linker maps segments without checking, and accessing a page
/// beyond the end of the file kills the process. Layout: System V ABI, "ELF header" and "program header", 64-bit little endian; other ELF classes are
/// left to the linker.
fn check_elf(file: &mut (impl Read + Seek)) -> Result<(), LibraryFault> {
    const LOAD: u64 = 1;
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut header = [0; 64];
    let not_a_library = |what: &str| LibraryFault::NotALibrary(what.to_owned());
    file.read_exact(&mut header).map_err(|_| not_a_library("it is too short to be one"))?;
    if !header.starts_with(b"\x7fELF") {
        return Err(not_a_library("it does not begin as an ELF file"));
    }
    if header[4..6] != [2, 1] {
        return Ok(());
    }
    let (programs, sections) = (field(&header, 0x20, 8), field(&header, 0x28, 8));
    let (entry, entries) = (field(&header, 0x36, 2), field(&header, 0x38, 2));
    let sections_end = sections.saturating_add(field(&header, 0x3a, 2) * field(&header, 0x3c, 2));
    let mut expected = sections_end.max(programs.saturating_add(entry * entries));
    if expected <= length && entry >= 56 {
        for index in 0..entries {
            let mut program = [0; 56];
            file.seek(SeekFrom::Start(programs + index * entry))?;
            file.read_exact(&mut program)?;
            if field(&program, 0, 4) == LOAD {
                expected = expected.max(field(&program, 0x08, 8).saturating_add(field(&program, 0x20, 8)));
            }
        }
    }
    if expected > length { Err(LibraryFault::Truncated { length, expected }) } else { Ok(()) }
}

/// The little-endian number of `width` bytes at `offset`.
fn field(bytes: &[u8], offset: usize, width: usize) -> u64 {
    bytes[offset..offset + width].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// An ELF header with one loadable segment of `segment` bytes from the start, then `body` bytes.
    fn elf(segment: u64, body: usize) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56 + body];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[0x20] = 64;
        bytes[0x36] = 56;
        bytes[0x38] = 1;
        bytes[64] = 1;
        bytes[64 + 0x20..64 + 0x28].copy_from_slice(&segment.to_le_bytes());
        bytes
    }

    #[test]
    fn complete_file_passes() {
        check_elf(&mut Cursor::new(elf(120, 0))).unwrap();
    }

    #[test]
    fn segment_beyond_the_end_of_the_file_is_truncation() {
        let fault = check_elf(&mut Cursor::new(elf(5000, 100))).unwrap_err();
        assert!(matches!(fault, LibraryFault::Truncated { length: 220, expected: 5000 }), "{fault}");
    }

    #[test]
    fn invalid_headers_do_not_overflow() {
        for filler in [0xff, 0x80, 0x01] {
            let mut bytes = vec![filler; 200];
            bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
            assert!(check_elf(&mut Cursor::new(bytes)).is_err());
        }
    }

    #[test]
    fn missing_cpp_runtime_is_named_with_its_cure() {
        let missing = missing_from(&CPP_RUNTIME, |name| !name.ends_with("_1.dll"));
        assert_eq!(missing, ["MSVCP140_1.dll", "VCRUNTIME140_1.dll"]);
        let message = LibraryFault::NoCppRuntime { missing }.to_string();
        for part in ["MSVCP140_1.dll, VCRUNTIME140_1.dll", "Visual C++ Redistributable", "https://aka.ms/"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(missing_from(&CPP_RUNTIME, |_| true).is_empty());
    }

    #[test]
    fn other_file_is_not_a_library() {
        for bytes in [&b""[..], b"text", &[0; 100]] {
            assert!(matches!(check_elf(&mut Cursor::new(bytes)), Err(LibraryFault::NotALibrary(_))));
        }
    }
}
