//! Drawer with the parameters that have no place of their own in the window.

use egui::{Frame, Margin, Panel, RichText, ScrollArea, Slider, Ui};

use super::controls::{dial, gesture};
use super::model::{Change, EditorModel};
use super::style;
use crate::params::ShownParameter;

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
    /// The button that opens and closes it.
    pub(super) fn button(&mut self, ui: &mut Ui) {
        let button = ui.selectable_label(*self == Self::Open, "Controls").on_hover_text("Density, register, key, channels and more");
        if button.clicked() {
            *self = if *self == Self::Open { Self::Closed } else { Self::Open };
        }
    }

    /// The drawer at the right edge, if it is open.
    pub(super) fn show(self, ui: &mut Ui, model: &mut impl EditorModel) {
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
                for (group, parameters) in model.parameters() {
                    ui.add_space(style::GAP);
                    ui.label(RichText::new(group).strong());
                    parameters.iter().for_each(|parameter| slider(ui, model, parameter));
                }
            });
        });
    }
}

/// A parameter as a slider with its name and its text.
fn slider(ui: &mut Ui, model: &mut impl EditorModel, parameter: &ShownParameter) {
    let ShownParameter { id, name, text, value, steps } = parameter;
    let mut value = *value;
    let step = 1.0 / steps.max(&1).to_owned() as f64;
    let width = WIDTH - 3.0 * f32::from(style::MARGIN);
    let response = dial(ui, width, name, text, name, |ui| ui.add(Slider::new(&mut value, 0.0..=1.0).step_by(step).show_value(false)));
    gesture(model, &response, Change::Parameter(id, value));
}
