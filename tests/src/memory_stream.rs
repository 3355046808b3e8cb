//! A VST3 stream in memory.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;

use vst3::Class;
use vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur, kIBSeekEnd};
use vst3::Steinberg::{IBStream, IBStreamTrait, int32, int64, kResultOk, tresult};

use crate::vst3_host::constant;

/// Bytes with a read and write position.
pub(crate) struct MemoryStream {
    pub(crate) bytes: RefCell<Vec<u8>>,
    place: Cell<usize>,
}

impl MemoryStream {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { bytes: RefCell::new(bytes.to_vec()), place: Cell::new(0) }
    }
}

impl Class for MemoryStream {
    type Interfaces = (IBStream,);
}

/// A byte count in VST3's type.
fn count<T: TryFrom<usize>>(bytes: usize) -> T {
    T::try_from(bytes).ok().expect("states are small")
}

impl IBStreamTrait for MemoryStream {
    unsafe fn read(&self, buffer: *mut c_void, wanted: int32, read: *mut int32) -> tresult {
        let bytes = self.bytes.borrow();
        let from = self.place.get().min(bytes.len());
        let length = usize::try_from(wanted).unwrap_or_default().min(bytes.len() - from);
        // SAFETY: the plug-in guarantees room for this many bytes.
        unsafe { std::ptr::copy_nonoverlapping(bytes[from..].as_ptr(), buffer.cast(), length) };
        self.place.set(from + length);
        if !read.is_null() {
            // SAFETY: it is not null.
            unsafe { *read = count(length) };
        }
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, length: int32, written: *mut int32) -> tresult {
        let wanted = usize::try_from(length).unwrap_or_default();
        // SAFETY: the plug-in guarantees that this many bytes are readable.
        let new = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), wanted) };
        let mut bytes = self.bytes.borrow_mut();
        let from = self.place.get();
        let end = from + wanted;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[from..end].copy_from_slice(new);
        self.place.set(end);
        if !written.is_null() {
            // SAFETY: it is not null.
            unsafe { *written = length };
        }
        kResultOk
    }

    unsafe fn seek(&self, offset: int64, mode: int32, result: *mut int64) -> tresult {
        let origin = match mode {
            mode if mode == constant(kIBSeekCur) => self.place.get(),
            mode if mode == constant(kIBSeekEnd) => self.bytes.borrow().len(),
            _ => 0,
        };
        let place = count::<int64>(origin).saturating_add(offset).max(0);
        self.place.set(usize::try_from(place).unwrap_or_default());
        if !result.is_null() {
            // SAFETY: it is not null.
            unsafe { *result = place };
        }
        kResultOk
    }

    unsafe fn tell(&self, place: *mut int64) -> tresult {
        // SAFETY: the plug-in passes a valid pointer.
        unsafe { *place = count(self.place.get()) };
        kResultOk
    }
}
