//! Maps VST3 parameter ids to the plug-in's own parameters and the controllers' hidden ones.

use std::sync::Arc;

use nice_plug::params::Params;
use nice_plug::params::internals::ParamPtr;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{IEditControllerTrait, IMidiMappingTrait, ParamID, ParameterInfo};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kResultOk};

use super::controllers::ALL;
use crate::params::AntiphonParams;

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Parameter {
    /// One of the plug-in's own.
    Own(ParamPtr),
    /// A controller's hidden parameter, by index.
    Controller(usize),
    /// Unknown id.
    Unknown,
}

/// The ids nice-plug assigned.
#[derive(Clone)]
pub(super) struct Parameters {
    /// In the order of the parameters.
    own: Vec<(ParamID, ParamPtr)>,
    /// Id of the first controller; the others follow.
    first_controller: Option<ParamID>,
    /// Keeps the pointers valid.
    _params: Option<Arc<AntiphonParams>>,
}

impl Parameters {
    /// Queries nice-plug's component for its ids.
    pub(super) fn of(component: &(impl IEditControllerTrait + IMidiMappingTrait), params: Option<Arc<AntiphonParams>>) -> Self {
        let id = |index: usize| {
            let index = int32::try_from(index).ok()?;
            // SAFETY: a structure of numbers, for which zero is valid; the call writes to it.
            let (info, outcome) = unsafe {
                let mut info: ParameterInfo = std::mem::zeroed();
                let outcome = component.getParameterInfo(index, &raw mut info);
                (info, outcome)
            };
            (outcome == kResultOk).then_some(info.id)
        };
        // nice-plug lists the parameters in declaration order.
        let own = params.iter().flat_map(|params| params.param_map());
        let own = own.enumerate().filter_map(|(index, (_, parameter, _))| Some((id(index)?, parameter))).collect();
        let mut first = 0;
        // SAFETY: the call writes to a valid place.
        let has_controllers = unsafe { component.getMidiControllerAssignment(0, 0, 0, &raw mut first) } == kResultOk;
        Self { own, first_controller: has_controllers.then_some(first), _params: params }
    }

    /// The parameter with this id.
    pub(super) fn find(&self, id: ParamID) -> Parameter {
        if let Some(index) = self.controller(id) {
            return Parameter::Controller(index);
        }
        let own = self.own.iter().find(|(other, _)| *other == id);
        own.map_or(Parameter::Unknown, |(_, parameter)| Parameter::Own(*parameter))
    }

    /// Index of the controller that a hidden parameter stands for.
    pub(super) fn controller(&self, id: ParamID) -> Option<usize> {
        let index = usize::try_from(id.checked_sub(self.first_controller?)?).ok()?;
        (index < ALL).then_some(index)
    }
}
