//! The editor in a host: its model made of parameters, meters and the board, drawn in a window made by nice-plug.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_engine::plan::{History, Mode, Step};
use antiphon_roll::legend::PAPER;
use egui::{Color32, Context, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::{BoolParam, Enum, Param, ResizeHint, nice_warn};
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, create_egui_editor};
use parking_lot::Mutex;

#[cfg(target_os = "linux")]
use super::keyboard::Keyboard;
use super::model::{Change, Control, EditorModel, Now};
use super::sizing::{self, Sizing};
use super::window_thread::{AntiphonEditor, Opening};
#[cfg(target_os = "linux")]
use super::x11;
use super::zoom::Zoom;
use super::{Editor, HandOver, LEAST_SIZE, SIZE};
use crate::drag;
use crate::meters::Meters;
use crate::params::{AntiphonParams, ModeStep};
use crate::remarks::remarks;
use antiphon_engine::session::Command;
use antiphon_engine::session::ControlValues;
use antiphon_engine::session::{Board, Snapshot};

/// How long a trigger stays on: longer than the longest block, so that the audio thread sees it.
const TRIGGER: Duration = Duration::from_millis(250);
/// How hosts may resize the editor; its least size is in points.
pub(super) const RESIZE_HINT: ResizeHint =
    ResizeHint::RESIZABLE.with_min_logical_size(LogicalSize { width: LEAST_SIZE.0, height: LEAST_SIZE.1 });

/// The editor of one instance. Opens no window: hosts make editors just to look at them.
#[must_use]
pub fn editor(params: Arc<AntiphonParams>, meters: Arc<Meters>, board: Arc<Board>) -> Option<AntiphonEditor> {
    // A window may miss its first frame: one that is embedded draws before it is seen. Then nothing else would make it draw.
    let notifier = RepaintNotifier::new();
    let called = notifier.clone();
    board.call_with(move || called.request_repaint());
    let (thread, sizing) = (Opening::default(), Sizing::new(LogicalSize::new(f64::from(SIZE.0), f64::from(SIZE.1))));
    let content = Content { editor: Editor::new(HandOver::new(drag::platform_source())), model: HostModel::new(params, meters, board) };
    let opener = Opener { content: Arc::new(Mutex::new(content)), notifier, sizing: sizing.clone(), thread: thread.clone() };
    Some(AntiphonEditor::new(opener, sizing, thread))
}

/// Where a window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In one of the host's.
    InHost,
    /// On the screen, as the stand-alone program's.
    OnScreen,
}

/// What every window of an editor shows, one at a time.
struct Content {
    editor: Editor,
    model: HostModel,
}

/// Makes the editors that nice-plug-egui opens: one for each window, since each has a size and a zoom factor of its own.
pub(super) struct Opener {
    content: Arc<Mutex<Content>>,
    notifier: RepaintNotifier,
    sizing: Sizing,
    thread: Opening,
}

impl Opener {
    /// An editor for one window.
    pub(super) fn prepare(&self, opening: sizing::Opening, place: Place) -> Result<EguiEditor<App>, Box<dyn Error>> {
        // A host asks before it resizes; a window manager must be told beforehand. baseview would take points by the screen's scale.
        let hint = match place {
            Place::InHost => ResizeHint::RESIZABLE,
            Place::OnScreen => RESIZE_HINT,
        };
        let settings = EguiNiceSettings::new().with_tile("Antiphon").with_resize_hint(hint);
        let state = EguiEditorState::from_size(opening.size, opening.zoom);
        let app = App {
            content: Arc::clone(&self.content),
            thread: self.thread.clone(),
            zoom: Zoom::new(self.sizing.clone(), opening.zoom),
            place,
            #[cfg(target_os = "linux")]
            keyboard: None,
        };
        create_egui_editor(state, self.notifier.clone(), settings, app).ok_or_else(|| "egui makes no editor".into())
    }
}

/// What nice-plug draws in one window.
pub(super) struct App {
    content: Arc<Mutex<Content>>,
    thread: Opening,
    zoom: Zoom,
    place: Place,
    /// `None` in a window of its own.
    #[cfg(target_os = "linux")]
    keyboard: Option<Keyboard>,
}

