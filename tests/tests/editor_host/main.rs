//! The editor embedded in a host window: keyboard focus, size, drawing, and leaks.
//!
//! With real X events, and the library that hosts load. Each test runs in its own process, on its own display.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod focus;
mod frames;
mod instance;
mod leaks;
mod size;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use antiphon_tests::display::Display;
use antiphon_tests::host_window::HostWindow;

/// Set in the child process that opens the editor.
const INSIDE: &str = "ANTIPHON_TEST_EDITOR_HOST";
/// Test failure limit: longer than anything here takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(180);
/// Minimum number of colours once the editor has drawn something.
const COLOURS: usize = 8;

/// Height of the title row, in pixels at 100 per cent.
const TOP: u16 = 40;

/// Runs `act` in a child process that runs only this test, on a display prepared by `set_up`, with an empty home folder.
fn in_child_process(test: &str, screen: (u32, u32), set_up: impl FnOnce(&mut Display), act: impl FnOnce()) {
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

/// Waits for a condition; fails with `what` if it never holds.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < TIMEOUT, "{what}: not within {TIMEOUT:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the editor has drawn something.
fn wait_until_drawn(host_window: &HostWindow) {
    let began = Instant::now();
    let mut last = String::new();
    while began.elapsed() < TIMEOUT {
        last = match host_window.screenshot_top(TOP) {
            Ok(picture) if picture.colours(COLOURS) >= COLOURS => return,
            Ok(picture) => format!("{} colours", picture.colours(COLOURS)),
            // A window that is not visible yet cannot be captured.
            Err(error) => format!("{error:#}"),
        };
        thread::sleep(Duration::from_millis(20));
    }
    panic!("the editor draws nothing within {TIMEOUT:?}: {last}");
}
