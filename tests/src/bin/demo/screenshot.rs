//! Screenshot of the editor while the plug-in plays.

use std::path::Path;
use std::time::Duration;

use antiphon_engine::music::Clip;
use antiphon_tests::ClapHost;
use antiphon_tests::host_window::HostWindow;
use antiphon_tests::screenshot::Screenshot;
use anyhow::{Context, Result, anyhow, ensure};

use crate::performance::{self, Parameters, Performance, Phase};

/// Minimum number of colours of a picture in which the editor has drawn something.
const COLOURS: usize = 16;

/// Plays with the editor open and takes a screenshot. Returns the performance, and whether the picture was written.
pub(crate) fn play_with_editor(mut host: ClapHost, clip: &Clip, parameters: &Parameters, path: &Path) -> Result<(Performance, Result<()>)> {
    // A picture from an earlier run must not remain.
    let _ = std::fs::remove_file(path);
    let open = |width, height| {
        let host_window = HostWindow::open("Antiphon", width, height)?;
        let window = host_window.window();
        Ok((host_window, window))
    };
    let host_window = host.open_editor(open).context("opening the editor; --headless opens it where there is no display")?;
    // A slow machine may draw a little later.
    let mut picture = Err(anyhow!("the answer was over too soon for a picture"));
    let performance = performance::play(host, clip, parameters, |phase| {
        if phase == Phase::Answer && picture.is_err() {
            picture = capture(&host_window);
        }
    })?;
    let written = picture.and_then(|picture| picture.write(path)).context("writing the screenshot of the editor");
    // Gives the server time to process what the plug-in closed.
    std::thread::sleep(Duration::from_millis(50));
    drop(host_window);
    Ok((performance, written))
}

fn capture(host_window: &HostWindow) -> Result<Screenshot> {
    let picture = host_window.screenshot()?;
    ensure!(picture.colours(COLOURS) >= COLOURS, "nothing is drawn in its window");
    Ok(picture)
}
