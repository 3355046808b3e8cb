//! Presets, in the header of a wide window and else in the drawer: choose, step, save, rename, delete; and the two slots 1 and 2.

use std::path::PathBuf;

use egui::{Button, Modal, RichText, ScrollArea, Ui, Vec2, WidgetInfo, vec2};

use super::controls::change;
use super::entry_field;
use super::export::Notice;
use super::model::{Change, EditorModel};
use super::style;
use super::words::{self, count};
use crate::presets::{self, Existing, Library, Missing, Preset, SCOPE, Slot, Values};

/// Height of the menu's list, in points.
const LIST: f32 = 300.0;
/// Size of the chooser in the header, in points.
const HEADER: Vec2 = vec2(208.0, 26.0);
/// Window width from which on the header has room for it, beside the longest names of key and clock, in points.
const HEADER_FROM: f32 = 1_120.0;
/// Width of the buttons that step, in points.
const STEP: f32 = 32.0;

/// Whose a preset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    House,
    User,
}

/// A preset in the menu.
struct Entry {
    preset: Preset,
    values: Values,
    owner: Owner,
}

/// The presets, and the dialog that names one.
pub(super) struct Presets {
    library: Library,
    entries: Vec<Entry>,
    /// Name of the preset that was applied last.
    last: Option<String>,
    dialog: Option<Dialog>,
    /// Outcome of the last action that has to be said.
    notice: Option<Notice>,
}

enum Dialog {
    Name { action: Action, text: String, error: Option<String>, opening: bool },
    Delete(String),
}

/// What the name is for.
enum Action {
    Save,
    Rename(String),
}

/// What was clicked.
enum Clicked {
    Apply(usize),
    Save,
    Rename(String),
    Delete(String),
}

