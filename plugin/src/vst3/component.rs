//! The VST3 component of one instance.

use std::sync::Arc;

use nice_plug::wrapper::vst3::vst3::Class;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::{IInfoListener, IInfoListenerTrait};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusInfo, CString, CtrlNumber, IAttributeList, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentHandler,
    IComponentTrait, IEditController, IEditControllerTrait, IMidiMapping, IMidiMappingTrait, INoteExpressionController,
    INoteExpressionControllerTrait, IProcessContextRequirements, IProcessContextRequirementsTrait, IUnitInfo, IUnitInfoTrait, IoMode,
    MediaType, NoteExpressionTypeID, NoteExpressionTypeInfo, NoteExpressionValue, ParamID, ParamValue, ParameterInfo, ProcessData,
    ProcessSetup, ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement, String128, TChar, UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, TBool, TUID, int16, int32, kInvalidArgument, kResultFalse, kResultOk,
    tresult, uint32,
};
use nice_plug::wrapper::vst3::{Vst3Plugin, Wrapper};
use parking_lot::Mutex;

use super::block::Block;
use super::controllers::{ControllerValues, Controllers, default_value};
use super::inputs::{Inputs, as_f32};
use super::link::Link;
use super::parameters::Parameters;
use super::worker::{self, QuitWorker};

/// Wraps nice-plug's component, which does most of the work.
pub struct Component<P: Vst3Plugin> {
    wrapper: Wrapper<P>,
    link: Arc<Link>,
    parameters: Parameters,
    /// Values of the controllers' hidden parameters.
    values: Arc<ControllerValues>,
    /// Block processing. Never contended: hosts process on one thread at a time, and set up before.
    block: Mutex<Block>,
}

impl<P: Vst3Plugin<BackgroundTask = QuitWorker>> Component<P> {
    /// An instance of a class.
    #[must_use]
    pub fn new() -> Self {
        worker::stop_worker::<P>();
        let (wrapper, link) = Link::connect(Wrapper::<P>::new);
        let parameters = Parameters::of(&wrapper, link.params.clone());
        let values = ControllerValues::new();
        let inputs = Inputs::new(parameters.clone(), Controllers::new(Arc::clone(&values)));
        Self { wrapper, link, parameters, values, block: Mutex::new(Block::new(inputs)) }
    }
}

