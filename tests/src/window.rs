//! The real editor in a top-level window, and its screenshots.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::music::Tick;
use antiphon_engine::session::Snapshot;
use antiphon_plugin::drag::platform_source;
use antiphon_plugin::editor::plain_model::PlainModel;
use antiphon_plugin::editor::{Editor, Exporter, KeyOwner};
use anyhow::Result;
use egui::{Ui, ViewportCommand};
use nice_plug_egui::baseview::{self, HandlerError, dpi::LogicalSize};
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame};
use x11rb::connection::Connection;

use crate::input::InputDevices;
use crate::screenshot::Screenshot;

/// Frames until all animations have ended.
const SETTLED: u32 = 30;
/// Frames in which the window shows what was before.
const EARLIER: u32 = 3;
/// Time until the tip of what the pointer is over is shown and has its place.
const TIP: Duration = Duration::from_millis(1500);

/// Size and scale of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What was done in the window before its picture is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// The drawer of controls was opened.
    OpenedDrawer,
    /// The roll was scrolled to the beginning of the song.
    Scrolled,
    /// The music was clicked: the window has the keyboard.
    TookKeys,
    /// The last two bars of the plan were selected.
    Selected,
    /// The pointer was moved to this place, in pixels.
    PointedAt((i16, i16)),
}

/// One picture to be made.
pub struct Shot {
    /// What the editor shows.
    pub model: PlainModel,
    /// What it showed before.
    pub earlier: Option<Arc<Snapshot>>,
    /// What was done in it.
    pub before: Before,
    /// The PNG file.
    pub path: PathBuf,
}

/// Opens the editor as the only window of the environment's display, and writes screenshots as PNG files, one after the other. Must be
/// called on the main thread, with nothing else running in this process.
///
/// # Errors
/// When no window can be opened or a file cannot be written.
pub fn screenshots(format: Format, shots: Vec<Shot>) -> Result<()> {
    // SAFETY: this is a program, not a plug-in in a host.
    unsafe { baseview::assume_standalone_in_process() };
    let size = LogicalSize::new(f64::from(format.width), f64::from(format.height));
    let settings = EguiWindowSettings::new().with_title("Antiphon").with_size(size).with_zoom_factor(f32::from(format.scale));
    let paths: Vec<_> = shots.iter().map(|shot| shot.path.clone()).collect();
    for path in &paths {
        // A picture from an earlier run must not remain.
        let _ = std::fs::remove_file(path);
    }
    let mut shots = shots.into_iter();
    let Some(current) = shots.next().map(Current::new) else { return Ok(()) };
    let app = EditorWindow { current, shots, format };
    let shown = EguiWindow::create(settings, app).and_then(baseview::Window::run_until_closed);
    shown.map_err(|error| anyhow::anyhow!("the editor's window cannot be opened: {error}"))?;
    let missing: Vec<_> = paths.iter().filter(|path| !path.is_file()).collect();
    anyhow::ensure!(missing.is_empty(), "the window was closed before there were pictures: {missing:?}");
    Ok(())
}

/// The picture that is being made.
struct Current {
    editor: Editor,
    model: PlainModel,
    /// What is shown after the first frames, if they show something else.
    later: Option<Arc<Snapshot>>,
    path: PathBuf,
    /// Frames drawn of it.
    frames: u32,
    /// Where the pointer is moved to, and when it was.
    pointer: Option<(i16, i16)>,
    pointed: Option<Instant>,
}

impl Current {
    fn new(mut shot: Shot) -> Self {
        let mut editor = Editor::new(Exporter::new(platform_source()));
        match shot.before {
            Before::Nothing | Before::PointedAt(_) => {}
            Before::OpenedDrawer => editor.open_controls(),
            Before::Scrolled => editor.scroll_to(Tick::ZERO),
            Before::TookKeys => editor.set_key_owner(KeyOwner::Window),
            Before::Selected => {
                let plan = shot.model.snapshot.plan.as_ref().map(|shown| shown.plan.brief.end);
                plan.into_iter().for_each(|end| editor.select(end - Tick(2 * 96)..end));
            }
        }
        let later = shot.earlier.map(|earlier| std::mem::replace(&mut shot.model.snapshot, earlier));
        let pointer = if let Before::PointedAt(place) = shot.before { Some(place) } else { None };
        Self { editor, model: shot.model, later, path: shot.path, frames: 0, pointer, pointed: None }
    }

    /// Goes on to what is shown in the picture, and to where the pointer is.
    fn advance(&mut self) -> Result<()> {
        self.frames += 1;
        if self.frames == EARLIER
            && let Some(later) = self.later.take()
        {
            self.model.snapshot = later;
        }
        if self.frames == EARLIER
            && let Some(place) = self.pointer
        {
            InputDevices::at(None)?.point(place)?;
            self.pointed = Some(Instant::now());
        }
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.frames >= SETTLED && self.pointed.is_none_or(|since| since.elapsed() > TIP)
    }
}

/// The editor as a program.
struct EditorWindow {
    current: Current,
    /// Those that follow.
    shots: std::vec::IntoIter<Shot>,
    format: Format,
}

impl App for EditorWindow {
    fn build(&mut self, egui_ctx: egui::Context, _frame: &mut Frame) -> Result<(), HandlerError> {
        Editor::apply_style(&egui_ctx);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let current = &mut self.current;
        current.editor.show(ui, &mut current.model, frame.baseview_window());
        ui.ctx().request_repaint();
        if let Err(error) = current.advance() {
            eprintln!("the pointer was not moved: {error:#}");
        }
        if !current.is_settled() {
            return;
        }
        // The frames before this one are on the screen.
        if let Err(error) = screen(self.format.pixels()).and_then(|picture| picture.write(&current.path)) {
            eprintln!("no picture: {error:#}");
        }
        if current.pointed.is_some() {
            // Back into its corner.
            let _ = InputDevices::at(None).and_then(|devices| devices.point((0, 0)));
        }
        match self.shots.next() {
            Some(shot) => self.current = Current::new(shot),
            None => ui.ctx().send_viewport_cmd(ViewportCommand::Close),
        }
    }
}

/// Screenshot of the display.
fn screen(size: (u16, u16)) -> Result<Screenshot> {
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection.setup().roots[screen].root;
    Screenshot::of(&connection, root, size)
}
