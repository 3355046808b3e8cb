//! What a session shows of itself. Threads that may wait share it; the audio thread never touches it.

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{Mode, Tally};

use crate::board::{Component, Status};

/// Where the engine stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Engine {
    /// ONNX Runtime and the model are being loaded.
    #[default]
    Loading,
    /// It plays.
    Ready,
    /// It does not: what is missing or broken, and the cure. It is tried again a bar later; thru works meanwhile.
    Failed(String),
}

impl Engine {
    /// The status line, in a mode and with what else there is to say.
    pub(super) fn status(&self, mode: Mode, notice: &str) -> Status {
        let (engine, model) = match self {
            Self::Loading => (Component::Loading, Component::Loading),
            Self::Ready => (Component::Ready("ONNX Runtime".into()), Component::Ready("Antiphon".into())),
            Self::Failed(what) => (Component::Missing { what: what.clone(), looked_in: Vec::new() }, Component::Resting),
        };
        let coming = (mode != Mode::Suggest).then(|| format!("{} is coming; Suggest is ready", mode.name()));
        let remark = coming.or_else(|| Some(notice.to_owned()).filter(|notice| !notice.is_empty()));
        Status { engine, model, remark, ..Status::default() }
    }
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pace {
    /// Where the engine stands.
    pub engine: Engine,
    /// The tick up to which the player was heard.
    pub reached: Tick,
    /// Whether all that was asked of the engine has come.
    pub idle: bool,
    /// How planning has gone.
    pub tally: Tally,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_coming_are_said() {
        let status = Engine::Failed("no runtime".into()).status(Mode::Trade, "");
        assert_eq!(status.engine, Component::Missing { what: "no runtime".into(), looked_in: Vec::new() });
        assert_eq!(status.remark.as_deref(), Some("Trade is coming; Suggest is ready"));
        assert_eq!(Engine::Ready.status(Mode::Suggest, "").remark, None);
        assert_eq!(Engine::Ready.status(Mode::Suggest, "full").remark.as_deref(), Some("full"));
    }
}
