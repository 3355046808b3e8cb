//! An X server that shows nothing, for tests and pictures of what needs a screen.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Xvfb, for as long as this lives.
#[derive(Debug)]
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts a server with one screen of this size, on a display that is free.
    ///
    /// # Errors
    /// When there is no Xvfb, or it does not start; `cargo xtask test` installs it.
    pub fn start(width: u32, height: u32) -> io::Result<Self> {
        let missing = |error: io::Error| io::Error::new(error.kind(), format!("Xvfb: {error}; Debian's package is xvfb"));
        let screen = format!("{width}x{height}x24");
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(missing)?;
        // It writes the number when it takes connections, and closes the pipe when it fails.
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        let mut display = Self { server, name: format!(":{}", number.trim()) };
        if number.trim().is_empty() {
            let status = display.server.wait()?;
            return Err(io::Error::other(format!("Xvfb did not start: {status}")));
        }
        Ok(display)
    }

    /// What DISPLAY is set to for clients.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // One that is gone already cannot be killed.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
