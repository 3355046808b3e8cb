//! Threads started by other libraries, which cannot be joined; identified through Linux's `/proc`.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// Polling interval while waiting for a thread.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// A thread of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OsThread {
    /// `/proc/PROCESS/task/THREAD`: exists until the thread has run its last instruction.
    folder: PathBuf,
}

impl OsThread {
    /// The calling thread. `None` except on Linux.
    pub(crate) fn current() -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let link = fs::read_link("/proc/thread-self").ok()?;
        Some(Self { folder: Path::new("/proc").join(link) })
    }

    /// Gives the thread a unique name. Threads it starts inherit the name, unless they set their own.
    pub(crate) fn mark(&self) {
        if let Some(name) = self.name() {
            // If this fails, only the threads it starts are not found.
            let _ = fs::write(self.folder.join("comm"), name);
        }
    }

    /// All threads with the name set by [`mark`](Self::mark): this one, and those it has started since.
    pub(crate) fn with_descendants(&self) -> Vec<Self> {
        let (Some(name), Some(threads)) = (self.name(), self.folder.parent()) else { return Vec::new() };
        let threads = fs::read_dir(threads).into_iter().flatten().filter_map(Result::ok).map(|entry| Self { folder: entry.path() });
        let is_one = |thread: &Self| fs::read_to_string(thread.folder.join("comm")).is_ok_and(|said| said.trim_end() == name);
        threads.filter(is_one).collect()
    }

    /// The kernel limits names to 15 bytes; thread ids have at most 7 digits.
    fn name(&self) -> Option<String> {
        Some(format!("editor-{}", self.folder.file_name()?.to_str()?))
    }

    /// Waits until the thread has ended; returns whether it has. A thread does not wait for itself.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        if Self::current().as_ref() == Some(self) {
            return false;
        }
        let began = Instant::now();
        while self.folder.exists() {
            if began.elapsed() >= timeout {
                return false;
            }
            thread::sleep(POLL_INTERVAL);
        }
        true
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Longer than any test run.
    const TEST_TIMEOUT: Duration = Duration::from_secs(3600);

    /// A thread that runs until the sender is dropped, with a child started before it was marked and one after.
    fn thread_with_children() -> (OsThread, Sender<()>) {
        let (stop, stopped) = channel::<()>();
        let (started, start) = channel();
        thread::spawn(move || {
            let idle = || {
                let (hold, held): (Sender<()>, Receiver<()>) = channel();
                thread::spawn(move || held.recv());
                hold
            };
            let older = idle();
            let this = OsThread::current().unwrap();
            this.mark();
            let younger = idle();
            started.send(this).unwrap();
            // `recv` fails when the sender is dropped.
            let _ = stopped.recv();
            drop((older, younger));
        });
        (start.recv().unwrap(), stop)
    }

    #[test]
    fn waiting_returns_when_the_thread_has_ended() {
        let (thread, stop) = thread_with_children();
        assert!(!thread.wait(Duration::ZERO));
        drop(stop);
        assert!(thread.wait(TEST_TIMEOUT));
        assert!(!thread.folder.exists());
    }

    #[test]
    fn threads_started_after_marking_are_descendants() {
        let (one, stop_one) = thread_with_children();
        let (other, stop_other) = thread_with_children();
        let [ones, others] = [&one, &other].map(OsThread::with_descendants);
        assert_eq!((ones.len(), others.len()), (2, 2));
        assert!(ones.contains(&one) && others.contains(&other) && ones.iter().all(|thread| !others.contains(thread)));
        drop((stop_one, stop_other));
        assert!(ones.iter().chain(&others).all(|thread| thread.wait(TEST_TIMEOUT)));
        assert!(one.with_descendants().is_empty());
    }

    #[test]
    fn thread_does_not_wait_for_itself() {
        assert!(!OsThread::current().unwrap().wait(TEST_TIMEOUT));
    }
}
