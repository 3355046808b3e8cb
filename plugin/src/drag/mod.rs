//! Dragging files from the editor into a host or a file manager.
//!
//! One trait and one drag source per window system: our own XDND source on X11, where a plug-in cannot rely on the host's toolkit, our own
//! OLE source on Windows, and the `drag` crate on macOS. The last was written from documentation and has not been run.

#[cfg(windows)]
mod data_object;
mod folder;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod ole;
#[cfg(target_os = "linux")]
mod uri_list;
#[cfg(target_os = "linux")]
mod x11;

use std::error::Error;
use std::path::Path;

use raw_window_handle::HasWindowHandle;

pub use folder::DragFolder;
#[cfg(target_os = "macos")]
use macos::MacSource as PlatformSource;
#[cfg(windows)]
pub use ole::OleSource;
#[cfg(windows)]
use ole::OleSource as PlatformSource;
#[cfg(target_os = "linux")]
pub use x11::XdndSource;
#[cfg(target_os = "linux")]
use x11::XdndSource as PlatformSource;

/// Drags a file from the editor to whatever the pointer is over when the button is released.
///
/// Dropping it cancels a running drag and waits for its thread, so that no thread outlives the library.
pub trait DragSource: Send {
    /// Begins dragging a file, given by its absolute path, while the primary button is held. Returns at once; cancels a drag in progress.
    ///
    /// # Errors
    /// When the window system cannot start a drag.
    fn begin(&mut self, file: &Path, window: &dyn HasWindowHandle) -> Result<(), DragError>;

    /// Outcome of the last drag, returned once; `None` while it is in progress.
    fn ended(&mut self) -> Option<Result<Outcome, DragError>>;
}

/// The drag source of the current window system.
#[must_use]
pub fn platform_source() -> Box<dyn DragSource> {
    Box::new(PlatformSource::default())
}

/// How a drag ended. The receiver may still read the file, so it is never deleted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver fetched the file path.
    Delivered,
    /// Released over something that takes no files.
    Declined,
    /// The drag was cancelled.
    Cancelled,
}

/// Why a file could not be dragged.
#[derive(Debug, thiserror::Error)]
pub enum DragError {
    /// No thread, or no connection to the window system.
    #[error("dragging is not available here: {0}; use Save as...")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The window system failed during the drag.
    #[error("the drag failed: {0}; try again, or use Save as...")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    /// The receiver accepted the drop but never fetched the path.
    #[error("the window that accepted the drop did not fetch the file; try again, or use Save as...")]
    Unanswered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drag_errors_mention_save_as() {
        let cause = || Box::<dyn Error + Send + Sync>::from("no server");
        for error in [DragError::Unavailable(cause()), DragError::Lost(cause()), DragError::Unanswered] {
            assert!(error.to_string().contains("Save as..."), "{error}");
        }
    }
}
