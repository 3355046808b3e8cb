//! Buttons and sliders of the editor.

use antiphon_engine::plan::PlayMode;
use egui::{Align2, Button, CursorIcon, FontId, Key, Response, RichText, Role, Sense, Slider, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::excerpt::{Excerpt, Source};
use super::model::{Change, Control, EditorModel};
use super::palette::{Palette, paint};
use super::style::{self, BUTTON_HEIGHT};
use crate::params::ladder;
use crate::triggers::{Button as Pressed, Triggers};
use antiphon_engine::session::ShownPlan;

/// Widths of the sliders, in points: name and longest value fit side by side above them.
const HORIZON_WIDTH: f32 = 94.0;
const ADVENTUROUSNESS_WIDTH: f32 = 166.0;
/// Width of a drag handle, in points.
const HANDLE_WIDTH: f32 = 132.0;
/// Width of its Save as button.
const SAVE_WIDTH: f32 = 64.0;
/// Width of both.
pub(super) const PAIR_WIDTH: f32 = HANDLE_WIDTH + 2.0 + SAVE_WIDTH;

/// The five modes side by side; those not yet implemented are disabled.
pub(super) fn modes(ui: &mut Ui, model: &mut impl EditorModel) {
    let current = model.values().plan.mode;
    ui.spacing_mut().item_spacing.x = 4.0;
    for mode in PlayMode::ALL {
        let ready = model.is_ready(mode);
        let button = ui.add_enabled(ready, Button::selectable(mode == current, mode.name()));
        let button = button.on_hover_text(purpose(mode)).on_disabled_hover_text(format!("{} Not available yet.", purpose(mode)));
        if button.clicked() && mode != current {
            change(model, Change::Mode(mode));
        }
    }
}

const fn purpose(mode: PlayMode) -> &'static str {
    match mode {
        PlayMode::Suggest => "Shows what could come next; plays it when you press Play.",
        PlayMode::Answer => "Takes over when you pause, and stops when you play again.",
        PlayMode::Trade => "You have some bars, then Antiphon has as many.",
        PlayMode::Accompany => "Plays another role along with you.",
        PlayMode::Infill => "Fills the bars you mark.",
    }
}

/// Play, Another, Keep. `kept` is whether the plan shown is starred.
pub(super) fn commands(ui: &mut Ui, model: &mut impl EditorModel, plan: Option<&ShownPlan>, kept: bool) {
    let playing = plan.is_some_and(|shown| shown.playing);
    let palette = Palette::of(ui.ctx());
    let (text, fill) = if playing { ("Playing", palette.playing) } else { ("Play", palette.ink) };
    let buttons = [
        (
            Pressed::Play,
            style::button(RichText::new(text).color(paint(palette.paper))).fill(paint(fill)).min_size(vec2(92.0, BUTTON_HEIGHT)),
            "Play the plan that is shown, from the next bar",
        ),
        (Pressed::Another, style::button("Another"), "Make another plan"),
        (Pressed::Keep, style::button(if kept { "Kept" } else { "Keep" }).selected(kept), "Keep the plan that is shown in the history"),
    ];
    for (pressed, button, tip) in buttons {
        if model.triggers().waiting() == Some(pressed) {
            learning(ui, model.triggers());
            continue;
        }
        let learnt = model.triggers().of(pressed).map_or_else(String::new, |trigger| format!(" ({trigger})"));
        let response = ui.add_enabled(plan.is_some(), button);
        let tip = format!("{tip}{learnt}. Right-click to learn a key or pedal for it");
        let response = response.on_hover_text(tip.as_str()).on_disabled_hover_text(format!("{tip}. There is no plan yet."));
        // A disabled button takes no clicks: its menu lies over it.
        let menu = if plan.is_some() { response.clone() } else { ui.interact(response.rect, response.id.with("learn"), Sense::click()) };
        menu.context_menu(|ui| learn(ui, model.triggers(), pressed));
        if response.clicked() {
            model.command(pressed.command());
        }
    }
}

/// Menu of a button: what triggers it.
fn learn(ui: &mut Ui, triggers: &Triggers, pressed: Pressed) {
    if ui.button(format!("Learn a key or pedal for {}", pressed.name())).clicked() {
        triggers.learn(Some(pressed));
        ui.close();
    }
    if let Some(trigger) = triggers.of(pressed)
        && ui.button(format!("Forget {trigger}")).clicked()
    {
        triggers.forget(pressed);
        ui.close();
    }
}

/// Stands in place of a button that waits for its trigger; a click or Esc ends the wait.
fn learning(ui: &mut Ui, triggers: &Triggers) {
    let button =
        ui.add(style::button("Press a key or pedal")).on_hover_text("On the keyboard or controller of this track. Click or Esc to cancel");
    if button.clicked() || ui.input(|input| input.key_pressed(Key::Escape)) {
        triggers.learn(None);
    }
}

