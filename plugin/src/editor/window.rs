//! The editor in a host: nice-plug makes the window.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use antiphon_engine::files::user_data;
use egui::{Context, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::ResizeHint;
#[cfg(any(target_os = "linux", windows))]
use nice_plug::prelude::nice_warn;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, create_egui_editor};
use parking_lot::Mutex;

use super::host_model::HostModel;
#[cfg(target_os = "linux")]
use super::keyboard::Keyboard;
use super::palette::{Palette, paint};
use super::sizing::{self, Sizing};
#[cfg(windows)]
use super::win32_keyboard::Keyboard;
use super::window_thread::{AntiphonEditor, WindowThread};
#[cfg(target_os = "linux")]
use super::x11;
use super::zoom::Zoom;
use super::{Editor, Exporter, KeyOwner, LEAST_SIZE};
use crate::drag;
use crate::meters::Meters;
use crate::params::AntiphonParams;
use antiphon_engine::session::{CommandSender, SharedSnapshot};

/// Resize constraints for hosts; the minimum size is in points.
pub(super) const RESIZE_HINT: ResizeHint =
    ResizeHint::RESIZABLE.with_min_logical_size(LogicalSize { width: LEAST_SIZE.0, height: LEAST_SIZE.1 });

/// Frames that are drawn after opening though nothing changes: an embedded window may lose those that are drawn before it is mapped.
const OPENING: u32 = 20;
/// Interval of these frames.
const OPENING_FRAME: Duration = Duration::from_millis(100);

/// The editor of one instance. Opens no window, since hosts create editors only to inspect them.
#[must_use]
pub fn editor(
    params: Arc<AntiphonParams>,
    meters: Arc<Meters>,
    snapshot: Arc<SharedSnapshot>,
    commands: CommandSender,
) -> Option<AntiphonEditor> {
    let notifier = RepaintNotifier::new();
    let notified = notifier.clone();
    snapshot.call_with(move || notified.request_repaint());
    meters.notify_with(notifier.clone());
    let (thread, sizing) = (WindowThread::default(), Sizing::new(Arc::clone(&params)));
    let model = HostModel::new(params, meters, snapshot, commands);
    let [presets, folder_file] = ["presets", "last-folder"].map(|name| user_data().map(|folder| folder.join(name)));
    let exporter = Exporter::new(drag::platform_source()).remembering(folder_file);
    let editor = Editor::new(exporter).with_presets(presets);
    let content = Content { editor, model };
    let factory = WindowFactory { content: Arc::new(Mutex::new(content)), notifier, sizing: sizing.clone(), thread: thread.clone() };
    Some(AntiphonEditor::new(factory, sizing, thread))
}

/// What a window is embedded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The host's window.
    InHost,
    /// The screen: a top-level window, as in the stand-alone program.
    OnScreen,
}

/// Content shared by an editor's windows, of which one is open at a time.
struct Content {
    editor: Editor,
    model: HostModel,
}

/// Creates an nice-plug-egui editor for each window, since each window has its own size and zoom factor.
pub(super) struct WindowFactory {
    content: Arc<Mutex<Content>>,
    notifier: RepaintNotifier,
    sizing: Sizing,
    thread: WindowThread,
}

impl WindowFactory {
    /// An editor for one window.
    pub(super) fn prepare(&self, options: sizing::WindowOptions, place: Place) -> Result<EguiEditor<App>, Box<dyn Error>> {
        // A host asks before it resizes; a window manager must be told up front. baseview would scale points by the screen's scale.
        let hint = match place {
            Place::InHost => ResizeHint::RESIZABLE,
            Place::OnScreen => RESIZE_HINT,
        };
        let settings = EguiNiceSettings::new().with_tile("Antiphon").with_resize_hint(hint);
        let state = EguiEditorState::from_size(options.size, options.zoom);
        let app = App {
            content: Arc::clone(&self.content),
            thread: self.thread.clone(),
            zoom: Zoom::new(self.sizing.clone(), options.zoom),
            frames: 0,
            place,
            #[cfg(any(target_os = "linux", windows))]
            keyboard: None,
        };
        create_egui_editor(state, self.notifier.clone(), settings, app).ok_or_else(|| "egui created no editor".into())
    }
}

/// What nice-plug draws in one window.
pub(super) struct App {
    content: Arc<Mutex<Content>>,
    thread: WindowThread,
    zoom: Zoom,
    /// Frames drawn, up to [`OPENING`].
    frames: u32,
    place: Place,
    /// `None` in a top-level window.
    #[cfg(any(target_os = "linux", windows))]
    keyboard: Option<Keyboard>,
}

impl NiceEguiApp for App {
    fn build(&mut self, egui_ctx: Context, nice_gui_ctx: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        self.thread.record();
        Editor::apply_style(&egui_ctx);
        frame.set_clear_color(paint(Palette::of(&egui_ctx).paper).into());
        // The context only refers to the wrapper that owns this app, so it may outlive the window.
        let mut content = self.content.lock();
        content.model.connect(nice_gui_ctx);
        content.editor.set_key_owner(if self.place == Place::InHost { KeyOwner::Host } else { KeyOwner::Always });
        drop(content);
        #[cfg(target_os = "linux")]
        if let Err(error) = x11::select_frame_completion(frame.baseview_window()) {
            nice_warn!("The editor stays blank if the host is slow to show it: {error}");
        }
        #[cfg(any(target_os = "linux", windows))]
        if self.place == Place::InHost {
            let keyboard = Keyboard::new(frame.baseview_window());
            self.keyboard =
                keyboard.inspect_err(|error| nice_warn!("Key presses may not reach the host after a click into the editor: {error}")).ok();
        }
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let window = frame.baseview_window();
        let Content { editor, model } = &mut *self.content.lock();
        model.follow_mode();
        editor.show(ui, model, window);
        let paper = paint(Palette::of(ui.ctx()).paper);
        frame.set_clear_color(paper.into());
        let window = frame.baseview_window();
        self.zoom.follow(ui.ctx(), window.size());
        if self.frames < OPENING {
            self.frames += 1;
            ui.ctx().request_repaint_after(OPENING_FRAME);
        }
        #[cfg(any(target_os = "linux", windows))]
        if let Some(keyboard) = &mut self.keyboard
            && let Err(error) = keyboard.follow(window, editor.needs_keyboard(ui.ctx()))
        {
            // Usually because the window is being destroyed.
            nice_warn!("The editor no longer shares the keyboard with the host: {error}");
            self.keyboard = None;
        }
    }

    fn resized(&mut self, size: WindowSize) {
        self.zoom.resized(size);
    }
}
