//! Buttons, sliders and keys send commands and parameter changes.

use antiphon_engine::plan::Variation;
use antiphon_engine::session::{ShownVariations, Takeover};

use super::*;
use crate::triggers::{Button, Trigger};

const BARS_AHEAD: Control = Control::Parameter("horizon");

#[test]
fn button_clicks_send_their_commands() {
    let mut harness = open(model(music()), FakeDragSource::default());
    for (label, command) in [("Play", Command::Play), ("Another: B", Command::Another), ("Keep", Command::Keep)] {
        harness.get_by_label(label).click();
        assert_eq!(calls(&mut harness), [Call::Command(command)]);
    }
}

#[test]
fn focused_buttons_are_pressed_by_enter() {
    let mut harness = open(model(music()), FakeDragSource::default());
    for (label, command) in [("Play", Command::Play), ("Another: B", Command::Another), ("Keep", Command::Keep)] {
        harness.get_by_label(label).focus();
        harness.run_steps(2);
        assert!(harness.get_by_label(label).is_focused());
        harness.key_press(Key::Enter);
        assert_eq!(calls(&mut harness), [Call::Command(command)]);
    }
}

#[test]
fn tab_key_reaches_every_control() {
    let mut harness = open(model(music()), FakeDragSource::default());
    let wanted =
        ["Suggest", "Answer", "Play", "Another: B", "Keep", "Bars ahead", "Adventurousness", "Density", "More", "played", "Variation A"];
    let mut reached = Vec::new();
    for _ in 0..32 {
        harness.key_press(Key::Tab);
        harness.run_steps(2);
        reached.extend(wanted.into_iter().filter(|label| harness.query_by_label(label).is_some_and(|node| node.is_focused())));
    }
    for label in wanted {
        assert!(reached.contains(&label), "{label} is not among {reached:?}");
    }
}

#[test]
fn buttons_without_a_plan_do_nothing() {
    let mut harness = open(model(Snapshot::default()), FakeDragSource::default());
    for label in ["Play", "Another", "Keep", "Variation A", "played"] {
        harness.get_by_label(label).click();
    }
    for card in ["Variation A", "played"] {
        harness.get_by_label(card).click_secondary();
        harness.run_steps(2);
        harness.get_by_label(&format!("Save {card} as...")).click();
        harness.run_steps(2);
        harness.key_press(Key::Escape);
        harness.run_steps(2);
    }
    assert_eq!(calls(&mut harness), []);
    assert!(harness.query_by_label("MIDI file").is_none());
}

#[test]
fn mode_that_is_clicked_is_set_in_one_gesture() {
    let mut harness = open(model(music()), FakeDragSource::default());
    for mode in &PlayMode::ALL[1..] {
        harness.get_by_label(mode.name()).click();
        let expected = [Call::Begin(Control::Mode), Call::Set(Change::Mode(*mode)), Call::End(Control::Mode)];
        assert_eq!(calls(&mut harness), expected);
    }
}

#[test]
fn slider_drag_is_one_gesture_from_press_to_release() {
    let mut harness = open(model(music()), FakeDragSource::default());
    let rail = harness.get_by_label("Bars ahead").rect();
    harness.hover_at(rail.center());
    harness.run_steps(1);
    button(&harness, rail.center(), true);
    harness.run_steps(1);
    for x in [0.7, 0.8, 1.0] {
        harness.event(Event::PointerMoved(Pos2::new(rail.left() + rail.width() * x, rail.center().y)));
        harness.run_steps(1);
    }
    button(&harness, rail.right_center(), false);
    let calls = calls(&mut harness);
    assert_eq!((calls.first(), calls.last()), (Some(&Call::Begin(BARS_AHEAD)), Some(&Call::End(BARS_AHEAD))));
    assert!(calls[1..calls.len() - 1].iter().all(|call| matches!(call, Call::Set(Change::Parameter("horizon", _)))), "{calls:?}");
    assert_eq!(harness.state().1.values.plan.horizon_bars, 8);
}

#[test]
fn arrow_key_moves_a_slider_by_one_step() {
    let mut harness = open(model(music()), FakeDragSource::default());
    harness.get_by_label("Bars ahead").focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    let expected = [Call::Begin(BARS_AHEAD), Call::Set(Change::Parameter("horizon", 4.0 / 7.0)), Call::End(BARS_AHEAD)];
    assert_eq!(calls(&mut harness), expected);
}

