//! What the engine's threads use of the processor, and how busy the machine is: Linux tells; elsewhere everything is zero.

/// The engine's threads.
pub(crate) struct Threads(Vec<i32>);

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::Duration;

    use super::Threads;

    impl Threads {
        /// The session's and the workers', by their names.
        pub(crate) fn of_the_engine() -> Self {
            let tasks = fs::read_dir("/proc/self/task").expect("Linux lists threads");
            let ids = tasks.filter_map(|task| {
                let path = task.ok()?.path();
                let is_ours = fs::read_to_string(path.join("comm")).ok()?.starts_with("antiphon-");
                is_ours.then(|| path.file_name()?.to_str()?.parse().ok()).flatten()
            });
            let threads = Self(ids.collect());
            assert!(threads.0.len() >= 2, "the session and its workers run");
            threads
        }

        /// Processor time used so far.
        pub(crate) fn used(&self) -> Duration {
            self.0.iter().map(|&id| used(id)).sum()
        }

        /// Time spent ready to run while others ran.
        pub(crate) fn waited(&self) -> Duration {
            let waited = |id: &i32| {
                let text = fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).ok()?;
                Some(Duration::from_nanos(text.split_whitespace().nth(1)?.parse().ok()?))
            };
            self.0.iter().filter_map(waited).sum()
        }
    }

    fn used(id: i32) -> Duration {
        // As pthread_getcpuclockid() makes it: the clock of one thread, of what the scheduler counts.
        let clock = (!id << 3) | 0b110;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` may be written to.
        let outcome = unsafe { libc::clock_gettime(clock, &raw mut time) };
        assert_eq!(outcome, 0, "thread {id} has a clock as long as it lives");
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    /// Resident memory of this process, in MiB.
    pub(crate) fn resident() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
    }

    /// Over one, five and fifteen minutes.
    pub(crate) fn load_average() -> String {
        let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{load_average, resident};

#[cfg(not(target_os = "linux"))]
use std::time::Duration;

#[cfg(not(target_os = "linux"))]
impl Threads {
    pub(crate) fn of_the_engine() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn used(&self) -> Duration {
        Duration::ZERO
    }

    pub(crate) fn waited(&self) -> Duration {
        Duration::ZERO
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn resident() -> u64 {
    0
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn load_average() -> String {
    "unknown".into()
}
