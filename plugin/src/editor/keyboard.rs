//! The keyboard on X11: the host's, but for the time that a text field of the editor is open.
//!
//! egui-baseview 0.9.0 takes the X focus at every click, and baseview 0.4.2 selects key events, so that they stop at its window whenever the
//! pointer is over it, whoever has the focus. A host's space bar is dead then. From outside:
//!
//! * baseview is told that its window has the focus, by an event that we send. It does not take then what it believes to have.
//! * Its window selects no keys. The server passes them on to the window it lies in, the host's.
//!
//! While a text field is open the window takes both, and gives both back afterwards.

use nice_plug_egui::baseview::WindowContext;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, FOCUS_IN_EVENT, FocusInEvent, InputFocus, NotifyDetail, NotifyMode,
    Window,
};
use x11rb::rust_connection::RustConnection;

use super::x11::{self, X11Error};

/// Whether the window selects key events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    Selected,
    Passed,
}

/// Who has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The host, as it was.
    Host,
    /// The editor; before it the focus was there.
    Editor { before: Window },
}

/// Where the X focus is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    /// In the editor's window.
    Here,
    Elsewhere,
}

/// The keyboard of one embedded window.
pub(super) struct Keyboard {
    /// Ours: baseview's own sees none of its events.
    connection: RustConnection,
    window: Window,
    /// Its property marks the windows that a window manager gives the focus to.
    wm_state: u32,
    owner: Owner,
}

impl Keyboard {
    /// Leaves the host its keys. On the window's thread, before it is shown.
    pub(super) fn new(window: &WindowContext) -> Result<Self, X11Error> {
        let id = x11::id_of(window)?;
        let (connection, _) = x11rb::connect(None)?;
        let wm_state = connection.intern_atom(false, b"WM_STATE")?.reply()?.atom;
        // Each client has a selection of its own: this one changes nothing for baseview.
        let focus = ChangeWindowAttributesAux::new().event_mask(EventMask::FOCUS_CHANGE);
        connection.change_window_attributes(id, &focus)?.check()?;
        let keyboard = Self { connection, window: id, wm_state, owner: Owner::Host };
        keyboard.select(window, Keys::Passed)?;
        keyboard.feign_focus()?;
        Ok(keyboard)
    }

    /// Takes the keyboard when a text field has opened, and gives it back when it has closed. Once a frame, on the window's thread.
    pub(super) fn follow(&mut self, window: &WindowContext, is_typing: bool) -> Result<(), X11Error> {
        let focus = self.new_focus()?;
        match (self.owner, is_typing) {
            (Owner::Host, true) => self.take(window),
            (Owner::Editor { before }, false) => self.give_back(window, before),
            // The player has been to the host's window meanwhile, or is back.
            (Owner::Editor { .. }, true) => match focus {
                None => Ok(()),
                Some(Focus::Here) => self.select(window, Keys::Selected),
                Some(Focus::Elsewhere) => self.select(window, Keys::Passed),
            },
            (Owner::Host, false) => {
                // Some hosts give the focus to what they embed, where the keys would end.
                if focus == Some(Focus::Here) {
                    self.hand_to_host(None)?;
                }
                if window.has_focus() { Ok(()) } else { self.feign_focus() }
            }
        }
    }

    fn take(&mut self, window: &WindowContext) -> Result<(), X11Error> {
        let before = self.connection.get_input_focus()?.reply()?.focus;
        self.select(window, Keys::Selected)?;
        // Should the window go, the focus goes to the one it lies in.
        self.connection.set_input_focus(InputFocus::PARENT, self.window, x11rb::CURRENT_TIME)?.check()?;
        self.owner = Owner::Editor { before };
        Ok(())
    }

    fn give_back(&mut self, window: &WindowContext, before: Window) -> Result<(), X11Error> {
        self.owner = Owner::Host;
        self.select(window, Keys::Passed)?;
        // The player may be elsewhere by now.
        if self.connection.get_input_focus()?.reply()?.focus == self.window {
            self.hand_to_host(Some(before))?;
        }
        self.feign_focus()
    }

    /// Gives the focus to a window, or if that is gone to the host's.
    fn hand_to_host(&self, before: Option<Window>) -> Result<(), X11Error> {
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

    /// The host's window that the editor lies in, as its window manager sees it.
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

    /// Where the X focus has gone since this was asked last; `None` if the window neither got nor lost it.
    fn new_focus(&self) -> Result<Option<Focus>, X11Error> {
        let mut focus = None;
        while let Some(event) = self.connection.poll_for_event()? {
            // With the pointer in the window, the server reports the focus of the windows it lies in as well.
            let is_own = |detail| !matches!(detail, NotifyDetail::POINTER | NotifyDetail::POINTER_ROOT);
            match event {
                Event::FocusIn(event) if is_own(event.detail) => focus = Some(Focus::Here),
                Event::FocusOut(event) if is_own(event.detail) => focus = Some(Focus::Elsewhere),
                _ => {}
            }
        }
        Ok(focus)
    }

    /// Lets baseview believe that its window has the focus.
    fn feign_focus(&self) -> Result<(), X11Error> {
        let event = FocusInEvent {
            response_type: FOCUS_IN_EVENT,
            detail: NotifyDetail::NONLINEAR,
            sequence: 0,
            event: self.window,
            mode: NotifyMode::NORMAL,
        };
        // With no mask it goes to the client that made the window, whatever that has selected.
        self.connection.send_event(false, self.window, EventMask::NO_EVENT, event)?.check()?;
        Ok(())
    }

    /// Has the window select key events, or pass them on.
    fn select(&self, window: &WindowContext, keys: Keys) -> Result<(), X11Error> {
        x11::with_connection_of(window, |connection| {
            let before = u32::from(connection.get_window_attributes(self.window)?.reply()?.your_event_mask);
            let of_keys = u32::from(EventMask::KEY_PRESS | EventMask::KEY_RELEASE);
            let selection = match keys {
                Keys::Selected => before | of_keys,
                Keys::Passed => before & !of_keys,
            };
            let selection = ChangeWindowAttributesAux::new().event_mask(EventMask::from(selection));
            Ok(connection.change_window_attributes(self.window, &selection)?.check()?)
        })
    }
}
