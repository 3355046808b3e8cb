//! The real editor in a real window, on a virtual X server.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use antiphon_engine::music::Role;
use antiphon_roll::legend::{BEFORE, Colour, INK, PAPER, colour};

/// Rows of the piano roll, below the bar numbers.
const ROLL: std::ops::Range<usize> = 92..548;

struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        Self { width: usize::try_from(frame.width).unwrap(), height: usize::try_from(frame.height).unwrap(), pixels }
    }

    fn at(&self, x: usize, y: usize) -> Colour {
        let [red, green, blue] = self.pixels[(y * self.width + x) * 3..][..3].try_into().unwrap();
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
