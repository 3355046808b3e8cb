//! Key events go to the host, except after a click into the music and while a text field of the editor is open.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use antiphon_plugin::editor::EditorModel;
use antiphon_tests::display::Display;
use antiphon_tests::host_window::HostWindow;
use antiphon_tests::input::InputDevices;
use antiphon_tests::{linked, places};

use super::instance::{Format, Instance};
use super::{in_child_process, wait_until, wait_until_drawn};

/// Large enough for the host's window and its frame.
const SCREEN: (u32, u32) = (1200, 800);
/// Position without a window.
const NOWHERE: (i16, i16) = (1199, 799);
/// Position in the editor without a widget.
const ELSEWHERE: (i16, i16) = (600, 30);
const SPACE: u32 = 0x20;
const LETTER_C: u32 = 0x63;
const RETURN: u32 = 0xFF0D;
const ESCAPE: u32 = 0xFF1B;

fn manage(display: &mut Display) {
    display.manage().unwrap();
}

/// Asserts that ten presses of the space bar reach the host.
fn assert_host_has_the_keys(input: &InputDevices, host_window: &HostWindow, when: &str) {
    let before = host_window.keys_pressed().unwrap();
    assert_eq!(before, 0, "unexpected key presses, {when}");
    for _ in 0..10 {
        input.strike(SPACE).unwrap();
    }
    let mut pressed = 0;
    wait_until(&format!("ten presses of ten reach the host, {when}"), || {
        pressed += host_window.keys_pressed().unwrap();
        pressed >= 10
    });
    assert_eq!(pressed, 10, "{when}");
}

/// An open editor in a host window that has the focus.
fn open(instance: &mut Instance) -> HostWindow {
    let host_window = instance.open();
    wait_until_drawn(&host_window);
    wait_until("the window manager gives the host the focus", || host_window.focus().unwrap() == host_window.window());
    host_window
}

fn click_and_press_space() {
    let input = InputDevices::at(None).unwrap();
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let host_window = open(&mut instance);
        input.point(NOWHERE).unwrap();
        assert_host_has_the_keys(&input, &host_window, &format!("{format:?}, before the first click"));
        // The title, a slider, the status line.
        for place in [(40, 30), (420, 419), (300, 580)] {
            input.click(host_window.on_screen(place).unwrap()).unwrap();
            settle(&mut instance, &host_window);
            let when = format!("{format:?}, after a click at {place:?}");
            assert_host_has_the_keys(&input, &host_window, &when);
            input.point(NOWHERE).unwrap();
            assert_host_has_the_keys(&input, &host_window, &format!("{when}, with the pointer elsewhere"));
        }
        instance.close();
    }
}

/// A place in the roll that the drawer covers when it is open.
const UNDER_THE_DRAWER: (i16, i16) = (800, 200);

fn click_into_the_roll() {
    let input = InputDevices::at(None).unwrap();
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let host_window = open(&mut instance);
        let editor = host_window.embedded().unwrap().window;
        input.click(host_window.on_screen((300, 250)).unwrap()).unwrap();
        wait_until("the window takes the keyboard", || host_window.focus().unwrap() == editor);
        settle(&mut instance, &host_window);
        let before = host_window.colour_at(UNDER_THE_DRAWER).unwrap();
        input.strike(LETTER_C).unwrap();
        wait_until("the drawer opens", || host_window.colour_at(UNDER_THE_DRAWER).unwrap() != before);
        assert_eq!(host_window.keys_pressed().unwrap(), 0, "{format:?}: the host gets no key");
        input.strike(ESCAPE).unwrap();
        wait_until("Esc gives the keyboard back", || host_window.focus().unwrap() == host_window.window());
        assert_host_has_the_keys(&input, &host_window, &format!("{format:?}, after Esc"));
        input.point(NOWHERE).unwrap();
        assert_host_has_the_keys(&input, &host_window, &format!("{format:?}, after Esc, with the pointer elsewhere"));
        // The focus may also go to another window.
        input.click(host_window.on_screen((300, 250)).unwrap()).unwrap();
        wait_until("the window takes the keyboard again", || host_window.focus().unwrap() == editor);
        host_window.give_focus(host_window.window()).unwrap();
        settle(&mut instance, &host_window);
        assert_host_has_the_keys(&input, &host_window, &format!("{format:?}, after the host took the focus"));
        instance.close();
    }
}

