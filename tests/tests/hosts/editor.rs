//! The editor goes and leaves nothing behind: a host may unload the library, or end, as soon as it has closed it. In processes of their own,
//! since what would go wrong ends them, and since nobody else starts threads there.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;

use antiphon_tests::display::Display;
use antiphon_tests::stage::Stage;
use antiphon_tests::{ClapHost, Class, Setup, Vst3Host, library};
use libloading::Library;

use crate::unload::is_loaded;

/// Set in a process of its own.
const INSIDE: &str = "ANTIPHON_TEST_EDITOR_GOES";
/// Times it is opened in each format.
const TIMES: usize = 20;

/// Does this in a process of its own, which runs just this test, with a display.
fn alone(test: &str, act: fn(&Stage)) {
    if std::env::var_os(INSIDE).is_some() {
        act(&Stage::open("Editor", 1000, 560).unwrap());
        return;
    }
    let display = Display::start(1200, 800).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let outcome = command.env(INSIDE, "1").env("DISPLAY", display.name()).args(["--exact", test]).output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}

/// The threads of this process by number, with their names.
fn threads() -> BTreeMap<String, String> {
    let threads = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    // One may end while it is looked at.
    let named = |thread: fs::DirEntry| Some((thread.file_name().into_string().ok()?, fs::read_to_string(thread.path().join("comm")).ok()?));
    threads.filter_map(named).map(|(number, name)| (number, name.trim_end().to_owned())).collect()
}

/// Those of them that were not there before.
fn since(before: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    threads().into_iter().filter(|(number, _)| !before.contains_key(number)).collect()
}

fn close_again_and_again(stage: &Stage) {
    let mut clap = ClapHost::by_hand(Class::Instrument, Setup::default());
    let vst3 = Vst3Host::by_hand(Class::NoteFx, Setup::default());
    let view = vst3.editor().unwrap();
    for time in 0..TIMES {
        let before = threads();
        clap.open_editor(|_, _| Ok(((), stage.window()))).unwrap();
        assert!(!since(&before).is_empty(), "a window has a thread");
        clap.close_editor();
        assert_eq!(since(&before), BTreeMap::new(), "CLAP, {time}");
        view.open(stage.window()).unwrap();
        view.close().unwrap();
        assert_eq!(since(&before), BTreeMap::new(), "VST3, {time}");
    }
}

#[test]
fn closing_it_waits_for_its_threads() {
    alone("editor::closing_it_waits_for_its_threads", close_again_and_again);
}

fn open_and_close_in_clap(stage: &Stage) {
    let mut host = ClapHost::loaded(Class::Instrument, Setup::default());
    host.open_editor(|_, _| Ok(((), stage.window()))).unwrap();
    host.close_editor();
}

fn open_and_close_in_vst3(stage: &Stage) {
    let host = Vst3Host::loaded(Class::NoteFx, Setup::default());
    let view = host.editor().unwrap();
    view.open(stage.window()).unwrap();
    view.close().unwrap();
}

fn unload_again_and_again(stage: &Stage) {
    for time in 0..TIMES {
        for open_and_close in [open_and_close_in_clap, open_and_close_in_vst3] {
            // The system keeps a library while a thread has thread-local values of it: so the host has its own thread, and the last handle
            // goes after that.
            // SAFETY: the library is ours.
            let last = unsafe { Library::new(library::path()) }.unwrap();
            thread::scope(|scope| scope.spawn(|| open_and_close(stage)).join().unwrap());
            drop(last);
            assert!(!is_loaded(), "the library is still there after {time}");
        }
    }
}

#[test]
fn the_library_can_be_unloaded_when_it_is_closed() {
    alone("editor::the_library_can_be_unloaded_when_it_is_closed", unload_again_and_again);
}
