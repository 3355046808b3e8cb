//! Whole-product tests, and the small hosts they share.
//!
//! [`ClapHost`] and [`Vst3Host`] load what real hosts load: the library that was built with these tests, found beside them, or the plug-in
//! linked into the test with a musician that the test plays by hand ([`by_hand`]). Where a real host would give up and say so, these panic
//! and say so.
//!
//! What needs a screen finds one in [`display`]; [`window`] opens the editor there, on a model that [`scripted`] plays.

pub mod by_hand;
mod clap_host;
#[cfg(target_os = "linux")]
pub mod display;
mod host;
pub mod library;
mod memory_stream;
mod roll;
pub mod scripted;
mod vst3_host;
mod vst3_lists;
#[cfg(target_os = "linux")]
pub mod window;

pub use clap_host::ClapHost;
pub use host::{Block, Class, Host, Message, Outcome, Outputs, Render, Setup, Timed, Transport};
pub use roll::{Lengths, Roll};
pub use vst3_host::Vst3Host;
