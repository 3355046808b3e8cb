//! The editor in a host: its model is made of parameters, meters and the session's snapshot; nice-plug makes the window.

use std::error::Error;
use std::sync::Arc;

use antiphon_engine::files::user_data;
use antiphon_engine::music::Clip;
use antiphon_engine::plan::{ChordChart, History, PlayerMemory, SongPosition};
use egui::{Context, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
#[cfg(any(target_os = "linux", windows))]
use nice_plug::prelude::nice_warn;
use nice_plug::prelude::{Enum, ResizeHint};
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, create_egui_editor};
use parking_lot::Mutex;

#[cfg(target_os = "linux")]
use super::keyboard::Keyboard;
use super::model::{Change, Control, EditorModel, Now};
use super::palette::{Palette, paint};
use super::sizing::{self, Sizing};
#[cfg(windows)]
use super::win32_keyboard::Keyboard;
use super::window_thread::{AntiphonEditor, WindowThread};
#[cfg(target_os = "linux")]
use super::x11;
use super::zoom::Zoom;
use super::{Editor, Exporter, KeyOwner, LEAST_SIZE, SIZE};
use crate::drag;
use crate::meters::Meters;
use crate::params::{AntiphonParams, ModeStep, ShownParameter};
use crate::presets::Comparison;
use crate::status_messages::status_message;
use crate::triggers::Triggers;
use antiphon_engine::session::{Command, CommandSender, ControlValues, SharedSnapshot, Snapshot};

/// Resize constraints for hosts; the minimum size is in points.
pub(super) const RESIZE_HINT: ResizeHint =
    ResizeHint::RESIZABLE.with_min_logical_size(LogicalSize { width: LEAST_SIZE.0, height: LEAST_SIZE.1 });

