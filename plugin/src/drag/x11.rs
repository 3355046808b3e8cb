//! XDND drag source, version 5 of the freedesktop.org specification "Drag-and-Drop Protocol for the X Window System".
//!
//! It has its own connection, thread and window, and never grabs: while the button is down the editor's window holds the implicit grab, and
//! the source polls the pointer position. It therefore needs nothing of the host's toolkit, nor of the editor's thread.
//!
//! Observed receivers: Qt reports that it did not accept what it then imports, so any XdndFinished counts as delivered; the next
//! XdndPosition must wait for the reply to the last; a receiver may read the file long after XdndFinished; Ardour imports between fetching
//! the path and sending XdndFinished, however long that takes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use raw_window_handle::HasWindowHandle;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, KeyButMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::uri_list::uri_list;
use super::{DragError, DragSource, Outcome};

/// Protocol version. Receivers older than 3 are no longer in use.
const VERSION: u32 = 5;
/// Polling interval for the pointer.
const POLL_INTERVAL: Duration = Duration::from_millis(8);
/// How long to wait for XdndStatus once the button is up.
const STATUS_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a receiver may leave a drop untouched before it counts as failed.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware,
        XdndProxy,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndSelection,
        XdndActionCopy,
        TARGETS,
        URI_LIST: b"text/uri-list",
        PLAIN: b"text/plain",
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Drag source for X11.
#[derive(Debug, Default)]
pub struct XdndSource {
    /// Display name; `None` for that of the environment.
    display: Option<String>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Outcome, DragError>>,
}

impl XdndSource {
    /// A source on this display, for instance `:7`.
    #[must_use]
    pub fn on(display: &str) -> Self {
        Self { display: Some(display.to_owned()), running: None }
    }

    /// Cancels a drag in progress, and waits for its thread.
    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop.store(true, Ordering::Relaxed);
            // The thread polls `stop` every few milliseconds; its outcome is no longer needed.
            let _ = running.thread.join();
        }
    }
}

impl DragSource for XdndSource {
    fn begin(&mut self, file: &Path, _window: &dyn HasWindowHandle) -> Result<(), DragError> {
        self.stop();
        let (display, uri_list) = (self.display.clone(), uri_list(file));
        let stop = Arc::new(AtomicBool::new(false));
        let stop_flag = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("antiphon drag".into())
            .spawn(move || {
                let drag = Drag::open(display.as_deref(), uri_list).map_err(DragError::Unavailable)?;
                drag.run(&stop_flag)
            })
            .map_err(|error| DragError::Unavailable(error.into()))?;
        self.running = Some(Running { stop, thread });
        Ok(())
    }

    fn ended(&mut self) -> Option<Result<Outcome, DragError>> {
        let running = self.running.take_if(|running| running.thread.is_finished())?;
        Some(running.thread.join().unwrap_or_else(|_| Err(DragError::Lost("its thread panicked".into()))))
    }
}

impl Drop for XdndSource {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A window that accepts drops.
#[derive(Debug, Clone, Copy)]
struct Target {
    window: Window,
    /// Where messages are sent: the window, or its proxy.
    address: Window,
    version: u32,
    /// Whether it would accept the file at the last position.
    accepts: bool,
    /// Whether its XdndStatus for the last position is outstanding.
    awaits_status: bool,
}

/// Pointer state as the server reports it.
struct Pointer {
    position: (i16, i16),
    held: bool,
}

/// One drag.
struct Drag {
    connection: RustConnection,
    atoms: Atoms,
    root: Window,
    /// Our unmapped window, which owns the selection.
    window: Window,
    uri_list: Vec<u8>,
    /// Server time at which we became selection owner.
    since: Timestamp,
    target: Option<Target>,
    /// Last pointer position sent to the target.
    last_position: Option<(i16, i16)>,
    finished: bool,
    /// The target has fetched the path.
    fetched: bool,
    /// Another client took the selection.
    lost_selection: bool,
    /// Last activity of the target.
    last_activity: Instant,
}

impl Drag {
    fn open(display: Option<&str>, uri_list: Vec<u8>) -> Result<Self, Failure> {
        let (connection, screen) = x11rb::connect(display)?;
        let root = connection.setup().roots.get(screen).ok_or("the server has no such screen")?.root;
        let atoms = Atoms::new(&connection)?.reply()?;
        let window = connection.generate_id()?;
        let settings = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE).override_redirect(1);
        connection.create_window(0, window, root, -1, -1, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &settings)?.check()?;
        let since = server_time(&connection, window)?;
        connection.set_selection_owner(window, atoms.XdndSelection, since)?;
        if connection.get_selection_owner(atoms.XdndSelection)?.reply()?.owner != window {
            return Err("another drag is under way".into());
        }
        let (target, last_position, last_activity) = (None, None, Instant::now());
        let (finished, fetched, lost_selection) = (false, false, false);
        Ok(Self {
            connection,
            atoms,
            root,
            window,
            uri_list,
            since,
            target,
            last_position,
            finished,
            fetched,
            lost_selection,
            last_activity,
        })
    }

