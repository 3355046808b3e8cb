//! Keys of the window: one table, from which keys are handled and named in tips; a test compares the documents with it.
//!
//! A click into the music, that is into the roll or onto a card, takes the keyboard; Esc and a click into another window give it back.
//! Buttons and sliders leave it where it is, so that the host's space bar goes on working. In a window of its own the plug-in always has it.

use antiphon_engine::plan::{Step, Variation};
use antiphon_engine::session::Command;
use egui::{Context, Key, Modifiers, Popup};

use super::infill::Nudge;
use crate::triggers::Button;

/// Who gets key presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyOwner {
    /// The host.
    #[default]
    Host,
    /// The window, until Esc.
    Window,
    /// The window always: no host is around it.
    Always,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Presses a button.
    Press(Button),
    /// Steps through the history.
    Step(Step),
    /// Removes the shown suggestion from the history.
    Delete,
    Undo,
    Redo,
    /// Locks or unlocks the note or bar under the pointer.
    Lock,
    UnlockAll,
    NextMode,
    /// In Infill, moves or resizes the marked bars.
    Infill(Nudge),
    Drawer,
    Details,
    SaveAs,
    CopyPath,
    /// Gives the keyboard back.
    Release,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shortcut {
    pub(super) action: Action,
    key: Key,
    modifiers: Modifiers,
    /// Name of the key, as documents and tips write it.
    pub(super) keys: &'static str,
    /// What it does, as documents write it.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the documents with it"))]
    does: &'static str,
}

const fn plain(key: Key, keys: &'static str, action: Action, does: &'static str) -> Shortcut {
    Shortcut { action, key, modifiers: Modifiers::NONE, keys, does }
}

const fn shift(key: Key, keys: &'static str, nudge: Nudge, does: &'static str) -> Shortcut {
    Shortcut { action: Action::Infill(nudge), key, modifiers: Modifiers::SHIFT, keys, does }
}

const fn ctrl(key: Key, keys: &'static str, action: Action, does: &'static str) -> Shortcut {
    Shortcut { action, key, modifiers: Modifiers::COMMAND, keys, does }
}

/// All keys. Those with more modifiers stand before those with fewer.
pub(super) const TABLE: &[Shortcut] = &[
    Shortcut {
        action: Action::Redo,
        key: Key::Z,
        modifiers: Modifiers::COMMAND.plus(Modifiers::SHIFT),
        keys: "Ctrl+Shift+Z",
        does: "redo",
    },
    ctrl(Key::Z, "Ctrl+Z", Action::Undo, "undo locks, choices, Keep, deletions and marked bars"),
    ctrl(Key::S, "Ctrl+S", Action::SaveAs, "Save as"),
    ctrl(Key::C, "Ctrl+C", Action::CopyPath, "copy the file's path"),
    shift(Key::ArrowLeft, "Shift+Left", Nudge::Earlier, "in Infill: all marked bars a bar earlier"),
    shift(Key::ArrowRight, "Shift+Right", Nudge::Later, "in Infill: all marked bars a bar later"),
    shift(Key::ArrowUp, "Shift+Up", Nudge::Longer, "in Infill: a bar more at the end"),
    shift(Key::ArrowDown, "Shift+Down", Nudge::Shorter, "in Infill: a bar less at the end"),
    plain(Key::Space, "Space", Action::Press(Button::Play), "Play or Stop"),
    plain(Key::N, "N", Action::Press(Button::Another), "Another"),
    plain(Key::K, "K", Action::Press(Button::Keep), "Keep"),
    plain(Key::Num1, "1", Action::Press(Button::of(Variation::A)), "variation A"),
    plain(Key::Num2, "2", Action::Press(Button::of(Variation::B)), "variation B"),
    plain(Key::Num3, "3", Action::Press(Button::of(Variation::C)), "variation C"),
    plain(Key::Num4, "4", Action::Press(Button::of(Variation::D)), "variation D"),
    plain(Key::ArrowLeft, "Left", Action::Step(Step::Older), "earlier in the history"),
    plain(Key::ArrowRight, "Right", Action::Step(Step::Newer), "later in the history"),
    plain(Key::Home, "Home", Action::Step(Step::Now), "back to the plan"),
    plain(Key::Delete, "Delete", Action::Delete, "delete the shown phrase from the history"),
    plain(Key::L, "L", Action::Lock, "lock or unlock the note or bar under the pointer"),
    plain(Key::U, "U", Action::UnlockAll, "unlock all"),
    plain(Key::M, "M", Action::NextMode, "next mode"),
    plain(Key::C, "C", Action::Drawer, "drawer"),
    plain(Key::D, "D", Action::Details, "details"),
    plain(Key::Escape, "Esc", Action::Release, "give the keyboard back to the host"),
];

/// Takes the pressed keys of the table out of the input. Nothing while a dialog or a text field is open; a widget that has the focus keeps
/// the keys that work it.
pub(super) fn pressed(ctx: &Context, owner: KeyOwner) -> Vec<Action> {
    let (is_focused, has_dialog) = ctx.memory(|memory| (memory.focused().is_some(), memory.top_modal_layer().is_some()));
    if owner == KeyOwner::Host || has_dialog || ctx.text_edit_focused() {
        return Vec::new();
    }
    // Esc closes a menu first.
    let has_menu = Popup::is_any_open(ctx);
    let is_taken = |shortcut: &Shortcut| is_focused && works_a_widget(shortcut.key) || has_menu && shortcut.action == Action::Release;
    let is_free = |shortcut: &&Shortcut| !is_taken(shortcut);
    ctx.input_mut(|input| {
        let is_pressed = |shortcut: &&Shortcut| input.consume_key(shortcut.modifiers, shortcut.key);
        TABLE.iter().filter(is_free).filter(is_pressed).map(|shortcut| shortcut.action).collect()
    })
}

/// Whether a widget that has the focus takes this key.
const fn works_a_widget(key: Key) -> bool {
    matches!(
        key,
        Key::Space | Key::ArrowLeft | Key::ArrowRight | Key::ArrowUp | Key::ArrowDown | Key::Home | Key::Escape | Key::S | Key::Delete
    )
}

/// Key of an action, in brackets behind a tip; empty if it has none.
pub(super) fn hint(action: Action) -> String {
    TABLE.iter().find(|shortcut| shortcut.action == action).map_or_else(String::new, |shortcut| format!(" [{}]", shortcut.keys))
}

impl Action {
    /// The command it gives; `None` for what concerns the window alone.
    pub(super) const fn command(self) -> Option<Command> {
        match self {
            Self::Press(button) => button.command(),
            Self::Step(step) => Some(Command::Step(step)),
            Self::UnlockAll => Some(Command::UnlockAll),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_name_every_key_and_what_it_does() {
        let documents =
            [("guide", include_str!("../../../docs/guide/keys.md")), ("design", include_str!("../../../docs/design/README.md"))];
        for (name, text) in documents {
            for Shortcut { keys, does, .. } in TABLE {
                assert!(text.contains(&format!("| {keys} | {does} |")), "{name}: {keys} {does}");
            }
        }
    }

    #[test]
    fn no_key_is_in_the_table_twice() {
        for (at, one) in TABLE.iter().enumerate() {
            assert!(!TABLE[at + 1..].iter().any(|other| (one.key, one.modifiers) == (other.key, other.modifiers)), "{}", one.keys);
        }
    }
}
