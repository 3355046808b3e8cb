//! What to play when. Pure: no threads, no seconds, no model; `music` is all it knows.

mod clock;
mod foresight;
mod history;
mod keys;
mod latch;
mod mode;
mod moment;
mod notes;
mod pacing;
mod phrase;
mod stats;
mod timeline;
mod transport;

pub use clock::{MusicalClock, SongBar, SongPosition};
pub use foresight::{TOLERANCE_TICKS, as_foreseen};
pub use history::{Entry, EntryId, HISTORY_BYTES, HISTORY_ENTRIES, History, Merged, Place, Reason, StarsFull, Step};
pub use keys::{Key, KeyTable, PlanOn, PlayerOn, Voice};
pub use latch::Played;
pub use mode::Mode;
pub use moment::{EQUAL, Moment, tick_of, whole};
pub use pacing::Pacing;
pub use phrase::{Brief, ControlId, Controls, Fingerprint, Passage, Plan, PlanId, Setting};
pub use stats::PlanStats;
pub use timeline::{Adoption, Offer, PlanningTick, Request, Timeline};
pub use transport::{Cause, TransportChange};
