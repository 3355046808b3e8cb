//! Notes, bars, metres, clips, Standard MIDI Files, and measurements on them (key, density, register).

pub mod analysis;
mod clip;
pub mod continuation;
mod dealing;
mod ensemble;
pub mod insertion;
mod line;
mod metre;
mod note;
pub mod pickup;
mod pitch_names;
mod recent;
pub mod roles;
mod setup;
pub mod smf;
mod tempo;
mod time;

pub(crate) use clip::LATE_RELEASE;
pub use clip::{Clip, DRUM_CHANNEL, Part};
pub use ensemble::distribute;
pub use line::one_at_a_time;
pub use metre::{Bar, Metre, MetreMap};
pub use note::{Note, Role};
pub use pitch_names::{pitch_class_name, pitch_name};
pub use recent::{recent_notes, recent_roles};
pub use setup::{Bank, Patch, Setup};
pub use tempo::{Tempo, TempoMap};
pub use time::{OFFSETS_PER_TICK, TICKS_PER_QUARTER, Tick};
