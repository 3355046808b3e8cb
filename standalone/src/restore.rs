//! Restores a saved state into a running plug-in.
//!
//! nice-plug's own way passes the state to the audio thread, which then allocates and waits. Here the history is loaded from outside, as a
//! host would, and the controls are set as by the user.

use antiphon_plugin::params::{AntiphonParams, TRIGGERS};
use nice_plug::context::gui::ParamSetter;
use nice_plug::params::EnumParam;
use nice_plug::params::enums::Enum;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Param, ParamPtr, Params, PluginState};

/// Restores the history and every control except the triggers: a program does not start by playing.
pub(crate) fn restore(params: &AntiphonParams, saved: &PluginState, setter: &ParamSetter<'_>) {
    params.deserialize_fields(&saved.fields);
    for (id, param, _) in params.param_map() {
        if TRIGGERS.contains(&id.as_str()) {
            continue;
        }
        match (param, saved.params.get(&id)) {
            // SAFETY: the pointers are those of `params`, which outlives this call.
            (ParamPtr::FloatParam(param), Some(&ParamValue::F32(value))) => set(unsafe { &*param }, value, setter),
            // SAFETY: as above.
            (ParamPtr::IntParam(param), Some(&ParamValue::I32(value))) => set(unsafe { &*param }, value, setter),
            // SAFETY: as above.
            (ParamPtr::BoolParam(param), Some(&ParamValue::Bool(value))) => set(unsafe { &*param }, value, setter),
            (ParamPtr::EnumParam(_), Some(ParamValue::String(step))) => choose(params, &id, step, setter),
            // Not saved, or in another form by another version.
            _ => {}
        }
    }
}

fn set<P: Param>(param: &P, value: P::Plain, setter: &ParamSetter<'_>) {
    setter.begin_set_parameter(param);
    setter.set_parameter(param, value);
    setter.end_set_parameter(param);
}

/// Sets an enumeration to a step by their ids. nice-plug has no way to do that without knowing its type.
fn choose(params: &AntiphonParams, id: &str, step: &str, setter: &ParamSetter<'_>) {
    match id {
        "mode" => choose_step(&params.mode, step, setter),
        "input_role" => choose_step(&params.input_role, step, setter),
        "output_role" => choose_step(&params.output_role, step, setter),
        "take" => choose_step(&params.output.take, step, setter),
        "answer_after" => choose_step(&params.turns.answer_after, step, setter),
        "trade_bars" => choose_step(&params.turns.trade_bars, step, setter),
        _ => {}
    }
}

/// Leaves the parameter alone if the step is unknown, as from a newer version.
fn choose_step<T: Enum + PartialEq>(param: &EnumParam<T>, id: &str, setter: &ParamSetter<'_>) {
    if let Some(step) = T::ids().and_then(|ids| ids.iter().position(|other| *other == id)) {
        set(param, T::from_index(step), setter);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nice_plug::context::PluginApi;
    use nice_plug::context::gui::GuiContextInner;
    use parking_lot::Mutex;

    use super::*;

    /// Records parameter changes.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<(ParamPtr, f32)>>);

    impl GuiContextInner for Recorder {
        fn plugin_api(&self) -> PluginApi {
            PluginApi::Standalone
        }
        unsafe fn raw_begin_set_parameter(&self, _param: ParamPtr) {}
        unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
            self.0.lock().push((param, normalized));
        }
        unsafe fn raw_end_set_parameter(&self, _param: ParamPtr) {}
        fn get_state(&self) -> PluginState {
            unreachable!("not called by restore")
        }
        fn set_state(&self, _state: PluginState) {
            unreachable!("must not be called: the audio thread would load it")
        }
        fn request_restart(&self) {}
    }

    /// A step of each enumeration but the mode.
    const STEPS: [(&str, &str); 5] =
        [("input_role", "bass"), ("output_role", "bass"), ("take", "replay"), ("answer_after", "two_bars"), ("trade_bars", "8")];

    /// The changes by parameter id, when all parameters were saved beyond the end of their range, the enumerations with their [`STEPS`], and the mode with this
    /// step.
    fn restored(mode: &str) -> BTreeMap<String, f32> {
        let params = AntiphonParams::new(true);
        let step = |id: &str| STEPS.iter().find(|(other, _)| *other == id).map_or(mode, |(_, step)| *step);
        let at_the_end = |id: &str, param: &ParamPtr| match param {
            ParamPtr::FloatParam(_) => ParamValue::F32(1.0),
            ParamPtr::IntParam(_) => ParamValue::I32(9999),
            ParamPtr::BoolParam(_) => ParamValue::Bool(true),
            ParamPtr::EnumParam(_) => ParamValue::String(step(id).to_owned()),
        };
        let known = params.param_map();
        let saved = known.iter().map(|(id, param, _)| (id.clone(), at_the_end(id, param)));
        let state = PluginState { version: String::new(), params: saved.collect(), fields: BTreeMap::default() };
        let recorder = Recorder::default();
        restore(&params, &state, &ParamSetter { raw_context: &recorder });
        let id = |changed| known.iter().find(|(_, param, _)| *param == changed).map_or(String::new(), |(id, ..)| id.clone());
        recorder.0.into_inner().into_iter().map(|(param, normalized)| (id(param), normalized)).collect()
    }

    #[test]
    fn all_controls_but_the_triggers_are_restored() {
        let all = AntiphonParams::new(true).param_map().into_iter().map(|(id, ..)| id);
        let set = restored("infill");
        let expected: Vec<String> = all.filter(|id| !TRIGGERS.contains(&id.as_str())).collect();
        let lacking: Vec<_> = expected.iter().filter(|id| !set.contains_key(*id)).collect();
        assert!(lacking.is_empty() && set.len() == expected.len(), "{lacking:?} are not restored: {set:?}");
        assert_eq!((set["adventurousness"], set["horizon"], set["bypass"]), (1.0, 1.0, 1.0), "beyond the range is its end");
        assert!(0.0 < set["output_role"] && set["output_role"] < 1.0);
        assert_eq!((set["mode"], set["answer_after"], set["take"]), (1.0, 1.0, 0.5));
    }

    #[test]
    fn unknown_step_leaves_its_control_alone() {
        assert!(!restored("no such step").contains_key("mode"));
    }
}
