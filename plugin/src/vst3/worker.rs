//! nice-plug's worker thread, sent home before it can bring the host down.
//!
//! On Linux nice-plug's VST3 wrapper (0.4.2) has one worker thread for all instances of a class. Parameters and states that change on
//! another than the main thread are told to the editor there. If the host opens or closes the editor just then, or if it is open in a host
//! without a run loop, the worker panics; if an instance is removed whose messages still wait, the worker ends. When the last instance
//! goes, nice-plug hands the worker its notice, and aborts the host because nobody takes it.
//!
//! Nothing that the worker does is of use to us: with the editor closed its messages mean nothing, with the editor open they must not come
//! from it, and this editor draws what it sees. So the first instance of a class is preceded by one that nobody sees: it makes the worker
//! leave, and stays for as long as the library, so that there is never a last one to give notice to it. What is sent to a worker that has
//! left is dropped, without a lock and without waking anybody.
//!
//! The pinned version is what this relies on: the test `vst3_editor` fails if another one works differently.

use std::sync::mpsc::Sender;

use nice_plug::prelude::{AsyncExecutor, Plugin};

use crate::os_thread::OsThread;

/// Tells the worker to leave. Nothing else is ever asked of it.
pub struct Leave(Sender<Option<OsThread>>);

impl Leave {
    /// On the worker: says which thread it is, and leaves. Unwinds to the thread's start, which is the one way out there is.
    pub(crate) fn obey(self) {
        // Who asked may have given up.
        let _ = self.0.send(OsThread::current());
        std::panic::resume_unwind(Box::new("left as it was told to"));
    }
}

/// What an instance does with its executor as it is made: nothing, but for the one that nobody sees.
pub(crate) fn pass_on<P: Plugin<BackgroundTask = Leave>>(executor: &AsyncExecutor<P>) {
    #[cfg(all(target_family = "unix", not(target_os = "macos")))]
    unix::pass_on(executor);
    #[cfg(not(all(target_family = "unix", not(target_os = "macos"))))]
    let _ = executor;
}

#[cfg(all(target_family = "unix", not(target_os = "macos")))]
pub(super) use unix::send_home;

/// Only on Linux there is such a worker.
#[cfg(not(all(target_family = "unix", not(target_os = "macos"))))]
pub(super) fn send_home<P>() {}

#[cfg(all(target_family = "unix", not(target_os = "macos")))]
mod unix {
    use std::any::TypeId;
    use std::cell::RefCell;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use nice_plug::prelude::{AsyncExecutor, Plugin};
    use nice_plug::wrapper::vst3::{Vst3Plugin, Wrapper};
    use parking_lot::Mutex;

    use super::Leave;

    /// How long a worker may take to leave: it has nothing else to do.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// The classes whose worker was sent home.
    static SENT: Mutex<Vec<TypeId>> = Mutex::new(Vec::new());

    thread_local! {
        /// Set while the instance is made that nobody sees.
        static NOTICE: RefCell<Option<Leave>> = const { RefCell::new(None) };
    }

    /// Sends a class's worker home, if that was not done yet, and waits until it is gone: the library may be unloaded at any time.
    pub(in super::super) fn send_home<P: Vst3Plugin<BackgroundTask = Leave>>() {
        let mut sent = SENT.lock();
        if sent.contains(&TypeId::of::<P>()) {
            return;
        }
        sent.push(TypeId::of::<P>());
        let (tell, told) = channel();
        NOTICE.set(Some(Leave(tell)));
        let unseen = Wrapper::<P>::new();
        // The last of a class must never go, see above.
        std::mem::forget(unseen);
        if let Ok(Some(thread)) = told.recv_timeout(PATIENCE) {
            thread.wait(PATIENCE);
        }
    }

    pub(super) fn pass_on<P: Plugin<BackgroundTask = Leave>>(executor: &AsyncExecutor<P>) {
        if let Some(leave) = NOTICE.take() {
            executor.execute_background(leave);
        }
    }
}
