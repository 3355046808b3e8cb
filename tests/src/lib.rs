//! Whole-product tests, and the small hosts they share.
//!
//! [`ClapHost`] and [`Vst3Host`] load what real hosts load: the library that was built with these tests, found beside them, or the plug-in
//! linked into the test with a musician that the test plays by hand ([`by_hand`]). Where a real host would give up and say so, these panic
//! and say so.
//!
//! What needs a screen finds one in [`display`]; [`window`] opens the editor there, on a model that [`scripted`] plays, and [`stage`] is the
//! window that a host gives an editor; [`hands`] point, click and type there. [`keyboard`] plays clips to the hosts, and makes clips of what they play.
//!
//! Benches find what they use of the processor and of memory in [`machine`], and percentiles in [`Sample`].
//!
//! The feature `linked` links the plug-in; `cargo xtask demo` does without it, since it loads a bundle.

#[cfg(feature = "linked")]
pub mod by_hand;
#[cfg(target_os = "linux")]
mod clap_editor;
mod clap_host;
#[cfg(target_os = "linux")]
pub mod display;
#[cfg(target_os = "linux")]
pub mod hands;
mod host;
pub mod keyboard;
pub mod library;
pub mod machine;
mod memory_stream;
#[cfg(target_os = "linux")]
pub mod photo;
mod roll;
mod sample;
#[cfg(feature = "linked")]
pub mod scripted;
#[cfg(target_os = "linux")]
pub mod stage;
#[cfg(target_os = "linux")]
mod vst3_editor;
mod vst3_host;
mod vst3_library;
mod vst3_lists;
#[cfg(all(target_os = "linux", feature = "linked"))]
pub mod window;

pub use clap_host::ClapHost;
pub use host::{Block, Class, Host, Message, Outcome, Outputs, Render, Setup, Timed, Transport};
pub use roll::{Lengths, Roll};
pub use sample::Sample;
#[cfg(target_os = "linux")]
pub use vst3_editor::Vst3Editor;
pub use vst3_host::Vst3Host;
pub use vst3_library::Vst3Library;
