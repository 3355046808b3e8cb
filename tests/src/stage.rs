//! A window of the host's, for an editor to be embedded in.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Window, WindowClass};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::photo::Photo;

/// X11's `CopyFromParent`: as many bits per pixel as the screen has.
const SAME_DEPTH: u8 = 0;

/// An open window on the display that the environment names.
pub struct Stage {
    connection: RustConnection,
    window: Window,
    size: (u16, u16),
}

impl Stage {
    /// Opens one of this size, in pixels.
    ///
    /// # Errors
    /// When there is no display, or it has no room.
    pub fn open(title: &str, width: u32, height: u32) -> Result<Self> {
        let size = u16::try_from(width).ok().zip(u16::try_from(height).ok()).context("no screen is that large")?;
        let (connection, screen) = x11rb::connect(None).context("there is no X display")?;
        let window = connection.generate_id()?;
        let screen = &connection.setup().roots[screen];
        let look = CreateWindowAux::new().background_pixel(screen.black_pixel).event_mask(EventMask::STRUCTURE_NOTIFY);
        let (width, height) = size;
        let kind = WindowClass::INPUT_OUTPUT;
        connection.create_window(SAME_DEPTH, window, screen.root, 0, 0, width, height, 0, kind, screen.root_visual, &look)?.check()?;
        connection.change_property8(PropMode::REPLACE, window, AtomEnum::WM_NAME, AtomEnum::STRING, title.as_bytes())?.check()?;
        connection.map_window(window)?.check()?;
        Ok(Self { connection, window, size })
    }

    /// Its id, for the editor.
    #[must_use]
    pub const fn window(&self) -> u32 {
        self.window
    }

    /// What it shows.
    ///
    /// # Errors
    /// When it is gone, or not wholly in sight.
    pub fn photograph(&self) -> Result<Photo> {
        Photo::of(&self.connection, self.window, self.size)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A server that is gone took the window with it.
        let _ = self.connection.destroy_window(self.window);
        let _ = self.connection.flush();
    }
}
