//! The key above the roll: the detected one with its confidence, or the one that is held; a click corrects it.

use antiphon_engine::music::analysis::{KeySignature, ScaleKind, ScaleMode};
use antiphon_engine::session::{KeyControl, Snapshot};
use egui::{Button, Grid, RichText, Ui, WidgetInfo, vec2};

use super::caret;
use super::controls::change;
use super::model::{Change, EditorModel};
use super::palette::{Palette, paint};

/// Draws the key and the menu that corrects it; in a narrow window how sure it is stands in the tooltip alone.
pub(super) fn show(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot, narrow: bool) {
    let harmony = model.values().music.harmony;
    let found = snapshot.harmony.last().and_then(|harmony| harmony.key);
    let text = match (harmony.key, found) {
        (KeyControl::Fixed(_), _) => harmony.fixed_key().map_or_else(String::new, |key| format!("{key}, held")),
        (KeyControl::Off, _) => "no key".to_owned(),
        (KeyControl::Detected, Some(found)) => format!("{}, {:.0} % sure", found.key, found.confidence * 100.0),
        (KeyControl::Detected, None) => return,
    };
    let short = text.split(',').next().filter(|_| narrow).unwrap_or(&text);
    // With room for the caret.
    let button = Button::new(RichText::new(format!("{short}\u{a0}\u{a0}\u{a0}\u{a0}")).size(12.0)).frame_when_inactive(false);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| menu(ui, model, harmony.key));
    let place = response.rect.right_center() - vec2(ui.spacing().button_padding.x + caret::HALF, 0.0);
    caret::draw(ui.painter(), place, paint(Palette::of(ui.ctx()).soft));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, text.as_str()));
    response
        .on_hover_text(format!("{text}: the key of your last bars and how sure that is, or the key that you hold; a click corrects it."));
}

fn menu(ui: &mut Ui, model: &mut impl EditorModel, key: KeyControl) {
    if ui.selectable_label(key == KeyControl::Detected, "Auto").clicked() {
        set(model, "key", "Auto");
        ui.close();
    }
    if ui.selectable_label(key == KeyControl::Off, "No key").clicked() {
        set(model, "key", "Off");
        ui.close();
    }
    ui.separator();
    let held = model.values().music.harmony.fixed_key();
    Grid::new("keys").num_columns(2).show(ui, |ui| {
        for tonic in 0..12 {
            for (mode, scale) in [(ScaleMode::Major, ScaleKind::Major), (ScaleMode::Minor, ScaleKind::Minor)] {
                let Some(signature) = KeySignature::new(tonic, mode) else { continue };
                if ui.selectable_label(held == Some(signature), signature.to_string()).clicked() {
                    set(model, "key", antiphon_engine::music::pitch_class_name(tonic));
                    set(model, "scale", scale.name());
                    ui.close();
                }
            }
            ui.end_row();
        }
    });
}

/// Sets a parameter to the value of a text.
fn set(model: &mut impl EditorModel, id: &'static str, text: &str) {
    if let Some(value) = model.read(id, text) {
        change(model, Change::Parameter(id, value));
    }
}
