//! baseview's window on X11, reached from outside.

use nice_plug_egui::baseview::WindowContext;
use raw_window_handle::{HandleError, HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::present::{self, ConnectionExt as _};
use x11rb::protocol::xproto::Window;
use x11rb::xcb_ffi::XCBConnection;

/// Why a window stays as baseview leaves it.
#[derive(Debug, thiserror::Error)]
pub(super) enum X11Error {
    /// Not a window of X11.
    #[error("the editor's window has no X11 handle")]
    NoHandle,
    #[error("the editor's window is gone: {0}")]
    Handle(HandleError),
    #[error("no second connection to the X server: {0}")]
    Connect(#[from] ConnectError),
    #[error("the X server closed the connection: {0}")]
    Connection(#[from] ConnectionError),
    #[error("the X server refused a request: {0}")]
    Reply(#[from] ReplyError),
    #[error("the X server has no ids left: {0}")]
    Id(#[from] ReplyOrIdError),
}

impl From<HandleError> for X11Error {
    fn from(error: HandleError) -> Self {
        Self::Handle(error)
    }
}

/// The window's id.
pub(super) fn id_of(window: &WindowContext) -> Result<Window, X11Error> {
    let RawWindowHandle::Xlib(handle) = window.window_handle()?.as_raw() else { return Err(X11Error::NoHandle) };
    Window::try_from(handle.window).map_err(|_| X11Error::NoHandle)
}

/// Does this on baseview's own connection: only that can change which events baseview gets. On the window's thread, where baseview looks for
/// events once more when it has called us, so that those that come with an answer are not left lying.
pub(super) fn with_connection_of<T>(
    window: &WindowContext,
    act: impl FnOnce(&XCBConnection) -> Result<T, X11Error>,
) -> Result<T, X11Error> {
    let handle = window.platform_handle();
    let RawDisplayHandle::Xcb(display) = handle.display_handle()?.as_raw() else { return Err(X11Error::NoHandle) };
    let raw = display.connection.ok_or(X11Error::NoHandle)?;
    // SAFETY: the pointer is to an open connection, which `handle` keeps open for longer than this borrows it.
    let connection = unsafe { XCBConnection::from_raw_xcb_connection(raw.as_ptr(), false) }?;
    act(&connection)
}

/// Lets baseview (0.4.2) hear of every frame that it asks for. It asks for the first one as soon as something changes, but listens for the
/// answer only from when the window is shown: if a host shows the window later than that, it waits for the lost answer for ever, and the
/// window stays blank. Before the event loop runs.
pub(super) fn hear_of_early_frames(window: &WindowContext) -> Result<(), X11Error> {
    let id = id_of(window)?;
    with_connection_of(window, |connection| {
        if connection.extension_information(present::X11_EXTENSION_NAME)?.is_none() {
            // Then baseview draws by a timer.
            return Ok(());
        }
        // The server forgets the selection with the window. baseview takes the second of two equal answers for the first.
        let selection = connection.generate_id()?;
        Ok(connection.present_select_input(selection, id, present::EventMask::COMPLETE_NOTIFY)?.check()?)
    })
}
