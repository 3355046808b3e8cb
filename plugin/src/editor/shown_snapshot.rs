//! The snapshot that is drawn: the session's own, one with a phrase of the history in place of the plan, or one with what will sound if a swap is
//! ahead. The latter two are copies of all notes, so they are made only when something in them changes, and not for each frame.

use std::sync::Arc;

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{EntryId, History};
use antiphon_engine::session::Snapshot;

use super::history;
use super::model::Now;
use super::swap;

/// What a snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// The plan, as the session published it.
    Plan,
    /// A phrase of the history in place of the plan.
    Phrase,
    /// The phrase that plays up to a swap, and from it on what takes over.
    Swap,
}

/// A phrase of the history, its length in ticks and notes, since it may grow, and the bar line on which it is shown.
type Place = (EntryId, Tick, usize, Tick);

/// The snapshot of the last frame, with what it was made of.
#[derive(Default)]
pub(super) struct ShownSnapshot(Option<Made>);

struct Made {
    live: Arc<Snapshot>,
    phrase: Option<Place>,
    shown: Arc<Snapshot>,
    shows: Shows,
}

impl ShownSnapshot {
    /// The snapshot to draw, and what it shows.
    pub(super) fn of(&mut self, live: &Arc<Snapshot>, now: &Now, history: &History) -> (Arc<Snapshot>, Shows) {
        let line = || live.bar_at(now.playhead.tick()).bar.end();
        let phrase = history.recalled().map(|entry| (entry.id(), entry.plan().ready(), entry.plan().notes().len(), line()));
        let is_current = |made: &&Made| Arc::ptr_eq(&made.live, live) && made.phrase == phrase;
        if let Some(made) = self.0.as_ref().filter(is_current) {
            return (Arc::clone(&made.shown), made.shows);
        }
        let other = match phrase {
            Some(_) => history::with_selected_entry(live, now, history).map(|snapshot| (snapshot, Shows::Phrase)),
            None => swap::with_swap(live).map(|snapshot| (snapshot, Shows::Swap)),
        };
        let (shown, shows) = other.map_or_else(|| (Arc::clone(live), Shows::Plan), |(snapshot, shows)| (Arc::new(snapshot), shows));
        self.0 = Some(Made { live: Arc::clone(live), phrase, shown: Arc::clone(&shown), shows });
        (shown, shows)
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{MetreMap, Note, Role, Tempo};
    use antiphon_engine::plan::{Place, Reason, Step, Variation};
    use antiphon_engine::session::{ShownVariations, Takeover};

    use super::*;
    use crate::clock::{Motion, MusicalTime};
    use crate::editor::samples::plan;

    fn now(playhead: f64) -> Now {
        Now { playhead: MusicalTime(playhead), tempo: 120.0, motion: Motion::Host }
    }

    #[test]
    fn plan_is_the_sessions_own_snapshot_and_not_copied() {
        let live = Arc::new(Snapshot { plan: Some(plan(0, 96, &[])), ..Snapshot::default() });
        let (shown, shows) = ShownSnapshot::default().of(&live, &now(0.0), &History::default());
        assert!(Arc::ptr_eq(&shown, &live) && shows == Shows::Plan);
    }

    #[test]
    fn swap_is_made_again_only_for_another_snapshot() {
        let mut playing = plan(0, 384, &[]);
        playing.playing = true;
        let takeover = Some(Takeover { at: Tick(144), plan: None });
        let variations = ShownVariations { awaited: Some(Variation::B), takeover, ..ShownVariations::default() };
        let live = Arc::new(Snapshot { plan: Some(playing), variations, ..Snapshot::default() });
        let (mut snapshots, history) = (ShownSnapshot::default(), History::default());
        let (first, shows) = snapshots.of(&live, &now(0.0), &history);
        let (second, _) = snapshots.of(&live, &now(50.0), &history);
        assert!(shows == Shows::Swap && Arc::ptr_eq(&first, &second));
        let (other, _) = snapshots.of(&Arc::new(Snapshot::clone(&live)), &now(50.0), &history);
        assert!(!Arc::ptr_eq(&first, &other));
    }

    #[test]
    fn phrase_of_the_history_is_made_again_for_another_bar_line_or_phrase() {
        let live = Arc::new(Snapshot { plan: Some(plan(0, 96, &[])), ..Snapshot::default() });
        let place = || Place { bar: 1, line: Tick(0), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
        let mut history = History::default();
        let note = |pitch| Note { onset: Tick(24), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        let ids = [60, 62].map(|pitch| history.push(plan(0, 96, &[note(pitch)]).plan, place(), Reason::Kept).unwrap());
        let mut snapshots = ShownSnapshot::default();
        let mut at = |history: &History, playhead| snapshots.of(&live, &now(playhead), history);
        history.step(Step::To(ids[0]), None);
        let (first, shows) = at(&history, 0.0);
        assert!(shows == Shows::Phrase && Arc::ptr_eq(&first, &at(&history, 50.0).0));
        assert!(!Arc::ptr_eq(&first, &at(&history, 100.0).0), "it begins at the next bar line");
        history.step(Step::To(ids[1]), None);
        assert!(!Arc::ptr_eq(&first, &at(&history, 0.0).0));
        history.step(Step::Now, None);
        assert_eq!(at(&history, 0.0).1, Shows::Plan);
    }
}
