//! Libraries loaded into this process.

use std::path::Path;

use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::core::HSTRING;

/// Whether a library is loaded: a full path, or a name.
#[must_use]
pub fn is_loaded(path: &Path) -> bool {
    // SAFETY: a plain call.
    unsafe { GetModuleHandleW(&HSTRING::from(path.as_os_str())) }.is_ok()
}
