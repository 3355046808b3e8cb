//! What the host loads: Antiphon and Antiphon Note FX, as CLAP and VST3.
//!
//! This crate knows the host; it knows no tensors. Seconds and samples exist only here: [`clock`] turns them into the engine's ticks. On the
//! audio thread nothing allocates, locks, waits or logs; [`realtime`] is its path through one block. Data flows one way:
//!
//! ```text
//! host events -> capture -> (ring) -> musician -> (ring) -> schedule -> host events
//! ```
//!
//! [`preview`] sounds what leaves.
//!
//! [`vst3`] is what VST3 hosts load, CLAP's entry stands below.
//!
//! [`musician`] is the seam behind which the engine stands; [`session`] is who stands there.

pub mod board;
pub mod capture;
pub mod class;
pub mod clock;
pub mod drag;
pub mod editor;
mod image;
pub mod keys;
pub mod lacks;
pub mod meters;
pub mod musician;
mod os_thread;
pub mod params;
pub mod port;
pub mod preview;
pub mod realtime;
pub mod remarks;
pub mod schedule;
pub mod session;
pub mod shell;
pub mod state;
pub mod thru;
pub mod vst3;

use class::{Instrument, NoteFx};
use nice_plug::prelude::nice_export_clap;
use session::Session;
use shell::Shell;

/// The instrument class: its own sound, or silence, and notes out.
pub type Antiphon = Shell<Instrument, Session>;

/// The note effect class: audio goes through as it is, and notes out.
pub type AntiphonNoteFx = Shell<NoteFx, Session>;

nice_export_clap!(Antiphon, AntiphonNoteFx);
