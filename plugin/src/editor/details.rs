//! Details of the status: versions, counts, messages and licences, to read and to copy into a report.

use antiphon_engine::plan::{PageStats, PlanStats};
use antiphon_engine::session::{BandStatus, Component, Status};
use egui::{Grid, RichText, Ui};

use super::words::sentence;

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
        ("Plans that held", held(status.plans)),
    ];
    lines.extend(status.band.as_ref().map(|band| ("Instance", instance(band))));
    lines.extend(message.into_iter().chain(status.remark.as_deref()).map(|text| ("Message", sentence(text))));
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

/// How often what was planned held.
fn held(plans: PlanStats) -> String {
    // Rounded down, so that 100 % means all of them.
    let whole = |share: f64| (share * 100.0).floor();
    let Some(share) = plans.hit_rate() else { return "none yet".into() };
    let kept = format!("on {} % of the beats: they played, or you did what they foresaw", whole(share));
    let PageStats { finished, as_planned, .. } = plans.pages;
    if finished == 0 {
        return kept;
    }
    let read = plans.pages.hit_rate().map(|share| format!(", {} % of them without being read again", whole(share)));
    format!("{kept}; {as_planned} of {finished} finished bars came as planned{}", read.unwrap_or_default())
}

/// This instance among the others.
fn instance(band: &BandStatus) -> String {
    let names: Vec<String> = band.heard.iter().map(|(number, role)| format!("{number} {}", role.name())).collect();
    let heard = if names.is_empty() { "no other instance".into() } else { names.join(", ") };
    let late = match band.late {
        0 => String::new(),
        late => format!("; on {late} beats notes of another instance came late and counted a beat later"),
    };
    format!("{}, hears {heard}{late}", band.number)
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::Role;

    use super::*;

    #[test]
    fn kept_plans_and_bars_are_named_once_there_are_any() {
        assert_eq!(held(PlanStats::default()), "none yet");
        let pages = PageStats { finished: 5, as_planned: 0, kept: 0, read: 7 };
        let text = |pages| held(PlanStats { ticks: 8, kept: 6, pages, ..PlanStats::default() });
        assert!(text(pages).starts_with("on 75 % of the beats") && text(pages).ends_with("; 0 of 5 finished bars came as planned"));
        let text = text(PageStats { as_planned: 3, kept: 2, ..pages });
        assert!(text.ends_with("; 3 of 5 finished bars came as planned, 66 % of them without being read again"), "{text}");
    }

    #[test]
    fn instance_is_named_with_those_it_hears() {
        let band = BandStatus { number: 2, heard: vec![(1, Role::Keys), (3, Role::Drums)], late: 0 };
        assert_eq!(instance(&band), "2, hears 1 keys, 3 drums");
        let alone = BandStatus { heard: Vec::new(), late: 4, ..band };
        assert!(instance(&alone).starts_with("2, hears no other instance; on 4 beats"));
    }

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
