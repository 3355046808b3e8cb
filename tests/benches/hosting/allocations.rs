//! Counts the calling thread's allocations, in any library: this program's `malloc` takes precedence over the C library's.
//!
//! The dynamic linker resolves symbols in the program first, so a plug-in library allocates through it, too. glibc only; elsewhere nothing
//! is counted.

/// Runs `call`; returns how often this thread allocated or freed meanwhile, or `None` if that is not counted.
pub(crate) fn during(call: impl FnOnce()) -> Option<u64> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let before = glibc::COUNT.get();
        call();
        Some(glibc::COUNT.get() - before)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        call();
        None
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};

    thread_local! {
        /// Allocations and frees of this thread. No destructor, so it is usable as long as the thread lives.
        pub(super) static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    fn record() {
        COUNT.set(COUNT.get() + 1);
    }

    // glibc's own names of its functions.
    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(old: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
        fn __libc_free(old: *mut c_void);
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        record();
        // SAFETY: same contract.
        unsafe { __libc_malloc(size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
        record();
        // SAFETY: same contract.
        unsafe { __libc_calloc(count, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
        record();
        // SAFETY: same contract.
        unsafe { __libc_realloc(old, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
        record();
        // SAFETY: same contract.
        unsafe { __libc_memalign(align, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int {
        record();
        // SAFETY: same contract, except for where the result goes.
        let made = unsafe { __libc_memalign(align, size) };
        if made.is_null() {
            return libc::ENOMEM;
        }
        // SAFETY: the caller guarantees that a pointer can be written there.
        unsafe { *place = made };
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(old: *mut c_void) {
        record();
        // SAFETY: same contract.
        unsafe { __libc_free(old) }
    }
}
