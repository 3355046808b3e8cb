//! The real editor in a real window, on a virtual X server.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

use antiphon_engine::music::Role;
use antiphon_roll::legend::{BEFORE, Colour, INK, PAPER, colour};
use antiphon_tests::gallery::{PICTURES, Picture as Shown};
use antiphon_tests::screenshot::Screenshot;

/// Largest difference of a colour that does not count: renderers round edges differently.
const SLIGHT: u8 = 32;
/// Share of a picture's pixels that may differ by more.
const FEW: f64 = 0.003;
/// Rows of the piano roll, below the bar numbers.
const ROLL: std::ops::Range<usize> = 92..548;

/// A picture of the window.
struct Picture {
    width: usize,
    height: usize,
    pixels: Screenshot,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let pixels = Screenshot::read(path).unwrap();
        let (width, height) = pixels.size();
        Self { width: width.into(), height: height.into(), pixels }
    }

    fn at(&self, x: usize, y: usize) -> Colour {
        let [red, green, blue] = self.pixels.at((u32::try_from(x).unwrap(), u32::try_from(y).unwrap()));
        Colour(u32::from_be_bytes([0, red, green, blue]))
    }

    /// Number of pixels in a column of the roll with this colour.
    fn column(&self, x: usize, wanted: Colour) -> usize {
        ROLL.filter(|&y| self.at(x, y) == wanted).count()
    }
}

fn screenshot(arguments: &[&str]) -> Picture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("editor.png");
    let output = Command::new(env!("CARGO_BIN_EXE_editor_screenshot")).args(arguments).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Picture::read(&path)
}

#[test]
fn window_shows_notes_on_both_sides_of_the_playhead() {
    // So high that notes of a band have borders.
    let picture = screenshot(&["--size", "1000x760"]);
    assert_eq!((picture.width, picture.height), (1000, 760));
    assert_eq!(picture.at(2, 2), PAPER);
    let playhead = (0..picture.width).find(|&x| picture.column(x, INK) > picture.height / 2).expect("a playhead");
    for role in [Role::Bass, Role::Drums, Role::Keys, Role::Lead] {
        // Settled notes have a dark border, open ones a pale one.
        let rim = |colour| (0..picture.width).filter(|&x| picture.column(x, colour) > 0).collect::<Vec<_>>();
        let (settled, open) = (rim(INK.over(colour(role), 0.45)), rim(INK.over(colour(role), 0.22)));
        assert!(settled.iter().filter(|&&x| x < playhead).count() > 5, "{role:?} was played");
        assert!(settled.iter().all(|&x| x < playhead + picture.width / 10), "{role:?} is settled beyond the commit line");
        assert!(open.iter().filter(|&&x| x > playhead).count() > 5, "{role:?} is planned");
    }
    let ground = |x| picture.column(x, BEFORE);
    assert!((100..playhead - 2).map(ground).sum::<usize>() > 10_000 && ground(picture.width - 40) == 0);
}

#[test]
fn window_at_scale_2_has_twice_the_size() {
    let picture = screenshot(&["--scale", "2", "--size", "720x420"]);
    assert_eq!((picture.width, picture.height), (1440, 840));
    // The window fills the screen.
    assert_eq!((picture.at(3, 3), picture.at(1436, 836)), (PAPER, PAPER));
}

#[test]
fn pictures_of_the_gallery_are_the_accepted_ones() {
    let accepted = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    // Kept if they differ, to be looked at.
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    let output = Command::new(env!("CARGO_BIN_EXE_editor_screenshot")).arg("--golden").arg(&made).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut different = Vec::new();
    for picture in PICTURES.iter().filter(|picture| Shown::is_golden(picture)) {
        let [made, accepted] = [&made, &accepted].map(|folder| folder.join(picture.name).with_extension("png"));
        let share = Screenshot::read(&accepted).map_or(1.0, |accepted| accepted.difference(&Screenshot::read(&made).unwrap(), SLIGHT));
        if share > FEW {
            different.push(format!("{}: {:.1} % differ; see {}", picture.name, share * 100.0, made.display()));
        }
    }
    assert!(different.is_empty(), "The window looks different. If it should, run `cargo xtask gallery --accept`. {different:#?}");
    let size: u64 = std::fs::read_dir(&accepted).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(size < 2_000_000, "the accepted pictures take {size} bytes");
}
