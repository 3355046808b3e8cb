//! The marked bars of Infill: handles and keys set the two parameters.

use super::keys::click_music;
use super::*;

type Window = Harness<'static, (Editor, PlainModel)>;

/// A window in Infill with bar 3 marked, which is the last of the plan.
fn window() -> Window {
    let mut infill = PlainModel { dialled: vec![("infill_from", 2.0 / 998.0)], ..model(music()) };
    infill.values.turns.infill.from = 3;
    infill.values.plan.mode = PlayMode::Infill;
    open(infill, FakeDragSource::default())
}

/// A gesture on each of these parameters.
fn gestures(values: &[(&'static str, f32)]) -> Vec<Call> {
    let gesture =
        |&(id, value)| [Call::Begin(Control::Parameter(id)), Call::Set(Change::Parameter(id, value)), Call::End(Control::Parameter(id))];
    values.iter().flat_map(gesture).collect()
}

/// Drags a handle by so many bars; returns what was set, all of it on release.
fn drag(harness: &mut Window, handle: &str, bars: f32) -> Vec<Call> {
    let roll = harness.get_by_label("Piano roll").rect();
    let bar = (roll.width() - 75.0) / 6.85;
    let from = harness.get_by_label(handle).rect().center();
    harness.hover_at(from);
    harness.run_steps(1);
    button(harness, from, true);
    harness.run_steps(1);
    for share in [0.5, 1.0] {
        harness.event(Event::PointerMoved(from + vec2(bars * bar * share, 3.0)));
        harness.run_steps(1);
    }
    assert_eq!(calls(harness), [], "nothing is set while it is held");
    button(harness, from + vec2(bars * bar, 3.0), false);
    calls(harness)
}

#[test]
fn handles_set_the_first_and_the_last_bar_in_a_gesture_each() {
    let mut harness = window();
    assert_eq!(drag(&mut harness, "Last bar of Infill", 1.1), gestures(&[("infill_bars", 1.0 / 7.0)]));
    assert_eq!(drag(&mut harness, "First bar of Infill", -0.9), gestures(&[("infill_from", 1.0 / 998.0), ("infill_bars", 2.0 / 7.0)]));
    assert_eq!(drag(&mut harness, "Last bar of Infill", 0.2), [], "the nearest bar line is where it was");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    assert_eq!(calls(&mut harness), [], "the host has the keyboard");
    click_music(&mut harness);
    calls(&mut harness);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    assert_eq!(calls(&mut harness), gestures(&[("infill_from", 2.0 / 998.0), ("infill_bars", 1.0 / 7.0)]), "undone");
}

#[test]
fn shift_and_arrows_move_and_resize_the_marked_bars() {
    let mut harness = window();
    click_music(&mut harness);
    calls(&mut harness);
    for (key, set) in [
        (Key::ArrowRight, ("infill_from", 3.0 / 998.0)),
        (Key::ArrowUp, ("infill_bars", 1.0 / 7.0)),
        (Key::ArrowLeft, ("infill_from", 2.0 / 998.0)),
        (Key::ArrowDown, ("infill_bars", 0.0)),
    ] {
        harness.key_press_modifiers(Modifiers::SHIFT, key);
        assert_eq!(calls(&mut harness), gestures(&[set]), "{key:?}");
    }
    harness.state_mut().1.values.plan.mode = PlayMode::Suggest;
    harness.run_steps(1);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    assert_eq!(calls(&mut harness), [], "in other modes the bars are not shown");
    assert!(harness.query_by_label("Last bar of Infill").is_none());
}
