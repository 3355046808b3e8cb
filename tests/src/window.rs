//! The real editor in a top-level window, and its screenshot.

use std::path::{Path, PathBuf};

use antiphon_plugin::drag::platform_source;
use antiphon_plugin::editor::plain_model::PlainModel;
use antiphon_plugin::editor::{Editor, Exporter, SIZE};
use anyhow::Result;
use egui::{Ui, ViewportCommand};
use nice_plug_egui::baseview::{self, HandlerError, dpi::LogicalSize};
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame};
use x11rb::connection::Connection;

use crate::screenshot::Screenshot;

/// Frames until all animations have ended.
const SETTLED: u32 = 30;

/// Size and scale of a window.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Width in points.
    pub width: u16,
    /// Height in points.
    pub height: u16,
    /// Pixels per point.
    pub scale: u16,
}

impl Format {
    /// Size in pixels.
    #[must_use]
    pub const fn pixels(self) -> (u16, u16) {
        (self.width * self.scale, self.height * self.scale)
    }
}

impl Default for Format {
    /// The plug-in's initial size.
    fn default() -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
        let points = |points: f32| points as u16;
        Self { width: points(SIZE.0), height: points(SIZE.1), scale: 1 }
    }
}

/// The drawer of controls in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawer {
    /// Hidden.
    Closed,
    /// Shown.
    Open,
}

/// Opens the editor as the only window of the environment's display, and writes a screenshot as a PNG file. Must be called on the main
/// thread, with nothing else running in this process.
///
/// # Errors
/// When no window can be opened or the file cannot be written.
pub fn screenshot(model: PlainModel, format: Format, drawer: Drawer, path: &Path) -> Result<()> {
    // SAFETY: this is a program, not a plug-in in a host.
    unsafe { baseview::assume_standalone_in_process() };
    let size = LogicalSize::new(f64::from(format.width), f64::from(format.height));
    let settings = EguiWindowSettings::new().with_title("Antiphon").with_size(size).with_zoom_factor(f32::from(format.scale));
    let mut editor = Editor::new(Exporter::new(platform_source()));
    if drawer == Drawer::Open {
        editor.open_controls();
    }
    let app = EditorWindow { editor, model, format, frames: 0, path: path.to_owned() };
    // A picture from an earlier run must not remain.
    let _ = std::fs::remove_file(path);
    let shown = EguiWindow::create(settings, app).and_then(baseview::Window::run_until_closed);
    shown.map_err(|error| anyhow::anyhow!("the editor's window cannot be opened: {error}"))?;
    anyhow::ensure!(path.is_file(), "the window was closed before there was a picture");
    Ok(())
}

/// The editor as a program.
struct EditorWindow {
    editor: Editor,
    model: PlainModel,
    format: Format,
    frames: u32,
    path: PathBuf,
}

impl App for EditorWindow {
    fn build(&mut self, egui_ctx: egui::Context, _frame: &mut Frame) -> Result<(), HandlerError> {
        Editor::apply_style(&egui_ctx);
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

/// Screenshot of the display.
fn screen(size: (u16, u16)) -> Result<Screenshot> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots[screen].root;
    Screenshot::of(&connection, root, size)
}
