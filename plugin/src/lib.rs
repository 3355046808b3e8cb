//! The plug-in library that hosts load: Antiphon and Antiphon Note FX, as CLAP and VST3.
//!
//! This crate knows the host; it knows no tensors. Seconds and samples exist only here: [`clock`] converts them to the engine's ticks.
//! Nothing on the audio thread allocates, locks, waits or logs; [`realtime`] is its path through one block. Data flows one way:
//!
//! ```text
//! host events -> capture -> (ring) -> session -> (ring) -> schedule -> host events
//! ```
//!
//! [`preview`] synthesises what leaves. [`vst3`] is the VST3 entry point; the CLAP entry point is below. [`planning_session`] is the interface to
//! the planning thread, which [`session`] implements with the engine.

pub mod capture;
pub mod class;
pub mod clock;
pub mod drag;
pub mod editor;
pub mod host_issues;
mod image;
pub mod keys;
pub mod meters;
mod os_thread;
pub mod params;
pub mod planning_session;
pub mod port;
pub mod presets;
pub mod preview;
pub mod realtime;
pub mod replay;
mod report;
mod runtime_folders;
pub mod schedule;
pub mod session;
pub mod shell;
pub mod state;
pub mod status_messages;
pub mod thru;
pub mod triggers;
pub mod vst3;

use class::{Instrument, NoteFx};
use nice_plug::prelude::nice_export_clap;
use session::Session;
use shell::Shell;

/// The instrument class: preview synth or silence, and notes out.
pub type Antiphon = Shell<Instrument, Session>;

/// The note effect class: audio passes through unchanged, and notes out.
pub type AntiphonNoteFx = Shell<NoteFx, Session>;

nice_export_clap!(Antiphon, AntiphonNoteFx);
