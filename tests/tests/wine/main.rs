//! The Windows build in Wine, beside the Linux build: `cargo xtask test --windows` builds both and runs these.
//!
//! Each test starts `small_host`, the demo or the command line in Wine, and reads what they print and write.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod editor;
mod files;
mod keyboard;
mod library;
mod notes;
mod running;
mod standalone;
mod windows;
