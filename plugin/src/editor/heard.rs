//! What of a plan will be heard: the cards and the clips that are dragged out hold what the roll shows.

use antiphon_engine::music::{Note, Tick};
use antiphon_engine::plan::{Entry, Plan};

/// A plan from a tick on: what Play would play of it if it were pressed now, or all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'a> {
    plan: &'a Plan,
    from: Tick,
}

impl<'a> Heard<'a> {
    /// The phrase of an entry of the history: from where it was played.
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self::from(entry.plan(), Some(entry.start()))
    }

    /// The plan without what starts before a tick, if it is silent up to one.
    pub(super) fn from(plan: &'a Plan, silent_before: Option<Tick>) -> Self {
        let start = plan.brief.start;
        Self { plan, from: silent_before.map_or(start, |line| line.max(start)) }
    }

    /// First tick that is heard.
    pub(super) const fn start(self) -> Tick {
        self.from
    }

    /// Tick up to which its notes are there.
    pub(super) fn ready(self) -> Tick {
        self.plan.ready().max(self.from)
    }

    /// Tick at which it ends.
    pub(super) fn end(self) -> Tick {
        self.plan.brief.end.max(self.from)
    }

    /// Its notes, in order of time.
    pub(super) fn notes(self) -> &'a [Note] {
        let notes = self.plan.notes();
        &notes[notes.partition_point(|note| note.onset < self.from)..]
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;

    use super::*;
    use crate::editor::samples::plan;

    #[test]
    fn plan_is_heard_from_the_line_before_which_it_is_silent() {
        let note = |onset| Note { onset: Tick(onset), offset: 0, duration: Tick(200), pitch: 60, velocity: 90, role: Role::Keys };
        let shown = plan(72, 288, &[note(72), note(96), note(100)]);
        let heard = |line| {
            let heard = Heard::from(&shown.plan, line);
            (heard.start().0, heard.end().0, heard.notes().iter().map(|note| note.onset.0).collect::<Vec<_>>())
        };
        assert_eq!(heard(None), (72, 288, vec![72, 96, 100]));
        assert_eq!(heard(Some(Tick(24))), (72, 288, vec![72, 96, 100]), "it begins later");
        assert_eq!(heard(Some(Tick(96))), (96, 288, vec![96, 100]), "a note that rings over the line is not heard, either");
        assert_eq!(heard(Some(Tick(384))), (384, 384, vec![]));
    }
}
