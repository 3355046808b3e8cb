//! What a host needs on Windows: a window for the editor, a target for dropped files, and a count of the plug-in's allocations.

pub mod allocations;
pub mod drop_target;
pub mod host_window;
