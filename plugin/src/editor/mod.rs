//! The editor window: piano roll, status line and controls.
//!
//! [`Editor`] draws on any egui context and knows only [`EditorModel`], so it runs in tests and for screenshots without a host. [`window`]
//! embeds it in the host's window, [`window_thread`] joins all threads of a closed window, `sizing` keeps its size equal to what the host
//! expects, and `keyboard` (X11) and `win32_keyboard` leave key events to the host.

mod bars_ahead;
mod card;
mod caret;
mod chord_chooser;
mod controls;
mod details;
mod dial;
mod drawer;
mod edits;
mod entry_field;
mod excerpt;
mod export;
mod heard;
mod history;
mod history_cards;
mod host_model;
mod infill;
mod key_chooser;
#[cfg(target_os = "linux")]
mod keyboard;
mod mode_row;
mod model;
mod modes;
mod open_file;
pub(crate) mod origin;
mod palette;
pub mod plain_model;
mod play_time;
mod presets;
mod recorder;
mod roll;
mod selection;
mod shortcuts;
mod shown_snapshot;
mod sizing;
mod status;
mod strip;
mod style;
mod swap;
mod title_row;
mod variations;
#[cfg(windows)]
mod win32_keyboard;
pub mod window;
pub mod window_thread;
mod words;
#[cfg(target_os = "linux")]
mod x11;
mod zoom;

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{Entry, History, InfillRange, PlanId, PlayMode};
use egui::{Align, CentralPanel, Context, Frame, Layout, Margin, Panel, Pos2, Rect, Ui, vec2};
use raw_window_handle::HasWindowHandle;

pub use excerpt::{Excerpt, Players, Source};
pub use export::{Exporter, Notice};
pub use model::{Change, Control, EditorModel, Now};
pub use shortcuts::KeyOwner;

use crate::clock::Motion;
use crate::triggers::Button;
use antiphon_engine::session::{Command, Snapshot};
use bars_ahead::InForce;
use chord_chooser::ChordChooser;
use drawer::Drawer;
use edits::{Edit, Edits};
use heard::Heard;
use history_cards::HistoryFilter;
use open_file::OpenFile;
use palette::{Palette, paint};
use play_time::PlayTime;
use presets::Presets;
use recorder::Recorder;
use roll::View;
use selection::{Asked, RollMenu};
use shortcuts::Action;
use shown_snapshot::{ShownSnapshot, Shows};
use strip::Strip;

/// Initial size, in points.
pub const SIZE: (f32, f32) = (1000.0, 600.0);
/// Minimum size at which everything fits, in points.
pub const LEAST_SIZE: (f32, f32) = (style::LEAST_SIZE.x, style::LEAST_SIZE.y);
/// Repaint interval while the clock runs.
const FRAME: Duration = Duration::from_millis(16);
/// Repaint interval while a button waits for its trigger. Otherwise nothing is drawn until something changes: session, audio thread and host
/// ask for a frame.
const IDLE_FRAME: Duration = Duration::from_millis(100);

/// The editor's own state: exports in progress, whether the drawer is open, what the roll shows, the presets, who has the keyboard, which
/// suggestions have a card, and what can be undone.
pub struct Editor {
    exporter: Exporter,
    drawer: Drawer,
    view: View,
    presets: Presets,
    chords: ChordChooser,
    keys: KeyOwner,
    filter: HistoryFilter,
    edits: Edits,
    /// Selected bars, from the first bar line to the last.
    selection: Option<Range<Tick>>,
    /// The dialog that opens a file.
    opening: Option<OpenFile>,
    /// The plan of the last frame, and whether it was kept.
    kept: Option<(PlanId, bool)>,
    shown: ShownSnapshot,
    /// The variations as they were when they were there last.
    before: variations::Before,
}

impl Editor {
    /// An editor that exports through this.
    #[must_use]
    pub fn new(exporter: Exporter) -> Self {
        let (filter, edits, chords, view) = (HistoryFilter::default(), Edits::default(), ChordChooser::default(), View::default());
        let presets = Presets::new(None);
        Self {
            exporter,
            drawer: Drawer::Closed,
            view,
            presets,
            chords,
            keys: KeyOwner::Host,
            filter,
            edits,
            selection: None,
            opening: None,
            kept: None,
            shown: ShownSnapshot::default(),
            before: variations::Before::default(),
        }
    }

    /// The same with the presets of the user in this folder, which need not exist.
    #[must_use]
    pub fn with_presets(self, folder: Option<PathBuf>) -> Self {
        Self { presets: Presets::new(folder), ..self }
    }

    /// Opens the drawer of controls.
    pub fn open_controls(&mut self) {
        self.drawer = Drawer::Open;
    }

