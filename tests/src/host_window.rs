//! A host window to embed an editor in.

use anyhow::{Context, Result, bail};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::screenshot::Screenshot;

/// X11's `CopyFromParent`: the screen's depth.
const SAME_DEPTH: u8 = 0;

/// An open window on the display the environment names.
pub struct HostWindow {
    connection: RustConnection,
    window: Window,
    size: (u16, u16),
}

impl HostWindow {
    /// Opens a window of this size, in pixels.
    ///
    /// # Errors
    /// When there is no display, or the size is out of range.
    pub fn open(title: &str, width: u32, height: u32) -> Result<Self> {
        let size = u16::try_from(width).ok().zip(u16::try_from(height).ok()).context("no screen is that large")?;
        let (connection, screen) = x11rb::connect(None).context("there is no X display")?;
        let window = connection.generate_id()?;
        let screen = &connection.setup().roots[screen];
        let look =
            CreateWindowAux::new().background_pixel(screen.black_pixel).event_mask(EventMask::STRUCTURE_NOTIFY | EventMask::KEY_PRESS);
        let (width, height) = size;
        let kind = WindowClass::INPUT_OUTPUT;
        connection.create_window(SAME_DEPTH, window, screen.root, 0, 0, width, height, 0, kind, screen.root_visual, &look)?.check()?;
        connection.change_property8(PropMode::REPLACE, window, AtomEnum::WM_NAME, AtomEnum::STRING, title.as_bytes())?.check()?;
        connection.map_window(window)?.check()?;
        Ok(Self { connection, window, size })
    }

    /// Window id, for the editor.
    #[must_use]
    pub const fn window(&self) -> u32 {
        self.window
    }

    /// The embedded window: id, position and size, in pixels.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn embedded(&self) -> Result<Embedded> {
        let children = self.connection.query_tree(self.window)?.reply()?.children;
        let [window] = children[..] else { bail!("{} windows are embedded", children.len()) };
        let geometry = self.connection.get_geometry(window)?.reply()?;
        Ok(Embedded { window, place: (geometry.x, geometry.y), size: (geometry.width.into(), geometry.height.into()) })
    }

    /// Screen position of a point in the window.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn on_screen(&self, (x, y): (i16, i16)) -> Result<(i16, i16)> {
        let root = self.connection.setup().roots[0].root;
        let place = self.connection.translate_coordinates(self.window, root, x, y)?.reply()?;
        Ok((place.dst_x, place.dst_y))
    }

    /// Resizes the window, in pixels.
    ///
    /// # Errors
    /// When the window is gone, or the size is out of range.
    pub fn resize(&mut self, width: u32, height: u32) -> Result<()> {
        self.connection.configure_window(self.window, &ConfigureWindowAux::new().width(width).height(height))?.check()?;
        self.size = (u16::try_from(width)?, u16::try_from(height)?);
        Ok(())
    }

    /// Number of key presses in the window since the last call.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn keys_pressed(&self) -> Result<usize> {
        // A round trip, so that all earlier events have arrived.
        self.focus()?;
        let mut pressed = 0;
        while let Some(event) = self.connection.poll_for_event()? {
            pressed += usize::from(matches!(event, Event::KeyPress(_)));
        }
        Ok(pressed)
    }

    /// The window that has the X focus.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn focus(&self) -> Result<u32> {
        Ok(self.connection.get_input_focus()?.reply()?.focus)
    }

    /// Gives a window the X focus, as hosts do with embedded windows.
    ///
    /// # Errors
    /// When it is gone, or not visible.
    pub fn give_focus(&self, window: u32) -> Result<()> {
        Ok(self.connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?.check()?)
    }

    /// RGB value of a pixel.
    ///
    /// # Errors
    /// As [`screenshot`](Self::screenshot).
    pub fn colour_at(&self, (x, y): (i16, i16)) -> Result<[u8; 3]> {
        Ok(Screenshot::of_part(&self.connection, self.window, (x, y), (1, 1))?.at((0, 0)))
    }

    /// Screenshot of the top rows, at full width. Far faster than [`screenshot`](Self::screenshot).
    ///
    /// # Errors
    /// As [`screenshot`](Self::screenshot).
    pub fn screenshot_top(&self, height: u16) -> Result<Screenshot> {
        Screenshot::of(&self.connection, self.window, (self.size.0, height))
    }

    /// Screenshot of the window.
    ///
    /// # Errors
    /// When it is gone, or not fully visible.
    pub fn screenshot(&self) -> Result<Screenshot> {
        Screenshot::of(&self.connection, self.window, self.size)
    }
}

/// The window embedded in a [`HostWindow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// Window id.
    pub window: u32,
    /// Upper left corner, relative to the host's window.
    pub place: (i16, i16),
    /// Size in pixels.
    pub size: (u32, u32),
}

impl Drop for HostWindow {
    fn drop(&mut self) {
        // If the server is gone, so is the window.
        let _ = self.connection.destroy_window(self.window);
        let _ = self.connection.flush();
    }
}
