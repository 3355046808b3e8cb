//! Keys act after a click into the music, and not before.

use antiphon_engine::plan::{Step, Variation};
use antiphon_engine::session::{LockTarget, ShownLocks};
use egui_kittest::kittest::NodeT;

use super::*;

/// A model with a plan and a history of one phrase, and an editor that has the keyboard.
fn with_keys() -> Harness<'static, (Editor, PlainModel)> {
    let mut history = History::default();
    let place = Place { bar: 5, line: Tick(384), metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
    history.push(plan(384, 480, &[note(384, 70)]).plan, place, Reason::Kept).unwrap();
    let mut harness = open(PlainModel { history: Arc::new(history), ..model(music()) }, FakeDragSource::default());
    click_music(&mut harness);
    calls(&mut harness);
    harness
}

/// A click into the roll, where there is no note.
pub(super) fn click_music(harness: &mut Harness<'_, (Editor, PlainModel)>) {
    let roll = harness.get_by_label("Piano roll").rect();
    let place = roll.left_center() + vec2(20.0, 0.0);
    harness.hover_at(place);
    button(harness, place, true);
    harness.run_steps(1);
    button(harness, place, false);
    harness.run_steps(2);
}

pub(super) fn strike(harness: &mut Harness<'_, (Editor, PlainModel)>, key: Key) -> Vec<Call> {
    harness.key_press(key);
    calls(harness)
}

#[test]
fn keys_give_the_commands_of_their_buttons() {
    let mut harness = with_keys();
    for (key, command) in [
        (Key::Space, Command::Play),
        (Key::N, Command::Another),
        (Key::K, Command::Keep),
        (Key::Num1, Command::Variation(Variation::A)),
        (Key::Num4, Command::Variation(Variation::D)),
        (Key::ArrowLeft, Command::Step(Step::Older)),
        (Key::ArrowRight, Command::Step(Step::Newer)),
        (Key::Home, Command::Step(Step::Now)),
        (Key::U, Command::UnlockAll),
    ] {
        assert_eq!(strike(&mut harness, key), [Call::Command(command)], "{key:?}");
    }
}

#[test]
fn keys_before_a_click_into_the_music_and_after_escape_do_nothing() {
    let mut harness = open(model(music()), FakeDragSource::default());
    assert_eq!(strike(&mut harness, Key::Space), [], "the host has the keyboard");
    harness.get_by_label("Another: B").click();
    calls(&mut harness);
    assert_eq!(strike(&mut harness, Key::N), [], "a button leaves it there");
    click_music(&mut harness);
    calls(&mut harness);
    assert_eq!(strike(&mut harness, Key::N), [Call::Command(Command::Another)]);
    assert_eq!(strike(&mut harness, Key::Escape), []);
    assert_eq!(strike(&mut harness, Key::N), []);
}

#[test]
fn keys_end_when_another_window_gets_the_keyboard() {
    let mut harness = with_keys();
    harness.input_mut().focused = false;
    harness.run_steps(2);
    harness.input_mut().focused = true;
    harness.run_steps(2);
    assert_eq!(strike(&mut harness, Key::Space), []);
}

#[test]
fn keys_of_a_disabled_button_do_nothing() {
    let mut harness = open(model(Snapshot::default()), FakeDragSource::default());
    click_music(&mut harness);
    calls(&mut harness);
    for key in [Key::Space, Key::N, Key::K, Key::Num2] {
        assert_eq!(strike(&mut harness, key), [], "{key:?}");
    }
}

#[test]
fn key_m_sets_the_next_mode_in_a_gesture() {
    let mut harness = with_keys();
    let expected = [Call::Begin(Control::Mode), Call::Set(Change::Mode(PlayMode::Answer)), Call::End(Control::Mode)];
    assert_eq!(strike(&mut harness, Key::M), expected);
    harness.state_mut().1.values.plan.mode = PlayMode::Infill;
    assert_eq!(strike(&mut harness, Key::M)[1], Call::Set(Change::Mode(PlayMode::Suggest)));
}

#[test]
fn keys_c_and_d_open_and_close_drawer_and_details() {
    let mut harness = with_keys();
    for (key, label) in [(Key::C, "Voices"), (Key::D, "Copy diagnostics")] {
        for is_open in [true, false] {
            harness.key_press(key);
            harness.run_steps(4);
            assert_eq!(harness.query_by_label(label).is_some(), is_open, "{key:?}");
        }
    }
}

#[test]
fn key_l_locks_the_note_or_bar_under_the_pointer() {
    let mut harness = with_keys();
    let roll = harness.get_by_label("Piano roll").rect();
    // Of the music, 2.5 of 6.85 bars are left of the playhead, which is in bar 2; bar 3 is the last of the plan.
    let bar = (roll.width() - 75.0) / 6.85;
    let number = Pos2::new(roll.left() + 74.0 + 3.8 * bar, roll.top() + 12.0);
    harness.hover_at(number);
    harness.run_steps(2);
    let target = LockTarget::Bar { start: Tick(192) };
    assert_eq!(strike(&mut harness, Key::L), [Call::Command(Command::Lock(target))]);
    let locks = ShownLocks::new(vec![note(192, 65)], vec![Tick(192)]);
    harness.state_mut().1.snapshot = Arc::new(Snapshot { locks, ..music() });
    assert_eq!(strike(&mut harness, Key::L), [Call::Command(Command::Unlock(target))]);
}

#[test]
fn ctrl_s_opens_the_save_dialog_in_which_keys_are_text() {
    let mut harness = with_keys();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run_steps(4);
    assert!(harness.query_by_label("MIDI file").is_some());
    assert_eq!(strike(&mut harness, Key::N), []);
    harness.key_press(Key::Escape);
    harness.run_steps(4);
    assert!(harness.query_by_label("MIDI file").is_none());
    assert_eq!(strike(&mut harness, Key::N), [Call::Command(Command::Another)], "Esc closed the dialog alone");
}

#[test]
fn ctrl_c_writes_the_shown_phrase_and_names_its_path() {
    let mut harness = with_keys();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::C);
    harness.run_steps(3);
    let notice = harness.get_by_label_contains("Copied the path ").accesskit_node();
    let notice = notice.label().or_else(|| notice.value()).expect("the status line has a text");
    let path = notice.strip_prefix("Copied the path ").expect("it begins with this");
    assert_eq!(smf::read_file(Path::new(path)).unwrap().clip.notes().len(), 2);
    assert!(harness.query_by_label("Voices").is_none(), "the drawer stays closed");
}