#[test]
fn click_into_the_roll_takes_the_keyboard_and_escape_gives_it_back() {
    let test = "focus::click_into_the_roll_takes_the_keyboard_and_escape_gives_it_back";
    in_child_process(test, SCREEN, manage, click_into_the_roll);
}

/// Gives the editor some frames to react to a click.
fn settle(instance: &mut Instance, host_window: &HostWindow) {
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(50));
        instance.idle();
        host_window.focus().unwrap();
    }
}

#[test]
fn space_bar_after_a_click_into_the_editor_goes_to_the_host() {
    in_child_process("focus::space_bar_after_a_click_into_the_editor_goes_to_the_host", SCREEN, manage, click_and_press_space);
}

/// Files in a folder with an extension.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

/// Chooses Save as in the menu of the card with what was played.
fn open_dialog(input: &InputDevices, instance: &mut Instance, host_window: &HostWindow, card: (i16, i16), item: (i16, i16)) {
    input.click_secondary(host_window.on_screen(card).unwrap()).unwrap();
    // A busy machine draws the menu late.
    (0..3).for_each(|_| settle(instance, host_window));
    // egui merges a move and a click in one frame.
    input.point(host_window.on_screen(item).unwrap()).unwrap();
    settle(instance, host_window);
    input.click(host_window.on_screen(item).unwrap()).unwrap();
}

fn type_into_the_dialog() {
    let (input, home) = (InputDevices::at(None).unwrap(), PathBuf::from(std::env::var_os("HOME").unwrap()));
    let (card, item) = (places::of("played"), places::of_menu_item("played", "Save played as..."));
    for format in Format::ALL {
        let mut instance = Instance::with_manual_session(format);
        let ports = linked::take_ports();
        ports.snapshot.publish((*places::piece().snapshot()).clone());
        let host_window = open(&mut instance);
        let editor = host_window.embedded().unwrap().window;
        for (key, saved) in [(ESCAPE, 0), (RETURN, 1)] {
            open_dialog(&input, &mut instance, &host_window, card, item);
            wait_until("the dialog takes the focus", || host_window.focus().unwrap() == editor);
            // The name ends in .mid; the typed letters are appended.
            for letter in "xyz".bytes() {
                input.strike(letter.into()).unwrap();
            }
            input.strike(key).unwrap();
            wait_until("the host gets its focus back", || host_window.focus().unwrap() == host_window.window());
            assert_eq!(files(&home, "midxyz").len(), saved, "{format:?}");
            assert_host_has_the_keys(&input, &host_window, &format!("{format:?}, after the dialog"));
            input.click(host_window.on_screen(ELSEWHERE).unwrap()).unwrap();
            settle(&mut instance, &host_window);
            assert_host_has_the_keys(&input, &host_window, &format!("{format:?}, after the dialog and a click"));
        }
        // A window closed while it has the focus returns it to the host.
        open_dialog(&input, &mut instance, &host_window, card, item);
        wait_until("the dialog takes the focus", || host_window.focus().unwrap() == editor);
        instance.close();
        wait_until("the host gets its focus back", || host_window.focus().unwrap() == host_window.window());
        files(&home, "midxyz").iter().for_each(|path| fs::remove_file(path).unwrap());
        drop(ports);
    }
}

#[test]
fn text_field_has_the_keyboard_while_it_is_open() {
    in_child_process("focus::text_field_has_the_keyboard_while_it_is_open", SCREEN, manage, type_into_the_dialog);
}

fn give_the_focus_to_the_editor() {
    let input = InputDevices::at(None).unwrap();
    for format in Format::ALL {
        let mut instance = Instance::loaded(format);
        let host_window = open(&mut instance);
        host_window.give_focus(host_window.embedded().unwrap().window).unwrap();
        wait_until("the editor passes the focus on", || host_window.focus().unwrap() == host_window.window());
        input.point(NOWHERE).unwrap();
        assert_host_has_the_keys(&input, &host_window, &format!("{format:?}"));
        instance.close();
    }
}

#[test]
fn editor_that_is_given_the_focus_passes_it_on() {
    in_child_process("focus::editor_that_is_given_the_focus_passes_it_on", SCREEN, manage, give_the_focus_to_the_editor);
}
