//! VST3: nice-plug's component (0.4.2) with workarounds applied from outside.
//!
//! * Controllers arrive as hidden parameters, which nice-plug initialises to one half, and hosts write parameters back: `controllers`
//!   separates moved controllers from written-back values.
//! * A host states with each block whether it renders offline; nice-plug reports the mode of the set-up before last: [`link`].
//! * Blocks without an audio output are skipped with all their events: `block` supplies one.
//! * On Linux nice-plug's worker thread can crash the host. [`worker`] stops it up front, and `inputs` leaves it nothing to do.
//!
//! All of this requires that we create the instances: `factory` is what hosts call. CLAP uses nice-plug unchanged.

mod block;
mod component;
mod controllers;
mod factory;
mod inputs;
pub mod link;
mod parameters;
pub mod worker;

pub use component::Component;
