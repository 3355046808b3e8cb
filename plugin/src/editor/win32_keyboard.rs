//! Keyboard focus on Windows: the host keeps it, except while a text field of the editor is open.
//!
//! egui-baseview 0.9.0 gives its window the focus at every click, and baseview 0.4.2 takes all key messages for its window out of the
//! thread's queue before the host sees them. A host's space bar then does nothing. The workaround: unless a text field is open, the focus
//! goes back after the next frame.
//!
//! Moving the focus calls the host's window procedure, which may call the editor. While it draws, egui-baseview has its state borrowed, so
//! a timer of the window moves the focus between two messages.

use nice_plug_egui::baseview::WindowContext;
use raw_window_handle::{HandleError, HasWindowHandle, RawWindowHandle};
use windows::Win32::Foundation::HWND;
use windows::Win32::UI::Input::KeyboardAndMouse::{GetFocus, SetFocus};
use windows::Win32::UI::WindowsAndMessaging::{GA_ROOT, GetAncestor, KillTimer, SetTimer, USER_TIMER_MINIMUM};

/// Why the editor cannot share the keyboard with the host.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyboardError {
    #[error("the editor's window has no Win32 handle")]
    NoHandle,
    #[error("the editor's window is gone: {0}")]
    Handle(HandleError),
    #[error("Windows has no timer left: {0}")]
    Timer(windows::core::Error),
}

impl From<HandleError> for KeyboardError {
    fn from(error: HandleError) -> Self {
        Self::Handle(error)
    }
}

/// Keyboard focus of one embedded window. Used on the window's thread alone, to which the focus belongs.
pub(super) struct Keyboard {
    /// The editor's window: an `HWND`, which is not `Send`.
    window: isize,
    /// Window of the host that had the focus last.
    before: Option<isize>,
    /// Whether a text field was open at the last frame.
    is_typing: bool,
}

impl Keyboard {
    /// Takes no focus yet. On the window's thread.
    pub(super) fn new(window: &WindowContext) -> Result<Self, KeyboardError> {
        let RawWindowHandle::Win32(handle) = window.window_handle()?.as_raw() else { return Err(KeyboardError::NoHandle) };
        Ok(Self { window: handle.hwnd.get(), before: None, is_typing: false })
    }

    /// Takes the focus when a text field opens, and returns it whenever none is open. Called once a frame, on the window's thread.
    pub(super) fn follow(&mut self, _window: &WindowContext, is_typing: bool) -> Result<(), KeyboardError> {
        let was_typing = std::mem::replace(&mut self.is_typing, is_typing);
        let own = hwnd(self.window);
        // SAFETY: no preconditions.
        let focused = unsafe { GetFocus() };
        if focused != own && !focused.is_invalid() {
            self.before = Some(focused.0 as isize);
        }
        match (is_typing, focused == own) {
            (false, true) => move_soon(own, self.owner()),
            // The user may move the focus elsewhere while the text field stays open.
            (true, false) if !was_typing => move_soon(own, own),
            _ => Ok(()),
        }
    }

    /// The window of the host that had the focus, or the host's top-level window.
    fn owner(&self) -> HWND {
        let root = root_of(hwnd(self.window));
        // A window elsewhere would come to the front.
        self.before.map(hwnd).filter(|&before| root_of(before) == root).unwrap_or(root)
    }
}

fn hwnd(window: isize) -> HWND {
    HWND(window as *mut _)
}

/// The top-level window that contains this one; null for a window that is gone.
fn root_of(window: HWND) -> HWND {
    // SAFETY: no preconditions.
    unsafe { GetAncestor(window, GA_ROOT) }
}

/// Moves the focus from the editor's window to another, or to the editor's, once the current message is handled.
fn move_soon(editor: HWND, to: HWND) -> Result<(), KeyboardError> {
    // The number of the timer says where to. baseview's own are small numbers, which are no windows.
    // SAFETY: the window is one of this thread; its timers end with it, so that none runs after the library was unloaded.
    let timer = unsafe { SetTimer(Some(editor), to.0 as usize, USER_TIMER_MINIMUM, Some(move_now)) };
    if timer == 0 { Err(KeyboardError::Timer(windows::core::Error::from_thread())) } else { Ok(()) }
}

unsafe extern "system" fn move_now(editor: HWND, _message: u32, timer: usize, _time: u32) {
    let to = HWND(timer as *mut _);
    // SAFETY: plain calls; for a window that is gone they fail.
    unsafe {
        let _ = KillTimer(Some(editor), timer);
        // The user may have moved it elsewhere.
        let is_wanted = to == editor || GetFocus() == editor;
        if is_wanted && SetFocus(Some(to)).is_err() {
            // It is gone or disabled.
            let _ = SetFocus(Some(root_of(editor)));
        }
    }
}
