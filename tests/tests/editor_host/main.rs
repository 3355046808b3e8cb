//! The editor in the window of a host, as its user finds it: who has the keyboard, how large it is, when it draws, and what it leaves behind.
//!
//! With real events, in the library that hosts load. Each test runs in a process of its own, on a display of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod focus;
mod frames;
mod growth;
mod instance;
mod size;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use antiphon_tests::display::Display;
use antiphon_tests::stage::Stage;

/// Set in the process that opens the editor.
const INSIDE: &str = "ANTIPHON_TEST_EDITOR_HOST";
/// Longer than anything here takes on a busy machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(180);
/// Fewer colours than this, and the editor has drawn nothing.
const COLOURS: usize = 8;

/// The title, in pixels at 100 per cent.
const TOP: u16 = 40;

/// Does this in a process of its own, which runs just this test, on a display that `set_up` has got ready. Its home folder is an empty one.
fn alone(test: &str, screen: (u32, u32), set_up: impl FnOnce(&mut Display), act: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        act();
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut display = Display::start(screen.0, screen.1).unwrap();
    set_up(&mut display);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.env(INSIDE, "1").env("DISPLAY", display.name()).env("HOME", home.path()).args(["--exact", test]);
    let outcome = command.output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}

/// Waits until this is so, and says what was waited for if it never is.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the editor has drawn something.
fn wait_until_drawn(stage: &Stage) {
    let began = Instant::now();
    let mut last = String::new();
    while began.elapsed() < PATIENCE {
        last = match stage.photograph_top(TOP) {
            Ok(photo) if photo.colours(COLOURS) >= COLOURS => return,
            Ok(photo) => format!("{} colours", photo.colours(COLOURS)),
            // A window that is not in sight yet has no picture.
            Err(error) => format!("{error:#}"),
        };
        thread::sleep(Duration::from_millis(20));
    }
    panic!("the editor draws nothing within {PATIENCE:?}: {last}");
}
