//! Files dragged out of the editor into a host or a file manager.
//!
//! One trait, and one source per window system: our own XDND source on X11, where a plug-in cannot count on the host's toolkit, and the `drag`
//! crate on Windows and macOS. Those two were written from their documentation and have not been run.

mod folder;
#[cfg(any(windows, target_os = "macos"))]
mod native;
#[cfg(target_os = "linux")]
mod x11;

use std::error::Error;
use std::path::Path;

use raw_window_handle::HasWindowHandle;

pub use folder::DragFolder;
#[cfg(any(windows, target_os = "macos"))]
use native::NativeSource as PlatformSource;
#[cfg(target_os = "linux")]
pub use x11::XdndSource;
#[cfg(target_os = "linux")]
use x11::XdndSource as PlatformSource;

/// Carries a file from the editor to whatever the pointer is over when its button is let go.
///
/// Dropping it ends a drag that is under way and waits for it, so that no thread of ours outlives the library.
pub trait DragSource: Send {
    /// Begins a drag of a file, given by its full path, while the primary button is held. Returns at once; one that is under way is ended.
    ///
    /// # Errors
    /// When the window system lets no drag begin.
    fn begin(&mut self, file: &Path, window: &dyn HasWindowHandle) -> Result<(), DragError>;

    /// How the last drag ended: once, and `None` while it is under way.
    fn ended(&mut self) -> Option<Result<Outcome, DragError>>;
}

/// The source of the window system we run on.
#[must_use]
pub fn platform_source() -> Box<dyn DragSource> {
    Box::new(PlatformSource::default())
}

/// How a drag ended. What became of the file is the receiver's affair, so it is never deleted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has fetched the file's place.
    Delivered,
    /// The pointer was let go over something that takes no files.
    Declined,
    /// The drag was called off.
    Cancelled,
}

/// Why a file could not be dragged.
#[derive(Debug, thiserror::Error)]
pub enum DragError {
    /// No thread, or no connection to the window system.
    #[error("nothing can be dragged from here: {0}; use Save as...")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The window system failed in the middle of it.
    #[error("the drag was lost: {0}; try again, or use Save as...")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    /// The receiver took the drop, and then did not fetch it.
    #[error("the window it was dropped on did not fetch the file; try again, or use Save as...")]
    Unanswered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_way_round() {
        let cause = || Box::<dyn Error + Send + Sync>::from("no server");
        for error in [DragError::Unavailable(cause()), DragError::Lost(cause()), DragError::Unanswered] {
            assert!(error.to_string().contains("Save as..."), "{error}");
        }
    }
}
