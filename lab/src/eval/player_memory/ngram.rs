//! Intervals of a player: an n-gram of pitches relative to the notes before, learnt note by note.

use std::collections::HashMap;

use antiphon_engine::codec::NoteClasses;

/// Pitch classes of the model that are keys; drums follow and are predicted as they are.
const KEYS: i16 = 128;

/// A context: role, onset within the beat, and the last two steps.
type Context = (u8, u8, i16, i16);

/// Counts of steps by context.
#[derive(Debug, Clone, Default)]
pub(super) struct Intervals {
    counts: HashMap<Context, HashMap<i16, f64>>,
    /// The last two pitches of each role.
    last: HashMap<u8, [i16; 2]>,
}

impl Intervals {
    /// Probability of this note's pitch, and the confidence of it, 0 to 1: 0 where its context is new.
    pub(super) fn predict(&self, note: &NoteClasses) -> (f64, f64) {
        let Some((context, step)) = self.context(note) else { return (0.0, 0.0) };
        let Some(counts) = self.counts.get(&context) else { return (0.0, 0.0) };
        let total: f64 = counts.values().sum();
        (counts.get(&step).copied().unwrap_or(0.0) / total, total / (total + 1.0))
    }

    /// Learns a note.
    pub(super) fn learn(&mut self, note: &NoteClasses) {
        if let Some((context, step)) = self.context(note) {
            *self.counts.entry(context).or_default().entry(step).or_default() += 1.0;
        }
        let pitch = i16::from(note.pitch);
        let last = self.last.get(&note.role).map_or([pitch; 2], |last| [last[1], pitch]);
        self.last.insert(note.role, last);
    }

    /// Context of a note, and its step from the note before.
    fn context(&self, note: &NoteClasses) -> Option<(Context, i16)> {
        let [before, last] = *self.last.get(&note.role)?;
        let pitch = i16::from(note.pitch);
        if pitch >= KEYS {
            return Some(((note.role, note.beat * 24 + note.sub, before, last), pitch));
        }
        Some(((note.role, note.sub, last - before, 0), pitch - last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(pitch: u8) -> NoteClasses {
        NoteClasses { beat: 0, sub: 0, role: 5, pitch, duration: 23, velocity: 20, offset: 4 }
    }

    #[test]
    fn figure_is_known_in_every_key_once_it_was_heard() {
        let mut intervals = Intervals::default();
        [60, 62, 65, 60].map(note).iter().for_each(|note| intervals.learn(note));
        [70, 72].map(note).iter().for_each(|note| intervals.learn(note));
        assert_eq!(intervals.predict(&note(75)), (1.0, 0.5));
        assert_eq!(intervals.predict(&note(74)).0, 0.0);
    }
}
