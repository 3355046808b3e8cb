//! The stand-alone program: it opens its window, runs its engine, and keeps its settings.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use antiphon_plugin::editor::SIZE;
use antiphon_tests::foreign::named;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt as _, EventMask};

use crate::running::{Running, SCREEN, TIMEOUT};
use crate::windows::{Desktop, seen};

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn stand_alone_program_draws_its_window_and_keeps_its_settings() {
    let desktop = Desktop::start(SCREEN);
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("prögramm.json");
    let mut command = desktop.program("ANTIPHON_WINDOWS_STANDALONE");
    command.args(["--backend", "dummy", "--project"]).arg(seen(&project));
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
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&project).unwrap()).unwrap();
    assert!(kept["fields"]["antiphon"].is_string(), "{kept}");
}
