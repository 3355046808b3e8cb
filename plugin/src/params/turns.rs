//! Parameters of the modes in which Antiphon plays by itself.

use antiphon_engine::session::TurnControls;
use nice_plug::prelude::*;

use super::steps::{AnswerAfterStep, TradeBarsStep};

/// When Antiphon plays by itself.
#[derive(Params)]
pub struct TurnParams {
    /// Silence of the player before Antiphon answers, in Answer.
    #[id = "answer_after"]
    pub answer_after: EnumParam<AnswerAfterStep>,
    /// Length of a turn, in Trade.
    #[id = "trade_bars"]
    pub trade_bars: EnumParam<TradeBarsStep>,
}

impl Default for TurnParams {
    fn default() -> Self {
        Self {
            answer_after: EnumParam::new("Answer after", AnswerAfterStep::TwoBeats),
            trade_bars: EnumParam::new("Trade bars", TradeBarsStep::Four),
        }
    }
}

impl TurnParams {
    /// The values that the session needs.
    pub(super) fn controls(&self) -> TurnControls {
        TurnControls {
            answer_after: self.answer_after.value().into(),
            trade_bars: self.trade_bars.value().into(),
            ..TurnControls::default()
        }
    }
}
