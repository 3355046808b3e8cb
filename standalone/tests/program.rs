//! The program itself: on a virtual X server, without devices.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_tests::display::Display;
use serde_json::json;
use tempfile::TempDir;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, Window};

/// Timeout after which a program counts as hanging; generous for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The program with its window open.
struct Running {
    display: Display,
    program: Child,
    /// Lines of its terminal output.
    lines: Receiver<String>,
    /// Lines read so far, for failure messages.
    output: Vec<String>,
    folder: TempDir,
}

impl Running {
    /// Starts it on its own screen, with the dummy back end.
    fn start(arguments: &[&str], runtime: Option<&Path>) -> Self {
        let display = Display::start(1100, 700).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon-standalone"));
        command.args(["--backend", "dummy"]).args(arguments).env("DISPLAY", display.name());
        command
            .env("ANTIPHON_REPORT", folder.path().join("report"))
            .env("XDG_DATA_HOME", folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(runtime) = runtime {
            command.env("ANTIPHON_ONNXRUNTIME", runtime);
        }
        let mut program = command.spawn().unwrap();
        let stderr = BufReader::new(program.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { display, program, lines, output: Vec::new(), folder }
    }

    /// Waits for a line with this beginning.
    fn wait_for_line(&mut self, beginning: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(TIMEOUT) else { panic!("no {beginning:?} in {:#?}", self.output) };
            self.output.push(line.clone());
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// Waits for its window.
    fn window(&self, connection: &impl Connection, root: Window) -> Window {
        poll("its window", || {
            let children = connection.query_tree(root).unwrap().reply().unwrap().children;
            let called = |window: &Window| {
                let name = connection.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64).unwrap().reply();
                name.is_ok_and(|name| name.value == b"Antiphon")
            };
            children.into_iter().find(called)
        })
    }

    /// Waits until it exits, calling `ask` repeatedly; returns its status and its report.
    fn end(mut self, mut ask: impl FnMut()) -> (ExitStatus, String) {
        let status = poll("its end", || {
            ask();
            self.program.try_wait().unwrap()
        });
        self.output.extend(self.lines.try_iter());
        // Visible only if the test fails.
        println!("{:#?}", self.output);
        (status, fs::read_to_string(self.folder.path().join("report")).unwrap_or_default())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if it has already exited.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Polls until a value is available.
fn poll<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < TIMEOUT, "{what} did not come");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The runtime set by `cargo xtask test`.
fn runtime() -> PathBuf {
    let named = std::env::var_os("ANTIPHON_ONNXRUNTIME");
    named.expect("ANTIPHON_ONNXRUNTIME names the runtime: run `cargo xtask test`").into()
}

#[test]
fn program_starts_its_engine_and_ends_cleanly_on_a_signal() {
    let mut running = Running::start(&["--tempo", "240", "--period-size", "256"], Some(&runtime()));
    let (connection, screen) = x11rb::connect(Some(running.display.name())).unwrap();
    running.window(&connection, connection.setup().roots[screen].root);
    let engine = running.wait_for_line("Engine: ONNX Runtime ");
    assert!(engine.contains("1."), "{engine}");
    running.wait_for_line("Model: antiphon");
    assert!(Command::new("kill").arg(running.program.id().to_string()).status().unwrap().success());
    // One signal: a second one would end it at once.
    let (status, report) = running.end(|| {});
    assert!(status.success(), "{status}");
    // The session writes its report when it ends.
    let report: serde_json::Value = serde_json::from_str(report.trim()).unwrap();
    assert_eq!((&report["notes_late"], &report["events_refused"]), (&0.into(), &0.into()), "{report}");
}

#[test]
fn closing_the_window_ends_the_program_without_a_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("mine.json");
    let mut running = Running::start(&["--note-fx", "--project", project.to_str().unwrap()], Some(Path::new("/no/such/runtime")));
    let missing = running.wait_for_line("Engine: ");
    assert!(missing.contains("/no/such/runtime") || running.wait_for_line("  looked in ").contains("/no/such/runtime"), "{missing}");
    let (connection, screen) = x11rb::connect(Some(running.display.name())).unwrap();
    let window = running.window(&connection, connection.setup().roots[screen].root);
    let atom = |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
    let close = ClientMessageEvent::new(32, window, atom(b"WM_PROTOCOLS"), [atom(b"WM_DELETE_WINDOW"), 0, 0, 0, 0]);
    // A new window may miss the first message (baseview 0.4.2); one that is gone accepts none.
    let (status, report) = running.end(|| drop(connection.send_event(false, window, EventMask::NO_EVENT, close).unwrap().check()));
    assert!(status.success() && !report.is_empty(), "{status} {report}");
    assert!(project.exists(), "what was set is kept");
}

/// Starts it with a project, ends it once it is up, and returns the project's content.
fn kept(project: &Path) -> serde_json::Value {
    let mut running = Running::start(&["--project", project.to_str().unwrap()], Some(&runtime()));
    running.wait_for_line(&format!("Project: {}", project.display()));
    running.wait_for_line("Model: antiphon");
    assert!(Command::new("kill").arg(running.program.id().to_string()).status().unwrap().success());
    let (status, _) = running.end(|| {});
    assert!(status.success(), "{status}");
    serde_json::from_slice(&fs::read(project).unwrap()).unwrap()
}

#[test]
fn settings_and_history_are_kept_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("mine.json");
    let mut first = kept(&project);
    assert!(first["fields"]["antiphon"].is_string(), "{first}");
    // As if the user had set them.
    for (id, value) in [("adventurousness", json!(0.75)), ("horizon", json!(7)), ("output_role", json!("bass")), ("thru", json!(false))] {
        let saved = first["params"][id].as_object_mut().unwrap().values_mut().next().unwrap();
        assert_ne!(*saved, value, "{id}");
        *saved = value;
    }
    fs::write(&project, first.to_string()).unwrap();
    assert_eq!(kept(&project), first);
}

#[test]
fn file_that_is_no_project_is_refused_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("mine.json");
    fs::write(&project, "no project").unwrap();
    let (text, output) = refused(&["--backend", "dummy", "--project", project.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("mine.json") && text.contains("--forget"), "{text}");
    assert_eq!(fs::read_to_string(&project).unwrap(), "no project");
}

/// Runs the program where it cannot start.
fn refused(arguments: &[&str]) -> (String, Output) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon-standalone"));
    // No JACK or PipeWire server has such a name.
    command.args(arguments).env("JACK_DEFAULT_SERVER", "antiphon-no-such-server").env("PIPEWIRE_REMOTE", "antiphon-no-such-server");
    let output = command.output().unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output)
}

#[test]
fn missing_devices_are_refused_with_the_cure() {
    for (arguments, cures) in [
        (["--backend", "jack"], ["JACK", "leave --backend out"]),
        (["--output-device", "antiphon-no-such-device"], ["cannot be used", "--output-device ''"]),
        (["--midi-input", "antiphon-no-such-keyboard"], ["cannot be used", "--midi-input ''"]),
    ] {
        let (text, output) = refused(&[&arguments[..], &["--forget"]].concat());
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(cures.iter().all(|cure| text.contains(cure)), "{text}");
    }
}
