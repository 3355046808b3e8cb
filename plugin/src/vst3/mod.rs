//! The plug-in in VST3: nice-plug's component, with what is wrong in it (0.4.2) put right from outside.
//!
//! * A host tells at `setupProcessing` that it renders to a file; nice-plug hands on what it told the time before. [`Component`] says it twice.
//! * On Linux a worker thread of nice-plug's can bring the host down. [`worker`] sends it home first.
//!
//! For both, an instance has to be made by us: `factory` is what hosts ask for one. CLAP is as nice-plug has it.

mod component;
mod factory;
pub mod worker;

pub use component::Component;
