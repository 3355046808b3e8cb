//! What the host loads: Antiphon and Antiphon Note FX, as CLAP and VST3.
//!
//! This crate knows the host; it knows no tensors. On the audio thread nothing allocates, locks, waits or logs: [`realtime`] is that path
//! through one block.

pub mod class;
pub mod keys;
pub mod params;
pub mod port;
pub mod realtime;
pub mod shell;
pub mod state;
pub mod thru;

use class::{Instrument, NoteFx};
use nice_plug::prelude::{nice_export_clap, nice_export_vst3};
use shell::Shell;

/// The instrument class: its own sound, or silence, and notes out.
pub type Antiphon = Shell<Instrument>;

/// The note effect class: audio goes through as it is, and notes out.
pub type AntiphonNoteFx = Shell<NoteFx>;

nice_export_clap!(Antiphon, AntiphonNoteFx);
nice_export_vst3!(Antiphon, AntiphonNoteFx);
