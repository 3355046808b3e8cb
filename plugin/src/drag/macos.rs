//! Drag source for macOS, on the `drag` crate. Written from its documentation and source; not run.
//!
//! A dragging session starts on the editor's view and returns at once. It must be started on the main thread, on which the editor draws.

use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use drag::{DragItem, DragResult, Image, Options};
use raw_window_handle::HasWindowHandle;

use super::{DragError, DragSource, Outcome};

/// Drag image at the pointer.
const PICTURE: &[u8] = include_bytes!("clip.png");

/// Drag source for macOS.
#[derive(Debug, Default)]
pub(super) struct MacSource {
    /// Receives the outcome of the last drag; `None` when it was read.
    outcomes: Option<Receiver<Outcome>>,
}

impl DragSource for MacSource {
    fn begin(&mut self, file: &Path, window: &dyn HasWindowHandle) -> Result<(), DragError> {
        let window = window.window_handle().map_err(|error| DragError::Unavailable(error.to_string().into()))?;
        let (sender, outcomes) = channel();
        let ended = move |result: DragResult, _| {
            let outcome = if matches!(result, DragResult::Dropped) { Outcome::Delivered } else { Outcome::Cancelled };
            // The receiver is gone once the editor is closed.
            let _ = sender.send(outcome);
        };
        drag::start_drag(&window, DragItem::Files(vec![file.to_owned()]), Image::Raw(PICTURE.to_vec()), ended, Options::default())
            .map_err(|error| DragError::Unavailable(error.into()))?;
        self.outcomes = Some(outcomes);
        Ok(())
    }

    fn ended(&mut self) -> Option<Result<Outcome, DragError>> {
        let outcome = match self.outcomes.as_ref()?.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Outcome::Cancelled,
        };
        self.outcomes = None;
        Some(Ok(outcome))
    }
}
