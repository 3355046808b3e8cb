//! The host's keys stay the host's, but while the player types into the editor.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use antiphon_engine::music::smf;
use antiphon_plugin::drag::platform_source;
use antiphon_plugin::editor::{Editor, EditorModel, HandOver, SIZE};
use antiphon_roll::legend::{BEFORE, Colour, PAPER};
use antiphon_tests::by_hand;
use antiphon_tests::display::Display;
use antiphon_tests::hands::Hands;
use antiphon_tests::scripted::Scripted;
use antiphon_tests::stage::Stage;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use raw_window_handle::{HandleError, HasWindowHandle, WindowHandle};

use super::instance::{Format, Instance};
use super::{alone, wait_until, wait_until_drawn};

/// Large enough for the host's window and its frame.
const SCREEN: (u32, u32) = (1200, 800);
/// Where no window is.
const NOWHERE: (i16, i16) = (1199, 799);
/// A place in the editor where nothing can be clicked.
const ELSEWHERE: (i16, i16) = (600, 30);
const SPACE: u32 = 0x20;
const RETURN: u32 = 0xFF0D;
const ESCAPE: u32 = 0xFF1B;

fn manage(display: &mut Display) {
    display.manage().unwrap();
}

/// Ten presses of the space bar reach the host.
fn assert_host_has_the_keys(hands: &Hands, stage: &Stage, when: &str) {
    let before = stage.keys_pressed().unwrap();
    assert_eq!(before, 0, "keys that nobody pressed, {when}");
    for _ in 0..10 {
        hands.strike(SPACE).unwrap();
    }
    let mut pressed = 0;
    wait_until(&format!("ten presses of ten reach the host, {when}"), || {
        pressed += stage.keys_pressed().unwrap();
        pressed >= 10
    });
    assert_eq!(pressed, 10, "{when}");
}

/// An open editor in a host's window that has the focus, as its user has just opened it.
fn open(instance: &mut Instance) -> Stage {
    let stage = instance.open();
    wait_until_drawn(&stage);
    wait_until("the window manager gives the host the focus", || stage.focus().unwrap() == stage.window());
    stage
}

fn click_and_press_space() {
    let hands = Hands::at(None).unwrap();
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let stage = open(&mut instance);
        hands.point(NOWHERE).unwrap();
        assert_host_has_the_keys(&hands, &stage, &format!("{format:?}, before the first click"));
        // The title, the roll, a slider, the status line.
        for place in [(40, 30), (500, 250), (420, 505), (300, 545)] {
            hands.click(stage.on_screen(place).unwrap()).unwrap();
            settle(&mut instance, &stage);
            let when = format!("{format:?}, after a click at {place:?}");
            assert_host_has_the_keys(&hands, &stage, &when);
            hands.point(NOWHERE).unwrap();
            assert_host_has_the_keys(&hands, &stage, &format!("{when}, with the pointer elsewhere"));
        }
        instance.close();
    }
}

/// Gives the editor the time of some frames to do what it does after a click.
fn settle(instance: &mut Instance, stage: &Stage) {
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(50));
        instance.idle();
        stage.focus().unwrap();
    }
}

#[test]
fn space_bar_after_a_click_into_the_editor_is_the_hosts() {
    alone("focus::space_bar_after_a_click_into_the_editor_is_the_hosts", SCREEN, manage, click_and_press_space);
}

struct NoWindow;

impl HasWindowHandle for NoWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        Err(HandleError::Unavailable)
    }
}

fn piece() -> Scripted {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo/band.mid");
    Scripted::at(&smf::read_file(&path).unwrap().clip, 9)
}

/// Where a button is, in points.
#[allow(clippy::cast_possible_truncation, reason = "within a window")]
fn place_of(label: &str) -> (i16, i16) {
    let state = (Editor::new(HandOver::new(platform_source())), piece());
    let builder = Harness::builder().with_size(SIZE).with_context_setup(Editor::dress);
    let mut harness = builder.build_ui_state(|ui, (editor, model)| editor.show(ui, model, &NoWindow), state);
    harness.run_steps(3);
    let middle = harness.get_by_label(label).rect().center();
    (middle.x as i16, middle.y as i16)
}

/// The MIDI files in a folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

/// Points elsewhere, then at the button, and clicks it once it shows that the pointer is there: egui makes one click of two in a frame.
fn click_button(hands: &Hands, stage: &Stage, button: (i16, i16)) {
    // Within the button, above its text.
    let ground = (button.0, button.1 - 11);
    let is = |colour: Colour| stage.colour_at(ground).unwrap() == colour.channels();
    hands.point(stage.on_screen(ELSEWHERE).unwrap()).unwrap();
    wait_until("the button is flat while the pointer is elsewhere", || is(PAPER));
    hands.point(stage.on_screen(button).unwrap()).unwrap();
    wait_until("the button rises under the pointer", || is(BEFORE));
    hands.click(stage.on_screen(button).unwrap()).unwrap();
}

fn type_into_the_dialog() {
    let (hands, home) = (Hands::at(None).unwrap(), PathBuf::from(std::env::var_os("HOME").unwrap()));
    let save = place_of("Save played as...");
    for format in Format::ALL {
        let mut instance = Instance::by_hand(format);
        let seat = by_hand::take_seat();
        seat.board.publish((*piece().snapshot()).clone());
        let stage = open(&mut instance);
        let editor = stage.embedded().unwrap().window;
        for (key, saved) in [(ESCAPE, 0), (RETURN, 1)] {
            click_button(&hands, &stage, save);
            wait_until("the dialog takes the focus", || stage.focus().unwrap() == editor);
            // The name ends in .mid; what is typed is appended.
            for letter in "xyz".bytes() {
                hands.strike(letter.into()).unwrap();
            }
            hands.strike(key).unwrap();
            wait_until("the host gets its focus back", || stage.focus().unwrap() == stage.window());
            assert_eq!(files(&home, "midxyz").len(), saved, "{format:?}");
            assert_host_has_the_keys(&hands, &stage, &format!("{format:?}, after the dialog"));
            hands.click(stage.on_screen(ELSEWHERE).unwrap()).unwrap();
            settle(&mut instance, &stage);
            assert_host_has_the_keys(&hands, &stage, &format!("{format:?}, after the dialog and a click"));
        }
        // A window that goes while it has the focus leaves it to the host.
        click_button(&hands, &stage, save);
        wait_until("the dialog takes the focus", || stage.focus().unwrap() == editor);
        instance.close();
        wait_until("the host gets its focus back", || stage.focus().unwrap() == stage.window());
        files(&home, "midxyz").iter().for_each(|path| fs::remove_file(path).unwrap());
        drop(seat);
    }
}

#[test]
fn text_field_has_the_keyboard_while_it_is_open() {
    alone("focus::text_field_has_the_keyboard_while_it_is_open", SCREEN, manage, type_into_the_dialog);
}

fn give_the_focus_to_the_editor() {
    let hands = Hands::at(None).unwrap();
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let stage = open(&mut instance);
        stage.give_focus(stage.embedded().unwrap().window).unwrap();
        wait_until("the editor passes the focus on", || stage.focus().unwrap() == stage.window());
        hands.point(NOWHERE).unwrap();
        assert_host_has_the_keys(&hands, &stage, &format!("{format:?}"));
        instance.close();
    }
}

#[test]
fn editor_that_is_given_the_focus_passes_it_on() {
    alone("focus::editor_that_is_given_the_focus_passes_it_on", SCREEN, manage, give_the_focus_to_the_editor);
}
