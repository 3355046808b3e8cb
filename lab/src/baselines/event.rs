//! A piece as a sequence of predictions: one at the start of each bar, one after each note.

use antiphon_engine::codec::vocabulary::{Field, next};
use antiphon_engine::codec::{BarRows, NoteClasses};

use super::class_of;

/// Notes that the longest context reaches back.
pub(super) const RECENT: usize = 6;

/// An earlier note, relative to the current bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Past {
    /// Bars between it and the current bar: 0, 1, or 2 for two and more.
    bars_ago: u8,
    /// The note.
    pub(super) note: NoteClasses,
}

impl Past {
    /// Its onset as one number: bars ago, beat and tick.
    pub(super) fn place(&self) -> i32 {
        (i32::from(self.bars_ago) * 16 + i32::from(self.note.beat)) * 24 + i32::from(self.note.sub)
    }
}

/// One prediction: its context and its true outcome.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Index of the bar.
    pub(super) bar: usize,
    /// Class of the bar's metre.
    pub(super) metre: u8,
    /// Last notes of the piece, latest first.
    pub(super) recent: [Option<Past>; RECENT],
    /// True outcome: a class of [`Field::Type`].
    pub(super) next: u8,
    /// The next note; `None` at the end of a bar.
    pub(super) target: Option<NoteClasses>,
    /// Last two notes of the target's role, latest first.
    pub(super) same_role: [Option<NoteClasses>; 2],
}

impl Event {
    /// True class of a field; `None` if the event does not predict it.
    pub(super) fn class(&self, field: Field) -> Option<u8> {
        match field {
            Field::Type => Some(self.next),
            _ => self.target.as_ref().and_then(|note| class_of(note, field)),
        }
    }
}

/// Notes of the piece so far, as far as contexts need them.
#[derive(Debug, Default)]
struct RecentNotes {
    /// Bar and note, latest first.
    recent: [Option<(usize, NoteClasses)>; RECENT],
    /// Last two notes of each role, latest first.
    by_role: [[Option<NoteClasses>; 2]; 16],
}

impl RecentNotes {
    fn push(&mut self, bar: usize, note: NoteClasses) {
        self.recent.rotate_right(1);
        self.recent[0] = Some((bar, note));
        if let Some(slot) = self.by_role.get_mut(usize::from(note.role)) {
            *slot = [Some(note), slot[0]];
        }
    }

    fn recent(&self, bar: usize) -> [Option<Past>; RECENT] {
        self.recent.map(|past| {
            past.map(|(then, note)| {
                let bars_ago = match bar - then {
                    0 => 0,
                    1 => 1,
                    _ => 2,
                };
                Past { bars_ago, note }
            })
        })
    }
}

/// All predictions of a piece in order: `notes + 1` for each bar.
pub(super) fn events(bars: &[BarRows]) -> impl Iterator<Item = Event> + '_ {
    let mut recent_notes = RecentNotes::default();
    let last_bar = bars.len().saturating_sub(1);
    let places = bars.iter().enumerate().flat_map(|(index, bar)| (0..=bar.notes.len()).map(move |row| (index, bar, row)));
    places.map(move |(index, bar, row)| {
        let target = bar.notes.get(row).copied();
        let event = Event {
            bar: index,
            metre: bar.fields.metre,
            recent: recent_notes.recent(index),
            next: match target {
                Some(_) => next::NOTE,
                None if index == last_bar => next::EOS,
                None => next::ENDBAR,
            },
            target,
            same_role: target.and_then(|note| recent_notes.by_role.get(usize::from(note.role)).copied()).unwrap_or_default(),
        };
        if let Some(note) = target {
            recent_notes.push(index, note);
        }
        event
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bar, note};
    use super::*;

    #[test]
    fn bar_has_one_prediction_more_than_notes() {
        let bars = vec![bar(0, vec![note(0, 0, 60), note(1, 0, 62)]), bar(1, vec![]), bar(2, vec![note(0, 12, 64)])];
        let all: Vec<Event> = events(&bars).collect();
        let kinds: Vec<u8> = all.iter().map(|e| e.next).collect();
        assert_eq!(kinds, [next::NOTE, next::NOTE, next::ENDBAR, next::ENDBAR, next::NOTE, next::EOS]);
        assert_eq!(all.iter().map(|e| e.bar).collect::<Vec<_>>(), [0, 0, 0, 1, 2, 2]);
    }

    #[test]
    fn event_context_is_the_notes_before_it() {
        let bars = vec![bar(0, vec![note(0, 0, 60), note(1, 0, 62)]), bar(1, vec![note(2, 3, 64)])];
        let all: Vec<Event> = events(&bars).collect();
        assert_eq!(all[0].recent, [None; RECENT]);
        assert_eq!(all[0].same_role, [None; 2]);
        assert_eq!(all[1].recent[0].map(|p| p.note.pitch), Some(60));
        // In bar 1 the last note lies one bar back, at beat 1.
        assert_eq!(all[3].recent[0].map(|p| p.place()), Some((16 + 1) * 24));
        assert_eq!(all[3].same_role.map(|n| n.map(|n| n.pitch)), [Some(62), Some(60)]);
    }
}
