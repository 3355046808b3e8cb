//! Undo and redo of what is done in the window: locks, choices of variation, stars and deletions, the marked bars.
//!
//! The window records what it commands, with what undoes it. Controls belong to the host, which has an undo of its own; the marked bars are
//! undone here, too, because they are drawn with the pointer.

use antiphon_engine::plan::{EntryId, History, InfillRange, Plan, Step, Variation};
use antiphon_engine::session::{Command, LockTarget, Snapshot};

use super::infill::mark;
use super::model::EditorModel;

/// How many edits can be undone.
const MOST: usize = 100;

/// Something that was done.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    /// Locks were set.
    Lock(Vec<LockTarget>),
    /// Locks were removed.
    Unlock(Vec<LockTarget>),
    /// Another variation was chosen.
    Variation {
        from: Variation,
        to: Variation,
    },
    /// The last variation was replaced by four new ones.
    Replaced(Box<Plan>),
    /// A star was set or taken off.
    Star(EntryId),
    Remove(EntryId),
    /// Bars were marked for Infill.
    Mark {
        from: InfillRange,
        to: InfillRange,
    },
}

impl Edit {
    /// What a command changes; `None` if there is nothing to undo.
    fn of(command: Command, snapshot: &Snapshot) -> Option<Self> {
        let shown = chosen(snapshot);
        let from_to = |to| (to != shown).then_some(Self::Variation { from: shown, to });
        match command {
            Command::Lock(target) => Some(Self::Lock(vec![target])),
            Command::Unlock(target) => Some(Self::Unlock(vec![target])),
            Command::UnlockAll => Some(locked(snapshot)).filter(|locked| !locked.is_empty()).map(Self::Unlock),
            Command::Variation(to) => from_to(to),
            Command::Another => match shown.next() {
                Some(next) => from_to(next),
                None => snapshot.plan.as_ref().map(|shown| Self::Replaced(Box::new(shown.plan.clone()))),
            },
            Command::Star(id) => Some(Self::Star(id)),
            Command::Remove(id) => Some(Self::Remove(id)),
            _ => None,
        }
    }

    /// Its name behind "Undo" and "Redo".
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Lock(_) => "lock",
            Self::Unlock(_) => "unlock",
            Self::Variation { .. } | Self::Replaced(_) => "choice",
            Self::Star(_) => "Keep",
            Self::Remove(_) => "deletion",
            Self::Mark { .. } => "marked bars",
        }
    }

    /// Whether it can still be undone: a lock may have passed, another plan may be shown.
    fn can_undo(&self, snapshot: &Snapshot, history: &History) -> bool {
        match self {
            Self::Lock(targets) => targets.iter().any(|target| is_locked(*target, snapshot)),
            Self::Unlock(targets) => targets.iter().any(|target| can_lock(*target, snapshot)),
            Self::Variation { to, .. } => chosen(snapshot) == *to,
            Self::Replaced(plan) => history.find(plan).is_some(),
            Self::Star(id) => history.entries().iter().any(|entry| entry.id() == *id),
            Self::Remove(_) | Self::Mark { .. } => true,
        }
    }

    /// Whether it can be done again.
    fn can_redo(&self, snapshot: &Snapshot, history: &History) -> bool {
        match self {
            Self::Lock(targets) => targets.iter().any(|target| can_lock(*target, snapshot)),
            Self::Unlock(targets) => targets.iter().any(|target| is_locked(*target, snapshot)),
            Self::Variation { from, .. } => chosen(snapshot) == *from,
            Self::Replaced(plan) => history.recalled().is_some_and(|entry| entry.plan().is_same(plan)),
            Self::Star(id) | Self::Remove(id) => history.entries().iter().any(|entry| entry.id() == *id),
            Self::Mark { .. } => true,
        }
    }

    fn undo(&self, model: &mut impl EditorModel) {
        match self {
            Self::Lock(targets) => targets.iter().for_each(|target| model.command(Command::Unlock(*target))),
            Self::Unlock(targets) => targets.iter().for_each(|target| model.command(Command::Lock(*target))),
            Self::Variation { from, .. } => model.command(Command::Variation(*from)),
            Self::Replaced(plan) => {
                let id = model.history().find(plan).map(|entry| entry.id());
                id.into_iter().for_each(|id| model.command(Command::Step(Step::To(id))));
            }
            Self::Star(id) => model.command(Command::Star(*id)),
            Self::Remove(id) => model.command(Command::PutBack(*id)),
            Self::Mark { from, .. } => mark(model, *from),
        }
    }

    fn redo(&self, model: &mut impl EditorModel) {
        match self {
            Self::Lock(targets) => targets.iter().for_each(|target| model.command(Command::Lock(*target))),
            Self::Unlock(targets) => targets.iter().for_each(|target| model.command(Command::Unlock(*target))),
            Self::Variation { to, .. } => model.command(Command::Variation(*to)),
            Self::Replaced(_) => model.command(Command::Step(Step::Now)),
            Self::Star(id) => model.command(Command::Star(*id)),
            Self::Remove(id) => model.command(Command::Remove(*id)),
            Self::Mark { to, .. } => mark(model, *to),
        }
    }
}

