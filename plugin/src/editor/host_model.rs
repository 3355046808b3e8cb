//! The plug-in as the editor's model: parameters, meters, and the session's snapshot and commands.

use std::sync::Arc;

use antiphon_engine::music::Clip;
use antiphon_engine::plan::{ChordChart, History, PlayMode, PlayerMemory, SongPosition};
use antiphon_engine::session::{Command, CommandSender, ControlValues, SharedSnapshot, Snapshot};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Enum;

use super::model::{Change, Control, EditorModel, Now};
use crate::meters::Meters;
use crate::params::{AntiphonParams, Look, ModeStep, ShownParameter};
use crate::presets::Comparison;
use crate::status_messages::status_message;
use crate::triggers::Triggers;

/// The model. It sends commands to the session instead of changing state that the session owns.
pub(super) struct HostModel {
    params: Arc<AntiphonParams>,
    meters: Arc<Meters>,
    snapshot: Arc<SharedSnapshot>,
    commands: CommandSender,
    /// Receives parameter changes; `None` until a window was opened.
    host: Option<GuiContext>,
    /// Mode that a learnt trigger chose and that was sent to the host.
    followed: Option<PlayMode>,
}

impl HostModel {
    /// A model without a host, which ignores changes of parameters.
    pub(super) const fn new(
        params: Arc<AntiphonParams>,
        meters: Arc<Meters>,
        snapshot: Arc<SharedSnapshot>,
        commands: CommandSender,
    ) -> Self {
        Self { params, meters, snapshot, commands, host: None, followed: None }
    }

    /// Changes of parameters go to this host from now on.
    pub(super) fn connect(&mut self, host: GuiContext) {
        self.host = Some(host);
    }

    /// Sets the parameter Mode to what a learnt trigger has chosen, once.
    pub(super) fn follow_mode(&mut self) {
        let chosen = self.params.mode_switch.chosen();
        if chosen == self.followed {
            return;
        }
        self.followed = chosen;
        if let Some(mode) = chosen {
            self.begin(Control::Mode);
            self.set(Change::Mode(mode));
            self.end(Control::Mode);
        }
    }
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

    fn look(&self) -> Look {
        self.params.window.look()
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
            followed: None,
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
    fn mode_that_a_trigger_chose_is_written_to_the_parameter_once() {
        let (mut model, host) = model();
        model.params.mode_switch.choose(PlayMode::Trade);
        assert_eq!(model.values().plan.mode, PlayMode::Trade, "shown at once");
        model.follow_mode();
        model.follow_mode();
        let name = || "Mode".to_owned();
        assert_eq!(host.take_changes(), [("begin", name(), 0.0), ("set", name(), 0.5), ("end", name(), 0.0)]);
        model.params.mode_switch.clear();
        model.follow_mode();
        assert!(host.take_changes().is_empty());
    }

    #[test]
    fn changes_before_a_window_was_opened_are_ignored() {
        let (mut model, host) = model();
        model.host = None;
        model.set(Change::Parameter("horizon", 0.0));
        assert!(host.take_changes().is_empty());
    }
}
