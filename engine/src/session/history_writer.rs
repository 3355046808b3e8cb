//! Writes plans into the project's history and reads them back.
//!
//! A plan is written when it is played, when it is kept, when Another replaces it, and when it is the adopted plan at the end of a phrase:
//! after a bar of silence from the player, or when the transport stops or jumps.

use std::sync::Arc;

use crate::music::{Bar, MetreMap, Tempo, Tick};
use crate::plan::{EntryId, History, MusicalClock, Place, Plan, Reason, StarsFull, Step};

use super::Archive;

/// End of the player's last phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    /// Onset of the last note.
    pub(super) onset: Tick,
    /// Tick since which nothing sounds; `None` while a note sounds.
    pub(super) silent_since: Option<Tick>,
}

/// A plan that will be written if the phrase proves to have ended.
#[derive(Debug, Clone)]
struct Candidate {
    /// Onset of the phrase's last note.
    onset: Tick,
    plan: Plan,
    place: Place,
}

/// Writes a session's plans into the history.
pub(super) struct HistoryWriter {
    archive: Arc<dyn Archive>,
    candidate: Option<Candidate>,
    /// Onset of the last note of the phrase that was written last.
    written: Option<Tick>,
}

impl HistoryWriter {
    pub(super) const fn new(archive: Arc<dyn Archive>) -> Self {
        Self { archive, candidate: None, written: None }
    }

    fn edit<R>(&self, edit: impl FnOnce(&mut History) -> R) -> R {
        super::archive::edit(&*self.archive, edit)
    }

    /// Writes a plan that the player replaced.
    pub(super) fn write_replaced(&self, plan: &Plan, clock: &MusicalClock, tempo: f64) {
        let place = place(plan, clock, tempo);
        self.edit(|history| history.push(plan.clone(), place, Reason::Rerolled));
    }

    /// Writes a plan that plays from this tick on: where that is, is its place.
    pub(super) fn write_played(&self, plan: &Plan, from: Tick, clock: &MusicalClock, tempo: f64) {
        let from = from.max(plan.brief.start);
        let place = Place { played_from: Some(from), ..place_from(from, plan, clock, tempo) };
        self.edit(|history| history.push(plan.clone(), place, Reason::Played));
    }

    /// Writes a plan and stars it.
    ///
    /// # Errors
    /// If there is no room for another star. The plan is written without one.
    pub(super) fn keep(&self, plan: &Plan, clock: &MusicalClock, tempo: f64) -> Result<(), StarsFull> {
        let place = place(plan, clock, tempo);
        self.edit(|history| match history.push(plan.clone(), place, Reason::Kept) {
            Some(id) => history.star(id).map(drop),
            None => Ok(()),
        })
    }

    /// Toggles the star of the recalled entry. `None` if none is recalled.
    pub(super) fn keep_recalled(&self) -> Option<Result<(), StarsFull>> {
        let id = self.archive.history().recalled()?.id();
        Some(self.toggle_star(id))
    }

    /// Toggles the star of an entry.
    pub(super) fn toggle_star(&self, id: EntryId) -> Result<(), StarsFull> {
        self.edit(|history| {
            if history.entries().iter().any(|entry| entry.id() == id && entry.is_starred()) {
                history.unstar(id);
                return Ok(());
            }
            history.star(id).map(drop)
        })
    }

    /// Removes an entry.
    pub(super) fn remove(&self, id: EntryId) {
        self.edit(|history| history.remove(id));
    }

    /// Undoes the removal of an entry.
    pub(super) fn put_back(&self, id: EntryId) {
        self.edit(|history| history.put_back(id));
    }

    /// Recalled plan, and the shift in ticks that puts its first bar at this line.
    pub(super) fn recalled(&self, line: Tick) -> Option<(Plan, Tick)> {
        self.archive.history().recalled().map(|entry| (entry.plan().clone(), line - entry.place().line))
    }

    /// Steps through the history; `current` is the plan that is shown.
    pub(super) fn step(&self, step: Step, current: Option<&Plan>) {
        self.edit(|history| history.step(step, current));
    }

    /// Returns to the current plan.
    pub(super) fn leave(&self) {
        // An edit copies a history that another thread holds: avoid one that changes nothing.
        if self.archive.history().recalled().is_some() {
            self.edit(|history| history.step(Step::Now, None));
        }
    }

    /// Adds newly generated notes of a plan to its entry.
    pub(super) fn grow(&mut self, plan: &Plan) {
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| candidate.plan.is_same(plan)) {
            candidate.plan = plan.clone();
        }
        if self.archive.history().find(plan).is_some_and(|entry| entry.plan().ready() < entry.plan().brief.end) {
            self.edit(|history| history.grow(plan));
        }
    }

    /// Tracks the player's phrase at a planning tick, with the adopted plan as the candidate to write.
    pub(super) fn track_phrase(&mut self, ending: Option<Ending>, adopted: Option<&Plan>, clock: &MusicalClock, tempo: f64) {
        let Some(Ending { onset, silent_since }) = ending else { return };
        let Some(since) = silent_since.filter(|_| self.written != Some(onset)) else {
            self.candidate = None;
            return;
        };
        if self.candidate.as_ref().is_none_or(|candidate| candidate.onset != onset) {
            // The first plan whose context holds the whole phrase.
            let plan = adopted.filter(|plan| plan.brief.made_at >= since);
            self.candidate = plan.map(|plan| Candidate { onset, plan: plan.clone(), place: place(plan, clock, tempo) });
        }
        if clock.now() - since >= clock.open_bar().metre.bar_length() {
            self.end_phrase(ending, None, clock, tempo);
        }
    }

    /// Ends the phrase: writes the candidate plan of its end, or else the adopted one.
    pub(super) fn end_phrase(&mut self, ending: Option<Ending>, adopted: Option<&Plan>, clock: &MusicalClock, tempo: f64) {
        let Some(Ending { onset, .. }) = ending.filter(|ending| self.written != Some(ending.onset)) else { return };
        let candidate = self.candidate.take().filter(|candidate| candidate.onset == onset);
        let at_end = candidate
            .map(|candidate| (candidate.plan, candidate.place))
            .or_else(|| adopted.map(|plan| (plan.clone(), place(plan, clock, tempo))));
        if let Some((plan, place)) = at_end {
            self.edit(|history| history.push(plan, place, Reason::PhraseEnd));
            self.written = Some(onset);
        }
    }
}

/// Place of a whole plan in the song.
fn place(plan: &Plan, clock: &MusicalClock, tempo: f64) -> Place {
    place_from(plan.brief.start, plan, clock, tempo)
}

/// Place in the song of a plan from this tick on.
fn place_from(start: Tick, plan: &Plan, clock: &MusicalClock, tempo: f64) -> Place {
    let bars: Vec<Bar> =
        std::iter::successors(clock.bar_at(start), |bar| clock.bar_at(bar.end())).take_while(|bar| bar.start < plan.brief.end).collect();
    let line = bars.first().map_or(start, |bar| bar.start);
    Place {
        bar: clock.song_bars().number(clock.song_at(line)),
        line,
        metres: MetreMap::new(bars.iter().map(|bar| (bar.start - line, bar.metre))),
        tempo: Tempo::from_bpm(tempo).unwrap_or_default(),
        played_from: None,
    }
}
