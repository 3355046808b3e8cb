//! Input and output lists of a VST3 block.

use std::cell::RefCell;
use std::collections::HashMap;

use vst3::Steinberg::Vst::{
    Event, IEventList, IEventListTrait, IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID,
    ParamValue,
};
use vst3::Steinberg::{int32, kInvalidArgument, kResultFalse, kResultOk, tresult};
use vst3::{Class, ComWrapper};

/// An event list; `addEvent` does not allocate up to the capacity.
pub(crate) struct Events(pub(crate) RefCell<Vec<Event>>);

impl Class for Events {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        int32::try_from(self.0.borrow().len()).expect("fewer than 2^31 events")
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        let Some(found) = usize::try_from(index).ok().and_then(|index| self.0.borrow().get(index).copied()) else {
            return kInvalidArgument;
        };
        // SAFETY: the plug-in passes a valid pointer.
        unsafe { *event = found };
        kResultOk
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        let mut events = self.0.borrow_mut();
        if events.len() == events.capacity() {
            return kResultFalse;
        }
        // SAFETY: the plug-in passes an event.
        events.push(unsafe { *event });
        kResultOk
    }
}

/// Value changes of one parameter.
struct Queue {
    id: ParamID,
    points: Vec<(int32, ParamValue)>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> int32 {
        int32::try_from(self.points.len()).expect("fewer than 2^31 points")
    }

    unsafe fn getPoint(&self, index: int32, sample: *mut int32, value: *mut ParamValue) -> tresult {
        let Some(point) = usize::try_from(index).ok().and_then(|index| self.points.get(index)) else { return kInvalidArgument };
        // SAFETY: the plug-in passes valid pointers.
        unsafe { (*sample, *value) = *point };
        kResultOk
    }

    unsafe fn addPoint(&self, _sample: int32, _value: ParamValue, _index: *mut int32) -> tresult {
        kResultFalse
    }
}

/// Parameter changes of a block.
pub(crate) struct Changes(Vec<ComWrapper<Queue>>);

impl Changes {
    /// Created from changes in order of time.
    pub(crate) fn new(changes: &[(ParamID, int32, ParamValue)]) -> Self {
        let mut queues: Vec<Queue> = Vec::new();
        let mut places = HashMap::new();
        for &(id, sample, value) in changes {
            let place = *places.entry(id).or_insert_with(|| {
                queues.push(Queue { id, points: Vec::new() });
                queues.len() - 1
            });
            queues[place].points.push((sample, value));
        }
        Self(queues.into_iter().map(ComWrapper::new).collect())
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        int32::try_from(self.0.len()).expect("fewer than 2^31 parameters")
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        let queue = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        queue.and_then(ComWrapper::as_com_ref::<IParamValueQueue>).map_or(std::ptr::null_mut(), |queue| queue.as_ptr())
    }

    unsafe fn addParameterData(&self, _id: *const ParamID, _index: *mut int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}
