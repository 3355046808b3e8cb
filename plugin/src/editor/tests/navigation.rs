//! Scrolling and zooming in the piano roll.

use egui::{Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, TouchPhase, Vec2};

use super::*;

/// The pointer over the notes.
const NOTES: Pos2 = Pos2::new(600.0, 200.0);

/// Turns the wheel over the notes by a number of points.
fn wheel(harness: &mut Harness<'_, (Editor, PlainModel)>, delta: Vec2, modifiers: Modifiers) {
    harness.event(Event::PointerMoved(NOTES));
    let (unit, phase, source) = (MouseWheelUnit::Point, TouchPhase::Move, MouseWheelSource::Unknown);
    harness.event_modifiers(Event::MouseWheel { unit, delta, phase, source, modifiers }, modifiers);
    harness.run_steps(20);
}

fn view(harness: &Harness<'_, (Editor, PlainModel)>) -> View {
    harness.state().0.view
}

#[test]
fn wheel_scrolls_pitches_with_shift_time_and_with_ctrl_zooms() {
    let mut harness = open(model(music()), FakeDragSource::default());
    wheel(&mut harness, vec2(0.0, 40.0), Modifiers::NONE);
    assert!(view(&harness).pitches().is_some() && view(&harness).left().is_none(), "{:?}", view(&harness));
    let before = view(&harness).pitches().unwrap();
    wheel(&mut harness, vec2(0.0, 40.0), Modifiers::NONE);
    assert!(view(&harness).pitches().unwrap() > before, "turned up, higher notes come into view");
    harness.get_by_label("Show all").click();
    harness.run_steps(3);
    assert_eq!(view(&harness), View::default());

    wheel(&mut harness, vec2(0.0, 60.0), Modifiers::COMMAND);
    assert!(view(&harness).zoom() > 1.05 && view(&harness).left().is_none(), "{:?}", view(&harness));
    wheel(&mut harness, vec2(0.0, 60.0), Modifiers::SHIFT);
    let left = view(&harness).left().expect("the time was scrolled");
    harness.state_mut().1.now.playhead = MusicalTime(190.0);
    harness.run_steps(2);
    assert_eq!(view(&harness).left(), Some(left), "it does not follow the playhead");
    harness.get_by_label("Follow playhead").click();
    harness.run_steps(3);
    assert_eq!(view(&harness), View::default());
    assert!(harness.query_by_label("Follow playhead").is_none());
}

#[test]
fn double_click_on_the_bar_numbers_follows_again() {
    let mut harness = open(model(Snapshot::default()), FakeDragSource::default());
    wheel(&mut harness, vec2(60.0, 0.0), Modifiers::NONE);
    assert!(view(&harness).left().is_some());
    let numbers = Pos2::new(600.0, 58.0);
    harness.event(Event::PointerMoved(numbers));
    harness.run_steps(1);
    // In one frame: frames of the harness are longer than a double-click.
    let press = |pressed| Event::PointerButton { pos: numbers, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    harness.input_mut().events.extend([true, false, true, false].map(press));
    harness.run_steps(2);
    assert_eq!(view(&harness), View::default());
}

#[test]
fn every_view_can_be_drawn() {
    let mut harness = open(model(music()), FakeDragSource::default());
    for (delta, modifiers) in [
        (vec2(0.0, 1e5), Modifiers::NONE),
        (vec2(0.0, -1e5), Modifiers::NONE),
        (vec2(1e7, 0.0), Modifiers::NONE),
        (vec2(-1e7, 0.0), Modifiers::NONE),
        (vec2(0.0, 1e4), Modifiers::COMMAND),
        (vec2(0.0, -1e4), Modifiers::COMMAND),
        (vec2(0.0, 1e4), Modifiers::COMMAND | Modifiers::ALT),
        (vec2(0.0, -1e4), Modifiers::COMMAND | Modifiers::ALT),
    ] {
        wheel(&mut harness, delta, modifiers);
    }
    assert!(harness.query_by_label("Follow playhead").is_some());
}
