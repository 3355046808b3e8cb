//! Storage of the history of suggestions: the session edits it, the owner of the project saves it.

use std::sync::Arc;

use crate::plan::History;

/// Storage of one instance's history. While a session runs, its thread makes all edits, except that the owner of the project merges what a host loads;
/// the editor reads it and sends commands ([`CommandSender`](super::CommandSender)). Edits are short; the audio thread never calls it.
pub trait Archive: Send + Sync {
    /// The current history.
    fn history(&self) -> Arc<History>;

    /// Changes the history. An `Arc` returned earlier by [`history`](Self::history) keeps the old value.
    fn change(&self, change: &mut dyn FnMut(&mut History));
}

/// Changes the history and returns what the change returns.
pub(super) fn edit<R>(archive: &dyn Archive, edit: impl FnOnce(&mut History) -> R) -> R {
    let mut edit = Some(edit);
    let mut result = None;
    archive.change(&mut |history| result = edit.take().map(|edit| edit(history)));
    result.expect("an archive calls the change once")
}
