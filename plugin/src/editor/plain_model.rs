//! An editor model without a session, for tests and screenshots.

use std::sync::Arc;

use antiphon_engine::music::Clip;
use antiphon_engine::plan::{ChordChart, History, PlayerMemory, SongPosition};
use antiphon_engine::session::{Command, ControlValues, Snapshot};

use super::model::{Change, Control, EditorModel, Now};
use crate::clock::{Motion, MusicalTime};
use crate::params::{AntiphonParams, Look, ShownParameter};
use crate::presets::Comparison;
use crate::triggers::Triggers;

/// A call that the editor made on the model.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// A command of the player.
    Command(Command),
    /// Music of the song.
    Hear(Clip, SongPosition),
    /// A gesture began.
    Begin(Control),
    /// A control was set.
    Set(Change),
    /// A gesture ended.
    End(Control),
}

/// State to be shown, set by its owner. What the editor changes is applied to it and recorded; of the commands, those on the history have an effect.
#[derive(Debug, Clone)]
pub struct PlainModel {
    /// The session's snapshot.
    pub snapshot: Arc<Snapshot>,
    /// Clock state.
    pub now: Now,
    /// Values of the controls.
    pub values: ControlValues,
    /// Suggestions so far.
    pub history: Arc<History>,
    /// Learnt triggers.
    pub triggers: Arc<Triggers>,
    /// Message about project and host.
    pub message: Option<String>,
    /// Parameters that were set, and their normalised values; later ones count.
    pub dialled: Vec<(&'static str, f32)>,
    /// What is remembered of the player.
    pub memory: Arc<PlayerMemory>,
    /// Chords chosen for bars of the song.
    pub chart: Arc<ChordChart>,
    /// The slots 1 and 2.
    pub comparison: Comparison,
    /// Calls of the editor in order.
    pub calls: Vec<Call>,
}

impl PlainModel {
    /// An instrument with default controls, which shows this snapshot, with a clock that stands at tick 0 at 120 bpm.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            now: Now { playhead: MusicalTime(0.0), tempo: 120.0, motion: Motion::Stopped },
            values: AntiphonParams::new(true).controls(),
            history: Arc::default(),
            triggers: Arc::default(),
            message: None,
            dialled: Vec::new(),
            memory: Arc::default(),
            chart: Arc::default(),
            comparison: Comparison::default(),
            calls: Vec::new(),
        }
    }
}

impl PlainModel {
    /// Parameters with what was dialled.
    fn params(&self) -> AntiphonParams {
        let params = AntiphonParams::new(true);
        for (id, value) in &self.dialled {
            if let Some(param) = params.find(id) {
                // SAFETY: the pointer is one of `params`, which outlives this call.
                unsafe { param._internal_set_normalized_value(*value) };
            }
        }
        params
    }
}

impl EditorModel for PlainModel {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    fn now(&self) -> Now {
        self.now
    }

    fn values(&self) -> ControlValues {
        self.values
    }

    fn look(&self) -> Look {
        self.params().window.look()
    }

    fn history(&self) -> Arc<History> {
        Arc::clone(&self.history)
    }

    fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    fn status_message(&self) -> Option<String> {
        self.message.clone()
    }

    fn settable(&self) -> Vec<ShownParameter> {
        self.params().settable()
    }

    fn memory(&self) -> Arc<PlayerMemory> {
        Arc::clone(&self.memory)
    }

    fn chart(&self) -> Arc<ChordChart> {
        Arc::clone(&self.chart)
    }

    fn set_chart(&mut self, chart: ChordChart) {
        self.chart = Arc::new(chart);
    }

    fn comparison(&self) -> Comparison {
        self.comparison.clone()
    }

    fn set_comparison(&mut self, comparison: Comparison) {
        self.comparison = comparison;
    }

    fn read(&self, id: &str, text: &str) -> Option<f32> {
        self.params().read(id, text)
    }

    fn front(&self) -> [ShownParameter; 4] {
        self.params().front()
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<ShownParameter>)> {
        self.params().drawer()
    }

    fn hear(&mut self, clip: Clip, at: SongPosition) {
        self.calls.push(Call::Hear(clip, at));
    }

    fn command(&mut self, command: Command) {
        if let Command::Step(step) = command {
            let live = self.snapshot.plan.as_ref().map(|shown| &shown.plan);
            Arc::make_mut(&mut self.history).step(step, live);
        }
        match command {
            Command::Star(id) => {
                let history = Arc::make_mut(&mut self.history);
                if history.entries().iter().any(|entry| entry.id() == id && entry.is_starred()) {
                    history.unstar(id);
                } else {
                    // Without room the star stays off.
                    let _ = history.star(id);
                }
            }
            Command::Remove(id) => {
                Arc::make_mut(&mut self.history).remove(id);
            }
            Command::PutBack(id) => {
                Arc::make_mut(&mut self.history).put_back(id);
            }
            _ => {}
        }
        self.calls.push(Call::Command(command));
    }

    fn begin(&mut self, control: Control) {
        self.calls.push(Call::Begin(control));
    }

    fn set(&mut self, change: Change) {
        match change {
            Change::Mode(mode) => self.values.plan.mode = mode,
            Change::Parameter(id, value) => {
                self.dialled.push((id, value));
                let mode = self.values.plan.mode;
                self.values = self.params().controls();
                if id != "mode" {
                    self.values.plan.mode = mode;
                }
            }
        }
        self.calls.push(Call::Set(change));
    }

    fn end(&mut self, control: Control) {
        self.calls.push(Call::End(control));
    }
}
