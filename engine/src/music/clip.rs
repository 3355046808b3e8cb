//! Parts and clips: a piece, or a piece of one.

use super::{MetreMap, Note, TempoMap, Tick};

/// The MIDI channel of General MIDI percussion, counted from 0 (musicians say channel 10).
pub const DRUM_CHANNEL: u8 = 9;

/// One line of an ensemble: what a file keeps in one track.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Part {
    /// Track name; may be empty.
    pub name: String,
    /// MIDI channel, 0 to 15. Whatever is on [`DRUM_CHANNEL`] is drums; drums may be on others.
    pub channel: u8,
    /// General MIDI programme, 0 to 127, where one is set.
    pub programme: Option<u8>,
    /// Its notes in canonical order ([`Note::order`]).
    pub notes: Vec<Note>,
}

impl Part {
    /// Mean MIDI key of its notes; `None` without notes.
    #[must_use]
    pub fn mean_pitch(&self) -> Option<f64> {
        let count = u32::try_from(self.notes.len()).ok().filter(|&count| count > 0)?;
        Some(self.notes.iter().map(|note| f64::from(note.pitch)).sum::<f64>() / f64::from(count))
    }
}

/// Parts that sound together, with their bar lines and tempi. Tick 0 is its start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Clip {
    /// The ensemble, in score order.
    pub parts: Vec<Part>,
    /// Its bar lines.
    pub metres: MetreMap,
    /// Its tempi.
    pub tempos: TempoMap,
    /// Where it ends. Of an imported file: the first bar line after which nothing sounds and no track goes on.
    pub end: Tick,
}

impl Clip {
    /// All notes of all parts in canonical order ([`Note::order`]).
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<_> = self.parts.iter().flat_map(|part| &part.notes).copied().collect();
        notes.sort_by_key(Note::order);
        notes
    }

    /// How many notes it has.
    #[must_use]
    pub fn note_count(&self) -> usize {
        self.parts.iter().map(|part| part.notes.len()).sum()
    }

    /// Whether it has no note at all.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.parts.iter().all(|part| part.notes.is_empty())
    }

    /// Where the first note starts; `None` if there is none.
    #[must_use]
    pub fn first_onset(&self) -> Option<Tick> {
        self.parts.iter().filter_map(|part| part.notes.first()).map(|note| note.onset).min()
    }

    /// Where the last note starts; `None` if there is none.
    #[must_use]
    pub fn last_onset(&self) -> Option<Tick> {
        self.parts.iter().filter_map(|part| part.notes.last()).map(|note| note.onset).max()
    }

    /// The first tick after which nothing sounds; `None` if there is no note, [`Tick::MAX`] if one is still held.
    #[must_use]
    pub fn last_sounding(&self) -> Option<Tick> {
        self.parts.iter().flat_map(|part| &part.notes).map(Note::end).max()
    }

    /// What starts from `from` on and before `to`, with `from` as the new tick 0: bar lines and tempi carried over, notes cut at `to`. Notes that
    /// started before `from` are left out; parts stay, also those left without notes.
    #[must_use]
    pub fn slice(&self, from: Tick, to: Tick) -> Self {
        let part = |part: &Part| {
            let notes = part.notes.iter().filter(|note| from <= note.onset && note.onset < to);
            let cut = notes.map(|note| Note { onset: note.onset - from, duration: note.duration.min(to - note.onset), ..*note });
            Part { notes: cut.collect(), name: part.name.clone(), ..*part }
        };
        Self {
            parts: self.parts.iter().map(part).collect(),
            metres: self.metres.slice_from(from),
            tempos: self.tempos.slice_from(from),
            end: (to - from).max(Tick::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Metre, Role, Tempo};
    use super::*;

    fn note(onset: i64, duration: Tick, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration, pitch: 60, velocity: 80, role }
    }

    fn clip() -> Clip {
        let melody = Part {
            name: "Melody".into(),
            notes: vec![note(0, Tick(24), Role::Melody), note(96, Tick::MAX, Role::Melody)],
            ..Part::default()
        };
        let bass = Part { name: "Bass".into(), channel: 1, notes: vec![note(48, Tick(96), Role::Bass)], ..Part::default() };
        Clip {
            parts: vec![bass, melody],
            metres: MetreMap::new([(Tick(96), Metre::new(3, 4).unwrap())]),
            tempos: TempoMap::new([(Tick(48), Tempo::from_bpm(90.0).unwrap())]),
            end: Tick(168),
        }
    }

    #[test]
    fn notes_of_all_parts_stand_in_canonical_order() {
        let clip = clip();
        assert_eq!(clip.notes().iter().map(|n| n.onset.0).collect::<Vec<_>>(), [0, 48, 96]);
        assert_eq!((clip.note_count(), clip.first_onset(), clip.last_onset()), (3, Some(Tick(0)), Some(Tick(96))));
        assert_eq!(clip.last_sounding(), Some(Tick::MAX));
        assert_eq!(Clip::default().last_sounding(), None);
        assert!(Clip::default().is_silent());
    }

    #[test]
    fn a_slice_starts_at_zero_and_cuts_what_sounds_on() {
        let slice = clip().slice(Tick(48), Tick(120));
        assert_eq!(slice.parts[0].notes, [note(0, Tick(72), Role::Bass)]);
        assert_eq!(slice.parts[1].notes, [note(48, Tick(24), Role::Melody)]);
        assert_eq!(slice.end, Tick(72));
        assert_eq!(slice.metres.bar(1).start, Tick(48));
        assert_eq!(slice.tempos.at(Tick::ZERO), Tempo::from_bpm(90.0).unwrap());
    }
}
