//! CPU use of the engine's threads. Linux only; elsewhere all values are zero.

pub(crate) use system::Threads;

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::time::Duration;

    use antiphon_tests::machine;

    /// The engine's threads, by the ids that the kernel gave them.
    pub(crate) struct Threads(Vec<i32>);

    impl Threads {
        /// Session and worker threads, found by name.
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

        /// CPU time used so far.
        pub(crate) fn used(&self) -> Duration {
            // The id of a thread's CPU clock, computed as pthread_getcpuclockid() does. It exists as long as the thread.
            self.0.iter().map(|&id| machine::clock((!id << 3) | 0b110)).sum()
        }

        /// Time spent runnable but not running.
        pub(crate) fn waited(&self) -> Duration {
            let waited = |id: &i32| {
                let text = fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).ok()?;
                Some(Duration::from_nanos(text.split_whitespace().nth(1)?.parse().ok()?))
            };
            self.0.iter().filter_map(waited).sum()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::time::Duration;

    /// Nothing: only Linux counts the time of another thread by its name.
    pub(crate) struct Threads;

    impl Threads {
        pub(crate) fn of_the_engine() -> Self {
            Self
        }

        /// Zero.
        pub(crate) fn used(&self) -> Duration {
            Duration::ZERO
        }

        /// Zero.
        pub(crate) fn waited(&self) -> Duration {
            Duration::ZERO
        }
    }
}
