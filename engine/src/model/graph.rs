//! The step graph, loaded and checked (docs/model-interface.md, section 3).

use std::{fs, io, path::Path, ptr};

use ort::{
    AsPointer,
    ep::CPU,
    ortsys,
    session::{IoBinding, Session, builder::GraphOptimizationLevel},
    value::{Outlet, TensorElementType, ValueType},
};

use super::{MetadataError, ModelInfo, REMEMBERED, Runtime};
use crate::codec::vocabulary::{FIELDS, Field, TOTAL_CLASSES};

/// No model we would run on one CPU thread is larger; a file beyond it is something else.
const MOST_BYTES: u64 = 1 << 30;

/// The shipped weights. In the binary, so that a plug-in that is one file is whole.
const SHIPPED: &[u8] = include_bytes!("../../../models/antiphon.onnx");

/// A loaded model. Immutable: any number of decoders on any threads share it.
#[derive(Debug)]
pub struct Model {
    session: Session,
    info: ModelInfo,
    bytes: usize,
    gives_queries: bool,
}

/// Why a model cannot be used. Every message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// It cannot be read.
    #[error("the model {name} cannot be read: {source}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its size is not that of a model.
    #[error("the model {name} has {bytes} bytes: it is not a model, or its copy failed; fetch it again")]
    Size {
        /// The file.
        name: String,
        /// Its length.
        bytes: u64,
    },
    /// ONNX Runtime refuses it.
    #[error("the model {name} is damaged or not an ONNX model; fetch it again. ONNX Runtime says: {message}")]
    Damaged {
        /// The file.
        name: String,
        /// What ONNX Runtime said.
        message: String,
    },
    /// It is not a model for this engine.
    #[error("the model {name} cannot be used: {source}")]
    Metadata {
        /// The file.
        name: String,
        /// What is wrong.
        source: MetadataError,
    },
    /// The graph does not take or give what its metadata promises.
    #[error("the model {name} does not fit this engine: {problem}; export it again")]
    Interface {
        /// The file.
        name: String,
        /// The first input or output that differs.
        problem: String,
    },
}

impl Model {
    /// Loads the shipped model, which is part of the binary.
    ///
    /// # Errors
    /// [`ModelError`] if ONNX Runtime refuses it, for want of memory for instance.
    pub fn shipped(runtime: &Runtime) -> Result<Self, ModelError> {
        Self::from_bytes(runtime, SHIPPED, "in the program")
    }

    /// Loads a model file.
    ///
    /// # Errors
    /// [`ModelError`] if it is missing, damaged, or made for another engine.
    pub fn open(runtime: &Runtime, path: &Path) -> Result<Self, ModelError> {
        let name = path.display().to_string();
        let read = |source| ModelError::Unreadable { name: name.clone(), source };
        let metadata = path.metadata().map_err(read)?;
        if !metadata.is_file() {
            return Err(read(io::Error::other("it is not a file")));
        }
        if !(1..=MOST_BYTES).contains(&metadata.len()) {
            return Err(ModelError::Size { bytes: metadata.len(), name });
        }
        Self::from_bytes(runtime, &fs::read(path).map_err(read)?, &name)
    }

    /// Loads a model from memory. `name` is what messages call it.
    ///
    /// # Errors
    /// [`ModelError`] if it is damaged, or made for another engine.
    pub fn from_bytes(runtime: &Runtime, bytes: &[u8], name: &str) -> Result<Self, ModelError> {
        if bytes.is_empty() {
            return Err(ModelError::Size { name: name.to_owned(), bytes: 0 });
        }
        let session =
            start(runtime, bytes).map_err(|error| ModelError::Damaged { name: name.to_owned(), message: error.message().to_owned() })?;
        let info = {
            let metadata =
                session.metadata().map_err(|error| ModelError::Damaged { name: name.to_owned(), message: error.message().to_owned() })?;
            ModelInfo::parse(|key| metadata.custom(key)).map_err(|source| ModelError::Metadata { name: name.to_owned(), source })?
        };
        check_interface(&session, &info).map_err(|problem| ModelError::Interface { name: name.to_owned(), problem })?;
        let queries = query_ports(&info);
        let gives_queries = queries.iter().all(|wanted| session.outputs().iter().any(|port| port.name() == wanted.0 && fits(port, wanted)));
        Ok(Self { session, info, bytes: bytes.len(), gives_queries })
    }

    /// What the model says about itself.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Size of the file it was loaded from.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the graph gives its queries, which some page policies choose by. Graphs exported before those were there do not.
    #[must_use]
    pub fn gives_queries(&self) -> bool {
        self.gives_queries
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Runs the graph over what is bound.
    pub(super) fn run(&self, binding: &mut IoBinding) -> ort::Result<()> {
        // SAFETY: both pointers are live for the call; a null for the run options means the defaults. ONNX Runtime allows concurrent runs of one session on
        // the CPU provider ("multiple threads can invoke Run() on the same session", C API documentation of OrtSession); ort's own method asks for `&mut`
        // because other providers do not. What the runs write is not shared: every binding has its own outputs and is borrowed mutably here.
        ortsys![unsafe RunWithBinding(self.session.ptr().cast_mut(), ptr::null(), binding.ptr())?];
        Ok(())
    }
}

/// One thread that does not spin while it waits: a second one gains little and loses much on a busy machine. No arena: it keeps the largest bar's
/// intermediate values for ever. The memory pattern, one allocation per run, is as fast without one.
fn start(runtime: &Runtime, bytes: &[u8]) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_log_level(ort::logging::LogLevel::Fatal)?
        .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?
        .commit_from_memory(bytes)
}

