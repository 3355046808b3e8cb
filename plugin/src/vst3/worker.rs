//! Stops nice-plug's worker thread before it can crash the host.
//!
//! On Linux nice-plug's VST3 wrapper (0.4.2) has one worker thread for all instances of a class. It reports parameter and state changes
//! made off the main thread to the editor. If the host opens or closes the editor at that time, or if it is open in a host without a run
//! loop, the worker panics; if an instance is removed while its messages are queued, the worker exits. When the last instance is removed,
//! nice-plug sends the worker a quit message, and aborts the host because nobody receives it.
//!
//! We need nothing the worker does: with the editor closed its messages have no effect, with the editor open they must not come from that
//! thread, and our editor redraws on its own. So the first instance of a class is preceded by a hidden one, which makes the worker exit. It
//! is never dropped, so no instance is ever the last. Messages to an exited worker are dropped without a lock or a wake-up.
//!
//! This depends on the pinned version: the test `vst3_editor` fails if another one behaves differently.

use std::sync::mpsc::Sender;

use nice_plug::prelude::{AsyncExecutor, Plugin};

use crate::os_thread::OsThread;

/// Task that makes the worker exit. Nothing else is ever sent to it.
pub struct QuitWorker(Sender<Option<OsThread>>);

impl QuitWorker {
    /// Runs on the worker: reports its thread and exits by unwinding to the thread's start, which is the only way out.
    pub(crate) fn run(self) {
        // The receiver may have timed out.
        let _ = self.0.send(OsThread::current());
        std::panic::resume_unwind(Box::new("the worker was asked to exit"));
    }
}

/// Called with each new instance's executor. Does nothing, except for the hidden instance.
pub(crate) fn forward<P: Plugin<BackgroundTask = QuitWorker>>(executor: &AsyncExecutor<P>) {
    #[cfg(all(target_family = "unix", not(target_os = "macos")))]
    unix::forward(executor);
    #[cfg(not(all(target_family = "unix", not(target_os = "macos"))))]
    let _ = executor;
}

#[cfg(all(target_family = "unix", not(target_os = "macos")))]
pub(super) use unix::stop_worker;

/// Only Linux has such a worker.
#[cfg(not(all(target_family = "unix", not(target_os = "macos"))))]
pub(super) fn stop_worker<P>() {}

#[cfg(all(target_family = "unix", not(target_os = "macos")))]
mod unix {
    use std::any::TypeId;
    use std::cell::RefCell;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use nice_plug::prelude::{AsyncExecutor, Plugin};
    use nice_plug::wrapper::vst3::{Vst3Plugin, Wrapper};
    use parking_lot::Mutex;

    use super::QuitWorker;

    /// How long to wait for the worker to exit. It is idle, so this is ample.
    const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

    /// Classes whose worker was stopped.
    static STOPPED: Mutex<Vec<TypeId>> = Mutex::new(Vec::new());

    thread_local! {
        /// Set while the hidden instance is created.
        static PENDING_QUIT: RefCell<Option<QuitWorker>> = const { RefCell::new(None) };
    }

    /// Stops a class's worker, if not done yet, and waits until it is gone: the library may be unloaded at any time.
    pub(in super::super) fn stop_worker<P: Vst3Plugin<BackgroundTask = QuitWorker>>() {
        let mut stopped = STOPPED.lock();
        if stopped.contains(&TypeId::of::<P>()) {
            return;
        }
        stopped.push(TypeId::of::<P>());
        let (sender, receiver) = channel();
        PENDING_QUIT.set(Some(QuitWorker(sender)));
        let hidden = Wrapper::<P>::new();
        // Never dropped, see above.
        std::mem::forget(hidden);
        if let Ok(Some(thread)) = receiver.recv_timeout(EXIT_TIMEOUT) {
            thread.wait(EXIT_TIMEOUT);
        }
    }

    pub(super) fn forward<P: Plugin<BackgroundTask = QuitWorker>>(executor: &AsyncExecutor<P>) {
        if let Some(quit) = PENDING_QUIT.take() {
            executor.execute_background(quit);
        }
    }
}