impl Presets {
    /// The presets of the house, and those of the user in this folder.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        // Read when the drawer is opened: hosts make editors only to inspect them.
        Self { library: Library::new(folder), entries: Vec::new(), last: None, dialog: None, notice: None }
    }

    fn list(&mut self) {
        let entry = |owner| move |preset: Preset| Entry { values: Values::of(&preset.settings, Missing::Default), preset, owner };
        let house = presets::factory().into_iter().map(entry(Owner::House));
        let own = self.library.presets().iter().cloned().map(entry(Owner::User));
        self.entries = house.chain(own).collect();
    }

    fn refresh(&mut self) {
        self.library.refresh();
        self.list();
    }

    /// Whether a name is being typed, so that the editor needs the keyboard.
    #[cfg(any(target_os = "linux", windows))]
    pub(super) const fn is_dialog_open(&self) -> bool {
        self.dialog.is_some()
    }

    /// Outcome of the last action, once, for the status line.
    pub(super) fn notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    /// Draws the chooser in the header, if the window is so wide.
    pub(super) fn header(&mut self, ui: &mut Ui, model: &mut impl EditorModel) {
        if has_header(ui) {
            ui.add_space(style::GAP * 2.0);
            self.choose(ui, model, HEADER);
        }
    }

    /// Draws the slots in the drawer, so wide, under the chooser if that is not in the header.
    pub(super) fn show(&mut self, ui: &mut Ui, model: &mut impl EditorModel, width: f32) {
        if !has_header(ui) {
            ui.label(RichText::new("Preset").strong());
            self.choose(ui, model, vec2(width, style::BUTTON_HEIGHT));
        }
        slots(ui, model);
    }

    /// Draws the chooser, and does what is chosen.
    fn choose(&mut self, ui: &mut Ui, model: &mut impl EditorModel, size: Vec2) {
        if self.entries.is_empty() {
            self.refresh();
        }
        let now = model.settable();
        // The one applied last comes first: two presets may have the same settings.
        let is_set = |entry: &&Entry| entry.values.changes(&now).is_empty();
        let last = self.entries.iter().position(|entry| Some(&entry.preset.name) == self.last.as_ref());
        let current = last.filter(|&place| is_set(&&self.entries[place])).or_else(|| self.entries.iter().position(|entry| is_set(&entry)));
        let clicked = ui.horizontal(|ui| self.chooser(ui, current, last, size)).inner;
        match clicked {
            Some(Clicked::Apply(place)) => self.apply(model, place),
            Some(Clicked::Save) => self.name(Action::Save, String::new()),
            Some(Clicked::Rename(name)) => self.name(Action::Rename(name.clone()), name),
            Some(Clicked::Delete(name)) => self.dialog = Some(Dialog::Delete(name)),
            None => {}
        }
    }

    fn chooser(&mut self, ui: &mut Ui, current: Option<usize>, last: Option<usize>, size: Vec2) -> Option<Clicked> {
        let mut clicked = None;
        let from = current.or(last);
        let places = self.entries.len();
        let step = |ui: &mut Ui, text, name: &str| {
            let response = ui.add(Button::new(text).min_size(vec2(STEP, size.y)));
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, name));
            response.on_hover_text(format!("Sets the {} of the list.", name.to_lowercase())).clicked()
        };
        if step(ui, "<", "Previous preset") {
            clicked = Some(Clicked::Apply(from.map_or(places - 1, |place| (place + places - 1) % places)));
        }
        let title = match (current, last) {
            (Some(place), _) => self.entries[place].preset.name.clone(),
            (None, Some(place)) => format!("{}, changed", self.entries[place].preset.name),
            (None, None) => "None".to_owned(),
        };
        let width = size.x - 2.0 * (STEP + style::GAP);
        let button = Button::new(RichText::new(&title).size(12.0)).truncate().min_size(vec2(width, size.y));
        let menu = ui.scope(|ui| {
            ui.set_max_width(width);
            egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| self.menu(ui, current))
        });
        let (response, inner) = menu.inner;
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Preset: {title}")));
        if response.clicked() {
            self.refresh();
        }
        response.on_hover_text("Chooses, saves, renames or deletes a preset.");
        if step(ui, ">", "Next preset") {
            clicked = Some(Clicked::Apply(from.map_or(0, |place| (place + 1) % places)));
        }
        inner.and_then(|inner| inner.inner).or(clicked)
    }

    fn menu(&self, ui: &mut Ui, current: Option<usize>) -> Option<Clicked> {
        let mut clicked = None;
        ScrollArea::vertical().max_height(LIST).show(ui, |ui| {
            for (place, entry) in self.entries.iter().enumerate() {
                if entry.owner == Owner::User && place.checked_sub(1).is_some_and(|before| self.entries[before].owner == Owner::House) {
                    ui.separator();
                }
                let about = if entry.preset.about.is_empty() { "One of yours." } else { &entry.preset.about };
                if ui.selectable_label(current == Some(place), &entry.preset.name).on_hover_text(about).clicked() {
                    clicked = Some(Clicked::Apply(place));
                }
            }
            for problem in self.library.problems() {
                words::error(ui, problem);
            }
        });
        ui.separator();
        if ui.button("Save preset as...").clicked() {
            clicked = Some(Clicked::Save);
        }
        if let Some(entry) = current.map(|place| &self.entries[place]).filter(|entry| entry.owner == Owner::User) {
            let name = entry.preset.name.clone();
            if ui.button("Rename preset...").clicked() {
                clicked = Some(Clicked::Rename(name));
            } else if ui.button("Delete preset...").clicked() {
                clicked = Some(Clicked::Delete(name));
            }
        }
        if clicked.is_some() {
            ui.close();
        }
        clicked
    }

    /// Sets what differs, each parameter in a gesture of its own.
    fn apply(&mut self, model: &mut impl EditorModel, place: usize) {
        let Some(entry) = self.entries.get(place) else { return };
        set(model, &entry.values);
        self.notice = (entry.values.unknown > 0).then(|| {
            let unknown = count(entry.values.unknown, "setting");
            Notice::Done(format!(
                "{unknown} of {} are not known to this version and were left out; its file still has them",
                entry.preset.name
            ))
        });
        self.last = Some(entry.preset.name.clone());
    }

    fn name(&mut self, action: Action, text: String) {
        self.notice = None;
        self.dialog = Some(Dialog::Name { action, text, error: None, opening: true });
    }

    /// Draws the dialog, if it is open.
    pub(super) fn show_dialog(&mut self, ui: &Ui, model: &impl EditorModel) {
        let Some(mut dialog) = self.dialog.take() else { return };
        let taken = |name: &str| self.entries.iter().any(|entry| entry.owner == Owner::User && entry.preset.name == name);
        let house = |name: &str| self.entries.iter().any(|entry| entry.owner == Owner::House && entry.preset.name == name);
        let answer = Modal::new(egui::Id::unique("preset")).show(ui.ctx(), |ui| {
            ui.set_width(320.0);
            match &mut dialog {
                Dialog::Name { action, text, error, opening } => {
                    let is_taken = matches!(action, Action::Save) && taken(text.trim());
                    name_dialog(ui, text, error.as_deref(), opening, is_taken)
                }
                Dialog::Delete(name) => {
                    ui.label(format!("Delete the preset {name}? Its file is removed."));
                    ui.add_space(style::GAP);
                    buttons(ui, "Delete")
                }
            }
        });
        match answer.inner {
            Some(true) => {}
            None if !answer.should_close() => return self.dialog = Some(dialog),
            _ => return,
        }
        let done = match &dialog {
            Dialog::Delete(name) => self.library.delete(name).map(|()| None).map_err(|error| error.to_string()),
            Dialog::Name { text, .. } if house(text.trim()) => {
                Err("This is the name of a preset that comes with Antiphon: choose another one".to_owned())
            }
            Dialog::Name { action, text, .. } => {
                let name = text.trim().to_owned();
                // The button said that it would be replaced.
                let existing = if taken(&name) { Existing::Replace } else { Existing::Keep };
                let settings = presets::settings(&model.settable(), Some(&SCOPE));
                let done = match action {
                    Action::Rename(from) => self.library.rename(from, &name),
                    Action::Save => self.library.save(&Preset { name: name.clone(), about: String::new(), settings }, existing),
                };
                done.map(|()| Some(name)).map_err(|error| error.to_string())
            }
        };
        match (done, &mut dialog) {
            (Ok(name), _) => {
                self.last = name;
                self.list();
            }
            (Err(message), Dialog::Name { error, .. }) => {
                *error = Some(message);
                self.dialog = Some(dialog);
            }
            (Err(message), Dialog::Delete(_)) => self.notice = Some(Notice::Failed(words::sentence(message))),
        }
    }
}

