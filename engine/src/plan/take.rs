//! A take: the planned notes that sounded, at their positions in the song.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Fingerprint, SongPosition, notes};
use crate::music::{Note, OFFSETS_PER_TICK};

/// Most notes of a take. Beyond that, the notes that the song passed longest ago are removed and counted.
pub const TAKE_NOTES: usize = 8_192;

/// Use of the take, in the order of the Take parameter's steps. Automation stores the step, so the order never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum TakeMode {
    /// Nothing is recorded or replayed.
    #[default]
    Off = 0,
    /// The take plays, and nothing else.
    Replay = 1,
    /// Planned notes that sound replace what the take has at their positions.
    Overwrite = 2,
}

/// A note of a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeNote {
    /// The note as it was planned; its onset is a song position.
    pub note: Note,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// End in eighths of a tick after the onset, if the note ended before its planned end.
    pub cut: Option<i64>,
}

impl TakeNote {
    /// Start in the song, in eighths of a tick.
    #[must_use]
    pub const fn start(&self) -> i64 {
        self.note.onset.0.saturating_mul(OFFSETS_PER_TICK).saturating_add(self.note.offset as i64)
    }

    const fn order(&self) -> (i64, u8, u8) {
        (self.start(), self.channel, self.note.pitch)
    }

    fn is_believed(&self) -> bool {
        self.channel < 16 && super::phrase::is_believed(self.note.onset)
    }
}

/// Planned notes that sounded, by song position. Of several passes of a loop the latest is kept.
///
/// ```
/// use antiphon_engine::music::{Note, Role, Tick};
/// use antiphon_engine::plan::{SongPosition, Take, TakeNote};
///
/// let note = |onset| Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
/// let played = |onset| TakeNote { note: note(onset), channel: 0, cut: None };
/// let mut take = Take::default();
/// take.overwrite(7, SongPosition(0), SongPosition(96), [played(0), played(48)]);
/// // The loop returns, and only half of it is played again.
/// take.overwrite(7, SongPosition(0), SongPosition(48), [played(24)]);
/// assert_eq!(take.notes(), [played(24), played(48)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Take {
    /// Identity, drawn when the first note or bar is recorded; 0 before.
    id: u64,
    /// Number of stretches recorded.
    passes: u64,
    /// In order of their starts.
    notes: Vec<TakeNote>,
    /// The player's input in each bar that was recorded whole, by bar line.
    inputs: BTreeMap<SongPosition, Fingerprint>,
    /// Bars in which the player's input is not the one that was recorded.
    stale: BTreeSet<SongPosition>,
    /// Notes removed because the take was full.
    lost: u64,
}

impl Take {
    /// Replaces what starts between two song positions. A note that sounds into the stretch keeps its length. `id` becomes the identity of an empty
    /// take.
    pub fn overwrite(&mut self, id: u64, from: SongPosition, to: SongPosition, notes: impl IntoIterator<Item = TakeNote>) {
        let stretch = eighths(from)..eighths(to);
        if self.id == 0 {
            self.id = id.max(1);
        }
        self.passes += 1;
        self.notes.retain(|note| !stretch.contains(&note.start()));
        self.notes.extend(notes.into_iter().filter(|note| stretch.contains(&note.start())));
        self.notes.sort_by_key(TakeNote::order);
        self.make_room(to);
    }

    /// Adds a note to what was recorded at its place.
    pub fn add(&mut self, note: TakeNote) {
        self.notes.insert(self.notes.partition_point(|other| other.order() <= note.order()), note);
        self.make_room(SongPosition(note.start().div_euclid(OFFSETS_PER_TICK)));
    }

    /// Ends a recorded note, `cut` eighths of a tick after its onset. `start` is its start in eighths of a tick.
    pub fn cut(&mut self, start: i64, channel: u8, pitch: u8, cut: i64) {
        let first = self.notes.partition_point(|note| note.start() < start);
        let same = self.notes[first..].iter_mut().take_while(|note| note.start() == start);
        if let Some(note) = same.into_iter().find(|note| (note.channel, note.note.pitch) == (channel, pitch)) {
            note.cut = Some(cut);
        }
    }

    /// Notes that start in the song at or after `from` and before `to`, both in eighths of a tick; none if `to` lies before `from`.
    #[must_use]
    pub fn between(&self, from: i64, to: i64) -> &[TakeNote] {
        let first = self.notes.partition_point(|note| note.start() < from);
        let end = self.notes.partition_point(|note| note.start() < to);
        self.notes.get(first..end).unwrap_or_default()
    }

    /// All notes, in order of their starts.
    #[must_use]
    pub fn notes(&self) -> &[TakeNote] {
        &self.notes
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.id == 0
    }

    /// Records the player's input in the bar that begins at this bar line.
    pub fn record_input(&mut self, bar: SongPosition, input: Fingerprint) {
        self.inputs.insert(bar, input);
        self.stale.remove(&bar);
    }

