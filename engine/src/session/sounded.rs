//! What sounded of the plans, as the audio thread told it: part of what was heard.

use crate::music::{Note, Tick};
use crate::plan::MidiKey;

/// The notes that sounded, and those that do.
#[derive(Debug, Clone, Default)]
pub(super) struct Sounded {
    /// In order of their starts.
    notes: Vec<(MidiKey, Note)>,
    /// The last cut that was ordered: what starts before it ends there.
    cut: Option<Tick>,
}

impl Sounded {
    /// A planned note sounds: until its end, if nothing more is told of it.
    pub(super) fn start(&mut self, key: MidiKey, note: Note) {
        self.notes.push((key, shortened(note, self.cut)));
    }

    /// What sounds on a key has ended before its time.
    pub(super) fn end(&mut self, key: MidiKey, at: Tick) {
        if let Some((_, note)) = self.notes.iter_mut().rev().find(|(other, _)| *other == key) {
            note.duration = (at - note.onset).max(Tick(1));
        }
    }

    /// What sounds at this tick, now or later, was ordered to end there. The audio thread tells only when it comes to it.
    pub(super) fn cut(&mut self, at: Tick) {
        self.cut = Some(at);
        for (_, note) in &mut self.notes {
            *note = shortened(*note, self.cut);
        }
    }

    /// The notes, in order of their starts.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        self.notes.iter().map(|(_, note)| *note)
    }

    /// Notes that start before this are not needed any more.
    pub(super) fn forget_before(&mut self, line: Tick) {
        self.notes.retain(|(_, note)| note.onset >= line);
    }
}

/// A note that starts before a cut ends there at the latest.
fn shortened(note: Note, cut: Option<Tick>) -> Note {
    match cut {
        Some(cut) if note.onset < cut => Note { duration: note.duration.min(cut - note.onset), ..note },
        _ => note,
    }
}

#[cfg(test)]
mod tests {
    use crate::music::Role;

    use super::*;

    const KEY: MidiKey = MidiKey::new(1, 60).unwrap();
    const OTHER: MidiKey = MidiKey::new(1, 64).unwrap();

    fn note(onset: i64, duration: i64, key: MidiKey) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch: key.pitch(), velocity: 80, role: Role::Keys }
    }

    fn lengths(sounded: &Sounded) -> Vec<(i64, i64)> {
        sounded.notes().map(|note| (note.onset.0, note.duration.0)).collect()
    }

    #[test]
    fn a_note_lasts_as_planned_unless_it_ends_before() {
        let mut sounded = Sounded::default();
        sounded.start(KEY, note(0, 24, KEY));
        sounded.start(OTHER, note(0, 24, OTHER));
        sounded.start(KEY, note(30, 24, KEY));
        sounded.end(KEY, Tick(40));
        sounded.end(OTHER, Tick(0));
        assert_eq!(lengths(&sounded), [(0, 24), (0, 1), (30, 10)]);
        sounded.forget_before(Tick(30));
        assert_eq!(lengths(&sounded), [(30, 10)]);
    }

    #[test]
    fn a_cut_that_was_ordered_holds_for_what_sounds_by_then() {
        let mut sounded = Sounded::default();
        sounded.start(KEY, note(0, 200, KEY));
        sounded.cut(Tick(96));
        sounded.start(OTHER, note(90, 24, OTHER));
        sounded.start(KEY, note(96, 24, KEY));
        assert_eq!(lengths(&sounded), [(0, 96), (90, 6), (96, 24)]);
        // It came too late to the audio thread.
        sounded.end(OTHER, Tick(98));
        assert_eq!(lengths(&sounded), [(0, 96), (90, 8), (96, 24)]);
    }
}
