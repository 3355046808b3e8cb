//! Whole-product tests, and the small hosts they share.
//!
//! [`ClapHost`] and [`Vst3Host`] load what real hosts load: the library built with these tests, found next to them, or the plug-in linked
//! into the test with a session that the test drives ([`linked`]). Where a real host would report an error, these panic.
//!
//! [`display`] provides a virtual screen; [`window`] opens the editor there with a [`scripted`] model, in the states of the [`gallery`], [`host_window`] is a host's window
//! for an editor, and [`input`] synthesises mouse and keyboard. [`playback`] converts clips to messages and back.
//!
//! [`foreign`] is for tests of another system's build beside this system's.
//!
//! Benches measure CPU and memory with [`machine`], and percentiles with [`Sample`].
//!
//! The feature `linked` links the plug-in; `cargo xtask demo` does without it, since it loads a bundle.

pub mod checker;
#[cfg(any(target_os = "linux", windows))]
mod clap_editor;
mod clap_host;
#[cfg(target_os = "linux")]
pub mod display;
pub mod foreign;
#[cfg(all(target_os = "linux", feature = "linked"))]
pub mod gallery;
mod host;
#[cfg(target_os = "linux")]
pub mod host_window;
#[cfg(target_os = "linux")]
pub mod input;
pub mod library;
#[cfg(feature = "linked")]
pub mod linked;
pub mod machine;
mod memory_stream;
#[cfg(any(target_os = "linux", windows))]
pub mod modules;
#[cfg(all(target_os = "linux", feature = "linked"))]
pub mod places;
pub mod playback;
mod rolling;
mod sample;
#[cfg(target_os = "linux")]
pub mod screenshot;
#[cfg(feature = "linked")]
pub mod scripted;
pub mod virtual_pool;
#[cfg(any(target_os = "linux", windows))]
mod vst3_editor;
mod vst3_host;
mod vst3_library;
mod vst3_lists;
#[cfg(windows)]
pub mod win32;
#[cfg(all(target_os = "linux", feature = "linked"))]
pub mod window;

pub use clap_host::ClapHost;
pub use host::{Block, Class, Host, Message, Outcome, Outputs, Render, Setup, Timed, Transport};
pub use rolling::{Lengths, RollingTransport};
pub use sample::Sample;
#[cfg(any(target_os = "linux", windows))]
pub use vst3_editor::Vst3Editor;
pub use vst3_host::Vst3Host;
pub use vst3_library::Vst3Library;

/// A host's window as the editor takes it: the id of an X11 window.
#[cfg(target_os = "linux")]
pub type WindowId = u32;
/// A host's window as the editor takes it: a Win32 handle.
#[cfg(windows)]
pub type WindowId = *mut std::ffi::c_void;