/// The editor of one instance. Opens no window, since hosts create editors only to inspect them.
#[must_use]
pub fn editor(
    params: Arc<AntiphonParams>,
    meters: Arc<Meters>,
    snapshot: Arc<SharedSnapshot>,
    commands: CommandSender,
) -> Option<AntiphonEditor> {
    // An embedded window may lose its first frame when it is drawn before it is mapped. This repaints it.
    let notifier = RepaintNotifier::new();
    let notified = notifier.clone();
    snapshot.call_with(move || notified.request_repaint());
    let (thread, sizing) = (WindowThread::default(), Sizing::new(LogicalSize::new(f64::from(SIZE.0), f64::from(SIZE.1))));
    let model = HostModel { params, meters, snapshot, commands, host: None };
    let presets = user_data().map(|folder| folder.join("presets"));
    let editor = Editor::new(Exporter::new(drag::platform_source())).with_presets(presets);
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
        content.model.host = Some(nice_gui_ctx);
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
        editor.show(ui, model, window);
        self.zoom.follow(ui.ctx(), window.size());
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

/// The plug-in as the editor's model. It sends commands to the session instead of changing state that the session owns.
struct HostModel {
    params: Arc<AntiphonParams>,
    meters: Arc<Meters>,
    snapshot: Arc<SharedSnapshot>,
    commands: CommandSender,
    /// Receives parameter changes; `None` until a window was opened.
    host: Option<GuiContext>,
}

impl EditorModel for HostModel {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.latest()
    }

    fn now(&self) -> Now {
        Now { playhead: self.meters.playhead(), tempo: self.meters.tempo(), motion: self.meters.motion() }
    }

    fn values(&self) -> ControlValues {
        self.params.controls()
    }

    fn history(&self) -> Arc<History> {
        self.params.state.history()
    }

    fn triggers(&self) -> &Triggers {
        &self.params.state.triggers
    }

    fn status_message(&self) -> Option<String> {
        status_message(&self.params.state, &self.meters)
    }

    fn settable(&self) -> Vec<ShownParameter> {
        self.params.settable()
    }

    fn memory(&self) -> Arc<PlayerMemory> {
        self.params.state.memory()
    }

    fn chart(&self) -> Arc<ChordChart> {
        self.params.state.chart()
    }

    fn set_chart(&mut self, chart: ChordChart) {
        self.params.state.set_chart(chart);
    }

    fn comparison(&self) -> Comparison {
        self.params.state.comparison()
    }

    fn set_comparison(&mut self, comparison: Comparison) {
        self.params.state.set_comparison(comparison);
    }

    fn read(&self, id: &str, text: &str) -> Option<f32> {
        self.params.read(id, text)
    }

    fn front(&self) -> [ShownParameter; 4] {
        self.params.front()
    }

    fn parameters(&self) -> Vec<(&'static str, Vec<ShownParameter>)> {
        self.params.drawer()
    }

    fn hear(&mut self, clip: Clip, at: SongPosition) {
        self.commands.send_song(clip, at);
    }

    fn command(&mut self, command: Command) {
        self.commands.send(command);
    }

    fn begin(&mut self, control: Control) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        match control {
            Control::Mode => setter.begin_set_parameter(&self.params.mode),
            Control::Parameter(id) => {
                let Some(param) = self.params.find(id) else { return };
                // SAFETY: the pointer is one of `params`, which lives as long as the model.
                unsafe { setter.raw_context.raw_begin_set_parameter(param) }
            }
        }
    }

    fn set(&mut self, change: Change) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        match change {
            Change::Mode(mode) => setter.set_parameter(&self.params.mode, ModeStep::from_index(usize::from(mode.step()))),
            Change::Parameter(id, value) => {
                let Some(param) = self.params.find(id) else { return };
                // SAFETY: the pointer is one of `params`, which lives as long as the model.
                unsafe { setter.raw_context.raw_set_parameter_normalized(param, value) }
            }
        }
    }

    fn end(&mut self, control: Control) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        match control {
            Control::Mode => setter.end_set_parameter(&self.params.mode),
            Control::Parameter(id) => {
                let Some(param) = self.params.find(id) else { return };
                // SAFETY: the pointer is one of `params`, which lives as long as the model.
                unsafe { setter.raw_context.raw_end_set_parameter(param) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use antiphon_engine::plan::Step;
    use antiphon_engine::session::CommandQueue;
    use nice_plug::params::internals::ParamPtr;
    use nice_plug::prelude::{GuiContextInner, PluginApi, PluginState};
    use parking_lot::Mutex;

    use antiphon_engine::plan::PlayMode;

    use super::*;

    /// A host that records all changes.
    #[derive(Default)]
    struct Host(Mutex<Vec<(&'static str, String, f32)>>);

    impl Host {
        fn record(&self, what: &'static str, param: ParamPtr, value: f32) {
            // SAFETY: the pointers are those of parameters that the test holds.
            let name = unsafe { param.name() }.to_owned();
            self.0.lock().push((what, name, value));
        }

        fn take_changes(&self) -> Vec<(&'static str, String, f32)> {
            std::mem::take(&mut self.0.lock())
        }
    }

    impl GuiContextInner for Host {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }

        unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
            self.record("begin", param, 0.0);
        }

        unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
            self.record("set", param, normalized);
        }

        unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
            self.record("end", param, 0.0);
        }

        fn get_state(&self) -> PluginState {
            unreachable!("the editor reads no state")
        }

        fn set_state(&self, _state: PluginState) {
            unreachable!("the editor writes no state")
        }

        fn request_restart(&self) {
            unreachable!("the editor restarts nothing")
        }
    }

    fn model() -> (HostModel, Arc<Host>) {
        let host = Arc::new(Host::default());
        let params = Arc::new(AntiphonParams::new(true));
        let model = HostModel {
            params,
            meters: Arc::default(),
            snapshot: Arc::default(),
            commands: CommandQueue::new().sender(),
            host: Some(GuiContext::new(Arc::clone(&host) as Arc<dyn GuiContextInner>)),
        };
        (model, host)
    }

    #[test]
    fn command_leaves_the_parameters_and_the_history_alone() {
        let (mut model, host) = model();
        for command in [Command::Play, Command::Another, Command::Keep, Command::Step(Step::Older)] {
            model.command(command);
        }
        assert!(host.take_changes().is_empty());
        assert!(model.history().entries().is_empty());
    }

    #[test]
    fn change_sets_its_parameter_in_a_gesture() {
        let (mut model, host) = model();
        for (change, name, normalised) in [
            (Change::Mode(PlayMode::Infill), "Mode", 1.0),
            (Change::Parameter("horizon", 1.0), "Bars ahead", 1.0),
            (Change::Parameter("drum_channel", 0.2), "Drum channel", 0.2),
        ] {
            model.begin(change.control());
            model.set(change);
            model.end(change.control());
            let name = || name.to_owned();
            assert_eq!(host.take_changes(), [("begin", name(), 0.0), ("set", name(), normalised), ("end", name(), 0.0)]);
        }
    }

    #[test]
    fn changes_before_a_window_was_opened_are_ignored() {
        let (mut model, host) = model();
        model.host = None;
        model.set(Change::Parameter("horizon", 0.0));
        assert!(host.take_changes().is_empty());
    }
}