    /// Compares the player's input in a bar with the recorded one.
    pub fn compare_input(&mut self, bar: SongPosition, input: Fingerprint) {
        if self.differs(bar, input) {
            self.stale.insert(bar);
        } else {
            self.stale.remove(&bar);
        }
    }

    /// Whether [`compare_input`](Self::compare_input) would change anything: a change copies a take that others hold.
    #[must_use]
    pub fn would_change(&self, bar: SongPosition, input: Fingerprint) -> bool {
        self.differs(bar, input) != self.stale.contains(&bar)
    }

    /// Whether this is not the input that was recorded with the bar.
    fn differs(&self, bar: SongPosition, input: Fingerprint) -> bool {
        self.inputs.get(&bar).is_some_and(|recorded| *recorded != input)
    }

    /// Bar lines of the bars in which the player plays something else than when the take was recorded.
    pub fn stale_bars(&self) -> impl Iterator<Item = SongPosition> + '_ {
        self.stale.iter().copied()
    }

    /// Notes removed because the take was full.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Loads a saved take. An earlier state of this take, which a host's undo loads, is ignored: nothing that was recorded is lost.
    pub fn load(&mut self, saved: Self) {
        let is_earlier = saved.is_empty() || (saved.id == self.id && saved.passes < self.passes);
        if !is_earlier {
            *self = saved;
        }
    }

    /// Removes notes until the rest fits: those that the song, now at `here`, passed longest ago.
    fn make_room(&mut self, here: SongPosition) {
        let excess = self.notes.len().saturating_sub(TAKE_NOTES);
        if excess == 0 {
            return;
        }
        // In a song that plays on, what lies just ahead was recorded in an earlier pass.
        let ahead = self.notes.partition_point(|note| note.start() < eighths(here));
        let from = if self.notes.len() - ahead >= excess { ahead } else { 0 };
        self.notes.drain(from..from + excess);
        self.lost += u64::try_from(excess).unwrap_or(u64::MAX);
    }
}

const fn eighths(position: SongPosition) -> i64 {
    position.0.saturating_mul(OFFSETS_PER_TICK)
}

/// Form of a take in a project.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: u64,
    passes: u64,
    #[serde(with = "notes")]
    notes: Vec<Note>,
    /// Channel of each note.
    channels: Vec<u8>,
    /// Cut of the notes that have one, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cuts: Vec<(usize, i64)>,
    /// Bar lines and fingerprints of the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<(SongPosition, Fingerprint)>,
}