#[test]
fn long_press_of_a_button_is_a_click() {
    let mut harness = open(model(music()), FakeDragSource::default());
    let place = harness.get_by_label("Another: B").rect().center();
    harness.hover_at(place);
    button(&harness, place, true);
    // As few frames as a busy machine draws in two seconds.
    harness.run_steps(8);
    button(&harness, place, false);
    harness.run_steps(1);
    assert_eq!(calls(&mut harness), [Call::Command(Command::Another)]);
}

#[test]
fn menu_of_a_button_learns_and_forgets_its_trigger() {
    let mut harness = open(model(music()), FakeDragSource::default());
    harness.get_by_label("Another: B").click_secondary();
    harness.run_steps(2);
    harness.get_by_label("Learn a key or pedal for Another").click();
    harness.run_steps(2);
    let waiting = |harness: &Harness<'_, (Editor, PlainModel)>| harness.state().1.triggers.waiting();
    assert_eq!(waiting(&harness), Some(Button::Another));
    assert!(harness.query_by_label("Another: B").is_none() && harness.query_by_label("Press a key or pedal").is_some());
    harness.key_press(Key::Escape);
    harness.run_steps(2);
    assert_eq!(waiting(&harness), None);
    let pedal = Trigger::Controller { channel: 0, number: 64 };
    harness.state().1.triggers.restore(&[(Button::Another, pedal)].into());
    harness.get_by_label("Another: B").click_secondary();
    harness.run_steps(2);
    harness.get_by_label("Forget the sustain pedal on channel 1").click();
    harness.run_steps(2);
    assert!(harness.state().1.triggers.saved().is_empty());
    assert_eq!(calls(&mut harness), [], "no command was given");
}

#[test]
fn drawer_lists_the_parameters_and_sets_them_in_a_gesture() {
    let mut harness = open(model(music()), FakeDragSource::default());
    assert!(harness.query_by_label("Voices").is_none(), "it is closed at first");
    harness.get_by_label("More").click();
    harness.run_steps(3);
    let parameter = Control::Parameter("voices");
    for step in [1.0, 2.0] {
        harness.get_by_label("Voices").focus();
        harness.run_steps(2);
        harness.key_press(Key::ArrowRight);
        let expected = [Call::Begin(parameter), Call::Set(Change::Parameter("voices", step / 8.0)), Call::End(parameter)];
        assert_eq!(calls(&mut harness), expected);
    }
    harness.get_by_label("More").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Voices").is_none());
}

/// Drags over the bar numbers of the roll, from the bar of the playhead, which is bar 2, to so many bars on.
pub(super) fn drag_over_numbers(harness: &mut Harness<'_, (Editor, PlainModel)>, bars: f32, modifiers: Modifiers) {
    let roll = harness.get_by_label("Piano roll").rect();
    // Of the music, 2.5 of 6.85 bars are left of the playhead.
    let (left, bar) = (roll.left() + 74.0, (roll.width() - 75.0) / 6.85);
    let place = |bars: f32| Pos2::new(left + (2.8 + bars) * bar, roll.top() + 12.0);
    harness.event(Event::PointerMoved(place(0.0)));
    harness.run_steps(1);
    let button = |pos, pressed| Event::PointerButton { pos, button: egui::PointerButton::Primary, pressed, modifiers };
    harness.event_modifiers(button(place(0.0), true), modifiers);
    harness.run_steps(1);
    harness.event_modifiers(Event::PointerMoved(place(bars)), modifiers);
    harness.run_steps(1);
    harness.event_modifiers(button(place(bars), false), modifiers);
    harness.run_steps(2);
}

/// The parameters that were set.
fn marked(harness: &mut Harness<'_, (Editor, PlainModel)>) -> Vec<(&'static str, f32)> {
    let set = |call| if let Call::Set(Change::Parameter(id, value)) = call { Some((id, value)) } else { None };
    calls(harness).into_iter().filter_map(set).collect()
}

#[test]
fn drag_over_the_bar_numbers_marks_bars_in_infill_and_elsewhere_with_shift() {
    let two_bars = [("infill_from", 1.0 / 998.0), ("infill_bars", 1.0 / 7.0)];
    let mut harness = open(model(music()), FakeDragSource::default());
    drag_over_numbers(&mut harness, 1.0, Modifiers::NONE);
    assert_eq!(marked(&mut harness), []);
    drag_over_numbers(&mut harness, 1.0, Modifiers::SHIFT);
    assert_eq!(marked(&mut harness), two_bars);
    let mut infill = model(music());
    infill.values.plan.mode = PlayMode::Infill;
    let mut harness = open(infill, FakeDragSource::default());
    drag_over_numbers(&mut harness, 1.0, Modifiers::NONE);
    assert_eq!(marked(&mut harness), two_bars);
    drag_over_numbers(&mut harness, 0.0, Modifiers::NONE);
    assert_eq!(marked(&mut harness), [("infill_bars", 0.0)], "a click marks one bar: the same first one");
}

