//! A host window to embed an editor in.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use windows::Win32::Foundation::{HWND, LPARAM, LRESULT, POINT, RECT, WPARAM};
use windows::Win32::Graphics::Gdi::ClientToScreen;
use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::Win32::UI::WindowsAndMessaging::{
    AdjustWindowRectEx, CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, EnumChildWindows, GetClientRect, MSG, PM_REMOVE,
    PeekMessageW, RegisterClassW, TranslateMessage, WINDOW_EX_STYLE, WM_KEYDOWN, WNDCLASSW, WS_CLIPCHILDREN, WS_OVERLAPPEDWINDOW,
    WS_VISIBLE,
};
use windows::core::{BOOL, HSTRING, PCWSTR, w};

/// Class of the windows.
const CLASS: PCWSTR = w!("antiphon-host");

/// Keys pressed in all windows of this program.
static KEYS: AtomicUsize = AtomicUsize::new(0);

/// An open window of this thread.
#[derive(Debug)]
pub struct HostWindow(HWND);

impl HostWindow {
    /// Opens a window whose inside has this size, in pixels, at this place of the screen.
    ///
    /// # Errors
    /// When the system opens none.
    pub fn open(title: &str, (x, y): (i32, i32), (width, height): (u32, u32)) -> Result<Self> {
        let style = WS_OVERLAPPEDWINDOW | WS_CLIPCHILDREN | WS_VISIBLE;
        let mut frame = RECT { left: 0, top: 0, right: i32::try_from(width)?, bottom: i32::try_from(height)? };
        // SAFETY: plain calls; the window procedure is the one below, and the class may be registered already.
        let window = unsafe {
            let program = GetModuleHandleW(None)?.into();
            let class = WNDCLASSW { lpfnWndProc: Some(procedure), hInstance: program, lpszClassName: CLASS, ..WNDCLASSW::default() };
            RegisterClassW(&raw const class);
            AdjustWindowRectEx(&raw mut frame, style, false, WINDOW_EX_STYLE::default())?;
            let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
            let title = HSTRING::from(title);
            CreateWindowExW(WINDOW_EX_STYLE::default(), CLASS, &title, style, x, y, width, height, None, None, Some(program), None)?
        };
        pump();
        Ok(Self(window))
    }

    /// The window, for the editor.
    #[must_use]
    pub fn window(&self) -> *mut c_void {
        self.0.0
    }

    pub(super) const fn handle(&self) -> HWND {
        self.0
    }

    /// Position of the window's inside on the screen, and its size, in pixels.
    ///
    /// # Errors
    /// When it is gone.
    pub fn inside(&self) -> Result<(i32, i32, i32, i32)> {
        let (mut place, mut size) = (POINT::default(), RECT::default());
        // SAFETY: plain calls with valid places.
        unsafe {
            ensure!(ClientToScreen(self.0, &raw mut place).as_bool(), "the host's window is gone");
            GetClientRect(self.0, &raw mut size)?;
        }
        Ok((place.x, place.y, size.right, size.bottom))
    }

    /// Number of windows inside it.
    #[must_use]
    pub fn embedded(&self) -> usize {
        let mut count = 0_usize;
        // SAFETY: the pointer is to `count`, which outlives the call.
        let _ = unsafe { EnumChildWindows(Some(self.0), Some(count_one), LPARAM((&raw mut count) as isize)) };
        count
    }
}

impl Drop for HostWindow {
    fn drop(&mut self) {
        // SAFETY: a window of this thread. If it is gone already, there is nothing to destroy.
        let _ = unsafe { DestroyWindow(self.0) };
        pump();
    }
}

/// Number of keys that were pressed while a window of this program, not one inside it, had the focus.
#[must_use]
pub fn keys_pressed() -> usize {
    KEYS.load(Ordering::Relaxed)
}

/// Handles the messages that have arrived for this thread's windows.
pub fn pump() {
    let mut message = MSG::default();
    // SAFETY: plain calls with a valid place.
    unsafe {
        while PeekMessageW(&raw mut message, None, 0, 0, PM_REMOVE).as_bool() {
            let _ = TranslateMessage(&raw const message);
            DispatchMessageW(&raw const message);
        }
    }
}

unsafe extern "system" fn count_one(_window: HWND, count: LPARAM) -> BOOL {
    // SAFETY: `embedded` passes the place of a number.
    unsafe { *(count.0 as *mut usize) += 1 };
    true.into()
}

unsafe extern "system" fn procedure(window: HWND, message: u32, first: WPARAM, second: LPARAM) -> LRESULT {
    if message == WM_KEYDOWN {
        KEYS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: passed on as they came.
    unsafe { DefWindowProcW(window, message, first, second) }
}
