//! The seam between the audio thread and whoever plans: two rings of the plain messages of [`antiphon_engine::session`], and what both share.
//!
//! Either side may be late, or gone. Messages of the audio thread come in order of time; planned events carry the epoch they answer, so that
//! nothing is played that was meant for a place of the song that was left.

use std::sync::Arc;

use antiphon_engine::session::{Board, CommandQueue, Heard, Planned};
use ringbuf::traits::Split;
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::meters::Meters;
use crate::state::State;

/// Messages that wait for the session at most: some seconds of dense playing.
const HEARD_MESSAGES: usize = 4096;
/// Messages that wait for the audio thread at most.
const PLANNED_MESSAGES: usize = 4096;

/// Who answers the player. Made when an instance is first activated, dropped with it; not called on the audio thread while it runs in real
/// time.
pub trait Musician: Send + 'static {
    /// Sits down at the far ends of the rings.
    fn sit(seat: Seat) -> Self;

    /// Before each block of an offline render, on the audio thread: waits until the first `told` messages that were pushed into the ring are
    /// answered. Bounded, and not for one that cannot answer. A musician that answers by itself in time has nothing to wait for.
    fn attend(&mut self, told: u64) {
        let _ = told;
    }
}

/// The far ends of the rings.
pub struct Seat {
    /// What the audio thread tells.
    pub heard: HeapCons<Heard>,
    /// What it is to play.
    pub planned: HeapProd<Planned>,
    /// What the player asks for in the editor.
    pub commands: CommandQueue,
    /// How it fares.
    pub meters: Arc<Meters>,
    /// What the editor is to show.
    pub board: Arc<Board>,
    /// What the project keeps.
    pub state: Arc<State>,
}

/// The near ends, which the audio thread owns.
pub struct Ends {
    /// What it tells.
    pub heard: HeapProd<Heard>,
    /// What it is to play.
    pub planned: HeapCons<Planned>,
    /// How it fares.
    pub meters: Arc<Meters>,
}

/// The two rings, for an instance whose project keeps this.
#[must_use]
pub fn rings(state: Arc<State>) -> (Ends, Seat) {
    let (tell, heard) = HeapRb::new(HEARD_MESSAGES).split();
    let (planned, play) = HeapRb::new(PLANNED_MESSAGES).split();
    let meters = Arc::new(Meters::default());
    (
        Ends { heard: tell, planned: play, meters: Arc::clone(&meters) },
        Seat { heard, planned, commands: CommandQueue::new(), meters, board: Arc::default(), state },
    )
}
