//! Places of the editor's buttons, from its accessibility tree, so that tests with real input survive a new layout.

use std::path::Path;

use antiphon_engine::music::smf;
use antiphon_plugin::drag::platform_source;
use antiphon_plugin::editor::plain_model::PlainModel;
use antiphon_plugin::editor::{Editor, Exporter, SIZE};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use raw_window_handle::{HandleError, HasWindowHandle, WindowHandle};

use crate::scripted::piece_at;

struct NoWindow;

impl HasWindowHandle for NoWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        Err(HandleError::Unavailable)
    }
}

/// A demo piece in its ninth bar, with a plan.
///
/// # Panics
/// When the demo clip is missing.
#[must_use]
pub fn piece() -> PlainModel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/band.mid");
    piece_at(&smf::read_file(&path).expect("the demo clip is part of the workspace").clip, 9)
}

/// Middle of the button with this label in an editor of the initial size, in points, while [`piece`] is shown.
///
/// # Panics
/// When there is no such button.
#[must_use]
pub fn of(label: &str) -> (i16, i16) {
    let harness = open();
    middle(&harness, label)
}

/// Middle of an item of the menu that a right click on this button opens, as [`of`].
///
/// # Panics
/// When there is no such button or item.
#[must_use]
pub fn of_menu_item(label: &str, item: &str) -> (i16, i16) {
    let mut harness = open();
    harness.get_by_label(label).click_secondary();
    harness.run_steps(3);
    middle(&harness, item)
}

fn open() -> Harness<'static, (Editor, PlainModel)> {
    let state = (Editor::new(Exporter::new(platform_source())), piece());
    let builder = Harness::builder().with_size(SIZE).with_context_setup(Editor::apply_style);
    let mut harness = builder.build_ui_state(|ui, (editor, model)| editor.show(ui, model, &NoWindow), state);
    harness.run_steps(3);
    harness
}

#[allow(clippy::cast_possible_truncation, reason = "within a window")]
fn middle(harness: &Harness<'_, (Editor, PlainModel)>, label: &str) -> (i16, i16) {
    let middle = harness.get_by_label(label).rect().center();
    (middle.x as i16, middle.y as i16)
}
