//! Parameter changes of a block as passed to nice-plug: only controller changes that are events.
//!
//! The plug-in's own parameters are set here. nice-plug would report each change to its worker thread, which is stopped
//! ([`worker`](super::worker)).

use std::cell::{Cell, RefCell};
use std::ptr;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID, ParamValue,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kInvalidArgument, kResultFalse, kResultOk, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef, ComWrapper};

use super::controllers::{BlockInfo, Controllers};
use super::parameters::{Parameter, Parameters};

/// The list of a block's changes and, in turn, each queue in it. nice-plug (0.4.2) reads one queue to its end before it requests the next,
/// so one object serves for all, without allocation.
struct Changes {
    /// The host's list; null between blocks.
    list: Cell<*mut IParameterChanges>,
    /// The host's queue being read.
    queue: Cell<*mut IParamValueQueue>,
    /// The parameter of that queue.
    parameter: Cell<Parameter>,
    parameters: Parameters,
    controllers: RefCell<Controllers>,
    /// This object as a queue.
    this: Cell<*mut IParamValueQueue>,
}

impl Class for Changes {
    type Interfaces = (IParameterChanges, IParamValueQueue);
}

/// Owns the [`Changes`].
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

    /// Sets the sample rate in hertz.
    pub(super) fn set_sample_rate(&self, hertz: f64) {
        self.0.controllers.borrow_mut().set_sample_rate(hertz);
    }

    /// Takes the host's list for a block, sets the plug-in's own parameters, and returns the list for nice-plug.
    ///
    /// # Safety
    /// `list` is null, or the host's and valid until [`end`](Self::end).
    pub(super) unsafe fn begin(&self, list: *mut IParameterChanges, block: BlockInfo) -> *mut IParameterChanges {
        self.0.list.set(list);
        self.0.controllers.borrow_mut().begin(block);
        // SAFETY: guaranteed by the caller.
        let Some(list) = (unsafe { ComRef::from_raw(list) }) else { return ptr::null_mut() };
        // SAFETY: plain interface calls; a queue lives as long as its list.
        unsafe {
            for index in 0..list.getParameterCount() {
                if let Some(queue) = ComRef::from_raw(list.getParameterData(index)) {
                    self.0.prepare(queue);
                }
            }
        }
        self.0.as_com_ref::<IParameterChanges>().map_or(ptr::null_mut(), |list| list.as_ptr())
    }

    /// Ends the block.
    pub(super) fn end(&self) {
        self.0.list.set(ptr::null_mut());
        self.0.queue.set(ptr::null_mut());
    }
}

impl Changes {
    /// Examines a queue before the block is processed.
    fn prepare(&self, queue: ComRef<'_, IParamValueQueue>) {
        // SAFETY: plain interface calls that write to valid places.
        unsafe {
            let points = queue.getPointCount();
            match self.parameters.find(queue.getParameterId()) {
                Parameter::Controller(index) if points > 0 => self.controllers.borrow_mut().announce(index),
                Parameter::Own(parameter) => {
                    for point in 0..points {
                        let (mut sample, mut value) = (0, 0.0);
                        if queue.getPoint(point, &raw mut sample, &raw mut value) == kResultOk && value.is_finite() {
                            // No parameter is smoothed, so there is no smoother to update.
                            if parameter._internal_set_normalized_value(as_f32(value)) {
                                // The parameter may affect what passes through, and where to.
                                self.controllers.borrow_mut().invalidate_known();
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn queue(&self) -> Option<ComRef<'_, IParamValueQueue>> {
        // SAFETY: null, or a queue in the list of the current block.
        unsafe { ComRef::from_raw(self.queue.get()) }
    }
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        // SAFETY: null, or the list of the current block.
        unsafe { ComRef::from_raw(self.list.get()).map_or(0, |list| list.getParameterCount()) }
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        // SAFETY: as above, and plain interface calls.
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
        // SAFETY: a plain interface call.
        self.queue().map_or(ParamID::MAX, |queue| unsafe { queue.getParameterId() })
    }

    unsafe fn getPointCount(&self) -> int32 {
        if matches!(self.parameter.get(), Parameter::Own(_)) {
            return 0;
        }
        // SAFETY: a plain interface call.
        self.queue().map_or(0, |queue| unsafe { queue.getPointCount() })
    }

    unsafe fn getPoint(&self, index: int32, sample: *mut int32, value: *mut ParamValue) -> tresult {
        let Some(queue) = self.queue() else { return kInvalidArgument };
        // SAFETY: nice-plug passes valid buffers.
        let outcome = unsafe { queue.getPoint(index, sample, value) };
        let Parameter::Controller(controller) = self.parameter.get() else { return outcome };
        // SAFETY: as above; it was just written.
        if outcome != kResultOk || self.controllers.borrow_mut().is_event(controller, as_f32(unsafe { *value })) {
            return outcome;
        }
        kResultFalse
    }

    unsafe fn addPoint(&self, _sample: int32, _value: ParamValue, _index: *mut int32) -> tresult {
        kResultFalse
    }
}

/// A value in nice-plug's precision.
#[allow(clippy::cast_possible_truncation, reason = "parameters have single precision")]
pub(super) const fn as_f32(value: ParamValue) -> f32 {
    value as f32
}
