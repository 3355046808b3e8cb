//! What the editor shows, and what it asks for. It knows nothing else, so it runs in tests and for pictures without a host.

use std::sync::Arc;

use antiphon_engine::plan::{History, Mode};

use crate::clock::{Moment, Motion};
use antiphon_engine::session::Command;
use antiphon_engine::session::ControlValues;
use antiphon_engine::session::Snapshot;

/// What stands behind the editor. Called while it draws: nothing here may wait.
pub trait EditorModel {
    /// What the musician published last.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Where the clock is.
    fn now(&self) -> Now;
    /// The controls as they stand.
    fn values(&self) -> ControlValues;
    /// Whether a mode works, or is still to come.
    fn is_ready(&self, mode: Mode) -> bool;
    /// What was suggested so far, and which of it the player has gone back to.
    fn history(&self) -> Arc<History>;
    /// What the player should know of the project and of the host, in sentences.
    fn remark(&self) -> Option<String>;
    /// The player asks for something.
    fn command(&mut self, command: Command);
    /// The player takes hold of a control: what follows is one gesture for the host's undo and automation.
    fn begin(&mut self, control: Control);
    /// The player sets the control they hold.
    fn set(&mut self, change: Change);
    /// The player lets go of it.
    fn end(&mut self, control: Control);
}

/// A control that the editor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Control {
    /// What Antiphon does with its plan.
    Mode,
    /// How far ahead it plans.
    Horizon,
    /// From the safe to the unheard-of.
    Adventurousness,
}

/// A control's new value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Any mode that is ready.
    Mode(Mode),
    /// In bars, 1 to 8.
    Horizon(u8),
    /// 0 to 1.
    Adventurousness(f32),
}

impl Change {
    /// What it is a value of.
    #[must_use]
    pub const fn control(self) -> Control {
        match self {
            Self::Mode(_) => Control::Mode,
            Self::Horizon(_) => Control::Horizon,
            Self::Adventurousness(_) => Control::Adventurousness,
        }
    }
}

/// The moment that is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// On the unwrapped clock.
    pub playhead: Moment,
    /// Quarters per minute.
    pub tempo: f64,
    /// What drives the clock.
    pub motion: Motion,
}

impl Now {
    /// The same moment, with what cannot be drawn left out: a clock that was never set stands at 0, and a tempo that is none is 0.
    #[must_use]
    pub(super) fn sane(self) -> Self {
        // A million bars: nobody plays that long, and it still counts exactly.
        const FARTHEST: f64 = 1e8;
        let playhead = if self.playhead.0.is_nan() { 0.0 } else { self.playhead.0.clamp(-FARTHEST, FARTHEST) };
        let tempo = if self.tempo.is_finite() { self.tempo.max(0.0) } else { 0.0 };
        Self { playhead: Moment(playhead), tempo, ..self }
    }
}
