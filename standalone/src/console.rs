//! Windows' terminal: the program has none of its own, so that starting it with the mouse opens none. Started from a terminal, it writes
//! there; otherwise what stops it is shown in a box.

use windows::Win32::System::Console::{ATTACH_PARENT_PROCESS, AttachConsole, GetConsoleWindow};
use windows::Win32::UI::WindowsAndMessaging::{MB_ICONERROR, MB_OK, MessageBoxW};
use windows::core::{HSTRING, w};

/// Uses the terminal that the program was started from, if any. Before anything is written.
pub(crate) fn attach() {
    // SAFETY: a plain call. It fails where there is no terminal, or the outputs go elsewhere: then there is nothing to do.
    let _ = unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}

/// Shows an error that ends the program to users who have no terminal to read it in.
pub(crate) fn show(error: &str) {
    // SAFETY: plain calls.
    unsafe {
        if GetConsoleWindow().is_invalid() {
            MessageBoxW(None, &HSTRING::from(error), w!("Antiphon"), MB_OK | MB_ICONERROR);
        }
    }
}
