//! A loaded VST3 library and its factory.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;

use anyhow::{Context, Result};
use libloading::Library;
use vst3::Steinberg::Vst::IComponent;
use vst3::Steinberg::{IPluginFactory, IPluginFactoryTrait, PClassInfo, kResultOk};
use vst3::{ComPtr, Interface};

/// A library that hosts load.
pub struct Vst3Library {
    factory: ComPtr<IPluginFactory>,
    /// Unloaded after its factory.
    _library: Library,
}

impl Vst3Library {
    /// Loads and initialises a library.
    ///
    /// # Errors
    /// When it cannot be loaded, or is no VST3 library.
    pub fn load(path: &Path) -> Result<Self> {
        // SAFETY: the caller trusts the library it names, as every host does.
        let library = unsafe { Library::new(path) }.with_context(|| format!("loading {}", path.display()))?;
        enter(&library)?;
        // SAFETY: VST3's signature; the reference is transferred.
        let factory = unsafe {
            let get = library.get::<unsafe extern "system" fn() -> *mut c_void>(c"GetPluginFactory").context("it has no factory")?;
            ComPtr::<IPluginFactory>::from_raw(get().cast()).context("it makes no factory")?
        };
        Ok(Self { factory, _library: library })
    }

    /// The names of its classes.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        self.infos().map(|info| name(&info).to_string_lossy().into_owned()).collect()
    }

    /// An instance of a class.
    pub(crate) fn make(&self, class: &str) -> ComPtr<IComponent> {
        let info = self.infos().find(|info| name(info).to_bytes() == class.as_bytes());
        let info = info.unwrap_or_else(|| panic!("no class is called {class}"));
        let mut made = std::ptr::null_mut();
        let interface = IComponent::IID.as_ptr().cast::<c_char>();
        // SAFETY: a plain interface call that transfers a reference.
        unsafe {
            assert_eq!(self.factory.createInstance(info.cid.as_ptr(), interface, &mut made), kResultOk);
            ComPtr::from_raw(made.cast()).expect("it was made")
        }
    }

    fn infos(&self) -> impl Iterator<Item = PClassInfo> {
        // SAFETY: plain interface calls that write to valid places.
        (0..unsafe { self.factory.countClasses() }).map(|index| unsafe {
            let mut info: PClassInfo = std::mem::zeroed();
            assert_eq!(self.factory.getClassInfo(index, &mut info), kResultOk);
            info
        })
    }
}

/// Calls the library's entry point, which Linux requires.
#[cfg(target_os = "linux")]
fn enter(library: &Library) -> Result<()> {
    // SAFETY: VST3's signature.
    let entered = unsafe {
        let enter = library.get::<unsafe extern "C" fn(*mut c_void) -> bool>(c"ModuleEntry").context("it cannot be entered")?;
        enter(std::ptr::null_mut())
    };
    anyhow::ensure!(entered, "it refuses to be entered");
    Ok(())
}

/// Calls the library's entry point, as Windows hosts do if there is one.
#[cfg(windows)]
fn enter(library: &Library) -> Result<()> {
    // SAFETY: VST3's signature.
    let entered = unsafe { library.get::<unsafe extern "system" fn() -> bool>(c"InitDll").map_or(true, |enter| enter()) };
    anyhow::ensure!(entered, "it refuses to be entered");
    Ok(())
}

/// Not tried: macOS passes a bundle, which a library alone does not have.
#[cfg(not(any(target_os = "linux", windows)))]
fn enter(_library: &Library) -> Result<()> {
    Ok(())
}

fn name(info: &PClassInfo) -> &CStr {
    // SAFETY: VST3's strings are zero-terminated.
    unsafe { CStr::from_ptr(info.name.as_ptr()) }
}