impl Serialize for Take {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = Stored {
            id: self.id,
            passes: self.passes,
            notes: self.notes.iter().map(|note| note.note).collect(),
            channels: self.notes.iter().map(|note| note.channel).collect(),
            cuts: self.notes.iter().enumerate().filter_map(|(index, note)| Some((index, note.cut?))).collect(),
            inputs: self.inputs.iter().map(|(bar, input)| (*bar, *input)).collect(),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Take {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { id, passes, notes, channels, cuts, inputs } = Stored::deserialize(deserializer)?;
        let cuts: BTreeMap<usize, i64> = cuts.into_iter().collect();
        let notes = notes.into_iter().enumerate().map(|(index, note)| TakeNote {
            note,
            channel: channels.get(index).copied().unwrap_or(0),
            cut: cuts.get(&index).copied(),
        });
        let mut notes: Vec<TakeNote> = notes.filter(TakeNote::is_believed).collect();
        notes.sort_by_key(TakeNote::order);
        let mut take = Self { id, passes, notes, inputs: inputs.into_iter().collect(), ..Self::default() };
        take.make_room(SongPosition(i64::MAX));
        Ok(take)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::music::{Role, Tick};

    fn at(position: i64) -> SongPosition {
        SongPosition(position)
    }

    fn note(onset: i64, pitch: u8) -> TakeNote {
        let note = Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        TakeNote { note, channel: 0, cut: None }
    }

    fn early(onset: i64) -> TakeNote {
        let late = note(onset, 60);
        TakeNote { note: Note { offset: -3, ..late.note }, ..late }
    }

    #[test]
    fn overwrite_of_a_loop_keeps_the_latest_pass() {
        let mut take = Take::default();
        take.overwrite(1, at(0), at(96), [note(0, 60), note(48, 62), note(95, 64)]);
        take.overwrite(1, at(0), at(90), [note(12, 70)]);
        assert_eq!(take.notes(), [note(12, 70), note(95, 64)]);
        assert_eq!(take.between(12 * 8, 95 * 8), [note(12, 70)]);
        assert_eq!(take.between(95 * 8, 12 * 8), []);
    }

    #[test]
    fn note_belongs_to_the_stretch_in_which_it_starts() {
        let mut take = Take::default();
        // Planned on tick 20 and played a little early: before the end of the stretch.
        take.overwrite(1, at(10), at(20), [note(9, 60), note(10, 61), early(20), note(20, 62)]);
        assert_eq!(take.notes(), [note(10, 61), early(20)]);
        assert_eq!(take.between(20 * 8 - 3, 20 * 8), [early(20)]);
    }

    #[test]
    fn cut_note_is_the_one_on_its_key() {
        let mut take = Take::default();
        take.overwrite(1, at(0), at(20), [note(10, 61), note(10, 64), note(12, 64)]);
        take.cut(80, 0, 64, 30);
        take.cut(80, 3, 61, 30);
        assert_eq!(take.notes().iter().map(|note| note.cut).collect::<Vec<_>>(), [None, Some(30), None]);
    }

    #[test]
    fn bars_with_other_input_are_stale_until_it_returns_or_they_are_recorded_again() {
        let (one, other) = (Fingerprint(1), Fingerprint(2));
        let mut take = Take::default();
        take.compare_input(at(0), one);
        assert_eq!(take.stale_bars().count(), 0, "a bar that was not recorded is not stale");
        take.record_input(at(0), one);
        take.record_input(at(96), one);
        assert!(take.would_change(at(96), other));
        take.compare_input(at(96), other);
        assert!(!take.would_change(at(96), other));
        assert_eq!(take.stale_bars().collect::<Vec<_>>(), [at(96)]);
        take.compare_input(at(96), one);
        take.compare_input(at(0), other);
        assert_eq!(take.stale_bars().collect::<Vec<_>>(), [at(0)]);
        take.record_input(at(0), other);
        assert_eq!(take.stale_bars().count(), 0);
    }

    #[test]
    fn take_is_equal_after_a_project_file() {
        let mut take = Take::default();
        let cut = TakeNote { cut: Some(77), channel: 9, ..early(48) };
        take.overwrite(5, at(-24), at(96), [note(-24, 60), cut]);
        take.record_input(at(0), Fingerprint(6));
        let text = serde_json::to_string(&take).unwrap();
        assert_eq!(
            text,
            r#"{"id":5,"passes":1,"notes":[-24,24,60,80,76,72,24,60,80,73],"channels":[0,9],"cuts":[[1,77]],"inputs":[[0,6]]}"#
        );
        assert_eq!(serde_json::from_str::<Take>(&text).unwrap(), take);
    }

    #[test]
    fn undo_that_loads_an_earlier_state_loses_nothing() {
        let mut take = Take::default();
        take.overwrite(5, at(0), at(96), [note(0, 60)]);
        let before = take.clone();
        take.overwrite(5, at(96), at(192), [note(96, 60)]);
        let after = take.clone();
        take.load(before.clone());
        take.load(Take::default());
        assert_eq!(take, after);
        let mut opened = Take::default();
        opened.load(before.clone());
        assert_eq!(opened, before, "a project that is opened brings its take");
        let mut other = Take::default();
        other.overwrite(6, at(0), at(96), []);
        take.load(other.clone());
        assert_eq!(take, other);
    }

    #[test]
    fn full_take_loses_the_notes_that_were_passed_longest_ago() {
        let mut take = Take::default();
        let most = i64::try_from(TAKE_NOTES).unwrap();
        take.overwrite(1, at(0), at(most), (0..most).map(|onset| note(onset, 60)));
        take.overwrite(1, at(most), at(most + 10), (most..most + 10).map(|onset| note(onset, 60)));
        assert_eq!((take.notes().len(), take.lost()), (TAKE_NOTES, 10));
        assert_eq!(take.notes()[0].note.onset, Tick(10));
        // After a loop, what lies ahead was recorded in an earlier pass.
        take.overwrite(1, at(100), at(110), (100..110).flat_map(|onset| [note(onset, 60), note(onset, 61)]));
        assert_eq!((take.notes().len(), take.lost()), (TAKE_NOTES, 20));
        assert!(take.between(110 * 8, 120 * 8).is_empty());
    }

    proptest! {
        /// Against a map from position to the notes of the last pass there.
        #[test]
        fn every_position_holds_the_notes_of_its_last_pass(
            passes in prop::collection::vec((0..60i64, 1..40i64, prop::collection::vec((0..100i64, 60..63u8), 0..8)), 1..12),
        ) {
            let mut take = Take::default();
            let mut last: BTreeMap<i64, Vec<TakeNote>> = BTreeMap::new();
            for (from, length, played) in passes {
                let played: Vec<_> = played.into_iter().map(|(onset, pitch)| note(onset, pitch)).collect();
                take.overwrite(1, at(from), at(from + length), played.iter().copied());
                for position in from..from + length {
                    last.insert(position, played.iter().filter(|note| note.note.onset.0 == position).copied().collect());
                }
            }
            let mut expected: Vec<_> = last.into_values().flatten().collect();
            expected.sort_by_key(TakeNote::order);
            prop_assert_eq!(take.notes(), expected.as_slice());
        }
    }
}
