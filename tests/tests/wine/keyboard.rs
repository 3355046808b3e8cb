//! The keyboard is the host's, except while the path in Save as is typed.

use std::fs;
use std::path::PathBuf;

use antiphon_engine::music::smf;
use antiphon_tests::foreign::named;
use antiphon_tests::places;

use crate::running::{Running, SCREEN};
use crate::windows::{Desktop, FORMATS, homes};

const SPACE: u32 = 0x20;
const RETURN: u32 = 0xFF0D;
const ESCAPE: u32 = 0xFF1B;
/// Position in the editor without a widget.
const ELSEWHERE: (i16, i16) = (600, 30);

/// Presses the space bar five times; the host must see each, and has seen `before` keys so far.
fn assert_host_has_the_keys(shown: &mut Running, before: &mut usize) {
    for _ in 0..5 {
        shown.input.strike(SPACE).unwrap();
        shown.settle();
        let seen = shown.rests("keys").next_back().map_or(0, |number| number.parse().unwrap());
        *before += 1;
        assert_eq!(seen, *before, "the space bars alone reach the host: {}", shown.text);
    }
}

/// Files with the ending of the test in the user's folder for music.
fn saved() -> Vec<PathBuf> {
    let files = homes().map(|home| home.join("Music")).flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
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
        shown.click(on_screen(ELSEWHERE));
        assert_host_has_the_keys(&mut shown, &mut keys);
        shown.wait_for("played");
        shown.settle();
        for (key, count) in [(ESCAPE, 0), (RETURN, 1)] {
            shown.click_secondary(on_screen(card));
            shown.click(on_screen(item));
            // The name ends in .mid; the typed letters are appended.
            for letter in "xyz".bytes() {
                shown.input.strike(letter.into()).unwrap();
                shown.settle();
            }
            let picture = named("ANTIPHON_WINDOWS_OUT").join(format!("save-as-{format}.png"));
            shown.drawn(size).write(&picture).unwrap();
            shown.input.strike(key).unwrap();
            shown.settle();
            assert_eq!(saved().len(), count, "{format}");
            assert_host_has_the_keys(&mut shown, &mut keys);
        }
        let clip = smf::read_file(&saved()[0]).unwrap().clip;
        assert!(clip.note_count() > 0, "{format}");
        shown.close();
    }
}
