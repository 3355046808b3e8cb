//! The engine's session as the plug-in's planner.

use std::sync::Arc;

use antiphon_engine::plan::{ChordChart, History, PlayerMemory, Take};
use antiphon_engine::session::{Archive, SessionPorts, SessionStatus, SharedSnapshot};
use parking_lot::Mutex;

use crate::meters::{Count, Meters};
use crate::planning_session::{PlanningPorts, PlanningSession};
use crate::report;
use crate::runtime_folders::runtime_folders;
use crate::state::State;

/// One instance's session. On drop it writes a line of counts for defect reports.
pub struct Session {
    /// `None` only while it is being dropped.
    session: Option<antiphon_engine::session::Session>,
    meters: Arc<Meters>,
    snapshot: Arc<SharedSnapshot>,
}

impl Session {
    /// Status of the session, for threads that may wait. Outlives the session.
    ///
    /// # Panics
    /// Never: the session is there until it is dropped.
    #[must_use]
    pub fn status(&self) -> Arc<Mutex<SessionStatus>> {
        self.session.as_ref().expect("it is there until it is dropped").status()
    }
}

impl PlanningSession for Session {
    fn spawn(ports: PlanningPorts) -> Self {
        let PlanningPorts { events, planned, takes, commands, meters, snapshot, state } = ports;
        let (session_snapshot, count_ignored) = (Arc::clone(&snapshot), count_ignored(&meters));
        let ports = SessionPorts { events, planned, commands, snapshot: session_snapshot, archive: state, takes, count_ignored };
        Self { session: Some(antiphon_engine::session::Session::start(ports, runtime_folders())), meters, snapshot }
    }

    fn wait_for(&mut self, sent: u64) {
        if let Some(session) = &mut self.session {
            session.wait_for(sent);
        }
    }
}

/// Callback that adds the player's notes without room in the context to the count of dropped input.
pub(crate) fn count_ignored(meters: &Arc<Meters>) -> Box<dyn Fn(u64) + Send> {
    let meters = Arc::clone(meters);
    Box::new(move |number| meters.add(Count::DroppedInput, number))
}

impl Drop for Session {
    fn drop(&mut self) {
        // Joins its thread: the last snapshot is then final.
        drop(self.session.take());
        report::leave(&self.meters, self.snapshot.latest().status.plans);
    }
}

impl Archive for State {
    fn history(&self) -> Arc<History> {
        Self::history(self)
    }

    fn change(&self, change: &mut dyn FnMut(&mut History)) {
        self.edit(change);
    }

    fn take(&self) -> Arc<Take> {
        Self::take(self)
    }

    fn change_take(&self, change: &mut dyn FnMut(&mut Take)) {
        self.edit_take(change);
    }

    fn memory(&self) -> Arc<PlayerMemory> {
        Self::memory(self)
    }

    fn change_memory(&self, change: &mut dyn FnMut(&mut PlayerMemory)) {
        self.edit_memory(change);
    }

    fn chart(&self) -> Arc<ChordChart> {
        Self::chart(self)
    }
}

#[cfg(test)]
mod tests;
