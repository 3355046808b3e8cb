//! The libraries that a Windows program or library imports, which must be the system's own: nobody installs the compiler's.
//!
//! Layout of the file: Microsoft's "PE Format", <https://learn.microsoft.com/windows/win32/debug/pe-format>.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Libraries that every 64-bit Windows 10 has, in lower case. All beginning with `api-ms-win-` are the system's, too.
const SYSTEM: [&str; 26] = [
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "combase.dll",
    "comdlg32.dll",
    "crypt32.dll",
    "dbghelp.dll",
    "dwmapi.dll",
    "gdi32.dll",
    "imm32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ole32.dll",
    "oleaut32.dll",
    "opengl32.dll",
    "propsys.dll",
    "psapi.dll",
    "rpcrt4.dll",
    "shcore.dll",
    "shell32.dll",
    "shlwapi.dll",
    "user32.dll",
    "userenv.dll",
    "uxtheme.dll",
    "ws2_32.dll",
];

/// Those for sound and MIDI devices.
const OF_SOUND: [&str; 3] = ["avrt.dll", "mmdevapi.dll", "winmm.dll"];

/// Where a file's sound and MIDI come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sound {
    /// From the system's devices.
    OfTheSystem,
    /// From the host, or there is none: libraries for devices are there by mistake.
    OfTheHost,
}

/// Names of the libraries that a file imports.
///
/// # Errors
/// When some are not the system's, or are for devices that the file has nothing to do with.
pub(crate) fn check(path: &Path, sound: Sound) -> Result<BTreeSet<String>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let names = imports(&bytes).with_context(|| format!("{} is not a 64-bit Windows file", path.display()))?;
    let is_for_devices = |name: &str| OF_SOUND.contains(&name.to_lowercase().as_str());
    if let Some(device) = names.iter().find(|name| sound == Sound::OfTheHost && is_for_devices(name)) {
        bail!(
            "{} imports {device}: it holds code of the stand-alone program, so it was built with that program's features",
            path.display()
        );
    }
    let foreign: Vec<_> = names.iter().filter(|name| !is_system(name)).map(String::as_str).collect();
    if !foreign.is_empty() {
        bail!(
            "{} imports {}, which Windows does not bring with it. Link it in statically, or list it in xtask/src/imports.rs if Windows has it",
            path.display(),
            foreign.join(", ")
        );
    }
    Ok(names)
}

fn is_system(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with("api-ms-win-") || SYSTEM.iter().chain(&OF_SOUND).any(|known| *known == name)
}

/// The little-endian number of `width` bytes at `offset`.
fn number(bytes: &[u8], offset: usize, width: usize) -> Option<usize> {
    let field = bytes.get(offset..offset.checked_add(width)?)?;
    field.iter().rev().try_fold(0_usize, |value, &byte| Some(value.checked_mul(256)? + usize::from(byte)))
}

/// Names in the import table; `None` if this is not such a file.
fn imports(bytes: &[u8]) -> Option<BTreeSet<String>> {
    /// Size of an entry of the import table, and of the header of a section.
    const ENTRY: usize = 20;
    const SECTION: usize = 40;
    let header = number(bytes, 0x3c, 4)?;
    let optional = header.checked_add(24)?;
    if bytes.get(header..header + 4)? != b"PE\0\0" || number(bytes, optional, 2)? != 0x20b {
        return None;
    }
    let sections = optional + number(bytes, header + 20, 2)?;
    let count = number(bytes, header + 6, 2)?;
    // Place in the file of an address in memory.
    let place = |address: usize| {
        (0..count).find_map(|index| {
            let section = sections + index * SECTION;
            let (size, start, data) = (number(bytes, section + 16, 4)?, number(bytes, section + 12, 4)?, number(bytes, section + 20, 4)?);
            (start..start + size).contains(&address).then(|| data + address - start)
        })
    };
    let mut names = BTreeSet::new();
    let table = number(bytes, optional + 120, 4)?;
    if table == 0 {
        return Some(names);
    }
    let mut entry = place(table)?;
    loop {
        let name = number(bytes, entry + 12, 4)?;
        if name == 0 {
            return Some(names);
        }
        let text = bytes.get(place(name)?..)?.split(|&byte| byte == 0).next()?;
        names.insert(String::from_utf8_lossy(text).into_owned());
        entry += ENTRY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one section that holds an import table of these libraries.
    fn file(libraries: &[&str]) -> Vec<u8> {
        const START: usize = 0x1000;
        const DATA: usize = 0x200;
        let mut bytes = vec![0; DATA];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let word = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
        put(0x3c, &word(0x40));
        put(0x40, b"PE\0\0");
        put(0x46, &[1]);
        put(0x54, &[0xf0]);
        put(0x58, &[0x0b, 0x02]);
        put(0x58 + 120, &word(START));
        let section = 0x58 + 0xf0;
        put(section + 12, &word(START));
        put(section + 16, &word(0x1000));
        put(section + 20, &word(DATA));
        let table = (libraries.len() + 1) * 20;
        let (mut entries, mut names) = (Vec::new(), Vec::new());
        for library in libraries {
            let mut entry = [0; 20];
            entry[12..16].copy_from_slice(&word(START + table + names.len()));
            entries.extend(entry);
            names.extend(library.bytes().chain([0]));
        }
        entries.extend([0; 20]);
        [bytes, entries, names].concat()
    }

    #[test]
    fn imports_are_read_from_the_file() {
        let names = imports(&file(&["KERNEL32.dll", "api-ms-win-core-synch-l1-2-0.dll"])).unwrap();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["KERNEL32.dll", "api-ms-win-core-synch-l1-2-0.dll"]);
        assert!(names.iter().all(|name| is_system(name)));
    }

    #[test]
    fn library_of_the_compiler_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.dll");
        fs::write(&path, file(&["KERNEL32.dll", "libgcc_s_seh-1.dll"])).unwrap();
        let error = check(&path, Sound::OfTheSystem).unwrap_err().to_string();
        assert!(error.contains("libgcc_s_seh-1.dll") && !error.contains("KERNEL32"), "{error}");
    }

    #[test]
    fn library_for_devices_is_an_error_where_the_host_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.dll");
        fs::write(&path, file(&["KERNEL32.dll", "MMDevAPI.dll"])).unwrap();
        assert_eq!(check(&path, Sound::OfTheSystem).unwrap().len(), 2);
        let error = check(&path, Sound::OfTheHost).unwrap_err().to_string();
        assert!(error.contains("MMDevAPI.dll") && !error.contains("KERNEL32"), "{error}");
    }

    #[test]
    fn other_and_truncated_files_are_errors() {
        let whole = file(&["KERNEL32.dll"]);
        for bytes in [&b"text"[..], &whole[..0x60], &whole[..whole.len() - 14]] {
            assert_eq!(imports(bytes), None);
        }
    }
}
