//! Buttons and sliders of the editor.

use antiphon_engine::plan::TakeMode;
use egui::{Key, RichText, Sense, Stroke, Ui, vec2};

use super::bars_ahead::InForce;
use super::card;
use super::dial;
use super::model::{Change, Control, EditorModel};
use super::palette::{Palette, paint};
use super::play_time::{PlayTime, Sound};
use super::shortcuts::{Action, hint};
use super::style::{self, BUTTON_HEIGHT};
use super::variations;
use crate::params::ALWAYS_IN_FRONT;
use crate::triggers::{Button as Pressed, Triggers};
use antiphon_engine::session::{Command, Component, Snapshot};

/// Widths of the front controls, in points: name and longest value fit side by side above the slider.
const WIDTHS: [f32; 4] = [178.0, 100.0, 116.0, 121.0];
/// Width of Play and Stop, in points: the longest text fits.
const PLAY_WIDTH: f32 = 134.0;
/// Id of the parameter that other modes set aside.
const HORIZON: &str = "horizon";
/// Width of Another, in points, whichever variation it names, so that nothing moves.
const ANOTHER_WIDTH: f32 = 90.0;

/// Play or Stop, Another, Keep. `kept` is whether the plan shown is starred; a `narrow` window has no room for the name of the next variation.
pub(super) fn commands(ui: &mut Ui, model: &mut impl EditorModel, time: PlayTime<'_>, kept: bool, narrow: bool) {
    let snapshot = time.snapshot;
    let palette = Palette::of(ui.ctx());
    let fill = match time.pressed() {
        // While nothing sounds yet the button is armed, not lit.
        Pressed::Stop if time.sound() != Sound::Plays => palette.armed(),
        Pressed::Stop => palette.playing,
        _ => palette.ink,
    };
    let text = RichText::new(time.button());
    let another = if narrow { Pressed::Another.name().into() } else { variations::another(snapshot, time.values.plan.mode) };
    let reasons = [time.pressed(), Pressed::Another, Pressed::Keep].map(|pressed| unavailable(pressed, snapshot, time.values.output.take));
    // What can do nothing does not attract the eye.
    let play = match reasons[0] {
        Some(_) => style::button(text),
        None if fill == palette.armed() => style::button(text).fill(paint(fill)).stroke(Stroke::new(1.5, paint(palette.playing))),
        None => style::button(text.color(paint(palette.paper))).fill(paint(fill)),
    };
    let buttons = [
        (time.pressed(), play.min_size(vec2(PLAY_WIDTH, BUTTON_HEIGHT)), time.tip()),
        (
            Pressed::Another,
            style::button(another.as_str()).min_size(vec2(if narrow { 0.0 } else { ANOTHER_WIDTH }, BUTTON_HEIGHT)),
            "Chooses the next variation; in place of a phrase that plays it starts within two beats. After D it makes four new ones",
        ),
        (
            Pressed::Keep,
            style::button(if kept { "Kept" } else { "Keep" }).selected(kept),
            if kept {
                "This phrase is kept: its card has a star and never goes from the history"
            } else {
                "Keeps this phrase: its card gets a star and never goes from the history"
            },
        ),
    ];
    for ((pressed, button, tip), reason) in buttons.into_iter().zip(reasons) {
        if model.triggers().waiting() == Some(pressed) {
            learning(ui, model.triggers());
            continue;
        }
        let learnt = model.triggers().of(pressed).map_or_else(String::new, |trigger| format!(" ({trigger})"));
        let response = ui.add_enabled(reason.is_none(), button);
        if pressed == Pressed::Keep {
            let ink = if reason.is_some() { palette.faded(0.35) } else { paint(palette.ink) };
            // In the margin left of the text.
            card::star(ui.painter(), response.rect.left_center() + vec2(12.0, 0.0), ink, kept);
        }
        let key = hint(Action::Press(if pressed == Pressed::Stop { Pressed::Play } else { pressed }));
        let tip = format!("{tip}{learnt}{key}; right-click to learn a key or pedal for it.");
        let response = response.on_hover_text(tip.as_str()).on_disabled_hover_text(reason.unwrap_or_default());
        // A disabled button takes no clicks: its menu lies over it.
        let menu = if reason.is_none() { response.clone() } else { ui.interact(response.rect, response.id.with("learn"), Sense::click()) };
        menu.context_menu(|ui| {
            learn(ui, model.triggers(), pressed);
            let is_panic = matches!(pressed, Pressed::Play | Pressed::Stop)
                && ui.button(Pressed::Panic.name()).on_hover_text("Ends every planned note at once, and stops Antiphon").clicked();
            if is_panic {
                model.command(Command::Panic);
                ui.close();
            }
        });
        if response.clicked()
            && let Some(command) = pressed.command()
        {
            model.command(command);
        }
    }
}

