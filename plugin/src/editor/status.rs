//! The status line: one sentence in a musician's words, and the details behind it.

use antiphon_engine::session::{Component, Snapshot, Status};
use egui::{Align, Button, Color32, Label, Layout, Popup, RichText, Sense, Shape, Stroke, Ui, vec2};

use super::details;
use super::export::Notice;
use super::model::Now;
use super::palette::{Palette, paint};
use super::shortcuts::{Action, hint};
use super::style::GAP;
use super::words::sentence;
use crate::clock::Motion;

/// Weight of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// All is well.
    Well,
    /// Something to know.
    Plain,
    /// In progress.
    Waiting,
    /// An error.
    Error,
}

/// What the line speaks about.
pub(super) struct Line<'a> {
    /// The session's snapshot.
    pub(super) snapshot: &'a Snapshot,
    /// Clock state.
    pub(super) now: &'a Now,
    /// Outcome of the last export.
    pub(super) notice: Option<&'a Notice>,
    /// What the mode does.
    pub(super) mode: String,
    /// Message about project and host.
    pub(super) message: Option<&'a str>,
    /// On the phrase of the history that is shown in place of the plan.
    pub(super) recalled: Option<String>,
}

impl Line<'_> {
    /// Draws the line; `history` draws its right part. `toggles_details` is whether their key was pressed.
    pub(super) fn show(&self, ui: &mut Ui, toggles_details: bool, history: impl FnOnce(&mut Ui)) {
        ui.horizontal(|ui| {
            // What stands at the right is as wide as it was when it was drawn last; drawn again at once if it has changed.
            let id = ui.scope_id().with("aside");
            let aside = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or_default();
            let width = (ui.available_width() - aside - ui.spacing().item_spacing.x).max(0.0);
            ui.allocate_ui_with_layout(vec2(width, ui.spacing().interact_size.y), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(width);
                self.show_sentence(ui);
            });
            let drawn = ui.scope(|ui| {
                history(ui);
                let button = ui.add(Button::new(RichText::new("Details").size(12.0)).frame_when_inactive(false));
                let tip = format!("Engine, model, counts and licences; to copy for a report{}", hint(Action::Details));
                let button = button.on_hover_text(tip);
                if toggles_details {
                    Popup::toggle_id(ui.ctx(), Popup::default_response_id(&button));
                }
                Popup::menu(&button).show(|ui| details::show(ui, &self.snapshot.status, self.message));
            });
            let drawn = drawn.response.rect.width();
            if (drawn - aside).abs() > 0.5 {
                ui.data_mut(|data| data.insert_temp(id, drawn));
                ui.ctx().request_discard("width beside the status");
            }
        });
    }

    fn show_sentence(&self, ui: &mut Ui) {
        let (tone, text) = self.sentence();
        let palette = Palette::of(ui.ctx());
        let colour = paint(match tone {
            Tone::Well => palette.playing,
            Tone::Plain => palette.ink,
            Tone::Waiting => palette.waiting,
            Tone::Error => palette.error,
        });
        sign(ui, tone, colour);
        let line = RichText::new(&text).size(12.0).color(colour);
        // The mode's own sentence stands beside the one that all is well.
        let is_well = tone == Tone::Well;
        ui.add(if is_well { Label::new(line) } else { Label::new(line).truncate() }).on_hover_text(text);
        if is_well {
            ui.add_space(GAP);
            let mode = RichText::new(&self.mode).size(12.0).color(paint(palette.soft));
            ui.add(Label::new(mode).truncate()).on_hover_text(&self.mode);
        }
    }

    /// The first of these that applies: an error, progress, what was just exported, messages, the state of the clock.
    fn sentence(&self) -> (Tone, String) {
        let status = &self.snapshot.status;
        if let Some(name) = missing_component(status) {
            return (
                Tone::Error,
                format!(
                    "No {name}: Antiphon passes your notes on and suggests nothing. Install it again; the lines over this one say what is missing"
                ),
            );
        }
        match self.notice {
            Some(Notice::Failed(text)) => return (Tone::Error, text.clone()),
            Some(Notice::Done(text)) => return (Tone::Plain, text.clone()),
            None => {}
        }
        let messages: Vec<_> = [self.message, status.remark.as_deref()].into_iter().flatten().map(sentence).collect();
        if !messages.is_empty() {
            return (Tone::Plain, messages.join(". "));
        }
        if matches!(status.engine, Component::Loading) || matches!(status.model, Component::Loading) {
            return (Tone::Waiting, "Loading the engine: ready in a few seconds".into());
        }
        if let Some(recalled) = &self.recalled {
            return (Tone::Plain, recalled.clone());
        }
        let has_plan = self.snapshot.plan.is_some();
        let state = match self.now.motion {
            Motion::Stopped if has_plan => "The transport stands: play some notes, or press Play",
            Motion::Stopped => "Listening: play some notes, or start the transport",
            _ if !has_plan => "Listening",
            _ => return (Tone::Well, "In time".into()),
        };
        (Tone::Plain, state.into())
    }
}

