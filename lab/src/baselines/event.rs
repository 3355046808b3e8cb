//! A piece as the sequence of its predictions: one at the start of each bar, one after each note.

use antiphon_engine::codec::vocabulary::{Field, next};
use antiphon_engine::codec::{BarRows, NoteClasses};

use super::class_of;

/// How many notes back the longest context looks.
pub(super) const RECENT: usize = 6;

/// A note that has sounded, and how far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Past {
    /// Bars since then: 0, 1, or 2 for anything longer.
    bars_ago: u8,
    /// The note.
    pub(super) note: NoteClasses,
}

impl Past {
    /// Where it started: bars ago, beat and tick in one number.
    pub(super) fn place(&self) -> i32 {
        (i32::from(self.bars_ago) * 16 + i32::from(self.note.beat)) * 24 + i32::from(self.note.sub)
    }
}

/// One prediction: what is known before it, and what came.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Index of the bar it falls into.
    pub(super) bar: usize,
    /// Column value of the bar's metre.
    pub(super) metre: u8,
    /// The last notes of the piece, latest first.
    pub(super) recent: [Option<Past>; RECENT],
    /// What came: a class of [`Field::Type`].
    pub(super) next: u8,
    /// The note that came, if one did.
    pub(super) target: Option<NoteClasses>,
    /// The last two notes of the target's role, latest first.
    pub(super) same_role: [Option<NoteClasses>; 2],
}

impl Event {
    /// The class this field took; `None` if it has no value here.
    pub(super) fn class(&self, field: Field) -> Option<u8> {
        match field {
            Field::Type => Some(self.next),
            _ => self.target.as_ref().and_then(|note| class_of(note, field)),
        }
    }
}

/// What has been heard of a piece so far.
#[derive(Debug, Default)]
struct Heard {
    /// Bar and note, latest first.
    recent: [Option<(usize, NoteClasses)>; RECENT],
    /// The last two notes of each role, latest first.
    by_role: [[Option<NoteClasses>; 2]; 16],
}

impl Heard {
    fn hear(&mut self, bar: usize, note: NoteClasses) {
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

/// The predictions of a piece in order: `notes + 1` for each bar.
pub(super) fn events(bars: &[BarRows]) -> impl Iterator<Item = Event> + '_ {
    let mut heard = Heard::default();
    let last_bar = bars.len().saturating_sub(1);
    let places = bars.iter().enumerate().flat_map(|(index, bar)| (0..=bar.notes.len()).map(move |row| (index, bar, row)));
    places.map(move |(index, bar, row)| {
        let target = bar.notes.get(row).copied();
        let event = Event {
            bar: index,
            metre: bar.fields.metre,
            recent: heard.recent(index),
            next: match target {
                Some(_) => next::NOTE,
                None if index == last_bar => next::EOS,
                None => next::ENDBAR,
            },
            target,
            same_role: target.and_then(|note| heard.by_role.get(usize::from(note.role)).copied()).unwrap_or_default(),
        };
        if let Some(note) = target {
            heard.hear(index, note);
        }
        event
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bar, note};
    use super::*;

    #[test]
    fn each_bar_has_one_prediction_more_than_notes() {
        let bars = vec![bar(0, vec![note(0, 0, 60), note(1, 0, 62)]), bar(1, vec![]), bar(2, vec![note(0, 12, 64)])];
        let all: Vec<Event> = events(&bars).collect();
        let kinds: Vec<u8> = all.iter().map(|e| e.next).collect();
        assert_eq!(kinds, [next::NOTE, next::NOTE, next::ENDBAR, next::ENDBAR, next::NOTE, next::EOS]);
        assert_eq!(all.iter().map(|e| e.bar).collect::<Vec<_>>(), [0, 0, 0, 1, 2, 2]);
    }

    #[test]
    fn an_event_sees_the_notes_before_it_only() {
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
