//! The status line: one sentence in a musician's words, and the details behind it.

use antiphon_engine::session::{Component, Snapshot, Status};
use antiphon_roll::legend::Colour;
use egui::{Align, Button, Color32, Label, Layout, Popup, Response, RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, vec2};

use super::details;
use super::export::Notice;
use super::model::Now;
use super::palette::{Palette, paint};
use super::shortcuts::{Action, hint};
use super::style::GAP;
use super::words::sentence;
use crate::clock::Motion;

/// Width and height of a sign, in points.
const SIGN: f32 = 11.0;
/// What the sentence that all is well means.
const WELL: &str = "Antiphon follows you, and each suggestion is there before its beat; Details has the counts.";

/// Weight of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// All is well.
    Well,
    /// Something to know.
    Plain,
    /// In progress.
    Waiting,
    /// Something that is not as it should be, and that Antiphon goes on without.
    Warning,
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
    /// What starts the clock, while it stands and there is a plan.
    pub(super) standing: &'static str,
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
        let colour = paint(tone.colour(palette));
        // A warning that another sentence stands before keeps its sign.
        if let Some(warning) = self.warning().filter(|_| tone != Tone::Warning) {
            let sign = sign(ui, Tone::Warning, paint(Tone::Warning.colour(palette)), &warning);
            sign.iter().for_each(|sign| sign.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Warning: {warning}"))));
        }
        sign(ui, tone, colour, &text);
        let line = RichText::new(&text).size(12.0).color(colour);
        // The mode's own sentence stands beside the one that all is well.
        let is_well = tone == Tone::Well;
        let line = ui.add(if is_well { Label::new(line) } else { Label::new(line).truncate() });
        line.on_hover_text(if is_well { WELL.to_owned() } else { text });
        if is_well {
            ui.add_space(GAP);
            let mode = RichText::new(&self.mode).size(12.0).color(paint(palette.soft));
            ui.add(Label::new(mode).truncate()).on_hover_text(&self.mode);
        }
    }

    /// What is not as it should be with project or host.
    fn warning(&self) -> Option<String> {
        self.message.map(sentence)
    }

    /// The first of these that applies: an error, what was just exported, warnings and remarks, progress, the state of the clock.
    fn sentence(&self) -> (Tone, String) {
        let status = &self.snapshot.status;
        if missing_component(status).is_some() {
            return (Tone::Error, "Antiphon is not complete: your notes pass through, but nothing is suggested".into());
        }
        match self.notice {
            Some(Notice::Failed(text)) => return (Tone::Error, text.clone()),
            Some(Notice::Done(text)) => return (Tone::Plain, text.clone()),
            None => {}
        }
        let remark = status.remark.as_deref().map(sentence);
        match (self.warning(), remark) {
            (Some(warning), remark) => return (Tone::Warning, std::iter::once(warning).chain(remark).collect::<Vec<_>>().join(". ")),
            (None, Some(remark)) => return (Tone::Plain, remark),
            (None, None) => {}
        }
        if matches!(status.engine, Component::Loading) || matches!(status.model, Component::Loading) {
            return (Tone::Waiting, "Loading the engine: ready in a few seconds".into());
        }
        if let Some(recalled) = &self.recalled {
            return (Tone::Plain, recalled.clone());
        }
        let has_plan = self.snapshot.plan.is_some();
        let state = match self.now.motion {
            Motion::Stopped if has_plan => self.standing,
            Motion::Stopped => "Listening: play some notes, or start the transport",
            _ if !has_plan => "Listening",
            _ => return (Tone::Well, "Ready, in time".into()),
        };
        (Tone::Plain, state.into())
    }
}

impl Tone {
    const fn colour(self, palette: &Palette) -> Colour {
        match self {
            Self::Well => palette.playing,
            Self::Plain => palette.ink,
            Self::Waiting | Self::Warning => palette.waiting,
            Self::Error => palette.error,
        }
    }
}

