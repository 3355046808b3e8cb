//! Buttons of the four variations.

use antiphon_engine::plan::Variation;
use antiphon_engine::session::{ShownVariations, Snapshot};
use egui::{Button, Key, RichText, Role, Sense, Ui, WidgetInfo};

use super::controls::{learn, learning};
use super::model::EditorModel;
use super::palette::{Palette, paint};
use crate::triggers::Button as Pressed;
use antiphon_engine::session::Command;

/// The four buttons. The variation that is shown is framed, one that is awaited is named so, and those that are not ready are faint.
pub(super) fn show(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot) {
    let (variations, has_plan) = (&snapshot.variations, snapshot.plan.is_some());
    let soft = paint(Palette::of(ui.ctx()).soft);
    for variation in Variation::ALL {
        let pressed = Pressed::of(variation);
        if model.triggers().waiting() == Some(pressed) {
            learning(ui, model.triggers());
            continue;
        }
        let state = State::of(variation, variations);
        let text = if state == State::Awaited { format!("{} ...", variation.name()) } else { variation.name().to_owned() };
        let text = RichText::new(text).size(12.0);
        let text = if matches!(state, State::Shown | State::Ready) { text } else { text.color(soft) };
        let response = ui.add_enabled(has_plan, Button::selectable(state == State::Shown, text));
        response.widget_info(|| WidgetInfo::selected(Role::Button, has_plan, state == State::Shown, pressed.name()));
        let learnt = model.triggers().of(pressed).map_or_else(String::new, |trigger| format!(" ({trigger})"));
        let tip = format!("{}{learnt}: {}. Right-click to learn a key or pedal for it", pressed.name(), state.sentence(snapshot));
        let response = response.on_hover_text(tip.as_str()).on_disabled_hover_text(format!("{tip}. There is no plan yet."));
        // A disabled button takes no clicks: its menu lies over it.
        let menu = if has_plan { response.clone() } else { ui.interact(response.rect, response.id.with("learn"), Sense::click()) };
        menu.context_menu(|ui| learn(ui, model.triggers(), pressed));
        if response.clicked() {
            model.command(pressed.command());
        }
    }
}

/// What a variation can do when it is clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Shown,
    Ready,
    Awaited,
    Missing,
}

impl State {
    fn of(variation: Variation, variations: &ShownVariations) -> Self {
        if variations.awaited == Some(variation) {
            Self::Awaited
        } else if variations.shown == variation {
            Self::Shown
        } else if variations.is_ready(variation) {
            Self::Ready
        } else {
            Self::Missing
        }
    }

    fn sentence(self, snapshot: &Snapshot) -> &'static str {
        let plays = snapshot.plan.as_ref().is_some_and(|shown| shown.playing);
        match self {
            Self::Shown => "it is shown",
            Self::Ready => "click to show it",
            Self::Awaited => "it is being made",
            Self::Missing if plays => "click, and it takes over at the next beat",
            Self::Missing => "it is made when you pause, or when you click",
        }
    }
}

/// The button that removes all locks; Esc does the same. Nothing without a lock.
pub(super) fn unlock(ui: &mut Ui, model: &mut impl EditorModel, snapshot: &Snapshot) {
    if snapshot.locks.is_empty() {
        return;
    }
    let button = ui.add(Button::new(RichText::new("Unlock").size(12.0)));
    let button = button.on_hover_text("Remove all locks of notes and bars. Esc does the same");
    let escapes = model.triggers().waiting().is_none() && ui.input(|input| input.key_pressed(Key::Escape));
    if button.clicked() || escapes {
        model.command(Command::UnlockAll);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::samples::plan;

    #[test]
    fn variation_is_missing_until_it_is_ready_and_awaited_once_it_is_chosen() {
        let ready = Some(plan(96, 192, &[]).plan);
        let variations = ShownVariations { shown: Variation::B, awaited: Some(Variation::D), plans: [ready.clone(), ready, None, None] };
        let states = Variation::ALL.map(|variation| State::of(variation, &variations));
        assert_eq!(states, [State::Ready, State::Shown, State::Missing, State::Awaited]);
    }
}
