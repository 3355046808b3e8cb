//! Storage of the history of suggestions, of the take, of the memory of the player and of the chosen chords. The session edits the first three and reads
//! the last; the owner of the project saves them.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::plan::{ChordChart, History, PlayerMemory, Take};

/// Storage of one instance's history, take and memory. While a session runs, its thread makes all edits, except that the owner of the project merges what a host loads;
/// the editor reads it and sends commands ([`CommandSender`](super::CommandSender)). Edits are short; the audio thread never calls it.
pub trait Archive: Send + Sync {
    /// The current history.
    fn history(&self) -> Arc<History>;

    /// Changes the history. An `Arc` returned earlier by [`history`](Self::history) keeps the old value.
    fn change(&self, change: &mut dyn FnMut(&mut History));

    /// The current take.
    fn take(&self) -> Arc<Take>;

    /// Changes the take. An `Arc` returned earlier by [`take`](Self::take) keeps the old value.
    fn change_take(&self, change: &mut dyn FnMut(&mut Take));

    /// The current memory of the player.
    fn memory(&self) -> Arc<PlayerMemory>;

    /// Changes the memory. An `Arc` returned earlier by [`memory`](Self::memory) keeps the old value.
    fn change_memory(&self, change: &mut dyn FnMut(&mut PlayerMemory));

    /// Chords that the player has chosen for bars of the song. The window edits them, at any time.
    fn chart(&self) -> Arc<ChordChart>;
}

/// An archive that nobody saves, for programs without a project.
#[derive(Debug, Default)]
pub struct UnsavedArchive {
    history: Mutex<Arc<History>>,
    take: Mutex<Arc<Take>>,
    memory: Mutex<Arc<PlayerMemory>>,
}

impl Archive for UnsavedArchive {
    fn history(&self) -> Arc<History> {
        Arc::clone(&self.history.lock())
    }

    fn change(&self, change: &mut dyn FnMut(&mut History)) {
        change(Arc::make_mut(&mut self.history.lock()));
    }

    fn take(&self) -> Arc<Take> {
        Arc::clone(&self.take.lock())
    }

    fn change_take(&self, change: &mut dyn FnMut(&mut Take)) {
        change(Arc::make_mut(&mut self.take.lock()));
    }

    fn memory(&self) -> Arc<PlayerMemory> {
        Arc::clone(&self.memory.lock())
    }

    fn change_memory(&self, change: &mut dyn FnMut(&mut PlayerMemory)) {
        change(Arc::make_mut(&mut self.memory.lock()));
    }

    fn chart(&self) -> Arc<ChordChart> {
        Arc::default()
    }
}

/// Changes the history and returns what the change returns.
pub(super) fn edit<R>(archive: &dyn Archive, edit: impl FnOnce(&mut History) -> R) -> R {
    let mut edit = Some(edit);
    let mut result = None;
    archive.change(&mut |history| result = edit.take().map(|edit| edit(history)));
    result.expect("an archive calls the change once")
}

/// Changes the take.
pub(super) fn edit_take(archive: &dyn Archive, edit: impl FnOnce(&mut Take)) {
    let mut edit = Some(edit);
    archive.change_take(&mut |take| {
        if let Some(edit) = edit.take() {
            edit(take);
        }
    });
}

/// Changes the memory.
pub(super) fn edit_memory(archive: &dyn Archive, edit: impl FnOnce(&mut PlayerMemory)) {
    let mut edit = Some(edit);
    archive.change_memory(&mut |memory| {
        if let Some(edit) = edit.take() {
            edit(memory);
        }
    });
}
