//! One instance's session: a thread between the audio thread's rings, the window and the engine's workers. Input events and commands in, planned
//! notes and snapshots out.
//!
//! The audio thread must not notify other threads, so this thread polls every few milliseconds; an offline render wakes it and waits. It alone owns
//! the context and the plan ([`Planner`]), and it writes the history of suggestions into the project ([`Archive`]). It is joined when the session is
//! dropped: a host may unload the library right after.

mod archive;
mod as_planned;
mod commands;
mod context;
mod controls;
mod engine_status;
mod history_writer;
mod infill_music;
mod latency;
mod listening;
mod locks;
mod outbox;
mod planner;
mod player;
mod protocol;
mod remembering;
mod render_wait;
mod settings;
mod snapshot;
mod song_listener;
mod sounded;
mod steering;
mod take_ring;
mod take_writer;
mod withheld;
mod worker;

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ringbuf::{HeapCons, HeapProd};

use crate::service::Service;

pub use archive::{Archive, UnsavedArchive};
pub use commands::{CommandQueue, CommandSender};
pub use controls::{
    BandControls, ControlValues, DEFAULT_MEMORY, HarmonyControls, Hearing, KeyControl, MOST_LATENCY_MS, MusicControls, OutputControls,
    PatternLock, PlanControls, RoleControls, ScaleLock, ShapeControls, TurnControls,
};
pub use engine_status::{Engine, Fault, Part, Parts, SessionStatus};
pub use latency::RequestTiming;
pub use locks::LockTarget;
pub use planner::Planner;
pub use protocol::{Command, Epoch, FADE, InputEvent, PlannedEvent};
pub use render_wait::RenderWait;
use render_wait::Wait;
pub use snapshot::{
    BandStatus, Component, PlannedChord, SharedSnapshot, ShownBar, ShownLocks, ShownMemory, ShownPlan, ShownTurn, ShownVariations,
    Snapshot, Status, Takeover,
};
pub use take_ring::{TakeReceiver, TakeSender, take_ring};
pub use withheld::{Withheld, WithheldNote};
use worker::ServiceWorker;
pub use worker::{Work, Worker};

/// Polling interval while the clock runs: well below a tick.
const RUNNING: Duration = Duration::from_millis(3);
/// Interval at which the editor is asked to repaint.
const CALL: Duration = Duration::from_millis(250);
/// Polling interval while there is nothing to plan: the clock is stopped, or planning pauses.
const STOPPED: Duration = Duration::from_millis(20);
/// Longest wait of an offline render for its session.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ports of a session: its ends of the rings, and what it shares with the editor and the project.
pub struct SessionPorts {
    /// Events of the audio thread, in order of time.
    pub events: HeapCons<InputEvent>,
    /// Planned events for the audio thread.
    pub planned: HeapProd<PlannedEvent>,
    /// Commands of the editor window.
    pub commands: CommandQueue,
    /// Snapshot that the editor shows.
    pub snapshot: Arc<SharedSnapshot>,
    /// History of suggestions and take in the project.
    pub archive: Arc<dyn Archive>,
    /// Takes for the audio thread.
    pub takes: TakeSender,
    /// Called with the number of the player's notes that the context has no room for.
    pub count_ignored: Box<dyn Fn(u64) + Send>,
}

/// The planning thread of one instance.
pub struct Session {
    status: Arc<Mutex<SessionStatus>>,
    render_wait: Arc<RenderWait>,
    /// How the last wait of an offline render ended.
    waited: Wait,
    leaves: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// Starts the thread. ONNX Runtime is searched for at the path that the environment names, then in `folders`.
    #[must_use]
    pub fn start(ports: SessionPorts, folders: Vec<PathBuf>) -> Self {
        let status = Arc::new(Mutex::new(SessionStatus::default()));
        let render_wait = Arc::new(RenderWait::default());
        let leaves = Arc::new(AtomicBool::new(false));
        let (thread_status, thread_wait, leaving) = (Arc::clone(&status), Arc::clone(&render_wait), Arc::clone(&leaves));
        let snapshot = Arc::clone(&ports.snapshot);
        let thread = thread::Builder::new().name("antiphon-session".into()).spawn(move || {
            // A panic must not reach the host.
            let snapshot = Arc::clone(&ports.snapshot);
            if catch_unwind(AssertUnwindSafe(|| run(ports, folders, &thread_status, &thread_wait, &leaving))).is_err() {
                fail(
                    &thread_status,
                    &snapshot,
                    "Planning was stopped by an internal error; thru works. Remove the plug-in and add it again.".into(),
                );
            }
            thread_wait.lose(true);
        });
        if let Err(error) = &thread {
            fail(&status, &snapshot, format!("The operating system gave no thread: {error}; close other programs"));
        }
        Self { status, render_wait, waited: Wait::Over, leaves, thread: thread.ok() }
    }

    /// Status of the session, for threads that may wait. Outlives the session.
    #[must_use]
    pub fn status(&self) -> Arc<Mutex<SessionStatus>> {
        Arc::clone(&self.status)
    }

    /// Waits until the first `sent` events that were pushed into the ring are handled and every request is answered: a minute at most, and not for an
    /// engine that is missing or broken. Called before each block of an offline render, where the audio thread may wait.
    pub fn wait_for(&mut self, sent: u64) {
        // Without a thread nothing will be answered.
        let Some(thread) = &self.thread else { return };
        self.waited = self.render_wait.wait(sent, PATIENCE, self.waited, || thread.thread().unpark());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leaves.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It catches every panic, so there is none to pass on.
            let _ = thread.join();
        }
    }
}

/// Publishes the reason why nothing will be planned any more.
fn fail(status: &Mutex<SessionStatus>, snapshot: &SharedSnapshot, reason: String) {
    let engine = Engine::Failed(Fault::of_engine(reason));
    snapshot.publish(Snapshot { status: engine.status(&Parts::default(), ""), ..Snapshot::default() });
    status.lock().engine = engine;
}

fn run(ports: SessionPorts, folders: Vec<PathBuf>, status: &Arc<Mutex<SessionStatus>>, render_wait: &Arc<RenderWait>, leaves: &AtomicBool) {
    let service = match Service::shared() {
        Ok(service) => service,
        Err(error) => {
            fail(status, &ports.snapshot, error.to_string());
            return;
        }
    };
    let snapshot = Arc::clone(&ports.snapshot);
    let band = service.band().clone();
    let worker = ServiceWorker::new(service, &planner::ensemble(), folders);
    let free_seed = RandomState::new().hash_one(()) >> 16;
    let mut planner = Planner::new(ports, worker, Arc::clone(status), Arc::clone(render_wait), free_seed).in_band(&band);
    let mut called = Instant::now();
    while !leaves.load(Ordering::Acquire) {
        let plans = planner.run();
        if called.elapsed() >= CALL {
            snapshot.call();
            called = Instant::now();
        }
        thread::park_timeout(if plans { RUNNING } else { STOPPED });
    }
}