#[test]
fn headphones_of_a_card_choose_its_phrase_and_play_it() {
    let mut harness = open(model(music()), FakeDragSource::default());
    let variation = |variation| Call::Command(Command::Variation(variation));
    harness.get_by_label("Listen to Variation A").click();
    assert_eq!(calls(&mut harness), [variation(antiphon_engine::plan::Variation::A), Call::Command(Command::Play)]);
    assert!(harness.query_by_label("Listen to Variation B").is_none(), "it has no music yet");
    let place = Place { bar: 5, line: Tick(384), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
    let phrase = plan(384, 480, &[note(384, 70)]).plan;
    let id = Arc::make_mut(&mut harness.state_mut().1.history).push(phrase, place, Reason::Kept).unwrap();
    harness.run_steps(3);
    harness.get_by_label("Listen to suggestion 1, of bar 5").click();
    let step = Command::Step(antiphon_engine::plan::Step::To(id));
    assert_eq!(calls(&mut harness), [Call::Command(step), Call::Command(Command::Play)]);
}

#[test]
fn card_that_plays_or_waits_for_its_bar_line_has_a_square_that_stops_it() {
    let mut playing = music();
    playing.plan.as_mut().unwrap().playing = true;
    for (shown, square) in [(playing, "Stop Variation A"), (Snapshot { play_from: Some(Tick(192)), ..music() }, "Cancel Variation A")] {
        let mut moving = model(shown);
        moving.now.motion = Motion::Host;
        let mut harness = open(moving, FakeDragSource::default());
        assert!(harness.query_by_label("Listen to Variation A").is_none());
        harness.get_by_label(square).click();
        assert_eq!(calls(&mut harness), [Call::Command(Command::Stop)]);
    }
    assert!(open(model(music()), FakeDragSource::default()).query_by_label("Stop Variation A").is_none());
}

/// What a mode's own parameters are set to by a click on these chips, each in a gesture of its own.
fn chips(harness: &mut Harness<'_, (Editor, PlainModel)>, labels: &[&str]) -> Vec<(&'static str, f32)> {
    let mut values = Vec::new();
    for label in labels {
        harness.get_by_label(label).click();
        for gesture in calls(harness).chunks(3) {
            let [Call::Begin(begun), Call::Set(change), Call::End(ended)] = gesture else { panic!("{label}: {gesture:?}") };
            assert!(begun == ended && change.control() == *begun, "{label}");
            if let Change::Parameter(id, value) = change {
                values.push((*id, *value));
            }
        }
    }
    values
}

fn in_mode(mode: PlayMode) -> Harness<'static, (Editor, PlainModel)> {
    let mut shown = model(music());
    shown.values.plan.mode = mode;
    open(shown, FakeDragSource::default())
}

#[test]
fn chips_of_accompany_set_the_roles_of_the_plan() {
    let mut harness = in_mode(PlayMode::Accompany);
    let [bass, drums, none] = [3.0, 4.0, 0.0].map(|step| step / 16.0);
    let set = chips(&mut harness, &["Role: Bass", "Role: Drums"]);
    assert_eq!(set, [("output_role", bass), ("output_role_2", drums)]);
    let taken = chips(&mut harness, &["Role: Bass", "Role: Auto"]);
    assert_eq!(taken, [("output_role", drums), ("output_role_2", none), ("output_role", none)]);
    assert_eq!(chips(&mut harness, &["Role: Auto"]), [], "it is on");
    assert!(in_mode(PlayMode::Suggest).query_by_label("Role: Bass").is_none());
}

#[test]
fn role_is_switched_by_the_keyboard() {
    let mut harness = in_mode(PlayMode::Accompany);
    harness.get_by_label("Role: Bass").focus();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    let control = Control::Parameter("output_role");
    assert_eq!(calls(&mut harness), [Call::Begin(control), Call::Set(Change::Parameter("output_role", 3.0 / 16.0)), Call::End(control)]);
}