impl NiceEguiApp for App {
    fn build(&mut self, egui_ctx: Context, nice_gui_ctx: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        self.thread.note();
        Editor::dress(&egui_ctx);
        let [red, green, blue] = PAPER.channels();
        frame.set_clear_color(Color32::from_rgb(red, green, blue).into());
        // It only refers to the wrapper that owns this app, so it may outlive the window.
        self.content.lock().model.host = Some(nice_gui_ctx);
        #[cfg(target_os = "linux")]
        if let Err(error) = x11::hear_of_early_frames(frame.baseview_window()) {
            nice_warn!("The editor stays blank if the host is slow to show it: {error}");
        }
        #[cfg(target_os = "linux")]
        if self.place == Place::InHost {
            let keyboard = Keyboard::new(frame.baseview_window());
            self.keyboard =
                keyboard.inspect_err(|error| nice_warn!("The editor keeps the host's keys from it after a click: {error}")).ok();
        }
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let window = frame.baseview_window();
        let Content { editor, model } = &mut *self.content.lock();
        model.release_triggers(Instant::now());
        editor.show(ui, model, window);
        self.zoom.follow(ui.ctx(), window.size());
        #[cfg(target_os = "linux")]
        if let Some(keyboard) = &mut self.keyboard
            && let Err(error) = keyboard.follow(window, editor.is_typing(ui.ctx()))
        {
            // Mostly the window is on its way out.
            nice_warn!("The editor no longer shares the keyboard with the host: {error}");
            self.keyboard = None;
        }
    }

    fn resized(&mut self, size: WindowSize) {
        self.zoom.note(size);
    }
}

/// The parameters, the meters and the board as the editor's model.
struct HostModel {
    params: Arc<AntiphonParams>,
    meters: Arc<Meters>,
    board: Arc<Board>,
    /// Who is told of changes; `None` until a window was opened.
    host: Option<GuiContext>,
    /// Triggers that are on, and since when.
    triggers: Vec<(Command, Instant)>,
}

impl HostModel {
    const fn new(params: Arc<AntiphonParams>, meters: Arc<Meters>, board: Arc<Board>) -> Self {
        Self { params, meters, board, host: None, triggers: Vec::new() }
    }

    fn trigger(&self, command: Command) -> &BoolParam {
        match command {
            Command::Play => &self.params.play,
            Command::Another => &self.params.another,
            Command::Keep => &self.params.keep,
        }
    }

    /// Sets a parameter in a gesture of its own.
    fn tap<P: Param>(&self, param: &P, value: P::Plain) {
        if let Some(host) = &self.host {
            let setter = host.param_setter();
            setter.begin_set_parameter(param);
            setter.set_parameter(param, value);
            setter.end_set_parameter(param);
        }
    }

    /// Lets go of triggers that have been on for long enough.
    fn release_triggers(&mut self, now: Instant) {
        let (over, on) = std::mem::take(&mut self.triggers).into_iter().partition(|&(_, since)| now.duration_since(since) >= TRIGGER);
        self.triggers = on;
        let over: Vec<(Command, Instant)> = over;
        for (command, _) in over {
            self.tap(self.trigger(command), false);
        }
    }
}

