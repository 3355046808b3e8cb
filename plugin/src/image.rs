//! Path of the binary this code was loaded from: the plug-in library, or a program it is linked into.
//!
//! The system's loader only knows the name used to open the file, and a relative one is relative to a working directory that may have
//! changed. Linux reports the absolute path of each mapping.

use std::path::PathBuf;

/// Absolute paths of the binary: the loader's, if absolute, and that of the mapping, in which symbolic links are resolved. The program's
/// path if neither is known.
pub(crate) fn paths() -> Vec<PathBuf> {
    let named = process_path::get_dylib_path();
    distinct(named, mapped(), process_path::get_executable_path)
}

fn distinct(named: Option<PathBuf>, mapped: Option<PathBuf>, program: impl FnOnce() -> Option<PathBuf>) -> Vec<PathBuf> {
    let mut paths: Vec<_> = named.filter(|path| path.is_absolute()).into_iter().chain(mapped).collect();
    if paths.is_empty() {
        paths.extend(program());
    }
    paths.dedup();
    paths
}

/// The file whose mapping contains this function.
#[cfg(target_os = "linux")]
fn mapped() -> Option<PathBuf> {
    let here = mapped as fn() -> Option<PathBuf> as usize;
    file_at(&std::fs::read("/proc/self/maps").ok()?, here)
}

#[cfg(not(target_os = "linux"))]
fn mapped() -> Option<PathBuf> {
    None
}

/// The file mapped at an address, from the lines of `/proc/PROCESS/maps`: "from-to rights offset device inode  path".
#[cfg(target_os = "linux")]
fn file_at(maps: &[u8], address: usize) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;

    let holds = |line: &&[u8]| {
        let range = line.split(|byte| *byte == b' ').next().and_then(|range| std::str::from_utf8(range).ok());
        let ends = range.and_then(|range| range.split_once('-'));
        let number = |text| usize::from_str_radix(text, 16).ok();
        ends.and_then(|(from, to)| number(from).zip(number(to))).is_some_and(|(from, to)| (from..to).contains(&address))
    };
    let line = maps.split(|byte| *byte == b'\n').find(holds)?;
    let name = line.iter().position(|byte| *byte == b'/').map(|start| &line[start..])?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_program_does_not_depend_on_how_it_was_called() {
        assert!(paths().contains(&std::env::current_exe().unwrap()));
        let program = || Some(PathBuf::from("/opt/antiphon/antiphon-standalone"));
        for called_by in ["antiphon-standalone", "./antiphon-standalone", ""] {
            assert_eq!(distinct(Some(called_by.into()), None, program), Vec::from_iter(program()));
            assert_eq!(distinct(Some(called_by.into()), program(), || None), Vec::from_iter(program()));
        }
        let library: PathBuf = "/p/Antiphon.clap".into();
        let known = |mapped: &PathBuf| distinct(Some(library.clone()), Some(mapped.clone()), program);
        assert_eq!(known(&library), std::slice::from_ref(&library));
        // Through a symbolic link.
        let real: PathBuf = "/build/libantiphon.so".into();
        assert_eq!(known(&real), [library.clone(), real]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn mapped_file_is_found_by_address() {
        let maps = b"55d0-55e0 r--p 00000000 08:01 12    /usr/bin/host\n\
            7f00-7f10 r-xp 00000000 08:01 34    /home/u/My plug-ins/Antiphon.clap\n\
            7f10-7f20 rw-p 00000000 00:00 0 \n";
        assert_eq!(file_at(maps, 0x7f05), Some("/home/u/My plug-ins/Antiphon.clap".into()));
        assert_eq!(file_at(maps, 0x7f10), None, "memory without a file");
        assert_eq!(file_at(maps, 0x7f20), None);
    }
}
