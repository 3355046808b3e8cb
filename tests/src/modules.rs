//! Libraries loaded into this process.

use std::path::Path;

/// Whether a library is loaded: a full path, or a file name.
#[cfg(windows)]
#[must_use]
pub fn is_loaded(path: &Path) -> bool {
    use windows::Win32::System::LibraryLoader::GetModuleHandleW;
    use windows::core::HSTRING;

    // SAFETY: a plain call.
    unsafe { GetModuleHandleW(&HSTRING::from(path.as_os_str())) }.is_ok()
}

/// Whether a library is loaded: a full path without links, or a file name.
///
/// # Panics
/// If the kernel does not say what is mapped into this process.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_loaded(path: &Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the kernel lists the files that are mapped");
    // Only the path at the end of a line has slashes.
    let mut files = maps.lines().filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])));
    files.any(|file| file == path || file.file_name().is_some_and(|name| name == path))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn loaded_library_is_found_by_its_path_and_by_its_name() {
        let program = std::env::current_exe().unwrap();
        assert!(is_loaded(&program) && is_loaded(Path::new(program.file_name().unwrap())));
        assert!(!is_loaded(&program.with_file_name("antiphon-no-such-library")) && !is_loaded(program.parent().unwrap()));
    }
}
