//! The editor: it is drawn, takes the mouse, and hands files over by OLE.

use std::path::PathBuf;

use antiphon_engine::music::smf;
use antiphon_tests::foreign::{named, value};
use antiphon_tests::places;

use crate::running::{Running, SCREEN};
use crate::windows::{Desktop, FORMATS};

/// A file in Wine by its Windows path.
fn in_wine(path: &str) -> PathBuf {
    let prefix = PathBuf::from(std::env::var_os("WINEPREFIX").unwrap());
    let (drive, rest) = path.split_once(":\\").unwrap();
    prefix.join(format!("dosdevices/{}:", drive.to_lowercase())).join(rest.replace('\\', "/"))
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn editor_is_drawn_and_hands_files_over_again_and_again() {
    for (format, library) in FORMATS {
        let desktop = Desktop::start(SCREEN);
        let mut shown = Running::editor(format, &named(library), &desktop);
        let [x, y, width, height] = shown.place("editor");
        let [target_x, target_y, ..] = shown.place("target");
        let on_screen = |(right, down): (i16, i16)| (x + right, y + down);
        let size = (u16::try_from(width).unwrap(), u16::try_from(height).unwrap());
        shown.drawn(size);
        // The player's four bars are what is handed over: a slow machine has no plan at times.
        shown.wait_for("played");
        shown.settle();
        let out = named("ANTIPHON_WINDOWS_OUT");
        shown.drawn(size).write(&out.join(format!("editor-{format}.png"))).unwrap();

        let (nowhere, beside) = ((1380, 980), (600, 30));
        // Twice: sources that work only once are a common fault.
        for number in 1..=2 {
            // Wine loses the first click after a drag.
            shown.click(on_screen(beside));
            shown.drag(on_screen(places::of("played")), (target_x + 200, target_y + 50));
            let file = in_wine(&shown.wait_for_number("dropped", number));
            let dropped = smf::read_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert!(dropped.clip.note_count() > 0, "{format}");
        }
        // Nothing is there to take it.
        shown.click(on_screen(beside));
        shown.drag(on_screen(places::of("played")), nowhere);

        let text = shown.close();
        assert_eq!(value(&text, "embedded"), "1", "{format}: {text}");
        assert_eq!(value(&text, "embedded after closing"), "0", "{format}: {text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("dropped ")).count(), 2, "{format}: {text}");
    }
}
