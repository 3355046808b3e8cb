//! Planned notes that sounded, as the audio thread reports them: part of the context.

use crate::music::{Note, Tick};
use crate::plan::MidiKey;

/// Notes that sounded or still sound.
#[derive(Debug, Clone, Default)]
pub(super) struct Sounded {
    /// In order of onset.
    notes: Vec<(MidiKey, Note)>,
    /// Last cut sent: notes that start before it end there.
    cut: Option<Tick>,
}

impl Sounded {
    /// Adds a planned note that started. It lasts as planned unless an end is reported.
    pub(super) fn start(&mut self, key: MidiKey, note: Note) {
        self.notes.push((key, shortened(note, self.cut)));
    }

    /// Ends the note on a key early.
    pub(super) fn end(&mut self, key: MidiKey, at: Tick) {
        if let Some((_, note)) = self.notes.iter_mut().rev().find(|(other, _)| *other == key) {
            note.duration = (at - note.onset).max(Tick(1));
        }
    }

    /// Shortens all notes that sound at this tick, which may lie ahead: the audio thread reports their ends only when it reaches it.
    pub(super) fn cut(&mut self, at: Tick) {
        self.cut = Some(at);
        for (_, note) in &mut self.notes {
            *note = shortened(*note, self.cut);
        }
    }

    /// Shortens the notes that have started to this tick, which may lie ahead: the plan has given way. Later notes are not affected.
    pub(super) fn fade(&mut self, by: Tick) {
        for (_, note) in &mut self.notes {
            *note = shortened(*note, Some(by));
        }
    }

    /// Whether no note has sounded since this tick.
    pub(super) fn is_silent_since(&self, tick: Tick) -> bool {
        self.notes.iter().all(|(_, note)| note.end() <= tick)
    }

    /// The notes, in order of onset.
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
    fn note_lasts_as_planned_unless_ended_early() {
        let mut sounded = Sounded::default();
        sounded.start(KEY, note(0, 24, KEY));
        sounded.start(OTHER, note(0, 24, OTHER));
        sounded.start(KEY, note(30, 24, KEY));
        sounded.end(KEY, Tick(40));
        sounded.end(OTHER, Tick(0));
        assert_eq!(lengths(&sounded), [(0, 24), (0, 1), (30, 10)]);
        assert!(sounded.is_silent_since(Tick(40)) && !sounded.is_silent_since(Tick(39)));
        sounded.forget_before(Tick(30));
        assert_eq!(lengths(&sounded), [(30, 10)]);
    }

    #[test]
    fn fade_shortens_the_notes_so_far_and_no_later_one() {
        let mut sounded = Sounded::default();
        sounded.start(KEY, note(0, 200, KEY));
        sounded.start(OTHER, note(10, 20, OTHER));
        sounded.fade(Tick(60));
        sounded.start(OTHER, note(50, 100, OTHER));
        assert_eq!(lengths(&sounded), [(0, 60), (10, 20), (50, 100)]);
    }

    #[test]
    fn cut_shortens_notes_that_start_before_it() {
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
