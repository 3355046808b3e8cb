//! A Windows program with a window: its lines, its pictures, and the user's hands.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use antiphon_tests::foreign::clip;
use antiphon_tests::input::InputDevices;
use antiphon_tests::screenshot::Screenshot;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use crate::windows::{Desktop, seen};

/// Size of the screen, in pixels.
pub(crate) const SCREEN: (u32, u32) = (1400, 1000);
/// Test failure limit: Wine starts slowly on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);
/// Minimum number of colours of a picture in which the editor has drawn everything.
const COLOURS: usize = 24;

/// A program that prints lines.
pub(crate) struct Running {
    pub(crate) program: Child,
    lines: Receiver<String>,
    /// Everything printed so far.
    pub(crate) text: String,
    pub(crate) input: InputDevices,
    pub(crate) connection: RustConnection,
}

impl Running {
    /// A program that runs on a desktop, and prints on this output.
    pub(crate) fn new(program: Child, output: impl Read + Send + 'static, desktop: &Desktop) -> Self {
        let (sender, lines) = channel();
        thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let input = InputDevices::at(Some(desktop.name())).unwrap();
        let connection = x11rb::connect(Some(desktop.name())).unwrap().0;
        Self { program, lines, text: String::new(), input, connection }
    }

    /// The host with its editor open, playing.
    pub(crate) fn editor(format: &str, library: &Path, desktop: &Desktop) -> Self {
        let mut command = desktop.host("editor", format, library);
        command.arg("--clip").arg(seen(&clip("pop.mid")));
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = program.stdout.take().unwrap();
        Self::new(program, output, desktop)
    }

    /// Waits for a line that begins with a word, if none has come yet; returns the rest of the first.
    pub(crate) fn wait_for(&mut self, name: &str) -> String {
        self.wait_for_number(name, 1)
    }

    /// Waits until this many lines that begin with a word have come in all; returns the rest of the last of them.
    pub(crate) fn wait_for_number(&mut self, name: &str, number: usize) -> String {
        let began = Instant::now();
        loop {
            if let Some(rest) = self.rests(name).nth(number - 1) {
                return rest.to_owned();
            }
            let left = TIMEOUT.saturating_sub(began.elapsed());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|error| panic!("no line `{name}`: {error}: {}", self.text));
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// What follows a word at the beginning of each line so far.
    pub(crate) fn rests<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
        let rest = move |line: &'a str| line.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with(' '));
        self.text.lines().filter_map(rest).map(str::trim)
    }

    /// Place and size of a window of the host, in pixels of the screen.
    pub(crate) fn place(&mut self, name: &str) -> [i16; 4] {
        let line = self.wait_for(name);
        let numbers: Vec<_> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }

    /// Pictures of every window of this size. Wine draws OpenGL inside another window off the screen, and its copy onto the screen fails.
    fn pictures(&self, size: (u16, u16)) -> Vec<Screenshot> {
        let mut windows: Vec<Window> = vec![self.connection.setup().roots[0].root];
        let mut pictures = Vec::new();
        while let Some(window) = windows.pop() {
            // Windows may go while they are listed.
            if let Ok(tree) = self.connection.query_tree(window).unwrap().reply() {
                windows.extend(tree.children);
            }
            let geometry = self.connection.get_geometry(window).unwrap().reply();
            if geometry.is_ok_and(|found| (found.width, found.height) == size) {
                pictures.extend(Screenshot::of(&self.connection, window, size));
            }
        }
        pictures
    }

    /// Waits until the editor is drawn; returns its picture.
    pub(crate) fn drawn(&self, size: (u16, u16)) -> Screenshot {
        let began = Instant::now();
        loop {
            let found = self.pictures(size).into_iter().find(|picture| picture.colours(COLOURS) >= COLOURS);
            if let Some(picture) = found {
                return picture;
            }
            assert!(began.elapsed() < TIMEOUT, "the editor draws nothing: {}", self.text);
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the editor has handled the input so far, and has drawn some frames. No time would do: on a busy machine a frame takes any.
    pub(crate) fn settle(&mut self) {
        let number = self.rests("settled").count() + 1;
        writeln!(self.program.stdin.as_mut().unwrap(), "settle").unwrap();
        self.wait_for_number("settled", number);
    }

    /// Clicks the left button at a place of the screen.
    pub(crate) fn click(&mut self, at: (i16, i16)) {
        // egui would take a move and a click of one frame for a click elsewhere.
        self.input.point(at).unwrap();
        self.settle();
        self.input.click(at).unwrap();
        self.settle();
    }

    /// Clicks the right button at a place of the screen.
    pub(crate) fn click_secondary(&mut self, at: (i16, i16)) {
        self.input.point(at).unwrap();
        self.settle();
        self.input.click_secondary(at).unwrap();
        self.settle();
    }

    /// Presses the button at a place of the screen, moves to another in steps, like a user, and releases it.
    pub(crate) fn drag(&mut self, from: (i16, i16), to: (i16, i16)) {
        /// Number of moves.
        const STEPS: i16 = 5;
        self.input.point(from).unwrap();
        self.settle();
        self.input.press(from).unwrap();
        self.settle();
        for step in 1..=STEPS {
            let between = |from: i16, to: i16| from + (to - from) * step / STEPS;
            self.input.point((between(from.0, to.0), between(from.1, to.1))).unwrap();
            // The target answers, and OLE asks for its answer.
            self.settle();
        }
        self.input.release(to).unwrap();
        self.settle();
    }

    /// Closes the editor, and removes the instance; returns everything printed.
    pub(crate) fn close(mut self) -> String {
        drop(self.program.stdin.take());
        self.wait_for("notes");
        let status = self.program.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.text);
        std::mem::take(&mut self.text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if it has already exited.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
