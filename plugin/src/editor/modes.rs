//! The five modes at the top of the window, and what each does.

use antiphon_engine::plan::PlayMode;
use egui::{Button, Ui};

use super::controls::{change, learn, learning};
use super::model::{Change, EditorModel};
use crate::triggers::Button as Pressed;

/// The five modes side by side.
pub(super) fn show(ui: &mut Ui, model: &mut impl EditorModel) {
    if model.triggers().waiting() == Some(Pressed::Mode) {
        learning(ui, model.triggers());
        return;
    }
    let current = model.values().plan.mode;
    let learnt = model.triggers().of(Pressed::Mode).map_or_else(String::new, |trigger| format!(" The next mode by {trigger}."));
    ui.spacing_mut().item_spacing.x = 4.0;
    for mode in PlayMode::ALL {
        let tip = format!("{}{learnt} Right-click to learn a key or pedal that goes through the modes.", purpose(mode));
        let button = ui.add(Button::selectable(mode == current, mode.name())).on_hover_text(tip);
        button.context_menu(|ui| {
            ui.label(purpose(mode));
            learn(ui, model.triggers(), Pressed::Mode);
        });
        if button.clicked() && mode != current {
            change(model, Change::Mode(mode));
        }
    }
}

/// What a mode does, in a sentence.
pub(super) const fn purpose(mode: PlayMode) -> &'static str {
    match mode {
        PlayMode::Suggest => "Shows what could come next; plays it when you press Play.",
        PlayMode::Answer => "Takes over when you pause, and stops when you play again.",
        PlayMode::Trade => "You play some bars, then Antiphon plays as many.",
        PlayMode::Accompany => "Plays another role along with you.",
        PlayMode::Infill => "Fills the bars that you mark in the song.",
    }
}
