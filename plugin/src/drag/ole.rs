//! Drag source for Windows: OLE's modal loop on a thread of its own.
//!
//! `DoDragDrop` returns when the button is released. Inside the editor's paint call, on the host's main thread, it would deadlock, so it
//! runs on its own thread. The button was pressed on the editor's thread, whose input that thread shares to see the release.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use raw_window_handle::{HasWindowHandle, RawWindowHandle};
use windows::Win32::Foundation::{
    DRAGDROP_S_CANCEL, DRAGDROP_S_DROP, DRAGDROP_S_USEDEFAULTCURSORS, HANDLE, HWND, LPARAM, POINT, S_OK, WPARAM,
};
use windows::Win32::Graphics::Gdi::ScreenToClient;
use windows::Win32::System::Com::{COWAIT_DEFAULT, CoWaitForMultipleHandles, IDataObject};
use windows::Win32::System::Ole::{
    DROPEFFECT, DROPEFFECT_COPY, DROPEFFECT_NONE, DoDragDrop, IDropSource, IDropSource_Impl, OleInitialize, OleUninitialize,
};
use windows::Win32::System::SystemServices::{MK_LBUTTON, MODIFIERKEYS_FLAGS};
use windows::Win32::System::Threading::{AttachThreadInput, GetCurrentThreadId, INFINITE};
use windows::Win32::UI::Input::KeyboardAndMouse::{GetAsyncKeyState, GetKeyboardState, SetKeyboardState, VK_LBUTTON};
use windows::Win32::UI::WindowsAndMessaging::{GetCursorPos, PostMessageW, WM_LBUTTONUP};
use windows::core::{BOOL, HRESULT, implement};

use super::data_object::FileObject;
use super::{DragError, DragSource, Outcome};

type Report = Result<Outcome, DragError>;

/// Drag source for Windows.
#[derive(Debug, Default)]
pub struct OleSource {
    drag: Option<Drag>,
    /// Threads of drags that were cancelled by the next one.
    ending: Vec<JoinHandle<()>>,
}

