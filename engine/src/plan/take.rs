//! A take: what was heard, at its place in the song.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Fingerprint, SongPosition, notes};
use crate::music::{Note, Tick};

/// Most notes of a take; beyond, those heard longest ago go first and are counted.
pub const TAKE_NOTES: usize = 8_192;

/// What is done with the take, in the order of the parameter's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum TakeMode {
    /// Nothing is written and nothing replayed.
    #[default]
    Off = 0,
    /// What was written sounds again at its place.
    Replay = 1,
    /// What is heard is written over what was there.
    Overwrite = 2,
}

impl TakeMode {
    /// Every mode, in the order of the parameter's steps.
    pub const ALL: [Self; 3] = [Self::Off, Self::Replay, Self::Overwrite];

    /// The mode at this step of the parameter, if there is one.
    #[must_use]
    pub fn from_step(step: u8) -> Option<Self> {
        Self::ALL.get(usize::from(step)).copied()
    }

    /// Its step of the parameter, 0 to 2.
    #[must_use]
    pub const fn step(self) -> u8 {
        self as u8
    }
}

/// What was heard, by song position: of several passes of a loop the latest stands. Notes carry song positions as their onsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Take {
    /// In canonical order.
    #[serde(with = "notes")]
    notes: Vec<Note>,
    /// What the player played to it. Another input makes it stale.
    input: Fingerprint,
    stale: bool,
    /// Notes that had to go for want of room.
    #[serde(skip)]
    lost: u64,
}

impl Default for Take {
    fn default() -> Self {
        Self { notes: Vec::new(), input: Fingerprint::SILENCE, stale: false, lost: 0 }
    }
}

impl<'de> Deserialize<'de> for Take {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            #[serde(with = "notes")]
            notes: Vec<Note>,
            input: Fingerprint,
            #[serde(default)]
            stale: bool,
        }
        let Stored { mut notes, input, stale } = Stored::deserialize(deserializer)?;
        notes.sort_by_key(Note::order);
        let mut take = Self { notes, input, stale, lost: 0 };
        take.make_room(SongPosition(i64::MAX));
        Ok(take)
    }
}

impl Take {
    /// The song passes from `from` to `to` in Overwrite: what started there is forgotten, and what is heard now takes its place. A note that
    /// sounds into the stretch keeps its length.
    pub fn overwrite(&mut self, from: SongPosition, to: SongPosition, heard: impl IntoIterator<Item = Note>) {
        let inside = |note: &Note| (from.0..to.0).contains(&note.onset.0);
        self.notes.retain(|note| !inside(note));
        self.notes.extend(heard.into_iter().filter(inside));
        self.notes.sort_by_key(Note::order);
        self.make_room(to);
    }

    /// The note that was written down here while its key was held has ended.
    pub fn end_note(&mut self, onset: SongPosition, pitch: u8, duration: Tick) {
        let held = |note: &&mut Note| note.onset.0 == onset.0 && note.pitch == pitch && note.duration == Tick::MAX;
        if let Some(note) = self.notes.iter_mut().find(held) {
            note.duration = duration.max(Tick(1));
        }
    }

    /// What sounds again from `from` on and before `to`.
    #[must_use]
    pub fn between(&self, from: SongPosition, to: SongPosition) -> &[Note] {
        let start = self.notes.partition_point(|note| note.onset.0 < from.0);
        let end = self.notes.partition_point(|note| note.onset.0 < to.0);
        self.notes.get(start..end).unwrap_or_default()
    }

    /// Everything, in canonical order.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Overwrite has come to its end: this is what the player had played to it. The take is fresh again.
    pub fn finish(&mut self, input: Fingerprint) {
        self.input = input;
        self.stale = false;
    }

    /// The player's input in the song is now this: if it is not what the take was made to, the take is stale, until it is made again.
    pub fn compare(&mut self, input: Fingerprint) {
        self.stale |= !self.notes.is_empty() && input != self.input;
    }

