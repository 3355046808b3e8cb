//! Details of the status: versions, counts, messages and licences, to read and to copy into a report.

use antiphon_engine::session::{Component, Status};
use egui::{Grid, RichText, Ui};

/// Width of the details, in points.
const WIDTH: f32 = 420.0;

/// Draws the details, with a button that copies them.
pub(super) fn show(ui: &mut Ui, status: &Status, message: Option<&str>) {
    ui.set_width(WIDTH);
    let lines = lines(status, message);
    Grid::new("details").num_columns(2).show(ui, |ui| {
        for (name, value) in &lines {
            ui.label(RichText::new(*name).size(12.0).weak());
            ui.add(egui::Label::new(RichText::new(value).size(12.0)).wrap());
            ui.end_row();
        }
    });
    ui.add_space(super::style::GAP);
    if ui.button("Copy diagnostics").on_hover_text("Puts these lines on the clipboard").clicked() {
        let text: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        ui.ctx().copy_text(text.join("\n"));
    }
}

/// Names and values, in the order in which they are shown.
fn lines(status: &Status, message: Option<&str>) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("Antiphon", format!("{} on {} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)),
        ("Engine", component(&status.engine)),
        ("Model", component(&status.model)),
        ("Plans in time", in_time(status)),
        ("Plans kept", format!("{}, since you did what they foresaw", status.plans.kept)),
    ];
    lines.extend(message.into_iter().chain(status.remark.as_deref()).map(|text| ("Message", text.to_owned())));
    lines.push((
        "Licences",
        "in the folder licences of the bundle; the music that the model was trained on is named in its model card".into(),
    ));
    lines
}

fn component(component: &Component) -> String {
    match component {
        Component::Resting => "idle".into(),
        Component::Loading => "loading".into(),
        Component::Ready(version) => version.clone(),
        Component::Missing { what, looked_in } if looked_in.is_empty() => format!("missing: {what}"),
        Component::Missing { what, looked_in } => format!("missing: {what}; looked in {}", looked_in.join(", ")),
    }
}

/// Share of plans that were ready in time, with the counts behind it.
fn in_time(status: &Status) -> String {
    let counts = status.plans;
    match counts.on_time_share() {
        // Rounded down, so that 100 % means all of them.
        Some(share) => format!(
            "{} % ({} in time, {} too late; a late plan is discarded, so nothing plays late)",
            (share * 100.0).floor(),
            counts.on_time,
            counts.late
        ),
        None => "none were due yet".into(),
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::plan::PlanStats;

    use super::*;

    #[test]
    fn share_with_one_late_plan_is_below_100_per_cent() {
        let status = |on_time, late| Status { plans: PlanStats { on_time, late, ..PlanStats::default() }, ..Status::default() };
        assert!(in_time(&status(9_999, 1)).starts_with("99 % (9999 in time, 1 too late"));
        assert!(in_time(&status(10_000, 0)).starts_with("100 %"));
        assert_eq!(in_time(&status(0, 0)), "none were due yet");
    }

    #[test]
    fn details_name_every_place_that_was_searched() {
        let engine = Component::Missing { what: "not found".into(), looked_in: vec!["/one".into(), "/two".into()] };
        let lines = lines(&Status { engine, ..Status::default() }, Some("No tempo"));
        assert!(lines.contains(&("Engine", "missing: not found; looked in /one, /two".into())));
        assert!(lines.contains(&("Message", "No tempo".into())));
    }
}
