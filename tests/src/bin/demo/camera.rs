//! The editor, open while the plug-in plays, and its picture.

use std::path::Path;
use std::time::Duration;

use antiphon_engine::music::Clip;
use antiphon_tests::ClapHost;
use antiphon_tests::photo::Photo;
use antiphon_tests::stage::Stage;
use anyhow::{Context, Result, anyhow, ensure};

use crate::performance::{self, Performance, Scene, Wish};

/// Fewer colours than this, and the editor has drawn nothing.
const COLOURS: usize = 16;

/// Plays with the editor open, and photographs it on the way. Hands back what was played, and whether there is a picture.
pub(crate) fn filmed(mut host: ClapHost, clip: &Clip, wish: &Wish, picture: &Path) -> Result<(Performance, Result<()>)> {
    // One of an earlier run must not pass for this one's.
    let _ = std::fs::remove_file(picture);
    let open = |width, height| {
        let stage = Stage::open("Antiphon", width, height)?;
        let window = stage.window();
        Ok((stage, window))
    };
    let stage = host.open_editor(open).context("opening the editor; --headless opens it where there is no display")?;
    // A slow machine may draw a little later.
    let mut photo = Err(anyhow!("the answer was over too soon for a picture"));
    let performance = performance::play(host, clip, wish, |scene| {
        if scene == Scene::Answering && photo.is_err() {
            photo = photograph(&stage);
        }
    })?;
    let written = photo.and_then(|photo| photo.write(picture)).context("photographing the editor");
    // Late enough for the server to hear of what the plug-in closed.
    std::thread::sleep(Duration::from_millis(50));
    drop(stage);
    Ok((performance, written))
}

fn photograph(stage: &Stage) -> Result<Photo> {
    let photo = stage.photograph()?;
    ensure!(photo.colours(COLOURS) >= COLOURS, "nothing is drawn in its window");
    Ok(photo)
}