impl EditorModel for HostModel {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.board.latest()
    }

    fn now(&self) -> Now {
        Now { playhead: self.meters.playhead(), tempo: self.meters.tempo(), motion: self.meters.motion() }
    }

    fn values(&self) -> ControlValues {
        self.params.controls()
    }

    /// The parameter's text says which are to come.
    fn is_ready(&self, mode: Mode) -> bool {
        ModeStep::variants().get(usize::from(mode.step())).is_some_and(|text| *text == mode.name())
    }

    fn history(&self) -> Arc<History> {
        self.params.state.history()
    }

    fn step(&mut self, step: Step) {
        let live = self.board.latest();
        let plan = live.plan.as_ref().map(|shown| &shown.plan);
        self.params.state.edit(|history| history.step(step, plan));
    }

    fn remark(&self) -> Option<String> {
        remarks(&self.params.state, &self.meters)
    }

    /// A trigger that is on already, or that automation has left on, goes off first.
    fn command(&mut self, command: Command) {
        if self.triggers.iter().any(|(pressed, _)| *pressed == command) {
            return;
        }
        let trigger = self.trigger(command);
        if trigger.value() {
            self.tap(trigger, false);
        }
        self.tap(trigger, true);
        self.triggers.push((command, Instant::now()));
    }

    fn begin(&mut self, control: Control) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        match control {
            Control::Mode => setter.begin_set_parameter(&self.params.mode),
            Control::Horizon => setter.begin_set_parameter(&self.params.horizon),
            Control::Adventurousness => setter.begin_set_parameter(&self.params.adventurousness),
        }
    }

    fn set(&mut self, change: Change) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        match change {
            Change::Mode(mode) => setter.set_parameter(&self.params.mode, ModeStep::from_index(usize::from(mode.step()))),
            Change::Horizon(bars) => setter.set_parameter(&self.params.horizon, i32::from(bars)),
            Change::Adventurousness(share) => setter.set_parameter(&self.params.adventurousness, share),
        }
    }

    fn end(&mut self, control: Control) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        match control {
            Control::Mode => setter.end_set_parameter(&self.params.mode),
            Control::Horizon => setter.end_set_parameter(&self.params.horizon),
            Control::Adventurousness => setter.end_set_parameter(&self.params.adventurousness),
        }
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::params::internals::ParamPtr;
    use nice_plug::prelude::{GuiContextInner, PluginApi, PluginState};
    use parking_lot::Mutex;

    use super::*;

    /// A host that takes every change at once and notes it.
    #[derive(Default)]
    struct Host(Mutex<Vec<(&'static str, String, f32)>>);

    impl Host {
        fn note(&self, what: &'static str, param: ParamPtr, value: f32) {
            // SAFETY: the pointers are those of parameters that the test holds.
            let name = unsafe { param.name() }.to_owned();
            self.0.lock().push((what, name, value));
        }

        fn taken(&self) -> Vec<(&'static str, String, f32)> {
            std::mem::take(&mut self.0.lock())
        }
    }

    impl GuiContextInner for Host {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Clap
        }

        unsafe fn raw_begin_set_parameter(&self, param: ParamPtr) {
            self.note("begin", param, 0.0);
        }

        unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
            self.note("set", param, normalized);
        }

        unsafe fn raw_end_set_parameter(&self, param: ParamPtr) {
            self.note("end", param, 0.0);
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
        let mut model = HostModel::new(params, Arc::new(Meters::default()), Arc::new(Board::default()));
        model.host = Some(GuiContext::new(Arc::clone(&host) as Arc<dyn GuiContextInner>));
        (model, host)
    }

    #[test]
    fn a_command_is_a_trigger_that_goes_on_and_then_off() {
        let (mut model, host) = model();
        model.command(Command::Another);
        model.command(Command::Another);
        let name = || "Another".to_owned();
        assert_eq!(host.taken(), [("begin", name(), 0.0), ("set", name(), 1.0), ("end", name(), 0.0)]);
        let since = model.triggers[0].1;
        model.release_triggers(since);
        assert!(host.taken().is_empty());
        model.release_triggers(since + TRIGGER);
        assert_eq!(host.taken(), [("begin", name(), 0.0), ("set", name(), 0.0), ("end", name(), 0.0)]);
        assert!(model.triggers.is_empty());
    }

    #[test]
    fn changes_reach_the_parameter_they_are_of() {
        let (mut model, host) = model();
        for (change, name, normalised) in [
            (Change::Mode(Mode::Infill), "Mode", 1.0),
            (Change::Horizon(8), "Horizon", 1.0),
            (Change::Adventurousness(0.25), "Adventurousness", 0.25),
        ] {
            model.begin(change.control());
            model.set(change);
            model.end(change.control());
            let name = || name.to_owned();
            assert_eq!(host.taken(), [("begin", name(), 0.0), ("set", name(), normalised), ("end", name(), 0.0)]);
        }
    }

    #[test]
    fn modes_that_are_coming_are_not_ready() {
        let (model, _) = model();
        let ready: Vec<_> = Mode::ALL.into_iter().filter(|&mode| model.is_ready(mode)).collect();
        assert_eq!(ready, [Mode::Suggest]);
    }

    #[test]
    fn before_a_window_was_opened_nothing_is_set() {
        let (mut model, host) = model();
        model.host = None;
        model.command(Command::Play);
        model.set(Change::Horizon(1));
        assert!(host.taken().is_empty());
    }
}