/// The variation that is shown or awaited.
fn chosen(snapshot: &Snapshot) -> Variation {
    snapshot.variations.awaited.unwrap_or(snapshot.variations.shown)
}

fn is_locked(target: LockTarget, snapshot: &Snapshot) -> bool {
    locked(snapshot).contains(&target)
        || matches!(target, LockTarget::Note { .. }) && snapshot.locks.notes().iter().any(|note| LockTarget::of(note) == target)
}

/// Whether the shown plan has this note or bar.
fn can_lock(target: LockTarget, snapshot: &Snapshot) -> bool {
    let Some(shown) = &snapshot.plan else { return false };
    match target {
        LockTarget::Note { .. } => shown.plan.notes().iter().any(|note| LockTarget::of(note) == target),
        LockTarget::Bar { start } => {
            let bar = snapshot.bar_at(start).bar;
            shown.plan.brief.start < bar.end() && bar.end() <= shown.plan.ready()
        }
    }
}

/// What is locked: the bars, and the notes outside of them.
fn locked(snapshot: &Snapshot) -> Vec<LockTarget> {
    let locks = &snapshot.locks;
    let bars = locks.bars().iter().map(|start| LockTarget::Bar { start: *start });
    let notes = locks.notes().iter().filter(|note| !locks.holds_bar(snapshot.bar_at(note.onset).bar.start));
    bars.chain(notes.map(LockTarget::of)).collect()
}

/// Edits done, and edits undone, the last one last.
#[derive(Debug, Default)]
pub(super) struct Edits {
    done: Vec<Edit>,
    undone: Vec<Edit>,
}

impl Edits {
    /// Records the edit that a command is; call before it is sent.
    pub(super) fn record_command(&mut self, command: Command, snapshot: &Snapshot) {
        if let Some(edit) = Edit::of(command, snapshot) {
            self.record(edit);
        }
    }

    /// Records an edit; what was undone cannot be redone after it.
    pub(super) fn record(&mut self, edit: Edit) {
        self.undone.clear();
        if self.done.len() == MOST {
            self.done.remove(0);
        }
        self.done.push(edit);
    }

    /// The edit that Undo would undo.
    pub(super) fn next_undo(&self, snapshot: &Snapshot, history: &History) -> Option<&Edit> {
        self.done.iter().rfind(|edit| edit.can_undo(snapshot, history))
    }

    /// The edit that Redo would do again.
    pub(super) fn next_redo(&self, snapshot: &Snapshot, history: &History) -> Option<&Edit> {
        self.undone.iter().rfind(|edit| edit.can_redo(snapshot, history))
    }

    /// Undoes the last edit that can be undone; those after it have passed.
    pub(super) fn undo(&mut self, model: &mut impl EditorModel) {
        let (snapshot, history) = (model.snapshot(), model.history());
        while let Some(edit) = self.done.pop() {
            if edit.can_undo(&snapshot, &history) {
                edit.undo(model);
                self.undone.push(edit);
                return;
            }
        }
    }

    /// Does the last undone edit again.
    pub(super) fn redo(&mut self, model: &mut impl EditorModel) {
        let (snapshot, history) = (model.snapshot(), model.history());
        while let Some(edit) = self.undone.pop() {
            if edit.can_redo(&snapshot, &history) {
                edit.redo(model);
                self.done.push(edit);
                return;
            }
        }
    }
}
