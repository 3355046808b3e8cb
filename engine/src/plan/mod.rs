//! What to play when. Pure: no threads, no seconds, no model; `music` is all it knows.

mod clock;
mod keys;
mod mode;

pub use clock::{MusicalClock, SongBar, SongPosition};
pub use keys::{Key, KeyTable, PlanOn, PlayerOn, Voice};
pub use mode::Mode;
