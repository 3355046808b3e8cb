//! The text field of a dialog.

use egui::{Key, TextEdit, Ui};

/// Draws the field under its label; `opening` gives it the keyboard, once. Returns whether Enter was pressed in it.
pub(super) fn show(ui: &mut Ui, label: &str, text: &mut String, opening: &mut bool) -> bool {
    let label = ui.label(label);
    let field = ui.add(TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(label.id);
    if std::mem::take(opening) {
        field.request_focus();
    }
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}
