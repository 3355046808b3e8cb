//! Keyboard focus on X11: the host keeps it, except after a click into the music and while a text field of the editor is open.
//!
//! egui-baseview 0.9.0 takes the X focus at every click, and baseview 0.4.2 selects key events, so that they stop at its window whenever
//! the pointer is over it, whichever window has the focus. A host's space bar then does nothing. The workaround, from outside:
//!
//! * A synthetic FocusIn event makes baseview believe that its window has the focus, so it does not take it.
//! * Its window selects no key events, so the server propagates them to the parent, the host's window.
//!
//! While the editor needs the keyboard the window takes both, and returns both afterwards.

use nice_plug_egui::baseview::WindowContext;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, FOCUS_IN_EVENT, FocusInEvent, InputFocus, NotifyDetail, NotifyMode,
    Window,
};
use x11rb::rust_connection::RustConnection;

use super::x11::{self, X11Error};

/// Whether the window receives key events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    Selected,
    Propagated,
}

/// Which window has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The host.
    Host,
    /// The editor; `before` is the window that had the focus.
    Editor { before: Window },
}

/// Where the X focus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// In the editor's window.
    Here,
    Elsewhere,
}

/// Keyboard focus of one embedded window.
pub(super) struct Keyboard {
    /// Our own connection: baseview's does not report these events.
    connection: RustConnection,
    window: Window,
    /// The WM_STATE atom, which marks windows that a window manager gives the focus to.
    wm_state: u32,
    owner: Owner,
}

impl Keyboard {
    /// Leaves key events to the host. On the window's thread, before the window is shown.
    pub(super) fn new(window: &WindowContext) -> Result<Self, X11Error> {
        let id = x11::id_of(window)?;
        let (connection, _) = x11rb::connect(None)?;
        let wm_state = connection.intern_atom(false, b"WM_STATE")?.reply()?.atom;
        // Event masks are per client, so this changes nothing for baseview.
        let focus = ChangeWindowAttributesAux::new().event_mask(EventMask::FOCUS_CHANGE);
        connection.change_window_attributes(id, &focus)?.check()?;
        let keyboard = Self { connection, window: id, wm_state, owner: Owner::Host };
        keyboard.select(window, Keys::Propagated)?;
        keyboard.send_focus_in()?;
        Ok(keyboard)
    }

    /// Takes the keyboard when the editor needs it, returns it when it does not any more. Called once a frame, on the window's thread.
    pub(super) fn follow(&mut self, window: &WindowContext, is_needed: bool) -> Result<(), X11Error> {
        let focus = self.poll_focus()?;
        match (self.owner, is_needed) {
            (Owner::Host, true) => self.take(window),
            (Owner::Editor { before }, false) => self.give_back(window, before),
            // The focus may have gone to the host's window and come back.
            (Owner::Editor { .. }, true) => match focus {
                None => Ok(()),
                Some(Focus::Here) => self.select(window, Keys::Selected),
                Some(Focus::Elsewhere) => self.select(window, Keys::Propagated),
            },
            (Owner::Host, false) => {
                // Some hosts focus what they embed, and key events would stop there.
                if focus == Some(Focus::Here) {
                    self.focus_host(None)?;
                }
                if window.has_focus() { Ok(()) } else { self.send_focus_in() }
            }
        }
    }

    fn take(&mut self, window: &WindowContext) -> Result<(), X11Error> {
        let before = self.connection.get_input_focus()?.reply()?.focus;
        self.select(window, Keys::Selected)?;
        // If the window is destroyed, the focus goes to its parent.
        self.connection.set_input_focus(InputFocus::PARENT, self.window, x11rb::CURRENT_TIME)?.check()?;
        self.owner = Owner::Editor { before };
        Ok(())
    }

    fn give_back(&mut self, window: &WindowContext, before: Window) -> Result<(), X11Error> {
        self.owner = Owner::Host;
        self.select(window, Keys::Propagated)?;
        // The user may have moved the focus elsewhere.
        if self.connection.get_input_focus()?.reply()?.focus == self.window {
            self.focus_host(Some(before))?;
        }
        self.send_focus_in()
    }

    /// Gives the focus to a window, or to the host's window if that one is gone.
    fn focus_host(&self, before: Option<Window>) -> Result<(), X11Error> {
        let give = |window| -> Result<_, X11Error> {
            Ok(self.connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?.check())
        };
        if let Some(before) = before.filter(|&before| before != self.window)
            && give(before)?.is_ok()
        {
            return Ok(());
        }
        give(self.top_level()?)?.map_err(X11Error::from)
    }

    /// The host's top-level window containing the editor, as the window manager sees it.
    fn top_level(&self) -> Result<Window, X11Error> {
        let mut window = self.window;
        loop {
            let tree = self.connection.query_tree(window)?.reply()?;
            let state = self.connection.get_property(false, window, self.wm_state, AtomEnum::ANY, 0, 0)?.reply()?;
            if state.type_ != x11rb::NONE || tree.parent == tree.root || tree.parent == x11rb::NONE {
                return Ok(window);
            }
            window = tree.parent;
        }
    }

    /// Focus change since the last call; `None` if there was none.
    fn poll_focus(&self) -> Result<Option<Focus>, X11Error> {
        let mut focus = None;
        while let Some(event) = self.connection.poll_for_event()? {
            // With the pointer inside, the server also reports focus changes of the ancestors.
            let is_own = |detail| !matches!(detail, NotifyDetail::POINTER | NotifyDetail::POINTER_ROOT);
            match event {
                Event::FocusIn(event) if is_own(event.detail) => focus = Some(Focus::Here),
                Event::FocusOut(event) if is_own(event.detail) => focus = Some(Focus::Elsewhere),
                _ => {}
            }
        }
        Ok(focus)
    }

    /// Makes baseview believe that its window has the focus.
    fn send_focus_in(&self) -> Result<(), X11Error> {
        let event = FocusInEvent {
            response_type: FOCUS_IN_EVENT,
            detail: NotifyDetail::NONLINEAR,
            sequence: 0,
            event: self.window,
            mode: NotifyMode::NORMAL,
        };
        // An empty mask delivers to the client that created the window, whatever it selected.
        self.connection.send_event(false, self.window, EventMask::NO_EVENT, event)?.check()?;
        Ok(())
    }

    /// Makes the window select key events, or pass them to its parent.
    fn select(&self, window: &WindowContext, keys: Keys) -> Result<(), X11Error> {
        x11::with_connection_of(window, |connection| {
            let before = u32::from(connection.get_window_attributes(self.window)?.reply()?.your_event_mask);
            let of_keys = u32::from(EventMask::KEY_PRESS | EventMask::KEY_RELEASE);
            let selection = match keys {
                Keys::Selected => before | of_keys,
                Keys::Propagated => before & !of_keys,
            };
            let selection = ChangeWindowAttributesAux::new().event_mask(EventMask::from(selection));
            Ok(connection.change_window_attributes(self.window, &selection)?.check()?)
        })
    }
}
