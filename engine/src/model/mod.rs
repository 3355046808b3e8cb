//! ONNX Runtime, the model's graph and its metadata.
//!
//! This module loads a graph and runs it on rows. The meaning of rows belongs to `codec`, the K/V cache to `cache`.

mod batch;
mod graph;
mod info;
mod library;
mod memory;
mod rotary;
mod runtime;

pub use batch::{Batch, KeyValue, MASKED, OutputRows, SamplingInputs};
pub use graph::{Model, ModelError};
pub use info::{MetadataError, ModelInfo, Weights};
pub use library::LibraryFault;
pub use memory::{MemoryTensors, REMEMBERED};
pub use rotary::Rotary;
pub use runtime::{Looked, RUNTIME_VARIABLE, Runtime, RuntimeError, RuntimeSearch};
