//! Where the history of suggestions is kept: the session edits it, whoever owns the project stores it.

use std::sync::Arc;

use crate::plan::History;

/// The keeper of one instance's history. While there is a session, its thread alone edits it, and whoever owns the project joins what a host loads;
/// the editor reads it and sends commands ([`CommandSender`](super::CommandSender)). Edits are short; the audio thread never calls it.
pub trait Archive: Send + Sync {
    /// The history as it stands.
    fn history(&self) -> Arc<History>;

    /// Changes the history. Whoever holds it from [`history`](Self::history) keeps it as it was.
    fn change(&self, change: &mut dyn FnMut(&mut History));
}

/// Changes the history and returns what the change returns.
pub(super) fn edit<R>(archive: &dyn Archive, edit: impl FnOnce(&mut History) -> R) -> R {
    let mut edit = Some(edit);
    let mut result = None;
    archive.change(&mut |history| result = edit.take().map(|edit| edit(history)));
    result.expect("an archive calls the change once")
}
