//! VST3 factory and the library's VST3 entry points.

use std::ffi::c_void;

use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait,
    PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo, TUID, int32, kInvalidArgument, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper};
use nice_plug::wrapper::vst3::{PluginInfo, Vst3Plugin};

use super::component::Component;
use super::worker::QuitWorker;
use crate::{Antiphon, AntiphonNoteFx};

/// A class of the library.
struct Entry {
    info: PluginInfo,
    make: fn() -> Option<ComPtr<FUnknown>>,
}

impl Entry {
    fn of<P: Vst3Plugin<BackgroundTask = QuitWorker>>() -> Self {
        Self { info: PluginInfo::for_plugin::<P>(), make: || ComWrapper::new(Component::<P>::new()).to_com_ptr() }
    }
}

/// Both classes, in the order hosts list them.
struct Factory([Entry; 2]);

impl Factory {
    fn new() -> Self {
        Self([Entry::of::<Antiphon>(), Entry::of::<AntiphonNoteFx>()])
    }

    /// Writes a class description to the host's buffer.
    ///
    /// # Safety
    /// `place` is null, or valid for writes.
    unsafe fn describe<T>(&self, index: int32, place: *mut T, describe: impl FnOnce(&PluginInfo) -> T) -> tresult {
        let entry = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        let Some(entry) = entry.filter(|_| !place.is_null()) else { return kInvalidArgument };
        // SAFETY: it is not null.
        unsafe { place.write(describe(&entry.info)) };
        kResultOk
    }
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host passes a valid buffer. The vendor is the same for both classes.
        unsafe { self.describe(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        int32::try_from(self.0.len()).unwrap_or(int32::MAX)
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host passes a valid buffer.
        unsafe { self.describe(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(&self, class: FIDString, interface: FIDString, instance: *mut *mut c_void) -> tresult {
        if class.is_null() || interface.is_null() || instance.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: class and interface ids are 16 bytes.
        let (class, interface) = unsafe { (&*class.cast::<[u8; 16]>(), interface.cast::<TUID>()) };
        let Some(entry) = self.0.iter().find(|entry| entry.info.cid == class) else { return kInvalidArgument };
        let Some(unknown) = (entry.make)() else { return kInvalidArgument };
        let unknown = unknown.as_ptr();
        // SAFETY: the object lives until the end of the call; by then the host has its own reference, or none.
        unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, interface, instance) }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host passes a valid buffer.
        unsafe { self.describe(index, info, PluginInfo::create_class_info_2) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host passes a valid buffer.
        unsafe { self.describe(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// Entry point.
#[unsafe(no_mangle)]
extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory::new()).to_com_ptr::<IPluginFactory>();
    factory.map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
}

/// Initialises logging.
fn enter() -> bool {
    nice_plug::wrapper::setup_logger::<Antiphon>();
    true
}

/// Called by Linux hosts after loading the library.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
extern "C" fn ModuleEntry(_library: *mut c_void) -> bool {
    enter()
}

/// Called by Linux hosts before unloading it.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
extern "C" fn ModuleExit() -> bool {
    true
}

/// Called by macOS hosts after loading the library.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
extern "C" fn bundleEntry(_bundle: *mut c_void) -> bool {
    enter()
}

/// Called by macOS hosts before unloading it.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
extern "C" fn bundleExit() -> bool {
    true
}

/// Called by Windows hosts after loading the library.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
extern "system" fn InitDll() -> bool {
    enter()
}

/// Called by Windows hosts before unloading it.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
extern "system" fn ExitDll() -> bool {
    true
}
