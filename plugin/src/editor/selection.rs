//! Selected bars: their buttons, and the menu of the roll with what can be done with them, and undo.

use std::ops::Range;

use antiphon_engine::music::Tick;
use antiphon_engine::session::{Command, LockTarget, PatternLock, Snapshot};
use egui::{Button, RichText, Ui};

use super::controls::change;
use super::excerpt::Excerpt;
use super::export::Exporter;
use super::model::{Change, EditorModel, Now};
use super::open_file::OpenFile;
use super::recorder::Recorder;
use super::shortcuts::{Action, hint};

/// Padding at both sides of the buttons of a selection, in points.
const PADDING: f32 = 6.0;

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
            let Bars { open, others, .. } = Bars::of(&bars, self.snapshot, self.now, self.is_plan);
            if item(ui, !open.is_empty(), &format!("Lock {name}")) {
                open.iter().for_each(|target| model.command(Command::Lock(*target)));
            }
            // Another replaces what is not locked.
            if item(ui, !open.is_empty(), &format!("Another for {name}; locks the others")) {
                others.iter().for_each(|target| model.command(Command::Lock(*target)));
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
}

/// Bars of the plan that are still ahead, with regard to the selected ones.
struct Bars {
    /// Selected and not locked.
    open: Vec<LockTarget>,
    /// Selected and locked.
    locked: Vec<LockTarget>,
    /// Neither selected nor locked.
    others: Vec<LockTarget>,
}

impl Bars {
    fn of(selected: &Range<Tick>, snapshot: &Snapshot, now: &Now, is_plan: bool) -> Self {
        let mut bars = Self { open: Vec::new(), locked: Vec::new(), others: Vec::new() };
        let Some(shown) = snapshot.plan.as_ref().filter(|_| is_plan) else { return bars };
        let ready = shown.plan.ready();
        let ahead = snapshot.bars_between(shown.plan.brief.start, ready).map(|shown| shown.bar);
        for bar in ahead.filter(|bar| bar.end() <= ready && bar.end().0 as f64 > now.playhead.0) {
            let list = match (selected.contains(&bar.start), snapshot.locks.holds_bar(bar.start)) {
                (true, false) => &mut bars.open,
                (true, true) => &mut bars.locked,
                (false, false) => &mut bars.others,
                (false, true) => continue,
            };
            list.push(LockTarget::Bar { start: bar.start });
        }
        bars
    }
}

/// What a button of the selection asks of the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A file of the selected bars.
    SaveAs,
    /// That nothing is selected any more.
    End,
}

/// Buttons for the selected bars: what can be locked and replaced, and what other plans keep of the whole one.
pub(super) fn buttons(
    ui: &mut Ui,
    model: &mut Recorder<'_, impl EditorModel>,
    snapshot: &Snapshot,
    now: &Now,
    selected: &Range<Tick>,
    is_plan: bool,
) -> Option<Asked> {
    let Bars { open, locked, others } = Bars::of(selected, snapshot, now, is_plan);
    let mut asked = None;
    ui.spacing_mut().button_padding.x = PADDING;
    ui.spacing_mut().item_spacing.x = PADDING;
    ui.label(RichText::new(super::words::sentence(name(selected, snapshot))).size(12.0));
    let button = |ui: &mut Ui, is_possible: bool, text: &str, tip: &str| {
        let button = Button::new(RichText::new(text).size(12.0));
        ui.add_enabled(is_possible, button)
            .on_hover_text(tip)
            .on_disabled_hover_text("These bars are not planned, or have passed.")
            .clicked()
    };
    if open.is_empty() && !locked.is_empty() {
        if button(ui, true, "Unlock", "Unlocks these bars.") {
            locked.iter().for_each(|target| model.command(Command::Unlock(*target)));
        }
    } else if button(ui, !open.is_empty(), "Lock", "Locks these bars: Another and the other variations leave them as they are.") {
        open.iter().for_each(|target| model.command(Command::Lock(*target)));
    }
    if button(ui, !open.is_empty(), "Another here", "Locks all other bars and makes another plan, so that only these bars change.") {
        others.iter().for_each(|target| model.command(Command::Lock(*target)));
        model.command(Command::Another);
    }
    let lock = model.values().locks;
    for (id, text, is_on, tip) in [
        (
            "lock_rhythm",
            "Lock rhythm",
            matches!(lock, PatternLock::Rhythm | PatternLock::Whole),
            "Other plans have the rhythm of this one, in all bars.",
        ),
        (
            "lock_pitches",
            "Lock pitches",
            matches!(lock, PatternLock::Pitches | PatternLock::Whole),
            "Other plans have the pitches of this one, in all bars.",
        ),
    ] {
        if ui.add(Button::new(RichText::new(text).size(12.0)).selected(is_on)).on_hover_text(tip).clicked() {
            change(model, Change::Parameter(id, if is_on { 0.0 } else { 1.0 }));
        }
    }
    if button(ui, true, "Save as", "Saves these bars as a MIDI file; they can also be dragged out by their numbers.") {
        asked = Some(Asked::SaveAs);
    }
    if button(ui, true, "Deselect", "Ends the selection; the bars stay as they are.") {
        asked = Some(Asked::End);
    }
    asked
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
