//! Selected bars, and the menu of the roll: what can be done with them, and undo.

use std::ops::Range;

use antiphon_engine::music::Tick;
use antiphon_engine::session::{Command, LockTarget, Snapshot};
use egui::{Button, Ui};

use super::excerpt::Excerpt;
use super::export::Exporter;
use super::model::{EditorModel, Now};
use super::open_file::OpenFile;
use super::recorder::Recorder;
use super::shortcuts::{Action, hint};

/// Menu of the roll.
pub(super) struct RollMenu<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: &'a Now,
    /// The selected bars, from the first bar line to the last.
    pub(super) selection: &'a mut Option<Range<Tick>>,
    pub(super) exporter: &'a mut Exporter,
    pub(super) opening: &'a mut Option<OpenFile>,
    /// Whether the plan is shown, which can be changed, and not a phrase of the history.
    pub(super) is_plan: bool,
}

impl RollMenu<'_> {
    /// Draws the items.
    pub(super) fn show(self, ui: &mut Ui, model: &mut Recorder<'_, impl EditorModel>) {
        if let Some(bars) = self.selection.clone() {
            let name = name(&bars, self.snapshot);
            let (inside, outside) = self.lockable(&bars);
            if item(ui, !inside.is_empty(), &format!("Lock {name}")) {
                inside.iter().for_each(|target| model.command(Command::Lock(*target)));
            }
            // Another replaces what is not locked.
            if item(ui, !inside.is_empty(), &format!("Another for {name}; locks the others")) {
                outside.iter().for_each(|target| model.command(Command::Lock(*target)));
                model.command(Command::Another);
            }
            if let Some(excerpt) = Excerpt::of_bars(bars, self.snapshot, self.now) {
                if item(ui, true, &format!("Save {name} as...")) {
                    self.exporter.save_as(&excerpt);
                }
                if item(ui, excerpt.roles().len() > 1, "Save one file per role...") {
                    self.exporter.save_roles(&excerpt);
                }
                if item(ui, true, "Copy the path of a new file") {
                    self.exporter.copy_path(&excerpt, ui.ctx());
                }
            }
            if item(ui, true, "End the selection") {
                *self.selection = None;
            }
            ui.separator();
        }
        if item(ui, true, "Open a MIDI file as music of the song...") {
            let bar = self.selection.as_ref().map_or(1, |bars| self.snapshot.bar_at(bars.start).number);
            *self.opening = Some(OpenFile::new(None, bar));
        }
        undo_items(ui, model);
    }

    /// Bars of the plan that can be locked: the selected ones, and the others.
    fn lockable(&self, bars: &Range<Tick>) -> (Vec<LockTarget>, Vec<LockTarget>) {
        let Some(shown) = self.snapshot.plan.as_ref().filter(|_| self.is_plan) else { return (Vec::new(), Vec::new()) };
        let ready = shown.plan.ready();
        let bars_of_plan = self.snapshot.bars_between(shown.plan.brief.start, ready).map(|shown| shown.bar);
        let ahead = bars_of_plan.filter(|bar| bar.end() <= ready && bar.end().0 as f64 > self.now.playhead.0);
        let open = ahead.map(|bar| bar.start).filter(|start| !self.snapshot.locks.holds_bar(*start));
        let (inside, outside): (Vec<Tick>, Vec<Tick>) = open.partition(|start| bars.contains(start));
        let targets = |starts: Vec<Tick>| starts.into_iter().map(|start| LockTarget::Bar { start }).collect();
        (targets(inside), targets(outside))
    }
}

/// An item of a menu; returns whether it was clicked, which closes the menu.
fn item(ui: &mut Ui, is_possible: bool, text: &str) -> bool {
    let is_clicked = ui.add_enabled(is_possible, Button::new(text)).clicked();
    if is_clicked {
        ui.close();
    }
    is_clicked
}

/// "bar 17" or "bars 17 to 18".
fn name(bars: &Range<Tick>, snapshot: &Snapshot) -> String {
    let (first, last) = (snapshot.bar_at(bars.start).number, snapshot.bar_at(bars.end - Tick(1)).number);
    if first == last { format!("bar {first}") } else { format!("bars {first} to {last}") }
}

/// Items that undo and redo.
pub(super) fn undo_items(ui: &mut Ui, model: &mut Recorder<'_, impl EditorModel>) {
    let [undo, redo] = model.next_edits();
    for (edit, name, action) in [(undo, "Undo", Action::Undo), (redo, "Redo", Action::Redo)] {
        let name = edit.map_or_else(|| name.to_owned(), |edit| format!("{name} {edit}"));
        if item(ui, edit.is_some(), &format!("{name}{}", hint(action))) {
            match action {
                Action::Undo => model.undo(),
                _ => model.redo(),
            }
        }
    }
}
