//! Interface between the audio thread and the planning thread: two rings with the messages of [`antiphon_engine::session`], and shared
//! state.
//!
//! Either side may be late or gone. Messages of the audio thread arrive in order of time; planned events carry the epoch they belong to, so
//! that nothing planned for an abandoned song position is played.

use std::sync::Arc;

use antiphon_engine::session::{CommandQueue, InputEvent, PlannedEvent, SharedSnapshot, TakeReceiver, TakeSender, take_ring};
use ringbuf::traits::Split;
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::meters::Meters;
use crate::state::State;

/// Capacity of the event ring: some seconds of dense playing.
const INPUT_EVENTS: usize = 4096;
/// Capacity of the ring of planned events.
const PLANNED_EVENTS: usize = 4096;

/// The planning side of one instance. Created when the instance is first activated, dropped with it. Not called from the audio thread while
/// it runs in real time.
pub trait PlanningSession: Send + 'static {
    /// Starts planning on these ports.
    fn spawn(ports: PlanningPorts) -> Self;

    /// Called on the audio thread before each block of an offline render: waits until the first `sent` messages of the event ring have been
    /// processed. Must be bounded, and return at once if it cannot make progress. The default does not wait.
    fn wait_for(&mut self, sent: u64) {
        let _ = sent;
    }
}

/// The planning side's ports.
pub struct PlanningPorts {
    /// Events from the audio thread.
    pub events: HeapCons<InputEvent>,
    /// Planned events for the audio thread.
    pub planned: HeapProd<PlannedEvent>,
    /// Takes for the audio thread.
    pub takes: TakeSender,
    /// Commands from the editor.
    pub commands: CommandQueue,
    /// The audio thread's counters.
    pub meters: Arc<Meters>,
    /// Snapshots for the editor.
    pub snapshot: Arc<SharedSnapshot>,
    /// State saved with the project.
    pub state: Arc<State>,
}

/// The audio thread's ports.
pub struct AudioThreadPorts {
    /// Events for the session.
    pub events: HeapProd<InputEvent>,
    /// Planned events.
    pub planned: HeapCons<PlannedEvent>,
    /// The project's take.
    pub takes: TakeReceiver,
    /// Counters.
    pub meters: Arc<Meters>,
}

/// Creates both rings and the shared state of an instance.
#[must_use]
pub fn rings(state: Arc<State>) -> (AudioThreadPorts, PlanningPorts) {
    let (event_producer, events) = HeapRb::new(INPUT_EVENTS).split();
    let (planned, planned_consumer) = HeapRb::new(PLANNED_EVENTS).split();
    let (take_sender, takes) = take_ring();
    let meters = Arc::new(Meters::default());
    (
        AudioThreadPorts { events: event_producer, planned: planned_consumer, takes, meters: Arc::clone(&meters) },
        PlanningPorts { events, planned, takes: take_sender, commands: CommandQueue::new(), meters, snapshot: Arc::default(), state },
    )
}
