//! Counts what a thread allocates and frees, in whatever library: this program's `malloc` stands before the C library's.
//!
//! The dynamic linker asks the program first, so a plug-in's library allocates through here too. glibc only; elsewhere nothing is counted.

/// Makes a call and says how often this thread allocated or freed meanwhile; `None` where nobody counts.
pub(crate) fn during(call: impl FnOnce()) -> Option<u64> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let before = glibc::SEEN.get();
        call();
        Some(glibc::SEEN.get() - before)
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
        /// How often this thread allocated or freed. Without a destructor, so that it can be used whenever a thread lives.
        pub(super) static SEEN: Cell<u64> = const { Cell::new(0) };
    }

    fn see() {
        SEEN.set(SEEN.get() + 1);
    }

    // What glibc's own functions are called besides.
    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(old: *mut c_void, size: usize) -> *mut c_void;
        fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
        fn __libc_free(old: *mut c_void);
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        see();
        // SAFETY: the same contract.
        unsafe { __libc_malloc(size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
        see();
        // SAFETY: the same contract.
        unsafe { __libc_calloc(count, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
        see();
        // SAFETY: the same contract.
        unsafe { __libc_realloc(old, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
        see();
        // SAFETY: the same contract.
        unsafe { __libc_memalign(align, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, align: usize, size: usize) -> c_int {
        see();
        // SAFETY: the same contract, but for where the outcome goes.
        let made = unsafe { __libc_memalign(align, size) };
        if made.is_null() {
            return libc::ENOMEM;
        }
        // SAFETY: the caller says that a pointer can be written there.
        unsafe { *place = made };
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(old: *mut c_void) {
        see();
        // SAFETY: the same contract.
        unsafe { __libc_free(old) }
    }
}
