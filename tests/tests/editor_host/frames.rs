//! When the editor draws.

use std::thread;
use std::time::Duration;

use antiphon_tests::stage::Stage;

use super::instance::{Format, Instance};
use super::{alone, wait_until_drawn};

/// Longer than the editor waits before it draws for the first time.
const LATE: Duration = Duration::from_millis(300);

fn show_late() {
    let Instance::Clap(mut host) = Instance::loaded(Format::Clap) else { unreachable!("it was asked for") };
    // The host takes its time between making the editor and giving it a window.
    let open = |width, height| {
        thread::sleep(LATE);
        let stage = Stage::open("Host", width, height)?;
        let window = stage.window();
        Ok((stage, window))
    };
    let stage = host.open_editor(open).unwrap();
    wait_until_drawn(&stage);
    host.close_editor();
}

#[test]
fn editor_that_is_shown_late_is_drawn() {
    alone("frames::editor_that_is_shown_late_is_drawn", (1200, 800), |_| (), show_late);
}
