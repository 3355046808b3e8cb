//! A virtual X server for tests and screenshots.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, PropMode};
use x11rb::wrapper::ConnectionExt as _;

/// Longer than a window manager takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An Xvfb process; stopped when dropped.
#[derive(Debug)]
pub struct Display {
    server: Child,
    manager: Option<Child>,
    name: String,
}

impl Display {
    /// Starts a server with one screen of this size, on a free display.
    ///
    /// # Errors
    /// When Xvfb is missing or does not start; `cargo xtask test` installs it.
    pub fn start(width: u32, height: u32) -> io::Result<Self> {
        let missing = |error: io::Error| io::Error::new(error.kind(), format!("Xvfb: {error}; Debian's package is xvfb"));
        let screen = format!("{width}x{height}x24");
        let mut server = Command::new("Xvfb")
            // Without -noreset the server resets when its last client disconnects, and rejects new ones meanwhile.
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(missing)?;
        // It writes the number when it accepts connections, and closes the pipe when it fails.
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        let mut display = Self { server, manager: None, name: format!(":{}", number.trim()) };
        if number.trim().is_empty() {
            let status = display.server.wait()?;
            return Err(io::Error::other(format!("Xvfb did not start: {status}")));
        }
        Ok(display)
    }

    /// Starts a window manager: without one, keyboard focus works differently from a real desktop.
    ///
    /// # Errors
    /// When openbox is missing or does not start; `cargo xtask test` installs it.
    pub fn manage(&mut self) -> Result<()> {
        let manager = Command::new("openbox").env("DISPLAY", &self.name).stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        self.manager = Some(manager.context("starting openbox; Debian's package is openbox")?);
        let (connection, screen) = x11rb::connect(Some(&self.name))?;
        let root = connection.setup().roots[screen].root;
        // Set once it manages windows.
        let mark = connection.intern_atom(false, b"_NET_SUPPORTING_WM_CHECK")?.reply()?.atom;
        let began = Instant::now();
        while connection.get_property(false, root, mark, AtomEnum::WINDOW, 0, 1)?.reply()?.value_len == 0 {
            ensure!(began.elapsed() < PATIENCE, "openbox does not manage the display");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Sets the screen's dots per inch, as desktops do.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn set_dpi(&self, dpi: u32) -> Result<()> {
        let (connection, screen) = x11rb::connect(Some(&self.name))?;
        let (root, resources) = (connection.setup().roots[screen].root, format!("Xft.dpi:\t{dpi}\n"));
        let set =
            connection.change_property8(PropMode::REPLACE, root, AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING, resources.as_bytes())?;
        Ok(set.check()?)
    }

    /// The value of DISPLAY for clients.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for program in self.manager.iter_mut().chain([&mut self.server]) {
            // Fails if it has already exited.
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}