#[test]
fn chips_set_the_bars_of_trade_and_the_pause_before_an_answer() {
    assert_eq!(chips(&mut in_mode(PlayMode::Trade), &["Trade 4 bars", "Trade 8 bars"]), [("trade_bars", 1.0)]);
    assert_eq!(chips(&mut in_mode(PlayMode::Answer), &["Answer after 2 beats", "Answer after 1 beat"]), [("answer_after", 0.0)]);
}

#[test]
fn caption_of_the_history_comes_with_its_first_phrase() {
    let mut harness = open(model(music()), FakeDragSource::default());
    assert!(harness.query_by_label("Older").is_none());
    let place = Place { bar: 5, line: Tick(384), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
    Arc::make_mut(&mut harness.state_mut().1.history).push(plan(384, 480, &[note(384, 70)]).plan, place, Reason::Kept).unwrap();
    harness.run_steps(3);
    assert!(harness.query_by_label("Back to plan").is_none(), "the plan is shown");
    harness.get_by_label("Older").click();
    harness.run_steps(3);
    let back = harness.get_by_label("Back to plan").rect();
    assert!(back.right() <= SIZE.0 && back.bottom() < harness.get_by_label("suggestion 1, of bar 5").rect().top(), "{back:?}");
}

#[test]
fn buttons_of_the_history_fit_into_a_narrow_window_beside_their_caption() {
    let place = Place { bar: 5, line: Tick(384), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
    let mut history = History::default();
    history.push(plan(384, 480, &[note(384, 70)]).plan, place, Reason::Kept).unwrap();
    history.step(antiphon_engine::plan::Step::Older, None);
    for width in [LEAST_SIZE.0, SIZE.0] {
        let editor = Editor::new(Exporter::new(Box::new(FakeDragSource::default())));
        let frame = |ui: &mut Ui, (editor, model): &mut (Editor, PlainModel)| editor.show(ui, model, &NoWindow);
        let builder = Harness::builder().with_size(vec2(width, SIZE.1)).with_context_setup(Editor::apply_style);
        let shown = PlainModel { history: Arc::new(history.clone()), ..model(music()) };
        let mut harness: Harness<'_, (Editor, PlainModel)> = builder.build_ui_state(frame, (editor, shown));
        harness.run_steps(3);
        let places = ["Earlier", "1 of 1", "Older", "Newer", "Back to plan"].map(|label| harness.get_by_label(label).rect());
        assert!(places.windows(2).all(|pair| pair[0].right() <= pair[1].left()), "{width}: {places:?}");
        assert!(places[4].right() <= width, "{width}: {places:?}");
    }
}

/// A phrase that plays as A, with B as it was before, which a click made to start in bar 3.
fn swap(is_asked: bool) -> Harness<'static, (Editor, PlainModel)> {
    let variation = |pitch| Some(plan(96, 288, &[note(200, pitch)]).plan);
    let plans = [variation(64), variation(66), None, None];
    let mut moving = model(Snapshot { variations: ShownVariations { plans, ..ShownVariations::default() }, ..music() });
    moving.now.motion = Motion::Host;
    let mut harness = open(moving, FakeDragSource::default());
    harness.run_steps(2);
    let mut playing = music();
    playing.plan.as_mut().unwrap().playing = true;
    playing.variations.takeover = Some(Takeover { at: Tick(192), plan: None });
    playing.variations.awaited = is_asked.then_some(Variation::B);
    harness.state_mut().1.snapshot = Arc::new(playing);
    harness.run_steps(2);
    harness
}

#[test]
fn click_on_another_variation_says_where_it_starts_and_can_be_taken_back() {
    let mut harness = swap(false);
    assert!(harness.query_by_label("Back to A").is_none());
    harness.get_by_label("Variation B").click();
    assert_eq!(calls(&mut harness), [Call::Command(Command::Variation(Variation::B))]);
    let mut harness = swap(true);
    assert!(harness.query_by_label("B starts at bar 3; until then A plays").is_some());
    harness.get_by_label("Back to A").click();
    assert_eq!(calls(&mut harness), [Call::Command(Command::Variation(Variation::A))]);
}

#[test]
fn card_under_the_pointer_is_shown_in_the_roll_and_nothing_is_chosen_by_it() {
    let mut harness = swap(false);
    let preview = "B as it was; a click makes a new one from bar 3";
    assert!(harness.query_by_label(preview).is_none());
    harness.hover_at(harness.get_by_label("Variation B").rect().center());
    harness.run_steps(2);
    assert!(harness.query_by_label(preview).is_some());
    harness.hover_at(harness.get_by_label("Variation C").rect().center());
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("as it was").is_none(), "there never was a C");
    assert_eq!(calls(&mut harness), []);
}
