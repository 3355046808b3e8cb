//! Triggers: parameters that give a command when they go on.
//!
//! A loaded state sets them as well, as hosts expect, and gives no command. nice-plug sets the parameters of a state one by one while blocks may run, and says
//! to no instance that it begins. So [`set_aside`] moves the triggers out of the parameters of the state before they are set, and [`HostParams`] sets them where
//! it knows that this is a load.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nice_plug::params::InternalParamMut;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;

use super::AntiphonParams;

/// Ids of the triggers.
pub const TRIGGERS: [&str; 10] =
    ["play", "another", "keep", "stop", "panic", "variation_a", "variation_b", "variation_c", "variation_d", "forget"];

/// Field of a state, while it is loaded, with the triggers' values by id.
const FIELD: &str = "triggers";

/// How often a trigger went on. A value would not do: it may go on and off again within a block.
#[derive(Debug, Clone, Default)]
pub struct Presses(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    count: AtomicU32,
    /// Whether a state sets the parameter right now.
    loads: AtomicBool,
}

impl Presses {
    /// The parameter whose presses are counted.
    pub(super) fn of(&self, name: &'static str) -> BoolParam {
        let counter = Arc::clone(&self.0);
        BoolParam::new(name, false).with_callback(Arc::new(move |is_on| {
            if is_on && !counter.loads.load(Ordering::Relaxed) {
                counter.count.fetch_add(1, Ordering::Relaxed);
            }
        }))
    }

    /// Presses since the instance was made; wraps around.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Sets their parameter to the value of a state: no press.
    fn load(&self, param: &BoolParam, is_on: bool) {
        self.0.loads.store(true, Ordering::Relaxed);
        // SAFETY: stores of atomics and the callback above; nice-plug does the same with the other parameters of a state.
        unsafe { param._internal_set_plain_value(is_on) };
        self.0.loads.store(false, Ordering::Relaxed);
    }
}

/// Moves the triggers of a state to a field that [`HostParams`] reads.
pub fn set_aside(chunk: &mut PluginState) {
    let mut values = BTreeMap::new();
    for trigger in TRIGGERS {
        if let Some(ParamValue::Bool(is_on)) = chunk.params.remove(trigger) {
            values.insert(trigger, is_on);
        }
    }
    chunk.fields.remove(FIELD);
    if !values.is_empty() {
        chunk.fields.insert(FIELD.to_owned(), serde_json::json!(values).to_string());
    }
}

/// The parameters as hosts save and load them.
pub struct HostParams(pub Arc<AntiphonParams>);

// SAFETY: the pointers are those of the parameters within, which live as long as this.
unsafe impl Params for HostParams {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        self.0.param_map()
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        self.0.serialize_fields()
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        let values = fields.get(FIELD).and_then(|field| serde_json::from_str::<BTreeMap<String, bool>>(field).ok()).unwrap_or_default();
        for (trigger, (param, presses)) in TRIGGERS.into_iter().zip(self.0.triggers()) {
            if let Some(&is_on) = values.get(trigger) {
                presses.load(param, is_on);
            }
        }
        self.0.deserialize_fields(fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::admit;

    fn is_on(params: &HostParams) -> [bool; TRIGGERS.len()] {
        params.0.triggers().map(|(param, _)| param.value())
    }

    #[test]
    fn loaded_state_sets_the_triggers_and_presses_none() {
        let params = HostParams(Arc::new(AntiphonParams::new(true)));
        let presses = || params.0.triggers().map(|(_, presses)| presses.count());
        let mut chunk = PluginState { version: "0.1.0".into(), params: BTreeMap::new(), fields: params.serialize_fields() };
        chunk.params.extend(TRIGGERS.map(|trigger| (trigger.to_owned(), ParamValue::Bool(true))));
        admit(&mut chunk);
        assert!(chunk.params.is_empty(), "nice-plug would press what it sets");
        params.deserialize_fields(&chunk.fields);
        assert_eq!((is_on(&params), presses()), ([true; TRIGGERS.len()], [0; TRIGGERS.len()]));
        assert!(!params.serialize_fields().contains_key(FIELD), "hosts save them as parameters");

        chunk.params.insert("stop".into(), ParamValue::Bool(false));
        admit(&mut chunk);
        params.deserialize_fields(&chunk.fields);
        assert_eq!(is_on(&params).map(u8::from), [1, 1, 1, 0, 1, 1, 1, 1, 1, 1], "what the state lacks stays");
        // SAFETY: the pointer lives as long as `params`.
        unsafe { params.0.playback.stop.as_ptr()._internal_set_normalized_value(1.0) };
        assert_eq!(presses(), [0, 0, 0, 1, 0, 0, 0, 0, 0, 0], "and the next press counts");
    }
}
