//! Which role a part plays, from what a file says about it.

use super::{DRUM_CHANNEL, Part, Role};

/// Gives every note of every part its part's role.
pub fn assign(parts: &mut [Part]) {
    for part in parts {
        let role = if part.channel == DRUM_CHANNEL { Role::Drums } else { Role::Other };
        for note in &mut part.notes {
            note.role = role;
        }
    }
}