/// A size that differs from run to run.
const ANY: i64 = -1;

/// An input or output: its name, element type and shape.
type Port = (String, TensorElementType, Vec<i64>);

fn ports(info: &ModelInfo) -> (Vec<Port>, Vec<Port>) {
    use TensorElementType::{Float32, Int32, Int64};
    let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let classes = |field: Field| size(field.classes());
    let (columns, fields, half) = (size(info.columns), size(FIELDS), size(info.head_width() / 2));
    let port = |name: &str, kind, shape: &[i64]| (name.to_owned(), kind, shape.to_vec());
    let mut inputs = vec![
        port("rows", Int64, &[ANY, columns]),
        port("summary_rows", Int64, &[ANY, columns]),
        port("summary_mix", Float32, &[ANY, ANY]),
        port("cos_q", Float32, &[ANY, half]),
        port("sin_q", Float32, &[ANY, half]),
        port("cos_k", Float32, &[ANY, half]),
        port("sin_k", Float32, &[ANY, half]),
        port("positions", Int64, &[1, ANY]),
        port("seqlens_k", Int32, &[1]),
        port("total_length", Int32, &[1]),
        port("asked", Int64, &[ANY]),
        port("force", Int64, &[ANY, fields]),
        port("temperature", Float32, &[fields]),
        port("log_min_p", Float32, &[fields]),
        port("noise", Float32, &[ANY, size(TOTAL_CLASSES)]),
        port("mask_pitch", Float32, &[ANY, classes(Field::Pitch)]),
        port("mask_duration", Float32, &[ANY, classes(Field::Duration)]),
        port("mask_velocity", Float32, &[ANY, classes(Field::Velocity)]),
        port("mask_offset", Float32, &[ANY, classes(Field::Offset)]),
        port("pitch_top", Int64, &[ANY]),
        port("mask_type", Float32, &[ANY, 2, classes(Field::Type)]),
        port("mask_beat", Float32, &[ANY, 2, classes(Field::Beat)]),
        port("mask_sub", Float32, &[ANY, 2, classes(Field::Beat), classes(Field::Sub)]),
        port("mask_role", Float32, &[ANY, 2, 2, classes(Field::Role)]),
    ];
    let mut outputs = vec![
        port("choice", Int64, &[ANY, fields]),
        port("nll", Float32, &[ANY, fields]),
        port("best", Int64, &[ANY, fields]),
        port("hidden", Float32, &[ANY, size(info.width)]),
    ];
    let cache = [1, size(info.heads), ANY, size(info.head_width())];
    for layer in 0..info.layers {
        for what in ["key", "value"] {
            inputs.push(port(&format!("past_{what}_{layer}"), Float32, &cache));
            outputs.push(port(&format!("present_{what}_{layer}"), Float32, &cache));
        }
    }
    if info.memory > 0 {
        let width = size(info.memory);
        inputs.push(port("memory_keys", Float32, &[ANY, width]));
        inputs.push(port("memory_classes", Int64, &[size(REMEMBERED.len()), ANY]));
        inputs.push(port("memory_mask", Float32, &[ANY, ANY]));
        outputs.push(port("memory_key", Float32, &[ANY, width]));
    }
    (inputs, outputs)
}

/// Outputs that a graph may have.
fn query_ports(info: &ModelInfo) -> Vec<Port> {
    let width = i64::try_from(info.width).unwrap_or(i64::MAX);
    (0..info.layers).map(|layer| (query_name(layer), TensorElementType::Float32, vec![1, ANY, width])).collect()
}

/// Name of a layer's turned queries.
pub(super) fn query_name(layer: usize) -> String {
    format!("turned_query_{layer}")
}

/// Every port the engine binds must be there with its type and fixed sizes, and no input may be left that it does not bind.
fn check_interface(session: &Session, info: &ModelInfo) -> Result<(), String> {
    let (inputs, outputs) = ports(info);
    for (wanted, found, what) in [(&inputs, session.inputs(), "input"), (&outputs, session.outputs(), "output")] {
        for wanted in wanted {
            let (name, kind, shape) = wanted;
            let port = found.iter().find(|port| port.name() == name).ok_or_else(|| format!("it has no {what} {name}"))?;
            if !fits(port, wanted) {
                return Err(format!("its {what} {name} is {}, not {kind} {shape:?}", port.dtype()));
            }
        }
    }
    match session.inputs().iter().find(|port| inputs.iter().all(|(name, ..)| port.name() != name)) {
        Some(port) => Err(format!("it asks for an input {} that is not part of the interface", port.name())),
        None => Ok(()),
    }
}

fn fits(port: &Outlet, (_, wanted, sizes): &Port) -> bool {
    let ValueType::Tensor { ty, shape, .. } = port.dtype() else { return false };
    // A size the graph leaves open (negative) will do for any that we fix; one that it fixes must be ours.
    ty == wanted && shape.len() == sizes.len() && shape.iter().zip(sizes).all(|(&has, &size)| has < 0 || has == size)
}
