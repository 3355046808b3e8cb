//! Sliders, switches and typed values.

use super::*;

const BARS_AHEAD: Control = Control::Parameter("horizon");

fn opened() -> Harness<'static, (Editor, PlainModel)> {
    let frame = |ui: &mut Ui, (editor, model): &mut (Editor, PlainModel)| editor.show(ui, model, &NoWindow);
    let builder = Harness::builder().with_size(vec2(SIZE.0, SIZE.1)).with_context_setup(Editor::apply_style);
    let editor = Editor::new(Exporter::new(Box::<FakeDragSource>::default()));
    // Short frames, so that two clicks are a double-click.
    builder.with_step_dt(0.02).build_ui_state(frame, (editor, model(music())))
}

fn press(harness: &Harness<'_, (Editor, PlainModel)>, pos: Pos2, pressed: bool, modifiers: Modifiers) {
    harness.event_modifiers(Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers }, modifiers);
}

/// Text of the value of Bars ahead.
fn shown(harness: &Harness<'_, (Editor, PlainModel)>) -> String {
    harness.get_by_label("Bars ahead, value").value().unwrap_or_default()
}

fn values(calls: &[Call], wanted: &str) -> Vec<f32> {
    let value = |call: &Call| if let Call::Set(Change::Parameter(id, value)) = call { (*id == wanted).then_some(*value) } else { None };
    calls.iter().filter_map(value).collect()
}

/// Whether each gesture begins, sets and ends one control before the next begins.
fn is_in_gestures(calls: &[Call]) -> bool {
    let mut open = None;
    calls.iter().all(|call| match call {
        Call::Begin(control) => open.replace(*control).is_none(),
        Call::Set(change) => open == Some(change.control()),
        Call::End(control) => open.take() == Some(*control),
        Call::Command(_) | Call::Hear(..) => true,
    }) && open.is_none()
}

#[test]
fn double_click_on_slider_or_name_resets_it() {
    for label in ["Bars ahead", "slider"] {
        let mut harness = opened();
        harness.state_mut().1.dialled.push(("horizon", 1.0));
        harness.run_steps(2);
        let slider = harness.get_by_role_and_label(egui::accesskit::Role::Slider, "Bars ahead").rect();
        // The name stands above the left end of the slider.
        let place = if label == "slider" { slider.right_center() - vec2(3.0, 0.0) } else { slider.left_top() + vec2(6.0, -8.0) };
        harness.event(Event::PointerMoved(place));
        harness.run_steps(1);
        for _ in 0..2 {
            press(&harness, place, true, Modifiers::NONE);
            press(&harness, place, false, Modifiers::NONE);
        }
        let calls = calls(&mut harness);
        assert!(is_in_gestures(&calls), "{calls:?}");
        assert_eq!(values(&calls, "horizon").last(), Some(&(3.0 / 7.0)), "{label}: {calls:?}");
        assert_eq!(shown(&harness), "4 bars");
    }
}

#[test]
fn shift_makes_a_slider_ten_times_as_fine_and_it_does_not_jump() {
    let drag = |modifiers| {
        let mut harness = opened();
        let slider = harness.get_by_role_and_label(egui::accesskit::Role::Slider, "Adventurousness").rect();
        let place = |share: f32| Pos2::new(slider.left() + slider.width() * share, slider.center().y);
        harness.event_modifiers(Event::PointerMoved(place(0.2)), modifiers);
        harness.run_steps(1);
        press(&harness, place(0.2), true, modifiers);
        for step in [0.3, 0.4, 0.5, 0.6, 0.7] {
            harness.event_modifiers(Event::PointerMoved(place(step)), modifiers);
            harness.run_steps(1);
        }
        press(&harness, place(0.7), false, modifiers);
        harness.event_modifiers(Event::ModifiersChanged(Modifiers::NONE), Modifiers::NONE);
        let calls = calls(&mut harness);
        assert!(is_in_gestures(&calls), "{calls:?}");
        *values(&calls, "adventurousness").last().unwrap()
    };
    let (coarse, fine) = (drag(Modifiers::NONE), drag(Modifiers::SHIFT));
    assert!((0.65..0.75).contains(&coarse), "{coarse}");
    assert!((0.53..0.57).contains(&fine), "half of the width is a twentieth of the range: {fine}");
}

#[test]
fn value_is_typed_after_a_click_and_set_by_enter() {
    let mut harness = opened();
    for (text, value) in [("7", Some(6.0 / 7.0)), ("many", None), ("2 bars", Some(1.0 / 7.0))] {
        harness.get_by_label("Bars ahead, value").click();
        harness.run_steps(2);
        harness.event(Event::Text(text.into()));
        harness.run_steps(1);
        harness.key_press(Key::Enter);
        let calls = calls(&mut harness);
        let expected =
            value.map(|value| vec![Call::Begin(BARS_AHEAD), Call::Set(Change::Parameter("horizon", value)), Call::End(BARS_AHEAD)]);
        assert_eq!(calls, expected.unwrap_or_default(), "{text}");
    }
    assert_eq!(shown(&harness), "2 bars");
}

#[test]
fn escape_leaves_a_value_that_is_being_typed_as_it_was() {
    let mut harness = opened();
    harness.get_by_label("Bars ahead, value").click();
    harness.run_steps(2);
    harness.event(Event::Text("7".into()));
    harness.run_steps(1);
    harness.key_press(Key::Escape);
    assert_eq!(calls(&mut harness), []);
}

#[test]
fn value_that_the_host_automates_is_shown_without_a_gesture() {
    let mut harness = opened();
    for (value, text) in [(1.0, "8 bars"), (0.0, "1 bar")] {
        harness.state_mut().1.dialled.push(("horizon", value));
        assert_eq!(calls(&mut harness), []);
        assert_eq!(shown(&harness), text);
    }
}

#[test]
fn switch_is_set_by_a_click() {
    let mut harness = opened();
    harness.get_by_label("More").click();
    harness.run_steps(3);
    let control = Control::Parameter("lock_rhythm");
    harness.get_by_label("Lock rhythm").scroll_to_me();
    harness.run_steps(3);
    for value in [1.0, 0.0] {
        harness.get_by_label("Lock rhythm").click();
        let expected = [Call::Begin(control), Call::Set(Change::Parameter("lock_rhythm", value)), Call::End(control)];
        assert_eq!(calls(&mut harness), expected);
    }
}

#[test]
fn automatic_value_is_set_where_its_rail_is_clicked() {
    let mut harness = opened();
    assert_eq!(harness.get_by_label("Density, value").value().as_deref(), Some("Auto"));
    let slider = harness.get_by_role_and_label(egui::accesskit::Role::Slider, "Density").rect();
    harness.event(Event::PointerMoved(slider.center()));
    harness.run_steps(1);
    press(&harness, slider.center(), true, Modifiers::NONE);
    harness.run_steps(1);
    press(&harness, slider.center(), false, Modifiers::NONE);
    assert_eq!(values(&calls(&mut harness), "density").last(), Some(&0.5), "its knob stands in the middle");
    assert_eq!(harness.get_by_label("Density, value").value().as_deref(), Some("Moderate"));
}