    /// Whether the input has changed since it was made.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Notes that had to go for want of room.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Lets notes go until the rest fits: those that the song, now at `here`, passed longest ago or will pass last.
    fn make_room(&mut self, here: SongPosition) {
        let excess = self.notes.len().saturating_sub(TAKE_NOTES);
        if excess == 0 {
            return;
        }
        // In a song that plays on, what lies just ahead was written in an earlier pass: the oldest.
        let ahead = self.notes.partition_point(|note| note.onset.0 < here.0);
        let from = if self.notes.len() - ahead >= excess { ahead } else { 0 };
        self.notes.drain(from..from + excess);
        self.lost += u64::try_from(excess).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::phrase::tests::note;
    use super::*;

    fn at(position: i64) -> SongPosition {
        SongPosition(position)
    }

    #[test]
    fn steps_are_pinned() {
        assert_eq!(TakeMode::ALL.map(TakeMode::step), [0, 1, 2]);
        assert_eq!(TakeMode::from_step(1), Some(TakeMode::Replay));
        assert_eq!(TakeMode::from_step(3), None);
    }

    #[test]
    fn the_latest_pass_of_a_loop_wins() {
        let mut take = Take::default();
        take.overwrite(at(0), at(96), [note(0, 60), note(48, 62), note(95, 64)]);
        take.overwrite(at(0), at(90), [note(12, 70)]);
        assert_eq!(take.notes(), [note(12, 70), note(95, 64)]);
        assert_eq!(take.between(at(12), at(95)), [note(12, 70)]);
        assert_eq!(take.between(at(95), at(12)), []);
    }

    #[test]
    fn notes_outside_the_stretch_are_not_written() {
        let mut take = Take::default();
        take.overwrite(at(10), at(20), [note(9, 60), note(10, 61), note(20, 62)]);
        assert_eq!(take.notes(), [note(10, 61)]);
    }

    #[test]
    fn a_held_note_gets_its_length_when_it_ends() {
        let held = Note { duration: Tick::MAX, ..note(10, 61) };
        let mut take = Take::default();
        take.overwrite(at(0), at(20), [held, note(10, 64)]);
        take.end_note(at(10), 64, Tick(90));
        take.end_note(at(10), 61, Tick(30));
        assert_eq!(take.notes(), [Note { duration: Tick(30), ..held }, note(10, 64)]);
    }

    #[test]
    fn another_input_makes_a_take_stale_until_it_is_made_again() {
        let (one, other) = (Fingerprint::of(&[note(0, 60)]), Fingerprint::of(&[note(0, 61)]));
        let mut take = Take::default();
        take.compare(one);
        assert!(!take.is_stale(), "nothing is there to be stale");
        take.overwrite(at(0), at(96), [note(0, 70)]);
        take.finish(one);
        take.compare(one);
        assert!(!take.is_stale());
        take.compare(other);
        assert!(take.is_stale());
        take.compare(one);
        assert!(take.is_stale(), "it was played differently in between");
        take.finish(other);
        assert!(!take.is_stale());
    }

    #[test]
    fn a_take_survives_a_project_file() {
        let mut take = Take::default();
        take.overwrite(at(-24), at(96), [note(-24, 60), note(48, 62)]);
        take.finish(Fingerprint(5));
        take.compare(Fingerprint(6));
        let text = serde_json::to_string(&take).unwrap();
        assert_eq!(text, r#"{"notes":[-24,24,60,80,76,72,24,62,80,76],"input":5,"stale":true}"#);
        assert_eq!(serde_json::from_str::<Take>(&text).unwrap(), take);
    }

    #[test]
    fn a_full_take_loses_what_was_heard_longest_ago() {
        let mut take = Take::default();
        let most = i64::try_from(TAKE_NOTES).unwrap();
        take.overwrite(at(0), at(most), (0..most).map(|onset| note(onset, 60)));
        // Played on: the beginning was heard longest ago.
        take.overwrite(at(most), at(most + 10), (most..most + 10).map(|onset| note(onset, 60)));
        assert_eq!((take.notes().len(), take.lost()), (TAKE_NOTES, 10));
        assert_eq!(take.notes()[0].onset, Tick(10));
        // Looped: what lies ahead was heard longest ago.
        take.overwrite(at(100), at(110), (100..110).flat_map(|onset| [note(onset, 60), note(onset, 61)]));
        assert_eq!((take.notes().len(), take.lost()), (TAKE_NOTES, 20));
        assert!(take.between(at(110), at(120)).is_empty());
    }

    proptest! {
        /// Against a map from position to the notes of the pass that came there last.
        #[test]
        fn every_position_holds_what_was_heard_there_last(
            passes in prop::collection::vec((0..60i64, 1..40i64, prop::collection::vec((0..100i64, 60..63u8), 0..8)), 1..12),
        ) {
            let mut take = Take::default();
            let mut last: BTreeMap<i64, Vec<Note>> = BTreeMap::new();
            for (from, length, heard) in passes {
                let heard: Vec<_> = heard.into_iter().map(|(onset, pitch)| note(onset, pitch)).collect();
                take.overwrite(at(from), at(from + length), heard.iter().copied());
                for position in from..from + length {
                    last.insert(position, heard.iter().filter(|note| note.onset.0 == position).copied().collect());
                }
            }
            let mut expected: Vec<_> = last.into_values().flatten().collect();
            expected.sort_by_key(Note::order);
            prop_assert_eq!(take.notes(), expected.as_slice());
        }
    }
}
