//! A model that records the edits that go through it, so that they can be undone.

use std::sync::Arc;

use antiphon_engine::plan::{ChordChart, History, PlayerMemory};
use antiphon_engine::session::{Command, ControlValues, Snapshot};

use super::edits::{Edit, Edits};
use super::model::{Change, Control, EditorModel, Now};
use crate::params::ShownParameter;
use crate::presets::Comparison;
use crate::triggers::Triggers;

/// The model of the window for one frame.
pub(super) struct Recorder<'a, M> {
    model: &'a mut M,
    edits: &'a mut Edits,
}

impl<'a, M: EditorModel> Recorder<'a, M> {
    pub(super) const fn new(model: &'a mut M, edits: &'a mut Edits) -> Self {
        Self { model, edits }
    }

    /// Undoes the last edit.
    pub(super) fn undo(&mut self) {
        self.edits.undo(self.model);
    }

    /// Does it again.
    pub(super) fn redo(&mut self) {
        self.edits.redo(self.model);
    }

    /// Records an edit that no command makes.
    pub(super) fn record(&mut self, edit: Edit) {
        self.edits.record(edit);
    }

    /// Names of the edits that Undo and Redo concern.
    pub(super) fn next_edits(&self) -> [Option<&'static str>; 2] {
        let (snapshot, history) = (self.model.snapshot(), self.model.history());
        [self.edits.next_undo(&snapshot, &history), self.edits.next_redo(&snapshot, &history)].map(|edit| edit.map(Edit::name))
    }
}

impl<M: EditorModel> EditorModel for Recorder<'_, M> {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.model.snapshot()
    }

    fn now(&self) -> Now {
        self.model.now()
    }

    fn values(&self) -> ControlValues {
        self.model.values()
    }

    fn history(&self) -> Arc<History> {
        self.model.history()
    }

    fn triggers(&self) -> &Triggers {
        self.model.triggers()
    }

    fn status_message(&self) -> Option<String> {
        self.model.status_message()
    }

    fn front(&self) -> [ShownParameter; 4] {
        self.model.front()
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<ShownParameter>)> {
        self.model.parameters()
    }

    fn settable(&self) -> Vec<ShownParameter> {
        self.model.settable()
    }

    fn memory(&self) -> Arc<PlayerMemory> {
        self.model.memory()
    }

    fn chart(&self) -> Arc<ChordChart> {
        self.model.chart()
    }

    fn set_chart(&mut self, chart: ChordChart) {
        self.model.set_chart(chart);
    }

    fn comparison(&self) -> Comparison {
        self.model.comparison()
    }

    fn set_comparison(&mut self, comparison: Comparison) {
        self.model.set_comparison(comparison);
    }

    fn read(&self, id: &str, text: &str) -> Option<f32> {
        self.model.read(id, text)
    }

    fn command(&mut self, command: Command) {
        self.edits.record_command(command, &self.model.snapshot());
        self.model.command(command);
    }

    fn begin(&mut self, control: Control) {
        self.model.begin(control);
    }

    fn set(&mut self, change: Change) {
        self.model.set(change);
    }

    fn end(&mut self, control: Control) {
        self.model.end(control);
    }
}
