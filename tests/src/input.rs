//! Synthetic mouse and keyboard input through the X server.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, Keysym, MOTION_NOTIFY_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// X11's number of the left button.
const LEFT: u8 = 1;
/// The right button.
const RIGHT: u8 = 3;

/// Input devices of one display.
pub struct InputDevices(RustConnection);

impl InputDevices {
    /// Devices of this display, or of the one the environment names.
    ///
    /// # Errors
    /// When there is no display.
    pub fn at(display: Option<&str>) -> Result<Self> {
        Ok(Self(x11rb::connect(display).context("there is no X display")?.0))
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<()> {
        let root = self.0.setup().roots[0].root;
        self.0.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, root, x, y, 0)?.check()?;
        Ok(())
    }

    /// Moves the pointer to a screen position.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn point(&self, at: (i16, i16)) -> Result<()> {
        self.fake(MOTION_NOTIFY_EVENT, 0, at)
    }

    /// Moves the pointer and presses the left button.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn press(&self, at: (i16, i16)) -> Result<()> {
        self.point(at)?;
        self.fake(BUTTON_PRESS_EVENT, LEFT, at)
    }

    /// Releases the left button.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn release(&self, at: (i16, i16)) -> Result<()> {
        self.fake(BUTTON_RELEASE_EVENT, LEFT, at)
    }

    /// Moves the pointer and clicks the left button.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn click(&self, at: (i16, i16)) -> Result<()> {
        self.press(at)?;
        self.release(at)
    }

    /// Moves the pointer and clicks the right button.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn click_secondary(&self, at: (i16, i16)) -> Result<()> {
        self.point(at)?;
        self.fake(BUTTON_PRESS_EVENT, RIGHT, at)?;
        self.fake(BUTTON_RELEASE_EVENT, RIGHT, at)
    }

    /// Presses and releases a key that needs no modifier.
    ///
    /// # Errors
    /// When the keyboard has no such key, or the server is gone.
    pub fn strike(&self, key: Keysym) -> Result<()> {
        let code = self.code(key)?;
        self.fake(KEY_PRESS_EVENT, code, (0, 0))?;
        self.fake(KEY_RELEASE_EVENT, code, (0, 0))
    }

    /// Key code of this keysym.
    fn code(&self, key: Keysym) -> Result<u8> {
        let setup = self.0.setup();
        let (least, most) = (setup.min_keycode, setup.max_keycode);
        let mapping = self.0.get_keyboard_mapping(least, most - least + 1)?.reply()?;
        let columns = usize::from(mapping.keysyms_per_keycode);
        let found = mapping.keysyms.chunks(columns).position(|row| row.first() == Some(&key));
        let row = found.with_context(|| format!("no key bears the symbol {key:#x}"))?;
        Ok(least + u8::try_from(row)?)
    }
}
