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
            let clock = match now.motion {
                _ if narrow => "",
                Motion::Host => "    host clock",
                Motion::Internal => "    own clock",
                Motion::Stopped if status::is_missing(&snapshot.status) => "",
                Motion::Stopped => "    waiting for you",
            };
            ui.label(RichText::new(format!("bar {}    {}    {:.0} bpm{clock}", shown.number, shown.bar.metre, now.tempo)).size(13.0));
            if narrow {
                return;
            }
            ui.add_space(style::GAP);
            key_chooser::show(ui, model, snapshot);
        });
    });
}
