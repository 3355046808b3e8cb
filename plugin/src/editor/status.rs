//! The status line: engine, model, history, messages and share of plans on time.

use egui::{Align, Layout, RichText, Sense, Ui, vec2};

use super::export::Notice;
use super::palette::{Palette, paint};
use super::style;
use antiphon_engine::session::{Component, Status};

/// Draws the line; `history` draws its middle part.
pub(super) fn show(ui: &mut Ui, status: &Status, notice: Option<&Notice>, message: Option<&str>, history: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        component(ui, "Engine", &status.engine);
        ui.add_space(style::GAP);
        component(ui, "Model", &status.model);
        ui.add_space(style::GAP);
        history(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let share = ui.label(small(on_time(status)));
            let counts = status.plans;
            share.on_hover_text(format!(
                "{} plans were ready in time, {} too late. A late plan is discarded: nothing plays late.",
                counts.on_time, counts.late
            ));
            let messages: Vec<_> = [message, status.remark.as_deref()].into_iter().flatten().collect();
            let messages = messages.join(". ");
            let (text, colour) = match notice {
                Some(Notice::Done(text)) => (text.as_str(), ui.visuals().text_color()),
                Some(Notice::Failed(text)) => (text.as_str(), ui.visuals().error_fg_color),
                None if messages.is_empty() => return,
                None => (messages.as_str(), ui.visuals().weak_text_color()),
            };
            ui.add_space(style::GAP);
            ui.add(egui::Label::new(small(text).color(colour)).truncate()).on_hover_text(text);
        });
    });
}

/// Draws what is missing and where it was searched, above the status line.
pub(super) fn missing(ui: &mut Ui, status: &Status) {
    for (name, component) in [("Engine", &status.engine), ("Model", &status.model)] {
        let Component::Missing { what, looked_in } = component else { continue };
        ui.label(RichText::new(format!("{name}: {what}")).color(ui.visuals().error_fg_color));
        for place in looked_in {
            ui.label(small(format!("looked in {place}")).weak());
        }
    }
}

/// Whether [`missing`] has anything to show.
pub(super) const fn is_missing(status: &Status) -> bool {
    matches!(status.engine, Component::Missing { .. }) || matches!(status.model, Component::Missing { .. })
}

fn component(ui: &mut Ui, name: &str, component: &Component) {
    let palette = Palette::of(ui.ctx());
    let (colour, text) = match component {
        Component::Resting => (palette.soft, "idle"),
        Component::Loading => (palette.waiting, "loading"),
        Component::Ready(version) => (palette.playing, version.as_str()),
        Component::Missing { .. } => (palette.error, "missing"),
    };
    let (dot, _) = ui.allocate_exact_size(vec2(9.0, 9.0), Sense::hover());
    ui.painter().circle_filled(dot.center(), 4.0, paint(colour));
    ui.label(small(format!("{name}: {text}")));
}

/// Share of plans that were ready in time.
fn on_time(status: &Status) -> String {
    match status.plans.on_time_share() {
        // Rounded down, so that 100 % means all of them.
        Some(share) => format!("On time: {} %", (share * 100.0).floor()),
        None => "On time: no plans yet".into(),
    }
}

fn small(text: impl Into<String>) -> RichText {
    RichText::new(text).size(12.0)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::plan::PlanStats;

    use super::*;

    #[test]
    fn share_with_one_late_plan_is_below_100_per_cent() {
        let status = |on_time, late| Status { plans: PlanStats { on_time, late, ..PlanStats::default() }, ..Status::default() };
        assert_eq!(on_time(&status(9_999, 1)), "On time: 99 %");
        assert_eq!(on_time(&status(10_000, 0)), "On time: 100 %");
        assert_eq!(on_time(&status(0, 0)), "On time: no plans yet");
    }

    #[test]
    fn component_that_is_loading_is_not_missing() {
        let missing = Component::Missing { what: String::new(), looked_in: Vec::new() };
        assert!(is_missing(&Status { model: missing, ..Status::default() }));
        assert!(!is_missing(&Status { engine: Component::Loading, ..Status::default() }));
    }
}
