//! The stand-alone program: it opens its window, runs its engine, and keeps its settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use antiphon_plugin::editor::SIZE;
use antiphon_tests::foreign::named;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};

use crate::running::{Running, SCREEN, TIMEOUT};
use crate::windows::{Desktop, homes, seen};

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn stand_alone_program_draws_its_window_and_keeps_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("prögramm.json");
    draw_and_close(&["--project", &seen(&project)]);
    assert_kept(&project);
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn settings_lie_in_the_folder_for_data_of_programs() {
    let project = |home: PathBuf| home.join("AppData/Local/Antiphon/standalone.json");
    // Of a test before this.
    homes().map(project).filter(|path| path.is_file()).for_each(|path| fs::remove_file(path).unwrap());
    let text = draw_and_close(&[]);
    assert!(text.lines().any(|line| line.starts_with("Project: C:\\users\\") && line.contains("\\Antiphon\\standalone.json")), "{text}");
    let kept: Vec<_> = homes().map(project).filter(|path| path.is_file()).collect();
    assert_eq!(kept.len(), 1, "{text}");
    assert_kept(&kept[0]);
}

/// Asserts that a file holds a project of the program.
fn assert_kept(project: &Path) {
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(project).unwrap()).unwrap();
    assert!(kept["fields"]["antiphon"].is_string(), "{kept}");
}

/// Runs the program until it has drawn its window and loaded its engine, and closes it; returns what it printed.
fn draw_and_close(arguments: &[&str]) -> String {
    let desktop = Desktop::start(SCREEN);
    let mut command = desktop.program("ANTIPHON_WINDOWS_STANDALONE");
    command.args(["--backend", "dummy"]).args(arguments);
    let mut program = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let errors = program.stderr.take().unwrap();
    let mut running = Running::new(program, errors, &desktop);
    // Both are `loading` first.
    running.wait_for("Engine: ONNX Runtime");
    running.wait_for_number("Model:", 2);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and small")]
    let size = (SIZE.0 as u16, SIZE.1 as u16);
    running.drawn(size).write(&named("ANTIPHON_WINDOWS_OUT").join("standalone.png")).unwrap();

    // As the button of the window's frame does.
    let connection = &running.connection;
    let root = connection.setup().roots[0].root;
    let atom = |name: &[u8]| connection.intern_atom(false, name).unwrap().reply().unwrap().atom;
    let active = connection.get_property(false, root, atom(b"_NET_ACTIVE_WINDOW"), 0_u32, 0, 1).unwrap().reply().unwrap();
    let window = active.value32().unwrap().next().unwrap();
    let close = ClientMessageEvent::new(32, window, atom(b"_NET_CLOSE_WINDOW"), [0, 2, 0, 0, 0]);
    connection.send_event(false, root, EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY, close).unwrap().check().unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = running.program.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < TIMEOUT, "it goes on: {}", running.text);
        thread::sleep(Duration::from_millis(100));
    };
    assert!(status.success(), "{status}: {}", running.text);
    std::mem::take(&mut running.text)
}
