//! The step graph: loading, and checking of its interface (docs/model-interface.md, section 3).

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

/// Largest model file accepted, in bytes. No model for one CPU thread is larger.
const MOST_BYTES: u64 = 1 << 30;

/// The shipped model, compiled in, so that a plug-in that is one file is complete.
const SHIPPED: &[u8] = include_bytes!("../../../models/antiphon.onnx");

/// A loaded model. Immutable: decoders on any threads share it.
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
        /// The system's error.
        source: io::Error,
    },
    /// Its size is not that of a model.
    #[error("the model {name} has {bytes} bytes: it is not a model, or its copy failed; fetch it again")]
    Size {
        /// The file.
        name: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// ONNX Runtime refuses it.
    #[error("the model {name} is damaged or not an ONNX model; fetch it again. ONNX Runtime says: {message}")]
    Damaged {
        /// The file.
        name: String,
        /// ONNX Runtime's message.
        message: String,
    },
    /// Its metadata do not fit this engine.
    #[error("the model {name} cannot be used: {source}")]
    Metadata {
        /// The file.
        name: String,
        /// What is wrong.
        source: MetadataError,
    },
    /// The inputs or outputs of the graph differ from what its metadata require.
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
    /// [`ModelError`] if ONNX Runtime refuses it, for lack of memory for instance.
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

    /// Loads a model from memory. `name` stands for the file in messages.
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

    /// The model's metadata.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Size of the model file in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the graph outputs queries, which some page policies need. Graphs exported by older versions do not.
    #[must_use]
    pub fn gives_queries(&self) -> bool {
        self.gives_queries
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Runs the graph on a binding.
    pub(super) fn run(&self, binding: &mut IoBinding) -> ort::Result<()> {
        // SAFETY: both pointers are live for the call; a null for the run options means the defaults. ONNX Runtime allows concurrent runs of one session on
        // the CPU provider ("multiple threads can invoke Run() on the same session", C API documentation of OrtSession); ort's own method asks for `&mut`
        // because other providers do not. What the runs write is not shared: every binding has its own outputs and is borrowed mutably here.
        ortsys![unsafe RunWithBinding(self.session.ptr().cast_mut(), ptr::null(), binding.ptr())?];
        Ok(())
    }
}

/// A session with one thread that does not spin: a second thread gains little, and loses much on a busy machine. No arena, because it would keep the
/// largest bar's intermediate values for ever; the memory pattern, one allocation per run, is as fast.
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

/// A dimension that varies from run to run.
const ANY: i64 = -1;

/// An input or output: name, element type and shape.
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

/// Optional outputs.
fn query_ports(info: &ModelInfo) -> Vec<Port> {
    let width = i64::try_from(info.width).unwrap_or(i64::MAX);
    (0..info.layers).map(|layer| (query_name(layer), TensorElementType::Float32, vec![1, ANY, width])).collect()
}

/// Output name of a layer's rotated queries.
pub(super) fn query_name(layer: usize) -> String {
    format!("turned_query_{layer}")
}

/// Checks that every port the engine binds exists with its type and fixed dimensions, and that the graph has no other input.
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
        Some(port) => Err(format!("it needs an input {} that is not part of the interface", port.name())),
        None => Ok(()),
    }
}

fn fits(port: &Outlet, (_, wanted, sizes): &Port) -> bool {
    let ValueType::Tensor { ty, shape, .. } = port.dtype() else { return false };
    // A dimension that the graph leaves open (negative) fits any that the engine fixes; one that it fixes must be equal.
    ty == wanted && shape.len() == sizes.len() && shape.iter().zip(sizes).all(|(&has, &size)| has < 0 || has == size)
}
