//! Count of a library's calls of the system's heap on one thread, so that the library that users get can be tested for allocations: Rust's
//! own gate works in debug builds, and inside one binary, only.
//!
//! Every call of another library goes through the table of imports of the calling one. The three functions of the heap are replaced there,
//! by ones that count.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use windows::Win32::System::Diagnostics::Debug::{IMAGE_DIRECTORY_ENTRY_IMPORT, IMAGE_NT_HEADERS64};
use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::Win32::System::Memory::{PAGE_PROTECTION_FLAGS, PAGE_READWRITE, VirtualProtect};
use windows::Win32::System::SystemServices::{IMAGE_DOS_HEADER, IMAGE_IMPORT_DESCRIPTOR};
use windows::core::HSTRING;

type Allocate = unsafe extern "system" fn(*mut c_void, u32, usize) -> *mut c_void;
type Reallocate = unsafe extern "system" fn(*mut c_void, u32, *mut c_void, usize) -> *mut c_void;
type Free = unsafe extern "system" fn(*mut c_void, u32, *mut c_void) -> i32;

thread_local! {
    /// Calls on this thread; `None` while they are not counted.
    static CALLS: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The functions that were replaced: `HeapAlloc`, `HeapReAlloc`, `HeapFree`.
static ORIGINALS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
const NAMES: [&CStr; 3] = [c"HeapAlloc", c"HeapReAlloc", c"HeapFree"];

/// Makes [`count`] see the calls of a library that is loaded. Once per process: several libraries may be watched.
///
/// # Errors
/// When it is not loaded, or calls the heap in another way: then nothing would be counted.
pub fn watch(path: &Path) -> Result<()> {
    // SAFETY: a plain call.
    let library = unsafe { GetModuleHandleW(&HSTRING::from(path.as_os_str())) }.context("the library is not loaded")?;
    // SAFETY: a loaded library begins with its headers, laid out as the system's loader requires; its imports are resolved, so that each
    // place in the second table holds the address of the function that the same place in the first one names.
    unsafe {
        let base = library.0.cast::<u8>().cast_const();
        let headers = base.add(usize::try_from((*base.cast::<IMAGE_DOS_HEADER>()).e_lfanew)?).cast::<IMAGE_NT_HEADERS64>();
        let imports = (*headers).OptionalHeader.DataDirectory[usize::from(IMAGE_DIRECTORY_ENTRY_IMPORT.0)];
        let mut descriptor = base.add(imports.VirtualAddress as usize).cast::<IMAGE_IMPORT_DESCRIPTOR>();
        let mut found = [false; 3];
        while (*descriptor).Name != 0 {
            let mut names = base.add((*descriptor).Anonymous.OriginalFirstThunk as usize).cast::<usize>();
            let mut places = base.add((*descriptor).FirstThunk as usize).cast::<usize>().cast_mut();
            while *names != 0 {
                // The highest bit marks an import by number. Two bytes of a hint precede the name.
                if *names >> 63 == 0 {
                    let name = CStr::from_ptr(base.add(*names + 2).cast());
                    if let Some(index) = NAMES.iter().position(|wanted| *wanted == name) {
                        ORIGINALS[index].store(*places, Ordering::SeqCst);
                        replace(places, counting(index))?;
                        found[index] = true;
                    }
                }
                (names, places) = (names.add(1), places.add(1));
            }
            descriptor = descriptor.add(1);
        }
        ensure!(found == [true; 3], "the library does not import the heap's functions by name: {found:?}");
    }
    Ok(())
}

/// Number of calls of the heap that watched libraries make on this thread while `act` runs.
pub fn count(act: impl FnOnce()) -> u64 {
    CALLS.set(Some(0));
    act();
    CALLS.take().unwrap_or(0)
}

/// Writes into a table of imports, which is read-only.
///
/// # Safety
/// `place` is in a table of imports. Other threads may call through it meanwhile: they find the old function or the new one.
unsafe fn replace(place: *mut usize, function: usize) -> Result<()> {
    let mut before = PAGE_PROTECTION_FLAGS::default();
    // SAFETY: the caller's promise.
    unsafe {
        VirtualProtect(place.cast(), size_of::<usize>(), PAGE_READWRITE, &raw mut before)?;
        AtomicUsize::from_ptr(place).store(function, Ordering::SeqCst);
        VirtualProtect(place.cast(), size_of::<usize>(), before, &raw mut before)?;
    }
    Ok(())
}

/// The function that takes the place of one of [`NAMES`].
fn counting(index: usize) -> usize {
    match index {
        0 => allocate as Allocate as usize,
        1 => reallocate as Reallocate as usize,
        _ => free as Free as usize,
    }
}

/// Counts a call; returns the function that was replaced. Allocates nothing itself.
fn original(index: usize) -> usize {
    CALLS.set(CALLS.get().map(|calls| calls + 1));
    ORIGINALS[index].load(Ordering::Relaxed)
}

unsafe extern "system" fn allocate(heap: *mut c_void, flags: u32, bytes: usize) -> *mut c_void {
    // SAFETY: the address came from the table of imports, where it stood for this function.
    unsafe { std::mem::transmute::<usize, Allocate>(original(0))(heap, flags, bytes) }
}

unsafe extern "system" fn reallocate(heap: *mut c_void, flags: u32, block: *mut c_void, bytes: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Reallocate>(original(1))(heap, flags, block, bytes) }
}

unsafe extern "system" fn free(heap: *mut c_void, flags: u32, block: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Free>(original(2))(heap, flags, block) }
}