impl<P: Vst3Plugin<BackgroundTask = QuitWorker>> Default for Component<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Vst3Plugin> Class for Component<P> {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

/// Forwards calls to nice-plug, except for the methods an interface defines under `@own`.
macro_rules! forward {
    ($($interface:ident {
        $($name:ident($($argument:ident: $kind:ty),*) $(-> $outcome:ty)?;)*
        $(@own { $($own:tt)* })?
    })*) => {$(
        #[allow(non_snake_case, reason = "the names are VST3's")]
        impl<P: Vst3Plugin> $interface for Component<P> {
            $(unsafe fn $name(&self, $($argument: $kind),*) $(-> $outcome)? {
                // SAFETY: the caller's contract is the same.
                unsafe { $interface::$name(&self.wrapper, $($argument),*) }
            })*
            $($($own)*)?
        }
    )*};
}

forward! {
    IPluginBaseTrait {
        initialize(context: *mut FUnknown) -> tresult;
        terminate() -> tresult;
    }
    IComponentTrait {
        getControllerClassId(class: *mut TUID) -> tresult;
        setIoMode(mode: IoMode) -> tresult;
        getBusCount(media: MediaType, direction: BusDirection) -> int32;
        getBusInfo(media: MediaType, direction: BusDirection, index: int32, info: *mut BusInfo) -> tresult;
        getRoutingInfo(input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult;
        activateBus(media: MediaType, direction: BusDirection, index: int32, state: TBool) -> tresult;
        setActive(state: TBool) -> tresult;
        getState(state: *mut IBStream) -> tresult;
        @own {
            unsafe fn setState(&self, state: *mut IBStream) -> tresult {
                // SAFETY: the caller's contract is the same.
                self.values.load(|| unsafe { IComponentTrait::setState(&self.wrapper, state) })
            }
        }
    }
    IEditControllerTrait {
        setComponentState(state: *mut IBStream) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
        getParameterCount() -> int32;
        getParamStringByValue(id: ParamID, normalised: ParamValue, text: *mut String128) -> tresult;
        getParamValueByString(id: ParamID, text: *mut TChar, normalised: *mut ParamValue) -> tresult;
        normalizedParamToPlain(id: ParamID, normalised: ParamValue) -> ParamValue;
        plainParamToNormalized(id: ParamID, plain: ParamValue) -> ParamValue;
        setComponentHandler(handler: *mut IComponentHandler) -> tresult;
        createView(name: FIDString) -> *mut IPlugView;
        @own {
            unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
                // SAFETY: the caller's contract is the same. nice-plug would describe one more than there are.
                unsafe {
                    if index >= self.wrapper.getParameterCount() {
                        return kInvalidArgument;
                    }
                    let outcome = self.wrapper.getParameterInfo(index, info);
                    if outcome == kResultOk && let Some(controller) = self.parameters.controller((*info).id) {
                        (*info).defaultNormalizedValue = default_value(controller);
                    }
                    outcome
                }
            }

            unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
                let values = self.parameters.controller(id).and_then(|controller| self.values.get(controller));
                // SAFETY: the caller's contract is the same.
                values.unwrap_or_else(|| unsafe { self.wrapper.getParamNormalized(id) })
            }

            unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
                match self.parameters.controller(id) {
                    // SAFETY: the caller's contract is the same.
                    None => unsafe { self.wrapper.setParamNormalized(id, value) },
                    Some(_) if !value.is_finite() => kInvalidArgument,
                    Some(controller) => {
                        self.values.set(controller, as_f32(value.clamp(0.0, 1.0)));
                        kResultOk
                    }
                }
            }
        }
    }
    IAudioProcessorTrait {
        setBusArrangements(inputs: *mut SpeakerArrangement, ins: int32, outputs: *mut SpeakerArrangement, outs: int32) -> tresult;
        getBusArrangement(direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement) -> tresult;
        canProcessSampleSize(size: int32) -> tresult;
        getLatencySamples() -> uint32;
        setProcessing(state: TBool) -> tresult;
        getTailSamples() -> uint32;
        @own {
            unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
                // SAFETY: the caller's contract is the same.
                let outcome = unsafe { self.wrapper.setupProcessing(setup) };
                if outcome == kResultOk {
                    // SAFETY: nice-plug took it, so it is not null.
                    self.block.lock().set_up(unsafe { &*setup });
                }
                outcome
            }

            unsafe fn process(&self, data: *mut ProcessData) -> tresult {
                // A host that processes on two threads at once is in error, and must not be waited for.
                let Some(mut block) = self.block.try_lock() else { return kResultFalse };
                // SAFETY: the caller's contract is the same, and the block's as long.
                unsafe { block.play(data, &self.link, |data| self.wrapper.process(data)) }
            }
        }
    }
    IMidiMappingTrait {
        getMidiControllerAssignment(bus: int32, channel: int16, controller: CtrlNumber, id: *mut ParamID) -> tresult;
    }
    INoteExpressionControllerTrait {
        getNoteExpressionCount(bus: int32, channel: int16) -> int32;
        getNoteExpressionInfo(bus: int32, channel: int16, index: int32, info: *mut NoteExpressionTypeInfo) -> tresult;
        getNoteExpressionStringByValue(
            bus: int32, channel: int16, id: NoteExpressionTypeID, value: NoteExpressionValue, text: *mut String128
        ) -> tresult;
        getNoteExpressionValueByString(
            bus: int32, channel: int16, id: NoteExpressionTypeID, text: *const TChar, value: *mut NoteExpressionValue
        ) -> tresult;
    }
    IProcessContextRequirementsTrait {
        getProcessContextRequirements() -> uint32;
    }
    IUnitInfoTrait {
        getUnitCount() -> int32;
        getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult;
        getProgramListCount() -> int32;
        getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult;
        getProgramName(list: ProgramListID, index: int32, name: *mut String128) -> tresult;
        getProgramInfo(list: ProgramListID, index: int32, attribute: CString, value: *mut String128) -> tresult;
        hasProgramPitchNames(list: ProgramListID, index: int32) -> tresult;
        getProgramPitchName(list: ProgramListID, index: int32, pitch: int16, name: *mut String128) -> tresult;
        getSelectedUnit() -> UnitID;
        selectUnit(unit: UnitID) -> tresult;
        getUnitByBus(media: MediaType, direction: BusDirection, bus: int32, channel: int32, unit: *mut UnitID) -> tresult;
        setUnitProgramData(unit: int32, program: int32, data: *mut IBStream) -> tresult;
    }
    IInfoListenerTrait {
        setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}
