//! The keyboard is the host's, except while the path in Save as is typed.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use antiphon_engine::music::smf;
use antiphon_tests::places;

use crate::running::{Running, SCREEN};
use crate::windows::{Desktop, FORMATS, named};

const SPACE: u32 = 0x20;
const RETURN: u32 = 0xFF0D;
const ESCAPE: u32 = 0xFF1B;
/// Position in the editor without a widget.
const ELSEWHERE: (i16, i16) = (600, 30);

/// Gives editor and host some frames to react.
fn settle() {
    thread::sleep(Duration::from_secs(1));
}

/// Presses the space bar five times; the host must see each, after the `before` that it has seen.
fn assert_host_has_the_keys(shown: &mut Running, before: &mut usize) {
    for _ in 0..5 {
        shown.input.strike(SPACE).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    let after = *before + 5;
    while *before < after {
        *before = shown.wait_for("keys").parse().unwrap();
    }
    assert_eq!(*before, after, "only the space bars reach the host: {}", shown.text);
}

/// Files with the ending of the test in the user's folder for music.
fn saved() -> Vec<PathBuf> {
    let users = PathBuf::from(std::env::var_os("WINEPREFIX").unwrap()).join("drive_c/users");
    let folders = fs::read_dir(users).unwrap().map(|home| home.unwrap().path().join("Music"));
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "midxyz")).collect()
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn keys_are_the_hosts_unless_a_path_is_typed_and_save_as_writes_the_file() {
    let (card, item) = (places::of("played"), places::of_menu_item("played", "Save played as..."));
    for (format, library) in FORMATS {
        saved().iter().for_each(|path| fs::remove_file(path).unwrap());
        let desktop = Desktop::start(SCREEN);
        let mut shown = Running::editor(format, &named(library), &desktop);
        let [x, y, width, height] = shown.place("editor");
        let on_screen = |(right, down): (i16, i16)| (x + right, y + down);
        let size = (u16::try_from(width).unwrap(), u16::try_from(height).unwrap());
        shown.drawn(size);
        let mut keys = 0;
        shown.input.click(on_screen(ELSEWHERE)).unwrap();
        settle();
        assert_host_has_the_keys(&mut shown, &mut keys);
        // The player plays four bars of two seconds.
        thread::sleep(Duration::from_secs(8));
        for (key, count) in [(ESCAPE, 0), (RETURN, 1)] {
            shown.input.click_secondary(on_screen(card)).unwrap();
            settle();
            // egui merges a move and a click in one frame.
            shown.input.point(on_screen(item)).unwrap();
            settle();
            shown.input.click(on_screen(item)).unwrap();
            settle();
            // The name ends in .mid; the typed letters are appended.
            for letter in "xyz".bytes() {
                shown.input.strike(letter.into()).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            settle();
            let picture = named("ANTIPHON_WINDOWS_OUT").join(format!("save-as-{format}.png"));
            shown.drawn(size).write(&picture).unwrap();
            shown.input.strike(key).unwrap();
            settle();
            assert_eq!(saved().len(), count, "{format}");
            assert_host_has_the_keys(&mut shown, &mut keys);
        }
        let clip = smf::read_file(&saved()[0]).unwrap().clip;
        assert!(clip.note_count() > 0, "{format}");
        shown.close();
    }
}
