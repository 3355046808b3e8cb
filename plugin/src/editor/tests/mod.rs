//! The editor without a window: commands reach the model, exports become files.

mod chords;
mod commands;
mod dials;
mod edits;
mod export;
mod infill;
mod keys;
mod names;
mod navigation;
mod presets;
mod selection;
mod shown;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_engine::music::{Clip, Metre, MetreMap, Note, Role, Tempo, Tick, smf};
use antiphon_engine::plan::{History, Place, PlayMode, Reason};
use egui::{Event, Key, Modifiers, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use parking_lot::Mutex;
use raw_window_handle::{HandleError, HasWindowHandle, WindowHandle};

use super::*;
use crate::clock::MusicalTime;
use crate::drag::{DragError, DragSource, Outcome};
use crate::editor::plain_model::{Call, PlainModel};
use crate::editor::samples::plan;
use antiphon_engine::session::Command;
use antiphon_engine::session::{Component, Status};

/// A model that shows this snapshot at 133 bpm.
fn model(snapshot: Snapshot) -> PlainModel {
    let now = Now { playhead: MusicalTime(100.0), tempo: 133.0, motion: Motion::Stopped };
    PlainModel { now, ..PlainModel::new(snapshot) }
}

/// A fake drag, ended by the test.
#[derive(Default)]
struct FakeDrag {
    file: Option<PathBuf>,
    outcome: Option<Result<Outcome, DragError>>,
}

#[derive(Clone, Default)]
struct FakeDragSource(Arc<Mutex<FakeDrag>>);

impl DragSource for FakeDragSource {
    fn begin(&mut self, file: &Path, _window: &dyn HasWindowHandle) -> Result<(), DragError> {
        self.0.lock().file = Some(file.to_owned());
        Ok(())
    }

    fn ended(&mut self) -> Option<Result<Outcome, DragError>> {
        self.0.lock().outcome.take()
    }
}

struct NoWindow;

impl HasWindowHandle for NoWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        Err(HandleError::Unavailable)
    }
}

fn open(model: PlainModel, drags: FakeDragSource) -> Harness<'static, (Editor, PlainModel)> {
    let editor = Editor::new(Exporter::new(Box::new(drags)));
    let frame = |ui: &mut Ui, (editor, model): &mut (Editor, PlainModel)| editor.show(ui, model, &NoWindow);
    let builder = Harness::builder().with_size(vec2(SIZE.0, SIZE.1)).with_context_setup(Editor::apply_style);
    builder.build_ui_state(frame, (editor, model))
}

fn note(onset: i64, pitch: u8) -> Note {
    Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys }
}

/// Two notes played in bar 1, and a plan of two bars from bar 2.
fn music() -> Snapshot {
    Snapshot { played: vec![note(0, 60), note(24, 62)], plan: Some(plan(96, 288, &[note(96, 64), note(192, 65)])), ..Snapshot::default() }
}

fn calls(harness: &mut Harness<'_, (Editor, PlainModel)>) -> Vec<Call> {
    harness.run_steps(3);
    std::mem::take(&mut harness.state_mut().1.calls)
}

fn button(harness: &Harness<'_, (Editor, PlainModel)>, pos: Pos2, pressed: bool) {
    harness.event(Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
}