/// A drag whose outcome was not read yet.
#[derive(Debug)]
struct Drag {
    reports: Receiver<Report>,
    /// Tells the modal loop to end.
    cancelled: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl DragSource for OleSource {
    /// Must be called on the thread on which the button was pressed: the editor's.
    fn begin(&mut self, file: &Path, window: &dyn HasWindowHandle) -> Result<(), DragError> {
        if let Some(drag) = self.drag.take() {
            // Not waited for: this is called inside the editor's paint call, in which no message may be handled.
            self.ending.push(drag.cancel());
        }
        let window = window.window_handle().map_err(|error| DragError::Unavailable(error.to_string().into()))?;
        let RawWindowHandle::Win32(window) = window.as_raw() else {
            return Err(DragError::Unavailable("the editor's window is not a Win32 window".into()));
        };
        let window = window.hwnd.get();
        let (sender, reports) = channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let (file, ends) = (file.to_owned(), Arc::clone(&cancelled));
        // SAFETY: no preconditions.
        let editor_thread = unsafe { GetCurrentThreadId() };
        let run = move || {
            let report = run(&file, editor_thread, ends);
            report_release(window);
            // The receiver is gone once the editor is closed.
            let _ = sender.send(report);
        };
        let thread =
            thread::Builder::new().name("antiphon drag".into()).spawn(run).map_err(|error| DragError::Unavailable(error.into()))?;
        self.drag = Some(Drag { reports, cancelled, thread });
        Ok(())
    }

    fn ended(&mut self) -> Option<Report> {
        let report = match self.drag.as_ref()?.reports.try_recv() {
            Ok(report) => report,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(DragError::Lost("its thread ended early".into())),
        };
        self.ending.extend(self.drag.take().map(Drag::cancel));
        self.ending.retain(|thread| !thread.is_finished());
        Some(report)
    }
}

impl Drop for OleSource {
    fn drop(&mut self) {
        self.ending.extend(self.drag.take().map(Drag::cancel));
        self.ending.drain(..).for_each(wait);
    }
}

impl Drag {
    /// Makes the modal loop end at its next turn.
    fn cancel(self) -> JoinHandle<()> {
        self.cancelled.store(true, Ordering::Relaxed);
        self.thread
    }
}

/// Waits for a drag's thread. The window under the pointer may be one of this thread's, which then has to answer OLE's calls meanwhile.
fn wait(thread: JoinHandle<()>) {
    use std::os::windows::io::AsRawHandle;
    if !thread.is_finished() {
        let handle = HANDLE(thread.as_raw_handle());
        // SAFETY: the handle is valid as long as the thread is not joined. Without OLE on this thread the call fails, and there is nothing to
        // answer.
        let _ = unsafe { CoWaitForMultipleHandles(COWAIT_DEFAULT.0.cast_unsigned(), INFINITE, &[handle]) };
    }
    // A panic ended the drag; `ended` has reported it.
    let _ = thread.join();
}

/// A drag from beginning to end, on its own thread.
fn run(file: &PathBuf, editor_thread: u32, cancelled: Arc<AtomicBool>) -> Report {
    let _ole = Ole::initialize()?;
    let _input = SharedInput::with(editor_thread)?;
    let (fetched, released) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let object: IDataObject = FileObject::new(file, Rc::clone(&fetched)).into();
    let source: IDropSource = Source { cancelled, released: Rc::clone(&released) }.into();
    let mut effect = DROPEFFECT_NONE;
    // SAFETY: OLE is initialised on this thread, and both objects outlive the call.
    let ended = unsafe { DoDragDrop(&object, &source, DROPEFFECT_COPY, &raw mut effect) };
    outcome(ended, effect, released.get(), fetched.get())
}

/// Tells the editor's window that the button was released. OLE takes the mouse from it, so that it would take the button as held for ever.
fn report_release(window: isize) {
    let window = HWND(window as *mut _);
    let mut place = POINT::default();
    // SAFETY: plain calls; a window that is gone makes them fail, and there is nobody to tell.
    unsafe {
        if GetCursorPos(&raw mut place).is_ok() && ScreenToClient(window, &raw mut place).as_bool() {
            // As in a mouse message: two signed words.
            let word = |number: i32| isize::try_from(number & 0xffff).unwrap_or(0);
            let _ = PostMessageW(Some(window), WM_LBUTTONUP, WPARAM(0), LPARAM(word(place.x) | word(place.y) << 16));
        }
    }
}

/// Outcome of a drag: what `DoDragDrop` returned, the effect at the target, whether the button was released, and whether the path was
/// fetched.
fn outcome(ended: HRESULT, effect: DROPEFFECT, released: bool, fetched: bool) -> Report {
    match ended {
        // OLE reports a release over something that takes no files as a drop without effect.
        DRAGDROP_S_DROP if effect == DROPEFFECT_NONE => Ok(Outcome::Declined),
        DRAGDROP_S_DROP if fetched => Ok(Outcome::Delivered),
        DRAGDROP_S_DROP => Err(DragError::Unanswered),
        DRAGDROP_S_CANCEL if released => Ok(Outcome::Declined),
        DRAGDROP_S_CANCEL => Ok(Outcome::Cancelled),
        error => Err(DragError::Lost(windows::core::Error::from(error).into())),
    }
}

/// OLE on this thread, until it is dropped.
struct Ole;

impl Ole {
    fn initialize() -> Result<Self, DragError> {
        // SAFETY: undone on the same thread by `drop`.
        unsafe { OleInitialize(None) }.map_err(|error| DragError::Unavailable(error.into()))?;
        Ok(Self)
    }
}

impl Drop for Ole {
    fn drop(&mut self) {
        // SAFETY: `initialize` succeeded on this thread.
        unsafe { OleUninitialize() };
    }
}

/// The input of another thread shared with this one, until it is dropped.
struct SharedInput {
    own: u32,
    other: u32,
}

impl SharedInput {
    fn with(other: u32) -> Result<Self, DragError> {
        // SAFETY: no preconditions; undone by `drop`.
        let own = unsafe { GetCurrentThreadId() };
        // SAFETY: as above.
        if !unsafe { AttachThreadInput(own, other, true) }.as_bool() {
            return Err(DragError::Unavailable(windows::core::Error::from_thread().into()));
        }
        let shared = Self { own, other };
        hold_button();
        Ok(shared)
    }
}

impl Drop for SharedInput {
    fn drop(&mut self) {
        // SAFETY: attached by `with`.
        let _ = unsafe { AttachThreadInput(self.own, self.other, false) };
    }
}

/// Marks the left button as pressed if it is: `AttachThreadInput` resets the state that `DoDragDrop` reads, and it would take the button as
/// released at once.
fn hold_button() {
    let mut keys = [0; 256];
    // SAFETY: plain calls with a buffer of the required size.
    unsafe {
        if GetAsyncKeyState(VK_LBUTTON.0.into()) < 0 && GetKeyboardState(&mut keys).is_ok() {
            keys[usize::from(VK_LBUTTON.0)] |= 0x80;
            // If it fails, the drag ends at once, as declined.
            let _ = SetKeyboardState(&keys);
        }
    }
}

/// Decides when the drag ends.
#[implement(IDropSource)]
struct Source {
    cancelled: Arc<AtomicBool>,
    /// Set when the button was released.
    released: Rc<Cell<bool>>,
}

#[allow(non_snake_case, reason = "OLE's names")]
impl IDropSource_Impl for Source_Impl {
    fn QueryContinueDrag(&self, escape_pressed: BOOL, keys: MODIFIERKEYS_FLAGS) -> HRESULT {
        if escape_pressed.as_bool() || self.cancelled.load(Ordering::Relaxed) {
            return DRAGDROP_S_CANCEL;
        }
        if (keys & MK_LBUTTON).0 == 0 {
            self.released.set(true);
            return DRAGDROP_S_DROP;
        }
        S_OK
    }