/// Sliders for the horizon and adventurousness.
pub(super) fn dials(ui: &mut Ui, model: &mut impl EditorModel) {
    let values = model.values();
    let mut bars = values.plan.horizon_bars;
    let text = if bars == 1 { "1 bar".to_owned() } else { format!("{bars} bars") };
    let tip = "How far ahead Antiphon plans";
    let slider = |ui: &mut Ui| ui.add(Slider::new(&mut bars, 1..=8).show_value(false));
    let response = dial(ui, HORIZON_WIDTH, "Horizon", &text, tip, slider);
    gesture(model, &response, Change::Horizon(bars));
    ui.add_space(style::GAP);

    let mut share = values.music.adventurousness;
    let text = ladder::band(share);
    let tip = format!("From predictable to surprising: {}", ladder::name(share));
    let slider = |ui: &mut Ui| ui.add(Slider::new(&mut share, 0.0..=1.0).step_by(0.01).show_value(false));
    let response = dial(ui, ADVENTUROUSNESS_WIDTH, "Adventurousness", text, &tip, slider);
    gesture(model, &response, Change::Adventurousness(share));
}

/// A slider below its name and value.
pub(super) fn dial(ui: &mut Ui, width: f32, name: &str, value: &str, tip: &str, slider: impl FnOnce(&mut Ui) -> Response) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().slider_width = width;
        let palette = Palette::of(ui.ctx());
        let (caption, _) = ui.allocate_exact_size(vec2(width, 14.0), Sense::hover());
        let font = FontId::proportional(12.0);
        ui.painter().text(caption.left_center(), Align2::LEFT_CENTER, name, font.clone(), paint(palette.soft));
        ui.painter().text(caption.right_center(), Align2::RIGHT_CENTER, value, font, paint(palette.ink));
        let response = slider(ui);
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Slider, true, name);
            info.current_text_value = Some(value.to_owned());
            info
        });
        response.on_hover_text(tip)
    })
    .inner
}

/// Reports a slider's changes as one gesture from press to release; a key press is a gesture of its own.
pub(super) fn gesture(model: &mut impl EditorModel, slider: &Response, value: Change) {
    if slider.drag_started() {
        model.begin(value.control());
    }
    if slider.changed() {
        if slider.dragged() {
            model.set(value);
        } else {
            change(model, value);
        }
    }
    if slider.drag_stopped() {
        model.end(value.control());
    }
}

fn change(model: &mut impl EditorModel, value: Change) {
    let control: Control = value.control();
    model.begin(control);
    model.set(value);
    model.end(control);
}

/// What the player did with a drag handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HandleAction {
    /// Started to drag it.
    Drag,
    /// Pressed Save as.
    SaveAs,
}

/// A drag handle for an excerpt, and its Save as button.
pub(super) fn handle(ui: &mut Ui, source: Source, excerpt: Option<&Excerpt>) -> Option<HandleAction> {
    let name = match source {
        Source::Plan => "Plan",
        Source::Played => "Played",
    };
    let bars = excerpt.map_or(String::new(), |excerpt| if excerpt.bars == 1 { "1 bar".into() } else { format!("{} bars", excerpt.bars) });
    ui.add_enabled_ui(excerpt.is_some(), |ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(HANDLE_WIDTH, BUTTON_HEIGHT), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), format!("Drag {}", source.name())));
        let visuals = ui.style().interact(&response);
        let palette = Palette::of(ui.ctx());
        let colour = paint(if ui.is_enabled() { palette.ink } else { palette.soft });
        ui.painter().rect(
            rect,
            visuals.corner_radius,
            paint(palette.played.over(palette.paper, 0.6)),
            visuals.bg_stroke,
            StrokeKind::Inside,
        );
        for (column, row) in [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)] {
            let dot = pos2(rect.left() + 11.0 + 5.0 * column as f32, rect.center().y + 5.0 * (row as f32 - 1.0));
            ui.painter().circle_filled(dot, 1.4, palette.faded(0.5));
        }
        let (left, right) = (pos2(rect.left() + 26.0, rect.center().y), pos2(rect.right() - 9.0, rect.center().y));
        ui.painter().text(left, Align2::LEFT_CENTER, name, FontId::proportional(14.0), colour);
        ui.painter().text(right, Align2::RIGHT_CENTER, bars, FontId::proportional(11.5), paint(palette.soft));
        let missing = format!("{} Nothing yet.", tip(source));
        let response = response.on_hover_text(tip(source)).on_disabled_hover_text(missing).on_hover_cursor(CursorIcon::Grab);
        let save = ui
            .add(Button::new(RichText::new("Save as...").size(12.0)).min_size(vec2(SAVE_WIDTH, BUTTON_HEIGHT)).frame_when_inactive(false));
        let save = save.on_hover_text("Save it as a MIDI file");
        save.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), format!("Save {} as...", source.name())));
        // Keys cannot drag, so they save.
        let pressed = response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter) || input.key_pressed(Key::Space));
        if response.drag_started() {
            Some(HandleAction::Drag)
        } else if save.clicked() || pressed {
            Some(HandleAction::SaveAs)
        } else {
            None
        }
    })
    .inner
}

const fn tip(source: Source) -> &'static str {
    match source {
        Source::Plan => "Drag the plan onto a track or into a folder.",
        Source::Played => "Drag what was played onto a track or into a folder.",
    }
}
