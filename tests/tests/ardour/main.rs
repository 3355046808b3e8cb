//! The VST3 in Ardour 7.3 without a screen, scripted in Lua (`tests/ardour`): `cargo xtask ardour`.
//!
//! Ardour's dummy engine runs in real time, so these tests take minutes; none depends on timing. A song is a region on a track with
//! Antiphon; Antiphon's output is recorded on a second track, and listed by a probe on each.
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