    fn run(mut self, stop: &AtomicBool) -> Result<Outcome, DragError> {
        let outcome = self.follow_pointer(stop).map_err(DragError::Lost)?;
        if outcome == Outcome::Delivered { self.drop_file(stop) } else { Ok(outcome) }
    }

    /// Follows the pointer until the button is released. [`Outcome::Delivered`] means that a target accepts the drop.
    fn follow_pointer(&mut self, stop: &AtomicBool) -> Result<Outcome, Failure> {
        let mut released: Option<Instant> = None;
        loop {
            self.handle_events()?;
            if self.lost_selection || stop.load(Ordering::Relaxed) {
                self.leave()?;
                return Ok(Outcome::Cancelled);
            }
            let pointer = self.pointer()?;
            if pointer.held && released.is_none() {
                self.send_position(pointer.position)?;
            } else {
                let since = *released.get_or_insert_with(Instant::now);
                match self.target {
                    Some(target) if target.awaits_status && since.elapsed() < STATUS_TIMEOUT => {}
                    Some(target) if target.accepts => return Ok(Outcome::Delivered),
                    _ => {
                        self.leave()?;
                        return Ok(Outcome::Declined);
                    }
                }
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Drops the file on the target and serves the selection until XdndFinished, or until the target is silent for too long after fetching.
    fn drop_file(&mut self, stop: &AtomicBool) -> Result<Outcome, DragError> {
        // Some targets fetch while hovering.
        self.fetched = false;
        self.send(self.atoms.XdndDrop, [0, self.since, 0, 0]).map_err(DragError::Lost)?;
        self.last_activity = Instant::now();
        while !self.finished {
            if stop.load(Ordering::Relaxed) {
                return Ok(Outcome::Cancelled);
            }
            if self.last_activity.elapsed() > FETCH_TIMEOUT {
                return if self.fetched { Ok(Outcome::Delivered) } else { Err(DragError::Unanswered) };
            }
            thread::sleep(POLL_INTERVAL);
            self.handle_events().map_err(DragError::Lost)?;
        }
        Ok(Outcome::Delivered)
    }

    /// Handles events from the server and the target.
    fn handle_events(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.connection.poll_for_event()? {
            match event {
                Event::SelectionRequest(request) => {
                    self.last_activity = Instant::now();
                    self.fetched |= self.serve(request)?;
                }
                Event::SelectionClear(_) => self.lost_selection = true,
                Event::ClientMessage(message) => {
                    let [sender, flags, ..] = message.data.as_data32();
                    let Some(target) = self.target.as_mut().filter(|target| target.window == sender || target.address == sender) else {
                        continue;
                    };
                    if message.type_ == self.atoms.XdndStatus {
                        (target.awaits_status, target.accepts) = (false, flags & 1 != 0);
                    } else if message.type_ == self.atoms.XdndFinished {
                        self.finished = true;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Answers a selection request with the targets or the path. Returns whether it was the path.
    fn serve(&self, request: SelectionRequestEvent) -> Result<bool, Failure> {
        let Atoms { TARGETS, URI_LIST, PLAIN, .. } = self.atoms;
        // Obsolete clients name no property: ICCCM, section 2.2.
        let property = if request.property == x11rb::NONE { request.target } else { request.property };
        let to = request.requestor;
        let known = if request.target == TARGETS {
            self.connection.change_property32(PropMode::REPLACE, to, property, AtomEnum::ATOM, &[TARGETS, URI_LIST, PLAIN])?;
            true
        } else if request.target == URI_LIST || request.target == PLAIN {
            self.connection.change_property8(PropMode::REPLACE, to, property, request.target, &self.uri_list)?;
            true
        } else {
            false
        };
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: to,
            selection: request.selection,
            target: request.target,
            property: if known { property } else { x11rb::NONE },
        };
        self.connection.send_event(false, to, EventMask::NO_EVENT, answer)?;
        self.connection.flush()?;
        Ok(known && request.target != TARGETS)
    }

    fn pointer(&self) -> Result<Pointer, Failure> {
        let reply = self.connection.query_pointer(self.root)?.reply()?;
        let held = u16::from(reply.mask) & u16::from(KeyButMask::BUTTON1) != 0;
        Ok(Pointer { position: (reply.root_x, reply.root_y), held })
    }

    /// Sends the position to the window under the pointer, once it has replied to the last one.
    fn send_position(&mut self, position: (i16, i16)) -> Result<(), Failure> {
        if self.last_position == Some(position) || self.target.is_some_and(|target| target.awaits_status) {
            return Ok(());
        }
        let found = self.target_at(position)?;
        if found.map(|target| target.window) != self.target.map(|target| target.window) {
            self.leave()?;
            self.target = found;
            if let Some(target) = found {
                self.send(self.atoms.XdndEnter, [target.version << 24, self.atoms.URI_LIST, self.atoms.PLAIN, x11rb::NONE])?;
            }
        }
        self.last_position = Some(position);
        let Some(target) = &mut self.target else { return Ok(()) };
        target.awaits_status = true;
        let [x, y] = [position.0, position.1].map(|coordinate| u32::from(coordinate.cast_unsigned()));
        self.send(self.atoms.XdndPosition, [0, x << 16 | y, self.since, self.atoms.XdndActionCopy])
    }

    /// The outermost XDND-aware window under the pointer: for a plug-in's editor, the host's window.
    fn target_at(&self, position: (i16, i16)) -> Result<Option<Target>, Failure> {
        let mut parent = self.root;
        loop {
            let window = self.connection.translate_coordinates(self.root, parent, position.0, position.1)?.reply()?.child;
            if window == x11rb::NONE {
                return Ok(None);
            }
            let address = self.proxy_of(window)?.unwrap_or(window);
            if let Some(version) = self.number(address, self.atoms.XdndAware, AtomEnum::ATOM)? {
                return Ok(Some(Target { window, address, version: version.min(VERSION), accepts: false, awaits_status: false }));
            }
            parent = window;
        }
    }

    /// The proxy window for drops, if valid: a valid proxy names itself as its own proxy.
    fn proxy_of(&self, window: Window) -> Result<Option<Window>, Failure> {
        let Some(proxy) = self.number(window, self.atoms.XdndProxy, AtomEnum::WINDOW)? else { return Ok(None) };
        let confirmed = self.number(proxy, self.atoms.XdndProxy, AtomEnum::WINDOW)?;
        Ok(confirmed.filter(|&itself| itself == proxy))
    }

    /// The first number of a property; `None` also for a window that is gone.
    fn number(&self, window: Window, property: Atom, kind: AtomEnum) -> Result<Option<u32>, Failure> {
        let reply = self.connection.get_property(false, window, property, kind, 0, 1)?.reply();
        match reply {
            Ok(reply) => Ok(reply.value32().and_then(|mut numbers| numbers.next())),
            Err(x11rb::errors::ReplyError::X11Error(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends XdndLeave to the target, if there is one.
    fn leave(&mut self) -> Result<(), Failure> {
        self.send(self.atoms.XdndLeave, [0; 4])?;
        self.target = None;
        Ok(())
    }

    /// Sends the target a client message whose first word is our window.
    fn send(&self, kind: Atom, [a, b, c, d]: [u32; 4]) -> Result<(), Failure> {
        let Some(target) = self.target else { return Ok(()) };
        let message = ClientMessageEvent::new(32, target.window, kind, [self.window, a, b, c, d]);
        self.connection.send_event(false, target.address, EventMask::NO_EVENT, message)?;
        Ok(self.connection.flush()?)
    }
}

/// Server time, as ICCCM, section 2.1, requires for a selection: the time of an event, here of a property change that appends nothing.
fn server_time(connection: &RustConnection, window: Window) -> Result<Timestamp, Failure> {
    connection.change_property8(PropMode::APPEND, window, AtomEnum::WM_NAME, AtomEnum::STRING, b"")?.check()?;
    loop {
        if let Event::PropertyNotify(event) = connection.wait_for_event()? {
            return Ok(event.time);
        }
    }
}
