//! Planned notes that do not sound, with the reason.

use crate::music::Note;

/// Why a planned note does not sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Withheld {
    /// The player holds its key, which is the player's own.
    KeyHeld,
    /// Too many planned notes sound at once, or the key was planned twice at the same time.
    NoRoom,
    /// It arrived after its time.
    Late,
}

impl Withheld {
    /// For the player who points at the note.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::KeyHeld => "Left out: you hold this key",
            Self::NoRoom => "Left out: too many planned notes sound at once",
            Self::Late => "Left out: it came too late",
        }
    }
}

/// A planned note that does not sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithheldNote {
    /// As it was planned.
    pub note: Note,
    /// Why.
    pub reason: Withheld,
}
