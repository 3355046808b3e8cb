//! The plug-in in VST3: nice-plug's component, with what is wrong in it (0.4.2) put right from outside.
//!
//! * Controllers come as hidden parameters, which nice-plug shows at a half, and hosts write parameters back: `controllers` tells what is moved
//!   from what is written.
//! * A host says with each block whether it renders to a file; nice-plug hands on what it was told at the set-up before the last: [`link`].
//! * Blocks without an audio output are left out with all their events: `block` lends one.
//! * On Linux a worker thread of nice-plug's can bring the host down. [`worker`] sends it home first, and `inputs` leaves nothing for it to do.
//!
//! For all of them, an instance has to be made by us: `factory` is what hosts ask for one. CLAP is as nice-plug has it.

mod block;
mod component;
mod controllers;
mod factory;
mod inputs;
pub mod link;
mod parameters;
pub mod worker;

pub use component::Component;
