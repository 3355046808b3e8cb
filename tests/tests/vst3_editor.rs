//! A VST3 host that opens and closes the editor while other threads change parameters and load states.
//!
//! nice-plug tells the editor of them on a thread of its own, on Linux. That thread would panic, and the host would be aborted when the last
//! instance goes. In a process of its own, since that would end it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use antiphon_tests::display::Display;
use antiphon_tests::stage::Stage;
use antiphon_tests::{Block, Class, Host, Setup, Vst3Host};

/// Set in the process that opens the editor.
const INSIDE: &str = "ANTIPHON_TEST_EDITOR";
/// What the editor wants to be, in pixels.
const SIZE: (u32, u32) = (1000, 560);
/// Times it is opened.
const TIMES: usize = 8;
/// Blocks, each with a change, that are processed at least.
const BLOCKS: usize = 100;

/// The interfaces of a VST3 component may be called on any thread, each on the one VST3 names.
struct Elsewhere(Vst3Host);

// SAFETY: see above; the editor's view is all that stays behind.
unsafe impl Send for Elsewhere {}

/// Processes blocks on another thread until told to stop, with a knob that moves in each and a state now and then. Hands the instance back.
fn automate(instance: Elsewhere, over: &AtomicBool) -> Elsewhere {
    let Elsewhere(mut host) = instance;
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
    Elsewhere(host)
}

fn open_and_close() {
    // For both: a server whose last client goes starts anew, and turns away those who come meanwhile.
    let stage = Stage::open("Editor", SIZE.0, SIZE.1).unwrap();
    for class in Class::ALL {
        // The name of nice-plug's thread.
        let workers = || {
            fs::read_dir("/proc/self/task").unwrap().filter(|task| {
                let name = fs::read_to_string(task.as_ref().unwrap().path().join("comm"));
                name.is_ok_and(|name| name.trim_end() == "bg-worker")
            })
        };
        // One that stays, so that the next is not the last.
        let stays = Vst3Host::by_hand(class, Setup::default());
        let host = Vst3Host::by_hand(class, Setup::default());
        let editor = host.editor().unwrap();
        assert_eq!(editor.size().unwrap(), SIZE);
        assert_eq!(workers().count(), 0);
        let over = AtomicBool::new(false);
        let instance = Elsewhere(host);
        let instance = thread::scope(|scope| {
            let automation = scope.spawn(|| automate(instance, &over));
            let opened = (0..TIMES).try_for_each(|_| {
                editor.open(stage.window())?;
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
        // What is left works: another one after the last.
        let mut host = Vst3Host::by_hand(class, Setup::default());
        host.set("Horizon", 1.0);
        host.process(&Block { frames: 64, ..Block::default() });
        assert!(host.get("Horizon") > 0.99);
    }
}

#[test]
fn automation_and_states_do_not_get_in_the_way_of_the_editor() {
    if std::env::var_os(INSIDE).is_some() {
        open_and_close();
        return;
    }
    let display = Display::start(1200, 800).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = "automation_and_states_do_not_get_in_the_way_of_the_editor";
    let outcome = command.env(INSIDE, "1").env("DISPLAY", display.name()).args(["--exact", name]).output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}
