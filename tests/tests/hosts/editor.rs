//! Closing the editor leaves no threads behind: a host may unload the library or exit right after. In child processes, since a failure
//! would crash the process, and so that no other threads are started.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;

use antiphon_tests::display::Display;
use antiphon_tests::host_window::HostWindow;
use antiphon_tests::{ClapHost, Class, Setup, Vst3Host, library};
use libloading::Library;

use crate::unload::is_loaded;

/// Set in the child process.
const INSIDE: &str = "ANTIPHON_TEST_EDITOR_GOES";
/// Number of openings per format.
const TIMES: usize = 20;

/// Runs `act` in a child process that runs only this test, with a display.
fn in_child_process(test: &str, act: fn(&HostWindow)) {
    if std::env::var_os(INSIDE).is_some() {
        act(&HostWindow::open("Editor", 1000, 600).unwrap());
        return;
    }
    let display = Display::start(1200, 800).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let outcome = command.env(INSIDE, "1").env("DISPLAY", display.name()).args(["--exact", test]).output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}

/// Threads of this process: id and name.
fn threads() -> BTreeMap<String, String> {
    let threads = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    // Threads may end while they are listed.
    let named = |thread: fs::DirEntry| Some((thread.file_name().into_string().ok()?, fs::read_to_string(thread.path().join("comm")).ok()?));
    threads.filter_map(named).map(|(number, name)| (number, name.trim_end().to_owned())).collect()
}

/// Threads that did not exist before.
fn since(before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    threads().into_iter().filter(|(number, _)| !before.contains_key(number)).collect()
}

fn close_again_and_again(host_window: &HostWindow) {
    let mut clap = ClapHost::with_manual_session(Class::Instrument, Setup::default());
    let vst3 = Vst3Host::with_manual_session(Class::NoteFx, Setup::default());
    let view = vst3.editor().unwrap();
    for time in 0..TIMES {
        let before = threads();
        clap.open_editor(|_, _| Ok(((), host_window.window()))).unwrap();
        assert!(!since(&before).is_empty(), "a window has a thread");
        clap.close_editor();
        assert_eq!(since(&before), BTreeMap::new(), "CLAP, {time}");
        view.open(host_window.window()).unwrap();
        view.close().unwrap();
        assert_eq!(since(&before), BTreeMap::new(), "VST3, {time}");
    }
}

#[test]
fn closing_the_editor_waits_for_its_threads() {
    in_child_process("editor::closing_the_editor_waits_for_its_threads", close_again_and_again);
}

fn open_and_close_in_clap(host_window: &HostWindow) {
    let mut host = ClapHost::loaded(Class::Instrument, Setup::default());
    host.open_editor(|_, _| Ok(((), host_window.window()))).unwrap();
    host.close_editor();
}

fn open_and_close_in_vst3(host_window: &HostWindow) {
    let host = Vst3Host::loaded(Class::NoteFx, Setup::default());
    let view = host.editor().unwrap();
    view.open(host_window.window()).unwrap();
    view.close().unwrap();
}

fn unload_again_and_again(host_window: &HostWindow) {
    for time in 0..TIMES {
        for open_and_close in [open_and_close_in_clap, open_and_close_in_vst3] {
            // The system keeps a library loaded while a thread has thread-local values of it; hence the host's own thread, and the handle
            // dropped after it.
            // SAFETY: the library is ours.
            let last = unsafe { Library::new(library::path()) }.unwrap();
            thread::scope(|scope| scope.spawn(|| open_and_close(host_window)).join().unwrap());
            drop(last);
            assert!(!is_loaded(), "the library is still there after {time}");
        }
    }
}

#[test]
fn library_can_be_unloaded_after_closing_the_editor() {
    in_child_process("editor::library_can_be_unloaded_after_closing_the_editor", unload_again_and_again);
}
