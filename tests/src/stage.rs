//! A window of the host's, for an editor to be embedded in.

use anyhow::{Context, Result, bail};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus, PropMode, Window, WindowClass,
};
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
        let look =
            CreateWindowAux::new().background_pixel(screen.black_pixel).event_mask(EventMask::STRUCTURE_NOTIFY | EventMask::KEY_PRESS);
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

    /// What is embedded in it: its window, where that lies, and how large it is, in pixels.
    ///
    /// # Errors
    /// When there is nothing, or more than one window.
    pub fn embedded(&self) -> Result<Embedded> {
        let children = self.connection.query_tree(self.window)?.reply()?.children;
        let [window] = children[..] else { bail!("{} windows are embedded", children.len()) };
        let geometry = self.connection.get_geometry(window)?.reply()?;
        Ok(Embedded { window, place: (geometry.x, geometry.y), size: (geometry.width.into(), geometry.height.into()) })
    }

    /// Where a place of the window is on the screen.
    ///
    /// # Errors
    /// When the window is gone.
    pub fn on_screen(&self, (x, y): (i16, i16)) -> Result<(i16, i16)> {
        let root = self.connection.setup().roots[0].root;
        let place = self.connection.translate_coordinates(self.window, root, x, y)?.reply()?;
        Ok((place.dst_x, place.dst_y))
    }

    /// Gives the window another size, in pixels.
    ///
    /// # Errors
    /// When the window is gone, or no screen is that large.
    pub fn resize(&mut self, width: u32, height: u32) -> Result<()> {
        self.connection.configure_window(self.window, &ConfigureWindowAux::new().width(width).height(height))?.check()?;
        self.size = (u16::try_from(width)?, u16::try_from(height)?);
        Ok(())
    }

    /// How many keys were pressed in the window since this was asked last.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn keys_pressed(&self) -> Result<usize> {
        // What the server has sent before the answer is there with it.
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

    /// Gives a window the X focus, as a host does that passes it on to what it embeds.
    ///
    /// # Errors
    /// When that is gone, or not in sight.
    pub fn give_focus(&self, window: u32) -> Result<()> {
        Ok(self.connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?.check()?)
    }

    /// The colour of one of its pixels: red, green, blue.
    ///
    /// # Errors
    /// As [`photograph`](Self::photograph).
    pub fn colour_at(&self, (x, y): (i16, i16)) -> Result<[u8; 3]> {
        Ok(Photo::of_part(&self.connection, self.window, (x, y), (1, 1))?.at((0, 0)))
    }

    /// What it shows at its upper edge, over its whole width: a little of what [`photograph`](Self::photograph) takes seconds for.
    ///
    /// # Errors
    /// As [`photograph`](Self::photograph).
    pub fn photograph_top(&self, height: u16) -> Result<Photo> {
        Photo::of(&self.connection, self.window, (self.size.0, height))
    }

    /// What it shows.
    ///
    /// # Errors
    /// When it is gone, or not wholly in sight.
    pub fn photograph(&self) -> Result<Photo> {
        Photo::of(&self.connection, self.window, self.size)
    }
}

/// The window that is embedded in a [`Stage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded {
    /// Its id.
    pub window: u32,
    /// Of its upper left corner, in the stage.
    pub place: (i16, i16),
    /// In pixels.
    pub size: (u32, u32),
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A server that is gone took the window with it.
        let _ = self.connection.destroy_window(self.window);
        let _ = self.connection.flush();
    }
}
