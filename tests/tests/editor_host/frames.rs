//! When the editor draws.

use std::thread;
use std::time::Duration;

use antiphon_tests::host_window::HostWindow;

use super::instance::{Format, Instance};
use super::{in_child_process, wait_until_drawn};

/// Longer than the editor waits before it first draws.
const LATE: Duration = Duration::from_millis(300);

fn show_late() {
    let Instance::Clap(mut host) = Instance::loaded(Format::Clap) else { unreachable!("requested above") };
    // The host delays between creating the editor and giving it a window.
    let open = |width, height| {
        thread::sleep(LATE);
        let host_window = HostWindow::open("Host", width, height)?;
        let window = host_window.window();
        Ok((host_window, window))
    };
    let host_window = host.open_editor(open).unwrap();
    wait_until_drawn(&host_window);
    host.close_editor();
}

#[test]
fn editor_that_is_shown_late_is_drawn() {
    in_child_process("frames::editor_that_is_shown_late_is_drawn", (1200, 800), |_| (), show_late);
}
