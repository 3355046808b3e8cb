//! Drag source for Windows and macOS, on the `drag` crate. Written from its documentation and source; not run.
//!
//! macOS starts a dragging session on the editor's view and returns; it must be called on the main thread, on which the editor draws.
//! Windows' `DoDragDrop` is a modal loop and runs on its own thread: inside the editor's paint call it would deadlock.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use drag::{DragItem, DragResult, Image, Options};
use raw_window_handle::HasWindowHandle;

use super::{DragError, DragSource, Outcome};

/// Drag image at the pointer.
const PICTURE: &[u8] = include_bytes!("clip.png");

type Report = Result<Outcome, DragError>;

/// Drag source for Windows and macOS.
#[derive(Debug, Default)]
pub(super) struct NativeSource {
    /// Receives the outcome of the last drag; `None` when it was read.
    reports: Option<Receiver<Report>>,
    #[cfg(windows)]
    thread: Option<std::thread::JoinHandle<()>>,
}

impl DragSource for NativeSource {
    fn begin(&mut self, file: &Path, window: &dyn HasWindowHandle) -> Result<(), DragError> {
        let window = window.window_handle().map_err(|error| DragError::Unavailable(error.to_string().into()))?;
        let (report, reports) = channel();
        #[cfg(target_os = "macos")]
        start(file, &window, report)?;
        #[cfg(windows)]
        {
            self.join();
            self.thread = Some(modal::spawn(file, window.as_raw(), report)?);
        }
        self.reports = Some(reports);
        Ok(())
    }

    fn ended(&mut self) -> Option<Report> {
        let report = match self.reports.as_ref()?.try_recv() {
            Ok(report) => report,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Ok(Outcome::Cancelled),
        };
        self.reports = None;
        Some(report)
    }
}

/// Starts a drag, and sends its outcome.
fn start(file: &Path, window: &impl HasWindowHandle, report: Sender<Report>) -> Result<(), DragError> {
    let item = DragItem::Files(vec![file.to_owned()]);
    let ended = move |result: DragResult, _| {
        let outcome = if matches!(result, DragResult::Dropped) { Outcome::Delivered } else { Outcome::Cancelled };
        // The receiver is gone once the editor is closed.
        let _ = report.send(Ok(outcome));
    };
    drag::start_drag(window, item, Image::Raw(PICTURE.to_vec()), ended, Options::default())
        .map_err(|error| DragError::Unavailable(error.into()))
}

#[cfg(windows)]
impl NativeSource {
    /// Waits for the modal loop, which ends when the button is released.
    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic ended the drag; there is nothing more to report.
            let _ = thread.join();
        }
    }
}

#[cfg(windows)]
impl Drop for NativeSource {
    fn drop(&mut self) {
        self.join();
    }
}

#[cfg(windows)]
mod modal {
    use std::path::Path;
    use std::sync::mpsc::Sender;
    use std::thread::{self, JoinHandle};

    use raw_window_handle::{HandleError, HasWindowHandle, RawWindowHandle, Win32WindowHandle, WindowHandle};
    use windows_sys::Win32::System::Ole::{OleInitialize, OleUninitialize};
    use windows_sys::Win32::System::Threading::{AttachThreadInput, GetCurrentThreadId};

    use super::{Report, start};
    use crate::drag::DragError;

    /// The editor's window, usable on the drag thread.
    struct Owner(Win32WindowHandle);

    impl HasWindowHandle for Owner {
        fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
            // SAFETY: `drag` only checks the kind of the handle; the system rejects one whose window is gone.
            Ok(unsafe { WindowHandle::borrow_raw(RawWindowHandle::Win32(self.0)) })
        }
    }

    /// Runs the modal loop on its own thread. Called on the window's thread.
    pub(super) fn spawn(file: &Path, window: RawWindowHandle, report: Sender<Report>) -> Result<JoinHandle<()>, DragError> {
        let RawWindowHandle::Win32(window) = window else {
            return Err(DragError::Unavailable("the editor's window is not a Win32 window".into()));
        };
        let (file, owner) = (file.to_owned(), Owner(window));
        // SAFETY: no preconditions.
        let editor_thread = unsafe { GetCurrentThreadId() };
        let run = move || {
            // SAFETY: each call is undone below, on the same thread. OLE is initialised per thread, and the button was pressed on the
            // editor's thread, whose input queue this thread must share to see the release.
            let (own_thread, ole) = unsafe {
                let own_thread = GetCurrentThreadId();
                let ole = OleInitialize(std::ptr::null());
                AttachThreadInput(own_thread, editor_thread, 1);
                (own_thread, ole)
            };
            if let Err(error) = start(&file, &owner, report.clone()) {
                let _ = report.send(Err(error));
            }
            // SAFETY: as above; OLE is only uninitialised where it was initialised.
            unsafe {
                AttachThreadInput(own_thread, editor_thread, 0);
                if ole >= 0 {
                    OleUninitialize();
                }
            }
        };
        thread::Builder::new().name("antiphon drag".into()).spawn(run).map_err(|error| DragError::Unavailable(error.into()))
    }
}
