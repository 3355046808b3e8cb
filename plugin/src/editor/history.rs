//! History navigation: an entry of the history can be shown in place of the plan, played, kept, dragged and saved.

use antiphon_engine::plan::{Entry, History, Step};
use egui::{Button, Label, RichText, Ui};

use super::excerpt::Excerpt;
use super::history_cards::{HistoryFilter, description};
use super::model::{EditorModel, Now};
use super::play_time::{PlayTime, place};
use super::recorder::Recorder;
use super::roll::Preview;
use super::selection::undo_items;
use super::shortcuts::{Action, hint};
use antiphon_engine::session::{Command, ShownPlan, Snapshot};

/// The snapshot with the selected history entry in place of the plan: on the next bar line, where Play would put it. `None` if the current
/// plan is shown.
pub(super) fn with_selected_entry(snapshot: &Snapshot, now: &Now, history: &History) -> Option<Snapshot> {
    let entry = history.recalled()?;
    let line = snapshot.bar_at(now.playhead.tick()).bar.end();
    let plan = entry.phrase(line - entry.place().line);
    let sounds_from = plan.brief.start;
    Some(snapshot.clone().with_plan(ShownPlan { plan, commit: line, playing: false, sounds_from }))
}

/// Number of a suggestion, as the position in the history beside its cards.
pub(super) fn number(history: &History, entry: &Entry) -> usize {
    history.entries().iter().position(|other| other.id() == entry.id()).map_or(0, |before| before + 1)
}

/// Where a suggestion was: "was bars 3-6".
pub(super) fn was(entry: &Entry) -> String {
    Excerpt::bars_of_entry(entry).map_or_else(String::new, |bars| format!("was {bars}"))
}

/// What the status line says of the phrase of the history that is shown.
pub(super) fn sentence(history: &History, time: &PlayTime<'_>) -> Option<String> {
    let entry = history.recalled()?;
    let kept = if entry.is_starred() { ", kept" } else { "" };
    let bars = Excerpt::bars_of_entry(entry).unwrap_or_default();
    Some(format!("Earlier phrase, of {bars}{kept}: Play starts it{}, Back to plan leaves it", time.starts_at()))
}

/// Which phrase goes next from a full history. `None` while there is room.
pub(super) fn goes_next(history: &History) -> Option<String> {
    let entry = history.goes_next()?;
    let bars = Excerpt::bars_of_entry(entry).unwrap_or_default();
    Some(format!("the next new one removes #{}, {bars}, the oldest that is not kept", number(history, entry)))
}

/// Says which phrase goes next from a full history.
pub(super) fn full(ui: &mut Ui, history: &History) {
    if let Some(next) = goes_next(history) {
        ui.label(RichText::new(format!("History full: {next}")).size(12.0).weak());
    }
}

/// A suggestion where Play would start it, for the roll.
pub(super) fn preview<'a>(entry: &'a Entry, history: &History, snapshot: &Snapshot, now: &Now) -> Preview<'a> {
    let line = snapshot.bar_at(now.playhead.tick()).bar.end();
    let by = line - entry.place().line;
    let from = entry.start() + by;
    let name = format!("#{}, from {}: click its card to choose it", number(history, entry), place(snapshot, from));
    Preview { notes: entry.plan().notes(), by, from, name }
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
        None if history.goes_next().is_some() => format!("History full: {number}"),
        None => format!("History: {number}"),
    };
    let gone = || {
        let next = goes_next(history)?;
        Some(format!("The history is full: {next}. {} went so far. Keep those that are to stay.", history.evicted()))
    };
    let name = if history.recalled().is_some() { String::new() } else { filter.name() };
    let text = RichText::new(text + &name).size(12.0);
    let menu = ui.menu_button(text, |ui| {
        if let Some(gone) = gone() {
            ui.add(Label::new(RichText::new(gone).size(12.0)).wrap());
            ui.separator();
        }
        filter.menu(ui, history);
        ui.separator();
        undo_items(ui, model);
    });
    menu.response.on_hover_ui(|ui| {
        ui.label(
            "Phrases that were suggested, the newest first; they stay in the project. Click to choose which have a card, to undo and to redo.",
        );
        let more = history.recalled().map(description).into_iter().chain(gone());
        more.for_each(|line| _ = ui.label(line));
    });
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{MetreMap, Note, Role, Tempo, Tick};
    use antiphon_engine::plan::{HISTORY_ENTRIES, Place, Reason};

    use super::*;
    use crate::clock::{Motion, MusicalTime};
    use crate::editor::samples::plan;

    /// A history of so many phrases of a bar, that of bar 1 kept.
    fn history(phrases: usize) -> History {
        let mut history = History::default();
        for bar in 1..=i64::try_from(phrases).unwrap() {
            let line = 96 * (bar - 1);
            let note = Note { onset: Tick(line + 24), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
            let place = Place { bar, line: Tick(line), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
            let id = history.push(plan(line + 24, line + 96, &[note]).plan, place, Reason::Played).unwrap();
            if bar == 1 {
                history.star(id).unwrap();
            }
        }
        history
    }

    #[test]
    fn full_history_names_the_phrase_that_goes_next() {
        assert_eq!(goes_next(&history(3)), None);
        assert_eq!(
            goes_next(&history(HISTORY_ENTRIES)).as_deref(),
            Some("the next new one removes #2, bar 2, the oldest that is not kept")
        );
        // Bar 2 went.
        assert_eq!(
            goes_next(&history(HISTORY_ENTRIES + 1)).as_deref(),
            Some("the next new one removes #2, bar 3, the oldest that is not kept")
        );
    }

    #[test]
    fn card_says_where_a_phrase_was_and_the_roll_where_it_would_start() {
        let (history, now) = (history(3), Now { playhead: MusicalTime(400.0), tempo: 120.0, motion: Motion::Host });
        let entry = &history.entries()[2];
        assert_eq!(was(entry), "was bar 3");
        let preview = preview(entry, &history, &Snapshot::default(), &now);
        assert_eq!((preview.by, preview.from), (Tick(480 - 192), Tick(480 + 24)));
        assert_eq!(preview.name, "#3, from bar 6, beat 2: click its card to choose it");
    }
}