/// The second sign of a tone, besides its colour: a disc, a ring, a triangle, filled for an error. Under the pointer it says the whole sentence.
fn sign(ui: &mut Ui, tone: Tone, colour: Color32, text: &str) -> Option<Response> {
    if tone == Tone::Plain {
        return None;
    }
    let (area, response) = ui.allocate_exact_size(vec2(SIGN, SIGN), Sense::hover());
    let response = response.on_hover_text(if tone == Tone::Well { WELL } else { text });
    let (centre, painter) = (area.center(), ui.painter());
    let triangle = vec![area.center_top(), area.right_bottom(), area.left_bottom()];
    match tone {
        Tone::Waiting => painter.circle_stroke(centre, 3.5, Stroke::new(1.5, colour)),
        Tone::Error => painter.add(Shape::convex_polygon(triangle, colour, Stroke::NONE)),
        Tone::Warning => {
            painter.vline(centre.x, area.top() + 4.0..=area.bottom() - 1.5, Stroke::new(1.2, colour));
            painter.add(Shape::closed_line(triangle, Stroke::new(1.2, colour)))
        }
        Tone::Well | Tone::Plain => painter.circle_filled(centre, 4.0, colour),
    };
    Some(response)
}

/// Draws what is missing and what to do, above the status line. What the engine itself says of it is among the details.
pub(super) fn missing(ui: &mut Ui, status: &Status) {
    let Some(name) = missing_component(status) else { return };
    for line in [
        format!("{} is missing, or this machine cannot use it.", sentence(name)),
        "Install Antiphon again, its whole folder and not single files of it, and open this project once more.".into(),
        "If it stays away: Details says where it was looked for, and copies that for a report.".into(),
    ] {
        ui.label(RichText::new(line).size(12.0));
    }
}

/// Whether [`missing`] has anything to show.
pub(super) fn is_missing(status: &Status) -> bool {
    missing_component(status).is_some()
}

/// The part without which nothing can be suggested, as a musician would say it.
fn missing_component(status: &Status) -> Option<&'static str> {
    let parts =
        [("the program that makes the music (the engine)", &status.engine), ("what Antiphon has learnt (the model)", &status.model)];
    parts.into_iter().find(|(_, part)| matches!(part, Component::Missing { .. })).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MusicalTime;
    use crate::editor::samples::plan;

    fn line(snapshot: &Snapshot, motion: Motion, message: Option<&str>) -> (Tone, String) {
        let now = Now { playhead: MusicalTime(0.0), tempo: 120.0, motion };
        Line { snapshot, now: &now, notice: None, mode: String::new(), standing: "It stands", message, recalled: None }.sentence()
    }

    #[test]
    fn error_comes_before_messages_and_these_before_the_clock() {
        let planned = Snapshot { plan: Some(plan(0, 96, &[])), ..Snapshot::default() };
        assert_eq!(line(&planned, Motion::Host, None), (Tone::Well, "Ready, in time".into()));
        assert_eq!(line(&planned, Motion::Stopped, None), (Tone::Plain, "It stands".into()));
        assert_eq!(line(&planned, Motion::Host, Some("no tempo")), (Tone::Warning, "No tempo".into()));
        let remarked = Status { remark: Some("42 bars are used".into()), ..Status::default() };
        let remarked = Snapshot { status: remarked, ..planned.clone() };
        assert_eq!(line(&remarked, Motion::Host, None), (Tone::Plain, "42 bars are used".into()));
        assert_eq!(line(&remarked, Motion::Host, Some("no tempo")), (Tone::Warning, "No tempo. 42 bars are used".into()));
        let engine = Component::Missing { what: "not found".into(), looked_in: Vec::new() };
        let broken = Snapshot { status: Status { engine, ..Status::default() }, ..planned };
        let (tone, text) = line(&broken, Motion::Host, Some("No tempo"));
        assert!(tone == Tone::Error && text.starts_with("Antiphon is not complete: "), "{text}");
    }

    #[test]
    fn component_that_is_loading_is_not_missing() {
        let loading = Status { engine: Component::Loading, ..Status::default() };
        assert!(!is_missing(&loading));
        let snapshot = Snapshot { status: loading, ..Snapshot::default() };
        assert_eq!(line(&snapshot, Motion::Host, None).0, Tone::Waiting);
    }
}
