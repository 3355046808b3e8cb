//! Notes of a clip by bar: the form in which the measures compare them.

use std::collections::BTreeSet;

use antiphon_engine::music::{Clip, Role, Tick};

/// Offset of drum keys, so that they differ from all pitches.
const DRUM_KEYS: u16 = 128;

/// A note, relative to its bar. Without velocity, performed timing and role: bars with the same keys and times count as equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SheetNote {
    /// Ticks from the bar line.
    pub(super) tick: i64,
    /// MIDI key; drums add 128.
    pub(super) key: u16,
    /// In ticks.
    pub(super) duration: i64,
}

impl SheetNote {
    /// The pitch class; `None` for drums.
    pub(super) fn pitch_class(&self) -> Option<usize> {
        (self.key < DRUM_KEYS).then(|| usize::from(self.key % 12))
    }
}

/// Notes that start in a bar, in time order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SheetBar {
    /// In ticks.
    pub(super) length: i64,
    pub(super) notes: Vec<SheetNote>,
}

impl SheetBar {
    /// Bar length and set of (tick, key): two bars with the same value are repetitions of each other.
    pub(super) fn onset_set(&self) -> (i64, BTreeSet<(i64, u16)>) {
        (self.length, self.notes.iter().map(|note| (note.tick, note.key)).collect())
    }
}

/// Selection of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voices {
    /// All notes.
    All,
    /// Notes of one role.
    Role(Role),
    /// The highest note at every onset, without drums.
    Top,
}

impl Voices {
    /// The selection that holds the melody: the role melody if the clip has it, else lead, else the highest notes.
    pub(super) fn tune_of(clip: &Clip) -> Self {
        let plays = |role: &Role| clip.parts.iter().flat_map(|part| &part.notes).any(|note| note.role == *role);
        [Role::Melody, Role::Lead].into_iter().find(plays).map_or(Self::Top, Self::Role)
    }
}

/// The first `bars` bars of a clip; all of them with `None`.
pub(super) fn sheet(clip: &Clip, bars: Option<u32>, voices: Voices) -> Vec<SheetBar> {
    let until = bars.map_or(clip.end, |bars| clip.metres.bar(bars).start);
    let mut sheet: Vec<SheetBar> = clip.metres.bars(until).map(|bar| SheetBar { length: bar.length.0, notes: Vec::new() }).collect();
    let mut notes = clip.notes();
    match voices {
        Voices::All => {}
        Voices::Role(role) => notes.retain(|note| note.role == role),
        Voices::Top => {
            notes.retain(|note| note.role != Role::Drums);
            notes.sort_by_key(|note| (note.onset, std::cmp::Reverse(note.pitch)));
            notes.dedup_by_key(|note| note.onset);
        }
    }
    for note in notes {
        let bar = clip.metres.bar_at(note.onset);
        let Some(place) = usize::try_from(bar.index).ok().and_then(|index| sheet.get_mut(index)) else { continue };
        let drums = if note.role == Role::Drums { DRUM_KEYS } else { 0 };
        let duration = if note.duration == Tick::MAX { clip.end - note.onset } else { note.duration };
        place.notes.push(SheetNote { tick: (note.onset - bar.start).0, key: u16::from(note.pitch) + drums, duration: duration.0 });
    }
    sheet
}

#[cfg(test)]
pub(super) mod tests {
    use antiphon_engine::music::{Note, Part};

    use super::*;

    /// Tick and key of the notes of a bar.
    pub(in crate::eval::generation) type Onsets<'a> = &'a [(i64, u16)];

    /// Bars of 4/4 with quarter notes.
    pub(in crate::eval::generation) fn bars(bars: &[Onsets<'_>]) -> Vec<SheetBar> {
        let note = |&(tick, key): &(i64, u16)| SheetNote { tick, key, duration: 24 };
        bars.iter().map(|notes| SheetBar { length: 96, notes: notes.iter().map(note).collect() }).collect()
    }

    fn clip() -> Clip {
        let note = |onset, pitch, role| Note { onset: Tick(onset), offset: 0, duration: Tick(12), pitch, velocity: 80, role };
        let part = |notes: Vec<Note>| Part { notes, ..Part::default() };
        Clip {
            parts: vec![
                part(vec![note(0, 72, Role::Lead), note(120, 74, Role::Lead)]),
                part(vec![note(0, 76, Role::Keys), note(0, 60, Role::Keys), note(300, 60, Role::Keys)]),
                part(vec![note(0, 36, Role::Drums)]),
            ],
            end: Tick(288),
            ..Clip::default()
        }
    }

    fn onset_set(sheet: &[SheetBar]) -> Vec<Vec<(i64, u16)>> {
        sheet.iter().map(|bar| bar.notes.iter().map(|note| (note.tick, note.key)).collect()).collect()
    }

    #[test]
    fn sheet_puts_notes_into_their_bars_and_keeps_empty_bars() {
        let all = onset_set(&sheet(&clip(), Some(3), Voices::All));
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [4, 1, 0]);
        assert!(all[0].contains(&(0, 36 + 128)) && all[1] == [(24, 74)]);
        assert_eq!(sheet(&clip(), None, Voices::All).len(), 3);
        assert_eq!(sheet(&clip(), Some(4), Voices::All)[3].notes.len(), 1);
    }

    #[test]
    fn tune_is_the_melody_or_the_lead_or_the_highest_notes() {
        assert_eq!(Voices::tune_of(&clip()), Voices::Role(Role::Lead));
        assert_eq!(onset_set(&sheet(&clip(), Some(2), Voices::Role(Role::Lead))), [vec![(0, 72)], vec![(24, 74)]]);
        let mut without = clip();
        without.parts.remove(0);
        assert_eq!(Voices::tune_of(&without), Voices::Top);
        assert_eq!(onset_set(&sheet(&without, Some(2), Voices::Top)), [vec![(0, 76)], vec![]]);
    }
}
