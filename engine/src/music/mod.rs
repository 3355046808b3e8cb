//! Notes, bars, metres, clips, Standard MIDI Files, and what can be read off them (key, density, register).

mod metre;
mod note;
mod time;

pub use metre::{Bar, Metre};
pub use note::{Note, Role};
pub use time::{OFFSETS_PER_TICK, TICKS_PER_QUARTER, Tick};
