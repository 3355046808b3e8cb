//! The row at the top of the window: name, modes, key and clock.

use antiphon_engine::session::Snapshot;
use egui::{Align, Layout, RichText, Ui};

use super::model::{EditorModel, Now};
use super::presets::Presets;
use super::{is_narrow, key_chooser, modes, status, style};
use crate::clock::Motion;

/// Draws the row; presets where there is room.
pub(super) fn show(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot, now: &Now, presets: &mut Presets) {
    let narrow = is_narrow(ui);
    ui.horizontal(|ui| {
        ui.label(RichText::new("Antiphon").heading());
        ui.add_space(style::GAP * 2.0);
        modes::show(ui, model);
        presets.header(ui, model);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let shown = snapshot.bar_at(now.playhead.tick());
            // The host shows tempo and clock, too; the key stands nowhere else.
            let clock = match now.motion {
                _ if narrow => "",
                Motion::Host => "    host clock",
                Motion::Internal => "    own clock",
                Motion::Stopped if status::is_missing(&snapshot.status) => "",
                Motion::Stopped => "    waiting for you",
            };
            let tempo = if narrow { String::new() } else { format!("    {:.0} bpm", now.tempo) };
            ui.label(RichText::new(format!("bar {}    {}{tempo}{clock}", shown.number, shown.bar.metre)).size(13.0));
            ui.add_space(if narrow { 0.0 } else { style::GAP });
            key_chooser::show(ui, model, snapshot, narrow);
        });
    });
}