/// Why a button can do nothing now.
fn unavailable(pressed: Pressed, snapshot: &Snapshot, take: TakeMode) -> Option<&'static str> {
    let parts = [&snapshot.status.engine, &snapshot.status.model];
    if pressed == Pressed::Play && take == TakeMode::Replay {
        return Some("The take plays: set Take to Off or Overwrite to play suggestions.");
    }
    if snapshot.plan.is_some() {
        return None;
    }
    Some(if parts.iter().any(|part| matches!(part, Component::Missing { .. })) {
        "A part of Antiphon is missing: the last lines of the window say what to do."
    } else if parts.contains(&&Component::Loading) {
        "Loading: ready in a few seconds."
    } else {
        "Play some notes first."
    })
}

/// Menu of a button: what triggers it.
pub(super) fn learn(ui: &mut Ui, triggers: &Triggers, pressed: Pressed) {
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
pub(super) fn learning(ui: &mut Ui, triggers: &Triggers) {
    let button =
        ui.add(style::button("Press a key or pedal")).on_hover_text("On the keyboard or controller of this track. Click or Esc to cancel");
    if button.clicked() || ui.input(|input| input.key_pressed(Key::Escape)) {
        triggers.learn(None);
    }
}

/// The front controls; in a narrow window the first two alone.
pub(super) fn dials(ui: &mut Ui, model: &mut impl EditorModel, time: PlayTime<'_>, narrow: bool) {
    let shown = if narrow { ALWAYS_IN_FRONT } else { WIDTHS.len() };
    for (place, (parameter, width)) in model.front().iter().zip(WIDTHS).take(shown).enumerate() {
        if place > 0 {
            ui.add_space(style::GAP / 2.0);
        }
        match InForce::of(time).filter(|_| parameter.id == HORIZON) {
            Some(shown) => dial::fixed(ui, &parameter.name, &shown.text(), shown.why, shown.tip, width),
            None => dial::show(ui, model, parameter, width),
        }
    }
}

/// Changes a control in a gesture of its own.
pub(super) fn change(model: &mut impl EditorModel, value: Change) {
    let control: Control = value.control();
    model.begin(control);
    model.set(value);
    model.end(control);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::samples::plan;
    use antiphon_engine::session::Status;

    #[test]
    fn button_that_can_do_nothing_says_why() {
        let with = |engine| Snapshot { status: Status { engine, ..Status::default() }, ..Snapshot::default() };
        let missing = Component::Missing { what: String::new(), looked_in: Vec::new() };
        let planned = Snapshot { plan: Some(plan(0, 96, &[])), ..Snapshot::default() };
        for (snapshot, take, words) in [
            (with(Component::Resting), TakeMode::Off, Some("Play some notes")),
            (with(Component::Loading), TakeMode::Off, Some("Loading")),
            (with(missing), TakeMode::Off, Some("A part of Antiphon is missing")),
            (planned.clone(), TakeMode::Replay, Some("The take plays")),
            (planned.clone(), TakeMode::Overwrite, None),
        ] {
            let reason = unavailable(Pressed::Play, &snapshot, take);
            assert_eq!(reason.is_some(), words.is_some());
            assert!(reason.unwrap_or_default().starts_with(words.unwrap_or_default()), "{reason:?}");
        }
        assert_eq!(unavailable(Pressed::Keep, &planned, TakeMode::Replay), None);
    }
}
