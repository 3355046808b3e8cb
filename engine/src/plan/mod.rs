//! Musical time, plans and their history. Pure: no threads, no wall clock, no model; depends on `music` only.

mod answer;
mod clock;
mod feel;
mod foresight;
mod history;
mod keys;
mod latch;
mod load_shedding;
mod mode;
mod musical_time;
mod notes;
mod phrase;
mod routing;
mod song;
mod stats;
mod take;
mod timeline;
mod transport;

pub use answer::{Answer, AnswerAfter};
pub use clock::MusicalClock;
pub use feel::{Deviation, Feel, Loudness};
pub use foresight::{TOLERANCE_TICKS, as_foreseen};
pub use history::{Entry, EntryId, HISTORY_BYTES, HISTORY_ENTRIES, History, Merged, Place, Reason, StarsFull, Step};
pub use keys::{KeyTable, MidiKey, PlanOn, PlayerOn, Voice};
pub use latch::Played;
pub use load_shedding::LoadShedding;
pub use mode::PlayMode;
pub use musical_time::{EQUAL, MusicalTime, tick_of, whole};
pub use phrase::{Brief, ControlId, Controls, Fingerprint, Passage, Plan, PlanId, Setting};
pub use routing::{ChannelSpread, PERCUSSION_CHANNEL, PlannedRoles, PlayerChannel, Routing};
pub use song::{SongBar, SongPosition};
pub use stats::PlanStats;
pub use take::{TAKE_NOTES, Take, TakeMode, TakeNote};
pub use timeline::{Adoption, Offer, PlanningTick, Request, Timeline};
pub use transport::{Cause, TransportChange};
