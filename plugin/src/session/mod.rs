//! The musician behind an instance: a thread between the audio thread's rings and the engine's workers.
//!
//! The audio thread cannot notify anybody, so the thread looks every few milliseconds; an offline render wakes it and waits. It alone owns
//! what was heard and the plan, and writes down what was suggested where the project keeps it. It is joined when the session is dropped: a
//! host may unload the library right after.

mod attendance;
mod composer;
mod conductor;
mod context;
mod latency;
mod outbox;
mod pace;
mod player;
mod report;
mod scribe;
mod sounded;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use antiphon_engine::plan::Mode;
use antiphon_engine::service::Service;
use parking_lot::Mutex;

use crate::board::{Board, Snapshot};
use crate::meters::Meters;
use crate::musician::{Musician, Seat};
use attendance::{Attendance, Wait};
use composer::Workers;
use conductor::Conductor;
pub use latency::Asked;
use pace::Parts;
pub use pace::{Engine, Fault, Pace, Part};

/// How often it looks while the clock runs: well below a tick.
const RUNNING: Duration = Duration::from_millis(3);
/// How often the editor is made to look, whatever happens.
const CALL: Duration = Duration::from_millis(250);
/// How often it looks while the clock stands.
const STANDING: Duration = Duration::from_millis(20);
/// How long an offline render waits for it at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// The real musician.
pub struct Session {
    pace: Arc<Mutex<Pace>>,
    attendance: Arc<Attendance>,
    /// How the last wait of an offline render ended.
    waited: Wait,
    leaves: Arc<AtomicBool>,
    meters: Arc<Meters>,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// How far it has come, for whoever may wait. Outlives the session.
    #[must_use]
    pub fn pace(&self) -> Arc<Mutex<Pace>> {
        Arc::clone(&self.pace)
    }
}

impl Musician for Session {
    fn sit(seat: Seat) -> Self {
        let pace = Arc::new(Mutex::new(Pace::default()));
        let attendance = Arc::new(Attendance::default());
        let leaves = Arc::new(AtomicBool::new(false));
        let (shown, attends, told) = (Arc::clone(&pace), Arc::clone(&attendance), Arc::clone(&leaves));
        let (meters, board) = (Arc::clone(&seat.meters), Arc::clone(&seat.board));
        let thread = thread::Builder::new().name("antiphon-session".into()).spawn(move || {
            // The host never sees a defect.
            let board = Arc::clone(&seat.board);
            if catch_unwind(AssertUnwindSafe(|| run(seat, &shown, &attends, &told))).is_err() {
                fail(&shown, &board, "Planning met a defect and was stopped; thru works. Add the plug-in anew.".into());
            }
            attends.lose(true);
        });
        if let Err(error) = &thread {
            fail(&pace, &board, format!("The operating system gave no thread: {error}; close other programs"));
        }
        Self { pace, attendance, waited: Wait::Over, leaves, meters, board, thread: thread.ok() }
    }

    fn attend(&mut self, told: u64) {
        // Without a thread there is nobody to wait for.
        let Some(thread) = &self.thread else { return };
        self.waited = self.attendance.wait(told, PATIENCE, self.waited, || thread.thread().unpark());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leaves.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It catches every panic, so there is none to pass on.
            let _ = thread.join();
            report::leave(&self.meters, self.board.latest().status.punctuality);
        }
    }
}

/// Nothing will be planned any more; says why.
fn fail(pace: &Mutex<Pace>, board: &Board, reason: String) {
    let engine = Engine::Failed(Fault::of_engine(reason));
    board.publish(Snapshot { status: engine.status(&Parts::default(), Mode::Suggest, ""), ..Snapshot::default() });
    pace.lock().engine = engine;
}

fn run(seat: Seat, pace: &Arc<Mutex<Pace>>, attendance: &Arc<Attendance>, leaves: &AtomicBool) {
    let service = match Service::shared() {
        Ok(service) => service,
        Err(error) => {
            fail(pace, &seat.board, error.to_string());
            return;
        }
    };
    let board = Arc::clone(&seat.board);
    let composer = Workers::new(service, &conductor::ensemble());
    let free_seed = RandomState::new().hash_one(()) >> 16;
    let mut conductor = Conductor::new(seat, composer, Arc::clone(pace), Arc::clone(attendance), free_seed);
    let mut called = Instant::now();
    while !leaves.load(Ordering::Acquire) {
        let runs = conductor.act();
        if called.elapsed() >= CALL {
            board.call();
            called = Instant::now();
        }
        thread::park_timeout(if runs { RUNNING } else { STANDING });
    }
}