fn name_dialog(ui: &mut Ui, text: &mut String, error: Option<&str>, opening: &mut bool, is_taken: bool) -> Option<bool> {
    let entered = entry_field::show(ui, "Name of the preset", text, opening);
    match error {
        Some(error) => words::error(ui, error),
        None if is_taken => ui.label("There is a preset of this name. It will be replaced."),
        // Keeps the buttons in place.
        None => ui.label(""),
    };
    ui.add_space(style::GAP);
    let clicked = buttons(ui, if is_taken { "Replace" } else { "Save" });
    entered.then_some(true).or(clicked)
}

/// The two buttons of a dialog; whether it was confirmed, once one is clicked.
fn buttons(ui: &mut Ui, confirm: &str) -> Option<bool> {
    ui.horizontal(|ui| {
        let confirmed = ui.add(style::button(confirm)).clicked();
        let cancelled = ui.add(style::button("Cancel")).clicked();
        (confirmed || cancelled).then_some(confirmed)
    })
    .inner
}

/// Sets what differs, each parameter in a gesture of its own, so that the host can undo it.
fn set(model: &mut impl EditorModel, values: &Values) {
    for (id, value) in values.changes(&model.settable()) {
        change(model, Change::Parameter(id, value));
    }
}

/// Whether the header has room for the chooser.
fn has_header(ui: &Ui) -> bool {
    ui.ctx().content_rect().width() >= HEADER_FROM
}

/// The slots 1 and 2, and the button that copies.
fn slots(ui: &mut Ui, model: &mut impl EditorModel) {
    let comparison = model.comparison();
    let (active, other) = (comparison.active, comparison.active.other());
    ui.label(RichText::new("Compare settings").size(12.0).weak());
    ui.horizontal(|ui| {
        for slot in Slot::ALL {
            let button = Button::selectable(slot == active, slot.name()).min_size(vec2(STEP, 24.0));
            let response = ui.add(button);
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Settings {}", slot.name())));
            let tip = format!("Sets all controls as they were left in {}.", slot.name());
            if response.on_hover_text(tip).clicked() && slot != active {
                let (switched, settings) = comparison.clone().switched(presets::settings(&model.settable(), None));
                model.set_comparison(switched);
                set(model, &Values::of(&settings, Missing::Leave));
            }
        }
        let copy = Button::new(RichText::new(format!("Copy to {}", other.name())).size(12.0)).min_size(vec2(0.0, 24.0));
        if ui.add(copy).on_hover_text(format!("Puts what is set now into {}, too.", other.name())).clicked() {
            let copied = comparison.clone().copied(presets::settings(&model.settable(), None));
            model.set_comparison(copied);
        }
    });
}
