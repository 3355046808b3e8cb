//! One instance as a VST3 host sees it.

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
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, TBool, TUID, int16, int32, kResultOk, tresult, uint32,
};
use nice_plug::wrapper::vst3::{Vst3Plugin, Wrapper};

use super::worker::{self, Leave};

/// nice-plug's component, which does all the work.
pub struct Component<P: Vst3Plugin>(Wrapper<P>);

impl<P: Vst3Plugin<BackgroundTask = Leave>> Component<P> {
    /// An instance of a class.
    #[must_use]
    pub fn new() -> Self {
        worker::send_home::<P>();
        Self(Wrapper::new())
    }
}

impl<P: Vst3Plugin<BackgroundTask = Leave>> Default for Component<P> {
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

/// Hands calls on as they are.
macro_rules! forward {
    ($($interface:ident { $($name:ident($($argument:ident: $kind:ty),*) $(-> $outcome:ty)?;)* })*) => {$(
        #[allow(non_snake_case, reason = "the names are VST3's")]
        impl<P: Vst3Plugin> $interface for Component<P> {
            $(forward!(@one $interface $name($($argument: $kind),*) $(-> $outcome)?);)*
        }
    )*};
    // Said twice: nice-plug hands on the mode that it was told the time before.
    (@one IAudioProcessorTrait setupProcessing($setup:ident: $kind:ty) -> $outcome:ty) => {
        unsafe fn setupProcessing(&self, $setup: $kind) -> $outcome {
            // SAFETY: the caller's contract is the same, and allows any number of calls.
            match unsafe { self.0.setupProcessing($setup) } {
                #[allow(non_upper_case_globals, reason = "the name is VST3's")]
                // SAFETY: as above.
                kResultOk => unsafe { self.0.setupProcessing($setup) },
                refused => refused,
            }
        }
    };
    (@one $interface:ident $name:ident($($argument:ident: $kind:ty),*) $(-> $outcome:ty)?) => {
        unsafe fn $name(&self, $($argument: $kind),*) $(-> $outcome)? {
            // SAFETY: the caller's contract is the same.
            unsafe { $interface::$name(&self.0, $($argument),*) }
        }
    };
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
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
    }
    IEditControllerTrait {
        setComponentState(state: *mut IBStream) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
        getParameterCount() -> int32;
        getParameterInfo(index: int32, info: *mut ParameterInfo) -> tresult;
        getParamStringByValue(id: ParamID, normalised: ParamValue, text: *mut String128) -> tresult;
        getParamValueByString(id: ParamID, text: *mut TChar, normalised: *mut ParamValue) -> tresult;
        normalizedParamToPlain(id: ParamID, normalised: ParamValue) -> ParamValue;
        plainParamToNormalized(id: ParamID, plain: ParamValue) -> ParamValue;
        getParamNormalized(id: ParamID) -> ParamValue;
        setParamNormalized(id: ParamID, value: ParamValue) -> tresult;
        setComponentHandler(handler: *mut IComponentHandler) -> tresult;
        createView(name: FIDString) -> *mut IPlugView;
    }
    IAudioProcessorTrait {
        setBusArrangements(inputs: *mut SpeakerArrangement, ins: int32, outputs: *mut SpeakerArrangement, outs: int32) -> tresult;
        getBusArrangement(direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement) -> tresult;
        canProcessSampleSize(size: int32) -> tresult;
        getLatencySamples() -> uint32;
        setupProcessing(setup: *mut ProcessSetup) -> tresult;
        setProcessing(state: TBool) -> tresult;
        process(data: *mut ProcessData) -> tresult;
        getTailSamples() -> uint32;
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
