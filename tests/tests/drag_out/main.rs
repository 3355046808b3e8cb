//! Dragging a file with our XDND source into a GTK 3 window, on a real X server.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_engine::music::{Clip, Note, Part, Role, Tick, smf};
use antiphon_plugin::drag::{DragFolder, DragSource, Outcome, XdndSource};
use antiphon_tests::display::Display;
use antiphon_tests::input::InputDevices;
use raw_window_handle::{HandleError, HasWindowHandle, WindowHandle};

/// Test failure limit: longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Position without a window.
const NOWHERE: (i16, i16) = (40, 40);

struct NoWindow;

impl HasWindowHandle for NoWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        Err(HandleError::Unavailable)
    }
}

/// Moves the pointer in steps, like a user.
fn move_pointer(input: &InputDevices, (from_x, from_y): (i16, i16), (to_x, to_y): (i16, i16)) {
    for step in 1..=20 {
        input.point((from_x + (to_x - from_x) * step / 20, from_y + (to_y - from_y) * step / 20)).unwrap();
        thread::sleep(Duration::from_millis(15));
    }
}

/// The window that receives the drop.
struct Target {
    program: Child,
    output: BufReader<ChildStdout>,
    /// Centre of the window.
    place: (i16, i16),
}

impl Target {
    fn open(display: &Display) -> Self {
        Self::run(display, &[])
    }

    /// A window that is silent for a minute after fetching the file.
    fn busy(display: &Display) -> Self {
        Self::run(display, &["--busy"])
    }

    /// Uses Debian's Python, which has Debian's GTK.
    fn run(display: &Display, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drag_out/gtk_target.py");
        let mut program = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .env("DISPLAY", display.name())
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap());
        let ready = line(&mut output);
        let mut words = ready.strip_prefix("ready ").expect("GTK 3 for Python, which `cargo xtask test` installs").split(' ');
        let mut number = || words.next().unwrap().parse().unwrap();
        Self { place: (number(), number()), program, output }
    }

    /// Path of the dropped file.
    fn dropped(&mut self) -> PathBuf {
        let line = line(&mut self.output);
        let path = line.strip_prefix("dropped file://").unwrap_or_else(|| panic!("{line}"));
        PathBuf::from(percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn outcome(source: &mut XdndSource) -> Outcome {
    let since = Instant::now();
    loop {
        if let Some(ended) = source.ended() {
            return ended.unwrap();
        }
        assert!(since.elapsed() < TIMEOUT, "the drag does not end");
        thread::sleep(Duration::from_millis(10));
    }
}

fn clip() -> Clip {
    let note = |onset, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity: 80, role: Role::Other };
    Clip { parts: vec![Part { notes: vec![note(0, 60), note(24, 64)], ..Part::default() }], end: Tick(96), ..Clip::default() }
}

#[test]
fn gtk_window_gets_ten_dropped_files_in_a_row() {
    let display = Display::start(800, 600).unwrap();
    let (input, mut target) = (InputDevices::at(Some(display.name())).unwrap(), Target::open(&display));
    let parent = tempfile::tempdir().unwrap();
    let folder = DragFolder::open_in(parent.path()).unwrap();
    let mut source = XdndSource::on(display.name());
    // Ten times: sources that work only once are a common fault.
    for number in 0..10 {
        let name = if number % 2 == 0 { "Antiphon variation B, bars 5-8.mid" } else { "100 % für Élise #2?.mid" };
        let file = folder.put(name, &smf::write(&clip()).unwrap()).unwrap();
        input.press(NOWHERE).unwrap();
        source.begin(&file, &NoWindow).unwrap();
        move_pointer(&input, NOWHERE, target.place);
        input.release(target.place).unwrap();
        assert_eq!(outcome(&mut source), Outcome::Delivered);
        let arrived = target.dropped();
        assert_eq!(arrived, file);
        let notes = smf::read_file(&arrived).unwrap().clip.notes();
        assert_eq!(notes.iter().map(|note| (note.onset, note.pitch)).collect::<Vec<_>>(), [(Tick(0), 60), (Tick(24), 64)]);
    }
}

#[test]
fn drop_on_a_window_busy_with_the_file_is_delivered() {
    let display = Display::start(800, 600).unwrap();
    let (input, mut target) = (InputDevices::at(Some(display.name())).unwrap(), Target::busy(&display));
    let mut source = XdndSource::on(display.name());
    input.press(NOWHERE).unwrap();
    source.begin(Path::new("/nowhere.mid"), &NoWindow).unwrap();
    move_pointer(&input, NOWHERE, target.place);
    input.release(target.place).unwrap();
    assert_eq!(target.dropped(), Path::new("/nowhere.mid"));
    assert_eq!(outcome(&mut source), Outcome::Delivered);
}

#[test]
fn drop_outside_every_window_is_declined() {
    let display = Display::start(800, 600).unwrap();
    let (input, target) = (InputDevices::at(Some(display.name())).unwrap(), Target::open(&display));
    let mut source = XdndSource::on(display.name());
    input.press(NOWHERE).unwrap();
    source.begin(Path::new("/nowhere.mid"), &NoWindow).unwrap();
    // Over the window and away again.
    move_pointer(&input, NOWHERE, target.place);
    move_pointer(&input, target.place, NOWHERE);
    input.release(NOWHERE).unwrap();
    assert_eq!(outcome(&mut source), Outcome::Declined);
}

#[test]
fn dropping_the_source_ends_its_drag() {
    let display = Display::start(800, 600).unwrap();
    let input = InputDevices::at(Some(display.name())).unwrap();
    input.press(NOWHERE).unwrap();
    let mut source = XdndSource::on(display.name());
    source.begin(Path::new("/nowhere.mid"), &NoWindow).unwrap();
    assert!(source.ended().is_none());
    // Dropping waits for its thread, which would otherwise run as long as the button is down.
    drop(source);
}

#[test]
fn drag_without_an_x_server_is_an_error() {
    let mut source = XdndSource::on(":antiphon");
    source.begin(Path::new("/nowhere.mid"), &NoWindow).unwrap();
    let since = Instant::now();
    let ended = loop {
        if let Some(ended) = source.ended() {
            break ended;
        }
        assert!(since.elapsed() < TIMEOUT, "the drag does not end");
        thread::sleep(Duration::from_millis(10));
    };
    assert!(ended.unwrap_err().to_string().contains("Save as..."));
}
