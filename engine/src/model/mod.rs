//! ONNX Runtime, the model's graph and its metadata.
//!
//! This room knows how to load a graph and run it over rows; what the rows mean is the codec's, what the cache holds is the cache's.

mod batch;
mod graph;
mod info;
mod library;
mod memory;
mod rotary;
mod runtime;

pub use batch::{Asked, Batch, KeyValue, OFF_LOGIT, SamplingInputs};
pub use graph::{Model, ModelError};
pub use info::{MetadataError, ModelInfo, Weights};
pub use library::LibraryFault;
pub use memory::{MemoryTensors, REMEMBERED};
pub use rotary::Rotary;
pub use runtime::{Looked, RUNTIME_VARIABLE, Runtime, RuntimeError, RuntimeSearch, user_data};
