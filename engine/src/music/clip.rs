//! Parts and clips: a piece, or a piece of one.

use super::{MetreMap, Note, Setup, TICKS_PER_QUARTER, TempoMap, Tick};

/// The MIDI channel of General MIDI percussion, counted from 0 (musicians say channel 10).
pub const DRUM_CHANNEL: u8 = 9;

/// How late the last release may come without costing a bar: a sixteenth note, in ticks.
pub(crate) const LATE_RELEASE: Tick = Tick(TICKS_PER_QUARTER / 4);

/// One line of an ensemble, as a file keeps it in one track.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Part {
    /// Track name; may be empty.
    pub name: String,
    /// MIDI channel, 0 to 15. All notes on [`DRUM_CHANNEL`] are drums; drums may be on others.
    pub channel: u8,
    /// General MIDI program, 0 to 127, where one is set: the one in force when the part begins to play.
    pub program: Option<u8>,
    /// Further settings of its sound and its name.
    pub setup: Setup,
    /// Its notes in canonical order ([`Note::order`]).
    pub notes: Vec<Note>,
}

impl Part {
    /// The same part with other notes.
    #[must_use]
    pub fn with_notes(&self, notes: Vec<Note>) -> Self {
        Self { name: self.name.clone(), channel: self.channel, program: self.program, setup: self.setup.clone(), notes }
    }

    /// The part with the bank and program in force at `from`, which is the new tick 0 for those that follow before `to`. Its notes stay.
    #[must_use]
    pub(crate) fn set_up_from(mut self, from: Tick, to: Tick) -> Self {
        if let Some((_, patch)) = self.setup.changes.iter().rev().find(|(tick, _)| *tick <= from) {
            self.program = Some(patch.program);
            self.setup.bank = patch.bank;
        }
        self.setup.changes.retain(|(tick, _)| (from + Tick(1)..to).contains(tick));
        self.setup.changes.iter_mut().for_each(|(tick, _)| *tick -= from);
        self
    }

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
    /// Where it ends. Of an imported file: the bar line that its music ends on ([`Clip::closing_bar_line`]), or a later one that a track ends on, if that track
    /// has notes or ends apart from its last event. So a loop may end with a rest, and a late tempo makes no empty bars.
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

    /// The bar line that the music ends on: the first at or after the last sound, or the one before, if behind that nothing starts and what sounds is released
    /// at most a sixteenth late. `None` without a note. Where a note is still held, the clip's own end counts.
    #[must_use]
    pub fn closing_bar_line(&self) -> Option<Tick> {
        let (sounding, onset) = (self.last_sounding()?, self.last_onset()?);
        let last = if sounding == Tick::MAX { self.end.max(onset + Tick(1)) } else { sounding };
        let bar = self.metres.bar_at(last);
        let is_late_release = bar.start > onset && last - bar.start <= LATE_RELEASE;
        Some(if is_late_release { bar.start } else { self.metres.bar_line_from(last) })
    }

    /// What starts from `from` on and before `to`, with `from` as the new tick 0: bar lines and tempi up to `to`, and banks and programs carried over, notes
    /// cut at `to`. Notes that started before `from` are left out; parts stay, also those left without notes.
    #[must_use]
    pub fn slice(&self, from: Tick, to: Tick) -> Self {
        let part = |part: &Part| {
            let notes = part.notes.iter().filter(|note| from <= note.onset && note.onset < to);
            let cut = notes.map(|note| Note { onset: note.onset - from, duration: note.duration.min(to - note.onset), ..*note });
            part.with_notes(cut.collect()).set_up_from(from, to)
        };
        Self {
            parts: self.parts.iter().map(part).collect(),
            metres: self.metres.slice_from(from).until(to - from),
            tempos: self.tempos.slice_from(from).until(to - from),
            end: (to - from).max(Tick::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bank, Metre, Patch, Role, Tempo};
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
    fn notes_of_all_parts_are_in_canonical_order() {
        let clip = clip();
        assert_eq!(clip.notes().iter().map(|n| n.onset.0).collect::<Vec<_>>(), [0, 48, 96]);
        assert_eq!((clip.note_count(), clip.first_onset(), clip.last_onset()), (3, Some(Tick(0)), Some(Tick(96))));
        assert_eq!(clip.last_sounding(), Some(Tick::MAX));
        assert_eq!(Clip::default().last_sounding(), None);
        assert!(Clip::default().is_silent());
    }

    #[test]
    fn slice_starts_at_zero_and_cuts_notes_that_sound_on() {
        let slice = clip().slice(Tick(48), Tick(120));
        assert_eq!(slice.parts[0].notes, [note(0, Tick(72), Role::Bass)]);
        assert_eq!(slice.parts[1].notes, [note(48, Tick(24), Role::Melody)]);
        assert_eq!(slice.end, Tick(72));
        assert_eq!(slice.metres.bar(1).start, Tick(48));
        assert_eq!(slice.tempos.at(Tick::ZERO), Tempo::from_bpm(90.0).unwrap());
    }

    #[test]
    fn slice_with_changes_behind_its_end_leaves_them_out() {
        let mut clip = clip();
        clip.tempos =
            TempoMap::new([48, 100, 120, 9600].map(|tick| (Tick(tick), Tempo::new(400_000 + u32::try_from(tick).unwrap()).unwrap())));
        clip.metres = MetreMap::new([(Tick(96), Metre::new(3, 4).unwrap()), (Tick(9600), Metre::new(5, 4).unwrap())]);
        let slice = clip.slice(Tick(48), Tick(120));
        assert_eq!(slice.tempos.changes().iter().map(|(tick, _)| tick.0).collect::<Vec<_>>(), [0, 52]);
        assert_eq!(slice.metres.changes().iter().map(|(tick, _)| tick.0).collect::<Vec<_>>(), [0, 48]);
    }

    #[test]
    fn slice_after_program_changes_begins_with_the_one_in_force() {
        let patch = |program| Patch { bank: Bank { coarse: Some(1), fine: Some(program) }, program };
        let mut clip = clip();
        clip.parts[0].program = Some(32);
        clip.parts[0].setup.changes = vec![(Tick(24), patch(33)), (Tick(48), patch(34)), (Tick(60), patch(35)), (Tick(120), patch(36))];
        let slice = clip.slice(Tick(48), Tick(120));
        assert_eq!((slice.parts[0].program, slice.parts[0].setup.bank), (Some(34), patch(34).bank));
        assert_eq!(slice.parts[0].setup.changes, [(Tick(12), patch(35))]);
        assert_eq!(clip.slice(Tick(12), Tick(24)).parts[0].program, Some(32));
    }

    #[test]
    fn closing_bar_line_forgives_releases_up_to_a_sixteenth_late() {
        let ending = |end: i64, onset: i64| Clip {
            parts: vec![Part { notes: vec![note(onset, Tick(end - onset), Role::Keys)], ..Part::default() }],
            ..Clip::default()
        };
        assert_eq!(ending(96, 72).closing_bar_line(), Some(Tick(96)));
        assert_eq!(ending(102, 72).closing_bar_line(), Some(Tick(96)));
        assert_eq!(ending(103, 72).closing_bar_line(), Some(Tick(192)), "later than a sixteenth it sounds on");
        assert_eq!(ending(102, 96).closing_bar_line(), Some(Tick(192)), "what starts there is played there");
        assert_eq!(Clip::default().closing_bar_line(), None);
    }
}
