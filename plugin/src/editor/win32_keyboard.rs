//! Keyboard focus on Windows: the host keeps it, except while the editor needs it.
//!
//! egui-baseview 0.9.0 gives its window the focus at every click, and baseview 0.4.2 takes all key messages for its window out of the
//! thread's queue before the host sees them. A host's space bar then does nothing. The workaround: unless
//! the editor needs the focus, it goes back once no button of the mouse is held.
//!
//! Moving the focus calls the host's window procedure, which may call the editor. While it draws, egui-baseview has its state borrowed, so
//! a timer of the window moves the focus between two messages.

use nice_plug_egui::baseview::WindowContext;
use raw_window_handle::{HandleError, HasWindowHandle, RawWindowHandle};
use windows::Win32::Foundation::HWND;
use windows::Win32::UI::Input::KeyboardAndMouse::{GetCapture, GetFocus, SetFocus};
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
    /// Whether the editor needed it at the last frame.
    is_needed: bool,
}

impl Keyboard {
    /// Takes no focus yet. On the window's thread.
    pub(super) fn new(window: &WindowContext) -> Result<Self, KeyboardError> {
        let RawWindowHandle::Win32(handle) = window.window_handle()?.as_raw() else { return Err(KeyboardError::NoHandle) };
        Ok(Self { window: handle.hwnd.get(), before: None, is_needed: false })
    }

    /// Takes the focus when the editor begins to need it, and returns it whenever it does not. Called once a frame, on the window's thread.
    pub(super) fn follow(&mut self, _window: &WindowContext, is_needed: bool) -> Result<(), KeyboardError> {
        let was_needed = std::mem::replace(&mut self.is_needed, is_needed);
        let own = hwnd(self.window);
        // SAFETY: no preconditions.
        let (focused, captured) = unsafe { (GetFocus(), GetCapture()) };
        if focused != own && !focused.is_invalid() {
            self.before = Some(focused.0 as isize);
        }
        match (is_needed, focused == own) {
            // baseview captures the mouse while a button is held. What a click does is decided when the button is released.
            (false, true) if captured != own => move_soon(own, self.owner()),
            // The user may move the focus elsewhere while a text field stays open.
            (true, false) if !was_needed => move_soon(own, own),
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
