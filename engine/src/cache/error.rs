//! What a cache cannot do.

/// Why a finished bar cannot be opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bar {bar} cannot be opened again: only bars from {oldest} on can; decode from the notes anew")]
pub struct RewindTooFar {
    /// The bar asked for.
    pub bar: u32,
    /// The oldest that can be.
    pub oldest: u32,
}

/// Why a bar was not opened again.
#[derive(Debug, thiserror::Error)]
pub enum ReopenError {
    /// It is too long ago.
    #[error(transparent)]
    TooFar(RewindTooFar),
    /// ONNX Runtime could not allocate.
    #[error(transparent)]
    Runtime(ort::Error),
}

/// Why a cache cannot change to a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cache does not keep what the page policy {policy} needs of the past; name it when the cache is made")]
pub struct NotKept {
    /// Its name.
    pub policy: String,
}
