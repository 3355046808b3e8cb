//! Access to baseview's X11 window from outside.

use nice_plug_egui::baseview::WindowContext;
use raw_window_handle::{HandleError, HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::present::{self, ConnectionExt as _};
use x11rb::protocol::xproto::Window;
use x11rb::xcb_ffi::XCBConnection;

/// Why an X11 workaround could not be applied.
#[derive(Debug, thiserror::Error)]
pub(super) enum X11Error {
    /// Not an X11 window.
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

/// The window's XID.
pub(super) fn id_of(window: &WindowContext) -> Result<Window, X11Error> {
    let RawWindowHandle::Xlib(handle) = window.window_handle()?.as_raw() else { return Err(X11Error::NoHandle) };
    Window::try_from(handle.window).map_err(|_| X11Error::NoHandle)
}

/// Runs `act` on baseview's own connection, since only that can change which events baseview receives. On the window's thread, where
/// baseview polls events again after calling us, so that events read along with a reply are not delayed.
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

/// Makes baseview (0.4.2) receive the completion of every frame it requests. It requests the first frame as soon as something changes, but
/// selects completion events only when the window is shown: if the host shows the window later, baseview waits forever for the missed
/// event, and the window stays blank. Call before the event loop runs.
pub(super) fn select_frame_completion(window: &WindowContext) -> Result<(), X11Error> {
    let id = id_of(window)?;
    with_connection_of(window, |connection| {
        if connection.extension_information(present::X11_EXTENSION_NAME)?.is_none() {
            // Without the Present extension baseview draws on a timer.
            return Ok(());
        }
        // The server drops the selection with the window. baseview ignores the duplicate event.
        let selection = connection.generate_id()?;
        Ok(connection.present_select_input(selection, id, present::EventMask::COMPLETE_NOTIFY)?.check()?)
    })
}
