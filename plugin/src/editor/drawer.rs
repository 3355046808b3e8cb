//! Drawer with the parameters that have no place of their own in the window.

use egui::{Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::dial;
use super::model::EditorModel;
use super::presets::Presets;
use super::shortcuts::{Action, hint};
use super::style;
use super::words::count;
use antiphon_engine::session::{Command, ShownMemory};

/// Width of the drawer, in points.
const WIDTH: f32 = 216.0;

/// Whether the drawer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Drawer {
    /// Hidden.
    #[default]
    Closed,
    /// Shown.
    Open,
}

impl Drawer {
    /// Opens or closes it.
    pub(super) const fn toggle(&mut self) {
        *self = match self {
            Self::Open => Self::Closed,
            Self::Closed => Self::Open,
        };
    }

    /// The button that opens and closes it.
    pub(super) fn button(&mut self, ui: &mut Ui) {
        let tip = format!("Opens or closes the drawer with presets and all other controls.{}", hint(Action::Drawer));
        if ui.add(style::button("More").selected(*self == Self::Open)).on_hover_text(tip).clicked() {
            self.toggle();
        }
    }

    /// The drawer at the right edge, if it is open. Only a narrow window has the front parameters here.
    pub(super) fn show(self, ui: &mut Ui, model: &mut impl EditorModel, narrow: bool, presets: &mut Presets) {
        if self == Self::Closed {
            return;
        }
        let frame = Frame::new().fill(ui.visuals().panel_fill).inner_margin(Margin {
            left: style::MARGIN,
            right: style::MARGIN,
            top: 4,
            bottom: 4,
        });
        Panel::right("drawer").frame(frame).exact_size(WIDTH).resizable(false).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let width = WIDTH - 3.0 * f32::from(style::MARGIN);
                presets.show(ui, model, width);
                let elsewhere = model.front().map(|parameter| parameter.id);
                for (group, parameters) in model.parameters() {
                    ui.add_space(style::GAP);
                    ui.label(RichText::new(group).strong());
                    let own = parameters.iter().filter(|parameter| narrow || !elsewhere.contains(&parameter.id));
                    own.for_each(|parameter| dial::show(ui, model, parameter, width));
                }
                memory(ui, model);
            });
        });
    }
}

/// What is remembered of the player, with the button that forgets it or brings it back.
fn memory(ui: &mut Ui, model: &mut impl EditorModel) {
    let ShownMemory { bars, forgotten, .. } = model.snapshot().memory;
    let count = |bars| count(bars, "bar");
    let (line, button, tip) = match (bars, forgotten) {
        (0, 0) => ("Remembers nothing yet: play a phrase".to_owned(), None, ""),
        (0, forgotten) => (format!("Forgot {}", count(forgotten)), Some("Bring back"), "Remembers again what was forgotten"),
        (bars, _) => {
            (format!("Remembers {} of yours", count(bars)), Some("Forget"), "Forgets your phrases; press again to bring them back")
        }
    };
    ui.add_space(style::GAP);
    ui.label(RichText::new("Memory").strong());
    ui.label(line);
    if button.is_some_and(|text| ui.add(style::button(text)).on_hover_text(tip).clicked()) {
        model.command(Command::Forget);
    }
}