    /// Scrolls the roll to a tick, as the wheel does: the view no longer follows the playhead.
    pub fn scroll_to(&mut self, tick: Tick) {
        self.view = View::scrolled_to(tick.0 as f64);
    }

    /// Selects bars, from the first bar line to the last, as a drag over their numbers does.
    pub fn select(&mut self, bars: Range<Tick>) {
        self.selection = Some(bars);
    }

    /// Sets who has the keyboard, for a new window.
    pub const fn set_key_owner(&mut self, owner: KeyOwner) {
        self.keys = owner;
    }

    /// Sets fonts and colours. Called once, before the first frame.
    pub fn apply_style(ctx: &Context) {
        style::apply(ctx);
    }

    /// Draws one frame. Drags start from `window`.
    pub fn show(&mut self, ui: &mut Ui, model: &mut impl EditorModel, window: &dyn HasWindowHandle) {
        style::follow(ui, model.look());
        let mut edits = std::mem::take(&mut self.edits);
        self.draw(ui, &mut Recorder::new(model, &mut edits), window);
        self.edits = edits;
    }

    fn draw(&mut self, ui: &mut Ui, model: &mut Recorder<'_, impl EditorModel>, window: &dyn HasWindowHandle) {
        let (live, now, history) = (model.snapshot(), model.now().sane(), model.history());
        self.before.update(&live);
        let (shown, shows) = self.shown.of(&live, &now, &history);
        let snapshot = &*shown;
        // What takes over in a swap is not what was kept.
        let phrase = if shows == Shows::Swap { &*live } else { snapshot };
        let entry = match shows {
            Shows::Phrase => history.recalled(),
            Shows::Plan | Shows::Swap => {
                live.plan.as_ref().and_then(|shown| history.find(variations::current(&live).unwrap_or(&shown.plan)))
            }
        };
        let kept = entry.is_some_and(Entry::is_starred);
        self.say_kept(phrase, kept);
        let values = model.values();
        let time = PlayTime { snapshot, now: &now, values: &values, is_recalled: shows == Shows::Phrase };
        self.exporter.poll(ui.ctx());
        let pressed = self.pressed(ui, model);
        self.act(ui, model, &pressed, time);
        let paper = paint(Palette::of(ui.ctx()).paper);
        let margin =
            |top: i8, bottom: i8| Frame::new().fill(paper).inner_margin(Margin { left: style::MARGIN, right: style::MARGIN, top, bottom });
        Panel::top("title")
            .frame(margin(12, 8))
            .show_separator_line(false)
            .show(ui, |ui| title_row::show(ui, model, snapshot, &now, &mut self.presets));
        if let Some(height) = mode_row::height(values.plan.mode) {
            let row = Panel::top("mode").frame(margin(0, 4)).show_separator_line(false).exact_size(height + 4.0);
            row.show(ui, |ui| mode_row::show(ui, model, snapshot, is_narrow(ui)));
        }
        let low = ui.ctx().content_rect().height() < strip::LOW_BELOW;
        let message = model.status_message();
        let (selection, is_plan, mut asked) = (self.selection.clone(), shows == Shows::Plan, None);
        Panel::bottom("status").frame(margin(6, 8)).show_separator_line(false).show(ui, |ui| {
            let aside = |ui: &mut Ui| {
                if let Some(bars) = &selection {
                    asked = selection::buttons(ui, model, snapshot, &now, bars, is_plan);
                }
                variations::back(ui, model, &live);
                variations::unlock(ui, model, &live);
                // Elsewhere the buttons stand over the cards.
                if low && selection.is_none() {
                    history::browse(ui, model, &history, &mut self.filter);
                } else if selection.is_none() && live.locks.is_empty() && shows != Shows::Swap && !is_narrow(ui) {
                    // There is room beside the sentence while no other button stands there.
                    history::full(ui, &history);
                }
            };
            let line = status::Line {
                snapshot,
                now: &now,
                notice: self.exporter.notice(),
                mode: time.sentence(),
                standing: time.standing(),
                message: message.as_deref(),
                recalled: history::sentence(&history, &time),
            };
            line.show(ui, pressed.contains(&Action::Details), aside);
        });
        match asked {
            Some(Asked::SaveAs) => {
                let excerpt = selection.clone().and_then(|bars| Excerpt::of_bars(bars, snapshot, &now));
                excerpt.iter().for_each(|excerpt| self.exporter.save_as(excerpt));
            }
            Some(Asked::End) => self.selection = None,
            None => {}
        }
        if status::is_missing(&snapshot.status) {
            Panel::bottom("missing").frame(margin(6, 2)).show_separator_line(false).show(ui, |ui| status::missing(ui, &snapshot.status));
        }
        let entries = self.filter.entries(&history);
        let (flags, chosen) = (time.flags(), time.chosen());
        let chosen = chosen.as_deref();
        // The cards of the variations have the plan, whatever the roll shows.
        let plan = PlayTime { snapshot: &live, is_recalled: false, ..time };
        let strip = Strip {
            live: &live,
            now: &now,
            silent_before: plan.flags().silent_before,
            history: &history,
            entries: &entries,
            chosen,
            before: &self.before,
            sound: plan.sound(),
        };
        let height = if low { strip::LOW } else { strip::HEIGHT };
        let cards = Panel::bottom("strip")
            .frame(margin(4, 2))
            .show_separator_line(false)
            .exact_size(height)
            .show(ui, |ui| strip.show(ui, model, &mut self.exporter, window));
        let preview = cards.inner.filter(|_| !self.exporter.is_dragging()).and_then(|pointed| strip.preview(pointed));
        if !low {
            let row = Panel::bottom("captions").frame(margin(0, 0)).show_separator_line(false).exact_size(strip::CAPTIONS);
            // A phrase that was deleted comes back by its menu.
            let has_history = !history.entries().is_empty() || model.next_edits().iter().any(Option::is_some);
            row.show(ui, |ui| {
                strip.captions(ui, values.plan.mode, has_history, |ui| history::browse(ui, model, &history, &mut self.filter));
            });
        }
        Panel::bottom("controls").frame(margin(8, 4)).show_separator_line(false).show(ui, |ui| {
            let (two_rows, width) = (is_narrow(ui), ui.available_width());
            // Full height from the start, so that everything is centred on one line.
            let row = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(vec2(width, style::ROW_HEIGHT), row, |ui| {
                controls::commands(ui, model, time, kept, two_rows);
                ui.add_space(style::GAP * 1.5);
                controls::dials(ui, model, time, two_rows);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.drawer.button(ui));
            });
        });
        self.drawer.show(ui, model, is_narrow(ui), &mut self.presets);
        let (horizon_bars, beats_left) = (InForce::bars_in_view(time), time.beats_left());
        let marking = if values.plan.mode == PlayMode::Infill { roll::Marking::Plain } else { roll::Marking::WithShift };
        let (chart, memory, selection) = (model.chart(), model.memory(), self.selection.clone());
        let (range, selected_bars) = (values.turns.infill, selection.as_ref());
        // What takes over in a swap cannot be locked any more.
        let marks = roll::Marks {
            horizon_bars,
            range,
            marking,
            selection: selected_bars,
            is_plan,
            flags,
            beats_left,
            preview: preview.as_ref(),
            chart: &chart,
            memory: &memory,
        };
        let keys = roll::Keyboard { is_here: self.keys == KeyOwner::Window, locks: pressed.contains(&Action::Lock) };
        let menu = RollMenu {
            snapshot,
            now: &now,
            selection: &mut self.selection,
            exporter: &mut self.exporter,
            opening: &mut self.opening,
            is_plan,
        };
        let view = &mut self.view;
        let roll = CentralPanel::default()
            .frame(margin(0, 0))
            .show(ui, |ui| roll::show(ui, snapshot, &now, marks, keys, view, |ui| menu.show(ui, model)));
        self.take_keys(ui, &[cards.response.rect, roll.response.rect]);
        match roll.inner {
            Some(roll::Done::Marked(range)) => mark(model, range),
            Some(roll::Done::Chord(bar)) => self.chords.open(bar, &chart),
            Some(roll::Done::Selected(bars)) => self.selection = Some(bars),
            Some(roll::Done::DraggedRole(role)) => {
                let excerpt = shown_phrase(&history, time);
                excerpt.iter().for_each(|excerpt| self.exporter.drag(&excerpt.of_role(role), window));
            }
            Some(roll::Done::DraggedOut) => {
                let excerpt = self.selection.clone().and_then(|bars| Excerpt::of_bars(bars, snapshot, &now));
                excerpt.iter().for_each(|excerpt| self.exporter.drag(excerpt, window));
            }
            Some(roll::Done::Clicked(command)) => model.command(command),
            None => {}
        }
        self.exporter.show(ui);
        self.presets.show_dialog(ui, model);
        self.presets.notice().into_iter().for_each(|notice| self.exporter.announce(notice));
        self.chords.show(ui, model);
        if let Some(dialog) = self.opening.take() {
            let (dialog, done) = dialog.show(ui, model);
            self.opening = dialog;
            done.into_iter().for_each(|done| self.exporter.say(done));
        }
        if now.motion != Motion::Stopped || self.exporter.is_dragging() {
            ui.ctx().request_repaint_after(FRAME);
        } else if model.triggers().waiting().is_some() {
            ui.ctx().request_repaint_after(IDLE_FRAME);
        }
    }

    /// Whether the editor needs the keyboard: after a click into the music, and while a text field is open.
    #[cfg(any(target_os = "linux", windows))]
    pub(super) fn needs_keyboard(&self, ctx: &Context) -> bool {
        self.keys == KeyOwner::Window
            || self.exporter.is_dialog_open()
            || self.opening.is_some()
            || self.presets.is_dialog_open()
            || self.chords.is_open()
            || ctx.text_edit_focused()
    }

    /// Says where a phrase is that has just been kept.
    fn say_kept(&mut self, snapshot: &Snapshot, is_kept: bool) {
        let shown = snapshot.plan.as_ref().map(|shown| (shown.plan.id(), is_kept));
        if let (Some((plan, false)), Some((same, true))) = (self.kept, shown)
            && plan == same
        {
            self.exporter.say("Kept: its card has a star, and it stays in the history".into());
        }
        self.kept = shown;
    }

    /// Actions of the keys pressed in this frame.
    fn pressed(&mut self, ui: &Ui, model: &impl EditorModel) -> Vec<Action> {
        // Another window was clicked.
        if self.keys == KeyOwner::Window && !ui.input(|input| input.focused) {
            self.keys = KeyOwner::Host;
        }
        // Esc ends the wait for a trigger.
        if model.triggers().waiting().is_some() { Vec::new() } else { shortcuts::pressed(ui.ctx(), self.keys) }
    }

    /// Carries out what keys do, except in the roll and in the status line.
    fn act(&mut self, ui: &Ui, model: &mut Recorder<'_, impl EditorModel>, pressed: &[Action], time: PlayTime<'_>) {
        let snapshot = time.snapshot;
        let history = model.history();
        let excerpt = || shown_phrase(&history, time);
        for action in pressed {
            match action {
                // As their buttons, which are disabled without a plan.
                Action::Press(_) if snapshot.plan.is_none() => {}
                Action::Press(Button::Play) => time.pressed().command().into_iter().for_each(|command| model.command(command)),
                Action::Release if self.keys == KeyOwner::Window => self.keys = KeyOwner::Host,
                Action::NextMode => controls::change(model, Change::Mode(model.values().plan.mode.next())),
                Action::Infill(nudge) if time.values.plan.mode == PlayMode::Infill => {
                    mark(model, infill::nudged(time.values.turns.infill, *nudge));
                }
                Action::Drawer => self.drawer.toggle(),
                Action::Undo => model.undo(),
                Action::Redo => model.redo(),
                Action::Delete => history.recalled().into_iter().for_each(|entry| model.command(Command::Remove(entry.id()))),
                Action::SaveAs => excerpt().iter().for_each(|excerpt| self.exporter.save_as(excerpt)),
                Action::CopyPath => excerpt().iter().for_each(|excerpt| self.exporter.copy_path(excerpt, ui.ctx())),
                _ => action.command().into_iter().for_each(|command| model.command(command)),
            }
        }
    }

    /// Takes the keyboard after a click into one of these areas.
    fn take_keys(&mut self, ui: &Ui, music: &[Rect]) {
        let clicked = ui.input(|input| input.pointer.interact_pos().filter(|_| input.pointer.primary_clicked()));
        let is_music = |place: Pos2| {
            // A menu may lie over it.
            let is_covered = ui.ctx().layer_id_at(place).is_some_and(|layer| layer.order != egui::Order::Background);
            !is_covered && music.iter().any(|area| area.contains(place))
        };
        if self.keys == KeyOwner::Host && clicked.is_some_and(is_music) {
            self.keys = KeyOwner::Window;
        }
    }
}

/// The phrase that is shown, as a clip: that of the history, or the plan as far as it will sound.
fn shown_phrase(history: &History, time: PlayTime<'_>) -> Option<Excerpt> {
    if let Some(entry) = history.recalled() {
        return Excerpt::of_entry(entry);
    }
    let plan = &time.snapshot.plan.as_ref()?.plan;
    Excerpt::of_plan(Source::Plan, Heard::from(plan, time.flags().silent_before), time.snapshot, time.now)
}

/// Marks bars for Infill, to be undone.
fn mark(model: &mut Recorder<'_, impl EditorModel>, range: InfillRange) {
    let from = model.values().turns.infill;
    if range != from {
        model.record(Edit::Mark { from, to: range });
        infill::mark(model, range);
    }
}

/// Whether the controls need two rows and the title its short form.
fn is_narrow(ui: &Ui) -> bool {
    ui.ctx().content_rect().width() < style::NARROW_BELOW
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
