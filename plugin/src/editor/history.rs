//! History navigation: an entry of the history can be shown in place of the plan, played, kept, dragged and saved.

use antiphon_engine::plan::{Entry, History, Plan, Reason, Step};
use egui::{Button, RichText, Ui};

use super::model::{EditorModel, Now};
use antiphon_engine::session::{Command, ShownPlan, Snapshot};

/// The snapshot with the selected history entry in place of the plan: on the next bar line, where Play would put it. `None` if the current
/// plan is shown.
pub(super) fn with_selected_entry(snapshot: &Snapshot, now: &Now, history: &History) -> Option<Snapshot> {
    let entry = history.recalled()?;
    let line = snapshot.bar_at(now.playhead.tick()).bar.end();
    let plan = entry.plan().moved(line - entry.place().line, entry.plan().id());
    Some(snapshot.clone().with_plan(ShownPlan { plan, commit: line, playing: false }))
}

/// Buttons to step through the history, and the position in it. `live` is the current plan.
pub(super) fn browse(ui: &mut Ui, model: &mut impl EditorModel, history: &History, live: Option<&Plan>) {
    let steps = [
        (Step::Older, "Earlier", "Go back to the previous suggestion"),
        (Step::Newer, "Later", "Go forward to the next suggestion"),
        (Step::Now, "Now", "Return to the current plan"),
    ];
    for (step, name, tip) in steps {
        let possible = history.can_step(step, live);
        let button = Button::new(RichText::new(name).size(12.0)).frame_when_inactive(false);
        let button = ui.add_enabled(possible, button).on_hover_text(tip).on_disabled_hover_text(format!("{tip}. There is none."));
        if button.clicked() {
            model.command(Command::Step(step));
        }
    }
    let count = history.entries().len();
    let (text, more) = match history.recalled().zip(history.position()) {
        Some((entry, at)) => (format!("{} of {count}", at + 1), origin(entry)),
        None if count == 0 => return,
        None if count == 1 => ("1 suggestion".to_owned(), String::new()),
        None => (format!("{count} suggestions"), String::new()),
    };
    let gone = match history.evicted() {
        0 => String::new(),
        count => format!("\nThe history is full: {count} of the oldest were removed."),
    };
    let tip = format!("Suggestions are saved with the project.{more}{gone}");
    ui.label(RichText::new(text).size(12.0)).on_hover_text(tip);
}

/// Origin of an entry, as a line of its own.
fn origin(entry: &Entry) -> String {
    let bar = entry.place().bar;
    let reason = match entry.reason() {
        Reason::Played => "was played",
        Reason::Kept => "was kept",
        Reason::Rerolled => "was replaced by another",
        Reason::PhraseEnd => "was current at the end of a phrase",
    };
    format!("\nThis one is from bar {bar}; it {reason}.")
}
