//! The parameter changes of a block as nice-plug gets to see them: controllers that somebody moved.
//!
//! The plug-in's own parameters are set here. nice-plug would report each change to its worker thread, which has left ([`worker`](super::worker)).

use std::cell::{Cell, RefCell};
use std::ptr;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID, ParamValue,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kInvalidArgument, kResultFalse, kResultOk, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef, ComWrapper};

use super::controllers::{BlockInfo, Controllers};
use super::parameters::{Parameter, Parameters};

/// The list of a block's changes and, in turn, each queue in it: nice-plug (0.4.2) reads one queue to its end before it asks for the next, so one
/// object serves for all of them and nothing is allocated.
struct Changes {
    /// The host's list; null between blocks.
    list: Cell<*mut IParameterChanges>,
    /// The host's queue that is being read.
    queue: Cell<*mut IParamValueQueue>,
    /// What it is about.
    parameter: Cell<Parameter>,
    parameters: Parameters,
    controllers: RefCell<Controllers>,
    /// This object as a queue.
    this: Cell<*mut IParamValueQueue>,
}

impl Class for Changes {
    type Interfaces = (IParameterChanges, IParamValueQueue);
}

/// [`Changes`] and their owner.
pub(super) struct Inputs(ComWrapper<Changes>);

// SAFETY: it has one owner, which calls it from one thread at a time; nice-plug keeps no reference beyond a call of `process`.
unsafe impl Send for Inputs {}

impl Inputs {
    pub(super) fn new(parameters: Parameters, controllers: Controllers) -> Self {
        let changes = ComWrapper::new(Changes {
            list: Cell::new(ptr::null_mut()),
            queue: Cell::new(ptr::null_mut()),
            parameter: Cell::new(Parameter::Unknown),
            parameters,
            controllers: RefCell::new(controllers),
            this: Cell::new(ptr::null_mut()),
        });
        changes.this.set(changes.as_com_ref::<IParamValueQueue>().map_or(ptr::null_mut(), |queue| queue.as_ptr()));
        Self(changes)
    }

    /// Hertz.
    pub(super) fn set_sample_rate(&self, hertz: f64) {
        self.0.controllers.borrow_mut().set_sample_rate(hertz);
    }

    /// Takes the host's list for a block, sets the plug-in's own parameters, and returns the list that nice-plug is to read.
    ///
    /// # Safety
    /// `list` is null, or the host's and alive until [`end`](Self::end).
    pub(super) unsafe fn begin(&self, list: *mut IParameterChanges, block: BlockInfo) -> *mut IParameterChanges {
        self.0.list.set(list);
        self.0.controllers.borrow_mut().begin(block);
        // SAFETY: as the caller says.
        let Some(list) = (unsafe { ComRef::from_raw(list) }) else { return ptr::null_mut() };
        // SAFETY: the calls are those of the interface; a queue lives as long as its list.
        unsafe {
            for index in 0..list.getParameterCount() {
                if let Some(queue) = ComRef::from_raw(list.getParameterData(index)) {
                    self.0.prepare(queue);
                }
            }
        }
        self.0.as_com_ref::<IParameterChanges>().map_or(ptr::null_mut(), |list| list.as_ptr())
    }

    /// The block is over.
    pub(super) fn end(&self) {
        self.0.list.set(ptr::null_mut());
        self.0.queue.set(ptr::null_mut());
    }
}

impl Changes {
    /// Looks at a queue before the block is played.
    fn prepare(&self, queue: ComRef<'_, IParamValueQueue>) {
        // SAFETY: the calls are those of the interface, and write to valid places.
        unsafe {
            let points = queue.getPointCount();
            match self.parameters.find(queue.getParameterId()) {
                Parameter::Controller(index) if points > 0 => self.controllers.borrow_mut().announce(index),
                Parameter::Own(parameter) => {
                    for point in 0..points {
                        let (mut sample, mut value) = (0, 0.0);
                        if queue.getPoint(point, &raw mut sample, &raw mut value) == kResultOk && value.is_finite() {
                            // None is smoothed, so there is no smoother to tell.
                            parameter._internal_set_normalized_value(as_f32(value));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn queue(&self) -> Option<ComRef<'_, IParamValueQueue>> {
        // SAFETY: null, or a queue of the list of the block that is being played.
        unsafe { ComRef::from_raw(self.queue.get()) }
    }
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        // SAFETY: null, or the list of the block that is being played.
        unsafe { ComRef::from_raw(self.list.get()).map_or(0, |list| list.getParameterCount()) }
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        // SAFETY: as above, and the calls are those of the interface.
        unsafe {
            let queue = ComRef::from_raw(self.list.get()).map_or(ptr::null_mut(), |list| list.getParameterData(index));
            let Some(found) = ComRef::from_raw(queue) else { return ptr::null_mut() };
            self.queue.set(queue);
            self.parameter.set(self.parameters.find(found.getParameterId()));
        }
        self.this.get()
    }

    unsafe fn addParameterData(&self, _id: *const ParamID, _index: *mut int32) -> *mut IParamValueQueue {
        ptr::null_mut()
    }
}

impl IParamValueQueueTrait for Changes {
    unsafe fn getParameterId(&self) -> ParamID {
        // SAFETY: the call is that of the interface.
        self.queue().map_or(ParamID::MAX, |queue| unsafe { queue.getParameterId() })
    }

    unsafe fn getPointCount(&self) -> int32 {
        if matches!(self.parameter.get(), Parameter::Own(_)) {
            return 0;
        }
        // SAFETY: the call is that of the interface.
        self.queue().map_or(0, |queue| unsafe { queue.getPointCount() })
    }

    unsafe fn getPoint(&self, index: int32, sample: *mut int32, value: *mut ParamValue) -> tresult {
        let Some(queue) = self.queue() else { return kInvalidArgument };
        // SAFETY: nice-plug passes where it wants them.
        let outcome = unsafe { queue.getPoint(index, sample, value) };
        let Parameter::Controller(controller) = self.parameter.get() else { return outcome };
        // SAFETY: as above; it was written to just now.
        if outcome != kResultOk || self.controllers.borrow_mut().admit(controller, as_f32(unsafe { *value })) {
            return outcome;
        }
        kResultFalse
    }

    unsafe fn addPoint(&self, _sample: int32, _value: ParamValue, _index: *mut int32) -> tresult {
        kResultFalse
    }
}

/// A value as nice-plug keeps it.
#[allow(clippy::cast_possible_truncation, reason = "parameters have single precision")]
pub(super) const fn as_f32(value: ParamValue) -> f32 {
    value as f32
}
