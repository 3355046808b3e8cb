//! What plans and generates Antiphon's notes: notes, controls and transport in, notes out.
//!
//! The engine knows no host, no window and no audio buffer. Inside it dependencies point down only:
//! `session` -> {`service`, `plan`, `decode`}, `service` -> {`plan`, `decode`}, `decode` -> `cache` -> `model` -> `codec` -> `music`, `plan` -> `music`.

pub mod cache;
pub mod codec;
pub mod decode;
pub mod files;
pub mod model;
pub mod music;
pub mod plan;
pub mod service;
pub mod session;
