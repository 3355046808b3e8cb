//! Status of a session. Shared by threads that may wait; never touched on the audio thread.

use crate::decode::BarOrder;
use crate::model::{ModelError, RuntimeError};
use crate::music::Tick;
use crate::plan::PlanStats;
use crate::service::JobFailure;

use super::latency::RequestTiming;
use crate::session::snapshot::{Component, Status};

/// State of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Engine {
    /// ONNX Runtime and the model are being loaded.
    #[default]
    Loading,
    /// Ready to generate.
    Ready,
    /// Failed. Tried again a bar later; thru works meanwhile.
    Failed(Fault),
}

/// A missing or broken part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The part that failed.
    pub part: Part,
    /// Description of the fault, and the cure.
    pub what: String,
    /// Where it was looked for, in this order, and what was wrong there.
    pub looked_in: Vec<String>,
}

/// Part of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// ONNX Runtime, and the workers that use it.
    Engine,
    /// The weights and their graphs.
    Model,
}

/// Names of the loaded parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// ONNX Runtime and its version.
    pub runtime: Option<String>,
    /// The model.
    pub model: Option<String>,
}

impl Fault {
    /// Fault of the engine without a list of searched places.
    pub(super) fn of_engine(what: String) -> Self {
        Self { part: Part::Engine, what, looked_in: Vec::new() }
    }
}

impl From<&JobFailure> for Fault {
    fn from(failure: &JobFailure) -> Self {
        let JobFailure::Error { source, .. } = failure else { return Self::of_engine(failure.to_string()) };
        if let Some(error) = source.downcast_ref::<RuntimeError>() {
            let looked_in = error.looked().iter().map(ToString::to_string).collect();
            return Self { part: Part::Engine, what: error.summary(), looked_in };
        }
        if let Some(error) = source.downcast_ref::<ModelError>() {
            return Self { part: Part::Model, what: error.to_string(), looked_in: Vec::new() };
        }
        if let Some(BarOrder { expected, found }) = source.downcast_ref() {
            return Self::of_engine(format!(
                "bar {found} came where bar {expected} follows; the music is read again at the next bar. If this comes back, report it with Copy diagnostics"
            ));
        }
        Self::of_engine(failure.to_string())
    }
}

impl Engine {
    /// Status line for the loaded parts and a notice (empty for none).
    pub(super) fn status(&self, parts: &Parts, notice: &str) -> Status {
        let there = |name: &Option<String>, otherwise| name.clone().map_or(otherwise, Component::Ready);
        let missing = |fault: &Fault| Component::Missing { what: fault.what.clone(), looked_in: fault.looked_in.clone() };
        let (engine, model) = match self {
            Self::Loading | Self::Ready => (there(&parts.runtime, Component::Loading), there(&parts.model, Component::Loading)),
            Self::Failed(fault) if fault.part == Part::Model => (there(&parts.runtime, Component::Resting), missing(fault)),
            Self::Failed(fault) => (missing(fault), there(&parts.model, Component::Resting)),
        };
        let remark = Some(notice.to_owned()).filter(|notice| !notice.is_empty());
        Status { engine, model, remark, ..Status::default() }
    }
}

/// Progress of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionStatus {
    /// State of the engine.
    pub engine: Engine,
    /// Tick up to which input events have been handled.
    pub reached: Tick,
    /// Whether every request has been answered.
    pub idle: bool,
    /// Counts of plans on time and late.
    pub plans: PlanStats,
    /// The last request to the worker, with the times of its answer.
    pub last_request: Option<RequestTiming>,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::model::{LibraryFault, Looked, RUNTIME_VARIABLE};

    use super::*;

    fn parts() -> Parts {
        Parts { runtime: Some("ONNX Runtime 1.31.1".into()), model: Some("antiphon".into()) }
    }

    fn failed(source: impl std::error::Error + Send + Sync + 'static) -> Engine {
        Engine::Failed(Fault::from(&JobFailure::Error { name: "prefill", source: Box::new(source) }))
    }

    #[test]
    fn status_remark_is_the_notice() {
        assert_eq!(Engine::Ready.status(&parts(), "").remark, None);
        assert_eq!(Engine::Ready.status(&parts(), "full").remark.as_deref(), Some("full"));
    }

    #[test]
    fn status_of_loaded_parts_names_them() {
        let status = Engine::Ready.status(&parts(), "");
        assert_eq!((status.engine, status.model), (Component::Ready("ONNX Runtime 1.31.1".into()), Component::Ready("antiphon".into())));
        let status = Engine::Loading.status(&Parts::default(), "");
        assert_eq!((status.engine, status.model), (Component::Loading, Component::Loading));
    }

    #[test]
    fn missing_runtime_is_shown_with_every_place_in_order_and_the_cure() {
        let place = |path: &str, fault| Looked { place: path.into(), why: "bundle", fault };
        let error = RuntimeError::NotFound {
            looked: vec![place("/nowhere/libonnxruntime.so", LibraryFault::Missing), place("/usr/lib", LibraryFault::EmptyFolder)],
        };
        let status = failed(error).status(&parts(), "");
        let Component::Missing { what, looked_in } = status.engine else { panic!("{status:?}") };
        assert!(what.contains("was not found") && what.contains(RUNTIME_VARIABLE), "{what}");
        let expected =
            ["/nowhere/libonnxruntime.so (bundle): there is no such file", "/usr/lib (bundle): the folder holds no ONNX Runtime library"];
        assert_eq!(looked_in, expected);
        assert_eq!(status.model, Component::Ready("antiphon".into()), "the model is not to blame");
    }

    #[test]
    fn unusable_runtime_is_shown_with_the_place_that_was_named() {
        let looked = Looked { place: "/nowhere/libonnxruntime.so".into(), why: RUNTIME_VARIABLE, fault: LibraryFault::Missing };
        let status = failed(RuntimeError::Unusable(looked)).status(&Parts::default(), "");
        let Component::Missing { what, looked_in } = status.engine else { panic!("{status:?}") };
        assert!(what.starts_with(&format!("{RUNTIME_VARIABLE} names no usable ONNX Runtime")), "{what}");
        assert_eq!(looked_in, [format!("/nowhere/libonnxruntime.so ({RUNTIME_VARIABLE}): there is no such file")]);
    }

    #[test]
    fn a_damaged_model_leaves_the_runtime_there() {
        let damaged = ModelError::Size { name: Path::new("x.onnx").display().to_string(), bytes: 0 };
        let parts = Parts { model: None, ..parts() };
        let status = failed(damaged).status(&parts, "");
        assert_eq!(status.engine, Component::Ready("ONNX Runtime 1.31.1".into()));
        assert!(matches!(&status.model, Component::Missing { what, .. } if what.contains("x.onnx")), "{status:?}");
    }
}
