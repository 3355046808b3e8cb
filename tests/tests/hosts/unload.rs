//! Unloading the library while a worker decodes, which hosts may do at any time. In a child process, since a failure would crash it. With
//! CLAP, whose offline render makes the engine's progress predictable.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_tests::{Class, Lengths, Render, RollingTransport, Setup, Timed, library};
use libloading::Library;

use crate::engine::{RATE, clip};
use crate::{LOADED, Make};

/// Set in the child process.
const UNLOAD: &str = "ANTIPHON_TEST_UNLOAD";
/// Number of times to unload the library while a worker decodes.
const WANTED: usize = 150;
/// Maximum number of rounds: on a busy machine a plan may be finished before it is checked.
const ROUNDS: usize = 2000;
/// Samples per quarter at 120 bpm.
const BEAT: u64 = 24_000;

/// Plays two beats, waiting for the plans as an offline render does, requests the longest plan at the third, and drops the instance while
/// it is generated. Returns whether a worker was running just before.
fn drop_while_decoding(make: Make, played: &[Timed]) -> bool {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, render: Render::Offline, ..Setup::default() });
    let mut song = RollingTransport::new(120.0, RATE);
    host.set("Bars ahead", 0.0);
    let last = 2 * BEAT - 2000;
    let (before, after) = played.split_at(played.partition_point(|timed| timed.sample < last));
    song.play(&mut *host, Lengths::Fixed(1000), before, last, |_, _| ());
    host.set("Bars ahead", 1.0);
    song.play(&mut *host, Lengths::Fixed(1000), after, 2 * BEAT, |_, _| ());
    // The next block would wait for the plan requested by the last one, but never comes.
    (0..200).any(|_| {
        thread::sleep(Duration::from_millis(1));
        is_a_worker_at_work()
    })
}

/// Whether a thread of the worker pool is running or runnable.
fn is_a_worker_at_work() -> bool {
    let threads = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
    // Threads may end while they are listed.
    let read = |path: std::path::PathBuf, file| fs::read_to_string(path.join(file)).unwrap_or_default();
    let workers = threads.filter(|thread| read(thread.path(), "comm").starts_with("antiphon-worker"));
    // "number (name) state ..."
    workers.into_iter().any(|worker| read(worker.path(), "stat").rsplit(") ").next().is_some_and(|rest| rest.starts_with('R')))
}

/// Whether the library is mapped into this process.
pub(crate) fn is_loaded() -> bool {
    fs::read_to_string("/proc/self/maps").unwrap().contains(library::path().to_str().unwrap())
}

fn unload_again_and_again() {
    let played = clip(1);
    let [(_, clap), _] = LOADED;
    let mut at_work = 0;
    let mut rounds = 0;
    while at_work < WANTED {
        rounds += 1;
        assert!(rounds <= ROUNDS, "a worker was seen at work {at_work} times only in {ROUNDS} rounds");
        // The system keeps a library loaded while a thread has thread-local values of it; hence the host's own thread, and the handle
        // dropped after it.
        // SAFETY: the library is ours.
        let last = unsafe { Library::new(library::path()) }.unwrap();
        let was_at_work = thread::scope(|scope| scope.spawn(|| drop_while_decoding(clap, &played)).join().unwrap());
        at_work += usize::from(was_at_work);
        drop(last);
        assert!(!is_loaded(), "the library is still there after round {rounds}");
    }
}

#[test]
fn library_can_be_unloaded_while_a_worker_decodes() {
    if std::env::var_os(UNLOAD).is_some() {
        unload_again_and_again();
        return;
    }
    assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
    let name = "unload::library_can_be_unloaded_while_a_worker_decodes";
    let mut command = Command::new(std::env::current_exe().unwrap());
    let outcome = command.env(UNLOAD, "1").args(["--exact", name]).output().unwrap();
    let [text, errors] = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(outcome.status.success() && text.contains("1 passed"), "{}\n{text}\n{errors}", outcome.status);
}
