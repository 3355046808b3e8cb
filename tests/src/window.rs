//! The real editor in a window of its own, and a picture of it.

use std::path::{Path, PathBuf};

use antiphon_plugin::drag::platform_source;
use antiphon_plugin::editor::{Editor, HandOver, SIZE};
use anyhow::Result;
use egui::{Ui, ViewportCommand};
use nice_plug_egui::baseview::{self, HandlerError, dpi::LogicalSize};
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame};
use x11rb::connection::Connection;

use crate::photo::Photo;
use crate::scripted::Scripted;

/// Frames until everything has faded in, the pointer's tips included.
const SETTLED: u32 = 30;

/// How large the window is.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// In points.
    pub width: u16,
    /// In points.
    pub height: u16,
    /// Pixels to a point.
    pub scale: u16,
}

impl Format {
    /// In pixels.
    #[must_use]
    pub const fn pixels(self) -> (u16, u16) {
        (self.width * self.scale, self.height * self.scale)
    }
}

impl Default for Format {
    /// As the plug-in opens it.
    fn default() -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
        let points = |points: f32| points as u16;
        Self { width: points(SIZE.0), height: points(SIZE.1), scale: 1 }
    }
}

/// Opens the editor on the display that the environment names, whose only window it is, and writes its picture as a PNG file. Nothing else may
/// run in this process: windows belong to its main thread.
///
/// # Errors
/// When no window can be opened or the file cannot be written.
pub fn photograph(model: Scripted, format: Format, path: &Path) -> Result<()> {
    // SAFETY: this is a program of its own, no plug-in in a host.
    unsafe { baseview::assume_standalone_in_process() };
    let size = LogicalSize::new(f64::from(format.width), f64::from(format.height));
    let settings = EguiWindowSettings::new().with_title("Antiphon").with_size(size).with_zoom_factor(f32::from(format.scale));
    let editor = Editor::new(HandOver::new(platform_source()));
    let studio = Studio { editor, model, format, frames: 0, path: path.to_owned() };
    // One of an earlier run must not pass for this one's.
    let _ = std::fs::remove_file(path);
    let shown = EguiWindow::create(settings, studio).and_then(baseview::Window::run_until_closed);
    shown.map_err(|error| anyhow::anyhow!("the editor's window cannot be opened: {error}"))?;
    anyhow::ensure!(path.is_file(), "the window was closed before there was a picture");
    Ok(())
}

/// The editor as a program.
struct Studio {
    editor: Editor,
    model: Scripted,
    format: Format,
    frames: u32,
    path: PathBuf,
}

impl App for Studio {
    fn build(&mut self, egui_ctx: egui::Context, _frame: &mut Frame) -> Result<(), HandlerError> {
        Editor::dress(&egui_ctx);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        self.editor.show(ui, &mut self.model, frame.baseview_window());
        ui.ctx().request_repaint();
        self.frames += 1;
        if self.frames == SETTLED {
            // The frames before this one are on the screen.
            if let Err(error) = screen(self.format.pixels()).and_then(|picture| picture.write(&self.path)) {
                eprintln!("no picture: {error:#}");
            }
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
    }
}

/// What the display shows.
fn screen(size: (u16, u16)) -> Result<Photo> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots[screen].root;
    Photo::of(&connection, root, size)
}
