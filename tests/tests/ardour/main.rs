//! The VST3 in Ardour 7.3 without a screen, scripted in Lua (`tests/ardour`): `cargo xtask ardour`.
//!
//! Ardour's dummy engine runs in real time, so these tests take minutes; nothing in them is judged by the time it took. A song is a region of
//! ours on a track with Antiphon; what Antiphon sends is recorded on a second track, and listed by a probe on each.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod ardour;
mod export;
mod interruptions;
mod midi;
mod playing;
mod project;
mod reopening;
mod report;
mod song;
