//! History navigation: an entry of the history can be shown in place of the plan, played, kept, dragged and saved.

use antiphon_engine::plan::{History, Step};
use egui::{Button, Label, RichText, Ui};

use super::history_cards::{HistoryFilter, description};
use super::model::{EditorModel, Now};
use super::recorder::Recorder;
use super::selection::undo_items;
use super::shortcuts::{Action, hint};
use antiphon_engine::session::{Command, ShownPlan, Snapshot};

/// The snapshot with the selected history entry in place of the plan: on the next bar line, where Play would put it. `None` if the current
/// plan is shown.
pub(super) fn with_selected_entry(snapshot: &Snapshot, now: &Now, history: &History) -> Option<Snapshot> {
    let entry = history.recalled()?;
    let line = snapshot.bar_at(now.playhead.tick()).bar.end();
    let plan = entry.plan().moved(line - entry.place().line, entry.plan().id());
    Some(snapshot.clone().with_plan(ShownPlan { plan, commit: line, playing: false }))
}

/// Padding at both sides of its buttons, in points.
const PADDING: f32 = 4.0;

/// Buttons to step through the history, and the position in it, whose menu filters the cards and undoes.
pub(super) fn browse(ui: &mut Ui, model: &mut Recorder<'_, impl EditorModel>, history: &History, filter: &mut HistoryFilter) {
    let live = model.snapshot();
    let live = live.plan.as_ref().map(|shown| &shown.plan);
    let steps = [
        (Step::Older, "Older", "Shows the suggestion before this one in place of the plan"),
        (Step::Newer, "Newer", "Shows the suggestion after this one in place of the plan"),
        (Step::Now, "Back to plan", "Shows the plan again in place of this suggestion"),
    ];
    ui.spacing_mut().button_padding.x = PADDING;
    ui.spacing_mut().item_spacing.x = PADDING;
    position(ui, model, history, filter);
    // There is a way back only while a phrase of the history is shown.
    for (step, name, tip) in steps.into_iter().filter(|(step, ..)| *step != Step::Now || history.recalled().is_some()) {
        let possible = history.can_step(step, live);
        let button = Button::new(RichText::new(name).size(12.0)).frame_when_inactive(false);
        let button = ui.add_enabled(possible, button).on_hover_text(format!("{tip}{}", hint(Action::Step(step))));
        if button.on_disabled_hover_text(format!("{tip}. There is none")).clicked() {
            model.command(Command::Step(step));
        }
    }
}

/// The position in the history, or how much there is, with the menu. Nothing without a history.
fn position(ui: &mut Ui, model: &mut Recorder<'_, impl EditorModel>, history: &History, filter: &mut HistoryFilter) {
    let [undo, redo] = model.next_edits();
    let number = history.entries().len();
    let text = match history.recalled().zip(history.position()) {
        Some((_, at)) => format!("{} of {number}", at + 1),
        None if number == 0 && undo.or(redo).is_none() => return,
        None if history.evicted() > 0 => format!("History full: {number}"),
        None => format!("History: {number}"),
    };
    let gone = match history.evicted() {
        0 => String::new(),
        count => {
            format!("The history is full: for each new phrase the oldest without a star goes, {count} so far. Keep those that are to stay.")
        }
    };
    let name = if history.recalled().is_some() { String::new() } else { filter.name() };
    let text = RichText::new(text + &name).size(12.0);
    let menu = ui.menu_button(text, |ui| {
        if !gone.is_empty() {
            ui.add(Label::new(RichText::new(&gone).size(12.0)).wrap());
            ui.separator();
        }
        filter.menu(ui, history);
        ui.separator();
        undo_items(ui, model);
    });
    let more = history.recalled().map_or_else(String::new, |entry| format!("\n{}", description(entry)));
    menu.response.on_hover_text(format!(
        "Phrases that were suggested, the newest first; the project saves them. Click to choose which have a card, to undo and to redo.{more}\n{gone}"
    ));
}
