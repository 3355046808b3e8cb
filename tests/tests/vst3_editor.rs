//! A VST3 host that opens and closes the editor while other threads change parameters and load states.
//!
//! On Linux, nice-plug reports such changes to the editor on a thread of its own. Without the workaround that thread panics, and the host
//! is aborted when the last instance is removed. In a child process, since that would end it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use antiphon_tests::display::Display;
use antiphon_tests::host_window::HostWindow;
use antiphon_tests::{Block, Class, Host, Setup, Vst3Host};

/// Set in the child process.
const INSIDE: &str = "ANTIPHON_TEST_EDITOR";
/// Size the editor requests, in pixels.
const SIZE: (u32, u32) = (1000, 600);
/// Number of openings.
const TIMES: usize = 8;
/// Minimum number of blocks, each with a parameter change.
const BLOCKS: usize = 100;

/// A VST3 component moved to another thread; its interfaces are called on the threads VST3 prescribes.
struct SendHost(Vst3Host);

// SAFETY: see above; only the editor's view stays behind.
unsafe impl Send for SendHost {}

/// Processes blocks on another thread until `over` is set, with a parameter change in each and a state load now and then. Returns the
/// instance.
fn automate(instance: SendHost, over: &AtomicBool) -> SendHost {
    let SendHost(mut host) = instance;
    let state = host.save();
    let mut blocks = 0;
    while blocks < BLOCKS || !over.load(Ordering::Relaxed) {
        host.set("Adventurousness", f64::from(u8::from(blocks % 2 == 0)));
        host.process(&Block { frames: 64, ..Block::default() });
        if blocks % 16 == 0 {
            assert!(host.load(&state));
        }
        blocks += 1;
    }
    SendHost(host)
}

fn open_and_close() {
    // One window for both classes, so that a client stays connected: a server resets when the last one leaves.
    let host_window = HostWindow::open("Editor", SIZE.0, SIZE.1).unwrap();
    for class in Class::ALL {
        // Threads with the name of nice-plug's worker.
        let workers = || {
            fs::read_dir("/proc/self/task").unwrap().filter(|task| {
                let name = fs::read_to_string(task.as_ref().unwrap().path().join("comm"));
                name.is_ok_and(|name| name.trim_end() == "bg-worker")
            })
        };
        // A second instance, so that the next is not the last.
        let stays = Vst3Host::with_manual_session(class, Setup::default());
        let host = Vst3Host::with_manual_session(class, Setup::default());
        let editor = host.editor().unwrap();
        assert_eq!(editor.size().unwrap(), SIZE);
        assert_eq!(workers().count(), 0);
        let over = AtomicBool::new(false);
        let instance = SendHost(host);
        let instance = thread::scope(|scope| {
            let automation = scope.spawn(|| automate(instance, &over));
            let opened = (0..TIMES).try_for_each(|_| {
                editor.open(host_window.window())?;
                editor.close()
            });
            over.store(true, Ordering::Relaxed);
            let instance = automation.join().unwrap();
            opened.unwrap();
            instance
        });
        drop(editor);
        drop(instance);
        drop(stays);
        // Another instance still works after the last was removed.
        let mut host = Vst3Host::with_manual_session(class, Setup::default());
        host.set("Bars ahead", 1.0);
        host.process(&Block { frames: 64, ..Block::default() });
        assert!(host.get("Bars ahead") > 0.99);
    }
}

#[test]
fn automation_and_state_loads_do_not_disturb_the_editor() {
    if std::env::var_os(INSIDE).is_some() {
        open_and_close();
        return;
    }
    let display = Display::start(1200, 800).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "automation_and_state_loads_do_not_disturb_the_editor";
    let outcome = command.env(INSIDE, "1").env("DISPLAY", display.name()).args(["--exact", name]).output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}
