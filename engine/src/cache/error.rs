//! Errors of the cache.

/// A finished bar that is too old to be reopened: pages that it attends to may be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bar {bar} cannot be reopened: only bars from {oldest} on can; prefill again from the notes")]
pub struct RewindTooFar {
    /// Index of the requested bar.
    pub bar: u32,
    /// Oldest bar that can be reopened.
    pub oldest: u32,
}

/// Why a bar could not be reopened.
#[derive(Debug, thiserror::Error)]
pub enum ReopenError {
    /// It is too old.
    #[error(transparent)]
    TooFar(RewindTooFar),
    /// ONNX Runtime could not allocate.
    #[error(transparent)]
    Runtime(ort::Error),
}
