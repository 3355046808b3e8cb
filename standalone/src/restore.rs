//! A saved state given back to a plug-in that runs.
//!
//! nice-plug's own way hands the state to the audio thread, which then allocates and waits. Here the history is loaded as a host would load it, from
//! outside, and the controls are turned as if by hand.

use antiphon_plugin::params::AntiphonParams;
use nice_plug::context::gui::ParamSetter;
use nice_plug::params::EnumParam;
use nice_plug::params::enums::Enum;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Param, Params, PluginState};

/// Restores the history and every control but the three that are pressed: a program does not begin by playing.
pub(crate) fn restore(params: &AntiphonParams, saved: &PluginState, setter: &ParamSetter<'_>) {
    params.deserialize_fields(&saved.fields);
    for (id, value) in &saved.params {
        match (id.as_str(), value) {
            ("mode", ParamValue::String(id)) => choose(&params.mode, id, setter),
            ("horizon", &ParamValue::I32(bars)) => turn(&params.horizon, bars, setter),
            ("adventurousness", &ParamValue::F32(share)) => turn(&params.adventurousness, share, setter),
            ("seed", &ParamValue::I32(number)) => turn(&params.seed, number, setter),
            ("thru", &ParamValue::Bool(on)) => turn(&params.thru, on, setter),
            ("input_role", ParamValue::String(id)) => choose(&params.input_role, id, setter),
            ("output_role", ParamValue::String(id)) => choose(&params.output_role, id, setter),
            ("preview", &ParamValue::Bool(on)) => turn(&params.preview, on, setter),
            ("bypass", &ParamValue::Bool(on)) => turn(&params.bypass, on, setter),
            // Pressed, or of a newer version.
            _ => {}
        }
    }
}

fn turn<P: Param>(param: &P, value: P::Plain, setter: &ParamSetter<'_>) {
    setter.begin_set_parameter(param);
    setter.set_parameter(param, value);
    setter.end_set_parameter(param);
}

/// A step of an unknown name, a newer version's, stays as it is.
fn choose<T: Enum + PartialEq>(param: &EnumParam<T>, id: &str, setter: &ParamSetter<'_>) {
    if let Some(step) = T::ids().and_then(|ids| ids.iter().position(|other| *other == id)) {
        turn(param, T::from_index(step), setter);
    }
}
