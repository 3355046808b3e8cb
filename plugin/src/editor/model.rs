//! The interface between the editor and the plug-in. The editor knows nothing else, so it runs in tests and for screenshots without a host.

use std::sync::Arc;

use antiphon_engine::music::Clip;
use antiphon_engine::plan::{ChordChart, History, PlayMode, PlayerMemory, SongPosition};

use crate::clock::{Motion, MusicalTime};
use crate::params::{Look, ShownParameter};
use crate::presets::Comparison;
use crate::triggers::Triggers;
use antiphon_engine::session::Command;
use antiphon_engine::session::ControlValues;
use antiphon_engine::session::Snapshot;

/// State and commands behind the editor. Called while it draws, so no method may block.
pub trait EditorModel {
    /// The snapshot the session published last.
    fn snapshot(&self) -> Arc<Snapshot>;
    /// Clock time, tempo and clock source.
    fn now(&self) -> Now;
    /// Current values of the controls.
    fn values(&self) -> ControlValues;
    /// Colours of the window.
    fn look(&self) -> Look;
    /// All suggestions so far, and the entry shown, if it is not the current plan.
    fn history(&self) -> Arc<History>;
    /// Keys, pedals and controllers that press a button.
    fn triggers(&self) -> &Triggers;
    /// What the player should know about project and host, in sentences.
    fn status_message(&self) -> Option<String>;
    /// Parameters beside the buttons; a narrow window has the first two there.
    fn front(&self) -> [ShownParameter; 4];
    /// Parameters of the drawer in groups.
    fn parameters(&self) -> Vec<(&'static str, Vec<ShownParameter>)>;
    /// All parameters that the window sets, each once.
    fn settable(&self) -> Vec<ShownParameter>;
    /// What is remembered of the player.
    fn memory(&self) -> Arc<PlayerMemory>;
    /// Chords chosen for bars of the song.
    fn chart(&self) -> Arc<ChordChart>;
    /// Changes the chosen chords.
    fn set_chart(&mut self, chart: ChordChart);
    /// The slots 1 and 2.
    fn comparison(&self) -> Comparison;
    /// Changes the slots. The parameters are set apart from it.
    fn set_comparison(&mut self, comparison: Comparison);
    /// The normalised value that a typed text means to a parameter; `None` if it means nothing.
    fn read(&self, id: &str, text: &str) -> Option<f32>;
    /// Music that counts as played at this bar line of the song.
    fn hear(&mut self, clip: Clip, at: SongPosition);
    /// A command of the player.
    fn command(&mut self, command: Command);
    /// Begins a gesture on a control, for the host's undo and automation.
    fn begin(&mut self, control: Control);
    /// Sets a control within a gesture.
    fn set(&mut self, change: Change);
    /// Ends the gesture.
    fn end(&mut self, control: Control);
}

/// A control shown by the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Control {
    /// What Antiphon does with its plan.
    Mode,
    /// The parameter of this id.
    Parameter(&'static str),
}

/// New value of a control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// A mode.
    Mode(PlayMode),
    /// Id and normalised value, 0 to 1, of a parameter.
    Parameter(&'static str, f32),
}

impl Change {
    /// The control this is a value of.
    #[must_use]
    pub const fn control(self) -> Control {
        match self {
            Self::Mode(_) => Control::Mode,
            Self::Parameter(id, _) => Control::Parameter(id),
        }
    }
}

/// Clock state for one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// Playhead on the unwrapped clock.
    pub playhead: MusicalTime,
    /// Quarters per minute.
    pub tempo: f64,
    /// What drives the clock.
    pub motion: Motion,
}

impl Now {
    /// The same with invalid values replaced: NaN and huge positions are clamped, an invalid tempo becomes 0.
    #[must_use]
    pub(super) fn sane(self) -> Self {
        // A million bars in ticks, still exact as an `f64`.
        const FARTHEST: f64 = 1e8;
        let playhead = if self.playhead.0.is_nan() { 0.0 } else { self.playhead.0.clamp(-FARTHEST, FARTHEST) };
        let tempo = if self.tempo.is_finite() { self.tempo.max(0.0) } else { 0.0 };
        Self { playhead: MusicalTime(playhead), tempo, ..self }
    }
}