    fn GiveFeedback(&self, _effect: DROPEFFECT) -> HRESULT {
        DRAGDROP_S_USEDEFAULTCURSORS
    }
}

#[cfg(test)]
mod tests {
    use windows::Win32::Foundation::E_UNEXPECTED;

    use super::*;

    #[test]
    fn drop_without_an_effect_is_declined() {
        assert!(matches!(outcome(DRAGDROP_S_DROP, DROPEFFECT_NONE, true, true), Ok(Outcome::Declined)));
        assert!(matches!(outcome(DRAGDROP_S_CANCEL, DROPEFFECT_NONE, true, false), Ok(Outcome::Declined)));
    }

    #[test]
    fn fetched_file_is_delivered_and_one_never_fetched_is_an_error() {
        assert!(matches!(outcome(DRAGDROP_S_DROP, DROPEFFECT_COPY, true, true), Ok(Outcome::Delivered)));
        assert!(matches!(outcome(DRAGDROP_S_DROP, DROPEFFECT_COPY, true, false), Err(DragError::Unanswered)));
    }

    #[test]
    fn cancelled_drag_is_not_delivered() {
        assert!(matches!(outcome(DRAGDROP_S_CANCEL, DROPEFFECT_COPY, false, true), Ok(Outcome::Cancelled)));
        assert!(matches!(outcome(E_UNEXPECTED, DROPEFFECT_COPY, true, true), Err(DragError::Lost(_))));
    }

    #[test]
    fn escape_and_cancelling_end_the_drag_before_a_release() {
        let (cancelled, released) = (Arc::new(AtomicBool::new(false)), Rc::new(Cell::new(false)));
        let source: IDropSource = Source { cancelled: Arc::clone(&cancelled), released: Rc::clone(&released) }.into();
        // SAFETY: plain interface calls.
        let asked = |escape: bool, keys| unsafe { source.QueryContinueDrag(escape, keys) };
        assert_eq!(asked(false, MK_LBUTTON), S_OK);
        assert_eq!(asked(true, MK_LBUTTON), DRAGDROP_S_CANCEL);
        assert_eq!((asked(false, MODIFIERKEYS_FLAGS(0)), released.get()), (DRAGDROP_S_DROP, true));
        cancelled.store(true, Ordering::Relaxed);
        assert_eq!(asked(false, MK_LBUTTON), DRAGDROP_S_CANCEL);
    }
}