/// The second sign of a tone, besides its colour: a disc, a ring, a triangle.
fn sign(ui: &mut Ui, tone: Tone, colour: Color32) {
    if tone == Tone::Plain {
        return;
    }
    let (area, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
    let (centre, painter) = (area.center(), ui.painter());
    match tone {
        Tone::Waiting => painter.circle_stroke(centre, 3.5, Stroke::new(1.5, colour)),
        Tone::Error => {
            let corners = vec![area.center_top(), area.right_bottom(), area.left_bottom()];
            painter.add(Shape::convex_polygon(corners, colour, Stroke::NONE))
        }
        Tone::Well | Tone::Plain => painter.circle_filled(centre, 4.0, colour),
    };
}

/// Draws what is missing, with the cure, and where it was searched, above the status line.
pub(super) fn missing(ui: &mut Ui, status: &Status) {
    for component in [&status.engine, &status.model] {
        let Component::Missing { what, looked_in } = component else { continue };
        let looked_in = looked_in.iter().map(|place| format!("looked in {place}"));
        for line in std::iter::once(what.clone()).chain(looked_in) {
            ui.label(RichText::new(sentence(line)).size(12.0).weak());
        }
    }
}

/// Whether [`missing`] has anything to show.
pub(super) fn is_missing(status: &Status) -> bool {
    missing_component(status).is_some()
}

fn missing_component(status: &Status) -> Option<&'static str> {
    let parts = [("engine", &status.engine), ("model", &status.model)];
    parts.into_iter().find(|(_, part)| matches!(part, Component::Missing { .. })).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MusicalTime;
    use crate::editor::samples::plan;

    fn line(snapshot: &Snapshot, motion: Motion, message: Option<&str>) -> (Tone, String) {
        let now = Now { playhead: MusicalTime(0.0), tempo: 120.0, motion };
        Line { snapshot, now: &now, notice: None, mode: String::new(), message, recalled: None }.sentence()
    }

    #[test]
    fn error_comes_before_messages_and_these_before_the_clock() {
        let planned = Snapshot { plan: Some(plan(0, 96, &[])), ..Snapshot::default() };
        assert_eq!(line(&planned, Motion::Host, None), (Tone::Well, "In time".into()));
        assert_eq!(line(&planned, Motion::Stopped, None).0, Tone::Plain);
        assert_eq!(line(&planned, Motion::Host, Some("No tempo")), (Tone::Plain, "No tempo".into()));
        let engine = Component::Missing { what: "not found".into(), looked_in: Vec::new() };
        let broken = Snapshot { status: Status { engine, ..Status::default() }, ..planned };
        let (tone, text) = line(&broken, Motion::Host, Some("No tempo"));
        assert!(tone == Tone::Error && text.starts_with("No engine: "), "{text}");
    }

    #[test]
    fn component_that_is_loading_is_not_missing() {
        let loading = Status { engine: Component::Loading, ..Status::default() };
        assert!(!is_missing(&loading));
        let snapshot = Snapshot { status: loading, ..Snapshot::default() };
        assert_eq!(line(&snapshot, Motion::Host, None).0, Tone::Waiting);
    }
}
