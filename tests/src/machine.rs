//! CPU and memory use of a bench, and load of the machine. Linux only; elsewhere all values are zero.

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Resident pages.
    pub resident: u64,
    /// Resident pages, with each shared page divided among its users.
    pub proportional: u64,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::Duration;

    use super::Memory;

    /// CPU time counted by a system clock.
    ///
    /// # Panics
    /// If there is no such clock.
    #[must_use]
    pub fn clock(id: i32) -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is valid for writes.
        let outcome = unsafe { libc::clock_gettime(id, &raw mut time) };
        assert_eq!(outcome, 0, "the system has no clock {id}");
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    /// CPU time of the calling thread.
    #[must_use]
    pub fn thread_time() -> Duration {
        clock(libc::CLOCK_THREAD_CPUTIME_ID)
    }

    /// Memory of this process.
    #[must_use]
    pub fn memory() -> Memory {
        let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        let bytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        Memory { resident: bytes("Rss:"), proportional: bytes("Pss:") }
    }

    /// Load average over one, five and fifteen minutes.
    #[must_use]
    pub fn load_average() -> String {
        let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(target_os = "linux")]
pub use linux::{clock, load_average, memory, thread_time};

/// Not available.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn thread_time() -> std::time::Duration {
    std::time::Duration::ZERO
}

/// Not available.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn memory() -> Memory {
    Memory::default()
}

/// Not available.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn load_average() -> String {
    "unknown".into()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_increases_cpu_time_and_memory() {
        let (time, before) = (thread_time(), memory());
        let pages = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(thread_time() > time);
        let after = memory();
        assert!(after.resident >= before.resident + (32 << 20) && after.proportional > before.proportional, "{before:?} {after:?}");
        assert!(after.resident >= after.proportional && pages.len() == 64 << 20);
    }
}
