//! Memory of a player: the phrases of a project, bounded, without repeats.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Fingerprint, notes};
use crate::music::{Bar, Metre, Note, Tick};

/// Most notes that are remembered. It bounds the cost of a generated note and the size of a project: some 20 bytes each.
pub const MEMORY_NOTES: usize = 1024;
/// Most bars that are remembered: they are read once by the model, some 10 ms each.
pub const MEMORY_BARS: usize = 64;
/// Fewest notes of a phrase that is worth remembering.
const LEAST_NOTES: usize = 4;
/// Longest bar that is read from a project: 16 quarters.
const LONGEST_BAR: Tick = Tick::quarters(16);

/// Whole bars that the player played. Equal if the notes start at the same ticks on the same keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Length and metre of each bar.
    bars: Vec<(Tick, Metre)>,
    /// In order of time, from the first bar line on. None sounds beyond the last bar.
    notes: Vec<Note>,
}

/// Phrases of the player, the latest last.
///
/// ```
/// use antiphon_engine::music::{Bar, Metre, Note, Role, Tick};
/// use antiphon_engine::plan::{Phrase, PlayerMemory};
///
/// let bar = Bar { index: 0, start: Tick(960), length: Tick(96), metre: Metre::COMMON };
/// let note = |beat: i64| Note { onset: Tick(960 + 24 * beat), offset: 0, duration: Tick(24), pitch: 60, velocity: 80, role: Role::Keys };
/// let phrase = Phrase::new(&[bar], &[note(0), note(1), note(2), note(3)]).expect("four notes are enough");
/// let mut memory = PlayerMemory::default();
/// memory.learn(phrase.clone());
/// memory.learn(phrase);
/// assert_eq!(memory.bars(), 1, "played twice, remembered once");
/// memory.forget();
/// assert_eq!((memory.bars(), memory.forgotten_bars()), (0, 1));
/// memory.forget();
/// assert_eq!(memory.bars(), 1, "brought back");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlayerMemory {
    phrases: Vec<Phrase>,
    /// Phrases that were forgotten, and can be brought back; not saved.
    forgotten: Vec<Phrase>,
}

/// A phrase in a project.
#[derive(Serialize, Deserialize)]
struct StoredPhrase {
    /// Length in ticks, numerator and denominator of each bar.
    bars: Vec<(i64, u8, u8)>,
    #[serde(with = "notes")]
    notes: Vec<Note>,
}

impl Phrase {
    /// The notes that start in these bars, which follow each other; `notes` are in order of time. `None` of too few notes.
    #[must_use]
    pub fn new(bars: &[Bar], notes: &[Note]) -> Option<Self> {
        let (first, last) = (bars.first()?, bars.last()?);
        let inside = notes.iter().filter(|note| (first.start..last.end()).contains(&note.onset));
        let relative =
            |note: &Note| Note { onset: note.onset - first.start, duration: note.duration.min(last.end() - note.onset), ..*note };
        let notes: Vec<Note> = inside.map(relative).collect();
        let bars = bars.iter().map(|bar| (bar.length, bar.metre)).collect();
        (LEAST_NOTES..=MEMORY_NOTES).contains(&notes.len()).then_some(Self { bars, notes })
    }

    /// Its bars, from tick 0 on.
    #[must_use]
    pub fn bars(&self) -> Vec<Bar> {
        let bars = (0..).zip(&self.bars).scan(Tick::ZERO, |line, (index, &(length, metre))| {
            let start = std::mem::replace(line, *line + length);
            Some(Bar { index, start, length, metre })
        });
        bars.collect()
    }

    /// Its notes, in order of time, from tick 0 on.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Fingerprint of what makes it equal to another: onsets, keys and roles.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let struck = |note: &Note| Note { offset: 0, duration: Tick::ZERO, velocity: 1, ..*note };
        self.notes.iter().map(struck).fold(Fingerprint::SILENCE, |all, note| all.with(&note))
    }

    /// A phrase of a project; `None` if it is damaged.
    fn read(StoredPhrase { bars, notes }: StoredPhrase) -> Option<Self> {
        let bar = |(length, numerator, denominator)| {
            Some((Tick(length), Metre::new(numerator, denominator)?)).filter(|(length, _)| (Tick(1)..=LONGEST_BAR).contains(length))
        };
        let bars: Vec<(Tick, Metre)> = bars.into_iter().take(MEMORY_BARS).map(bar).collect::<Option<_>>()?;
        let end = bars.iter().fold(Tick::ZERO, |end, (length, _)| end + *length);
        let is_inside = |note: &Note| (Tick::ZERO..end).contains(&note.onset) && note.duration <= end - note.onset;
        let is_valid = notes.iter().all(is_inside) && notes.is_sorted_by_key(|note| note.onset);
        (is_valid && (LEAST_NOTES..=MEMORY_NOTES).contains(&notes.len())).then_some(Self { bars, notes })
    }
}

impl PlayerMemory {
    /// Remembers a phrase as the latest; one that is equal is replaced. The oldest go first where there is no room.
    pub fn learn(&mut self, phrase: Phrase) {
        let fingerprint = phrase.fingerprint();
        self.phrases.retain(|other| other.fingerprint() != fingerprint);
        self.phrases.push(phrase);
        self.make_room();
    }

    /// Forgets all phrases, or brings those back that were forgotten last if nothing was learnt since.
    pub fn forget(&mut self) {
        std::mem::swap(&mut self.phrases, &mut self.forgotten);
        if !self.forgotten.is_empty() {
            self.phrases.clear();
        }
    }

    /// Adds the phrases of another memory as older ones, without those that were forgotten here: an earlier state of the project still has them.
    pub fn merge(&mut self, other: Self) {
        let is_forgotten = |phrase: &Phrase| self.forgotten.iter().any(|forgotten| forgotten.fingerprint() == phrase.fingerprint());
        let older = other.phrases.into_iter().filter(|phrase| !is_forgotten(phrase)).collect();
        let latest = std::mem::replace(&mut self.phrases, older);
        latest.into_iter().for_each(|phrase| self.learn(phrase));
        self.make_room();
    }

    /// The phrases, the latest last.
    #[must_use]
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// Number of bars remembered.
    #[must_use]
    pub fn bars(&self) -> usize {
        bars(&self.phrases)
    }

    /// Number of bars that [`forget`](Self::forget) would bring back; 0 if it would forget.
    #[must_use]
    pub fn forgotten_bars(&self) -> usize {
        if self.phrases.is_empty() { bars(&self.forgotten) } else { 0 }
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    fn make_room(&mut self) {
        let notes = |phrases: &[Phrase]| phrases.iter().map(|phrase| phrase.notes.len()).sum::<usize>();
        while bars(&self.phrases) > MEMORY_BARS || notes(&self.phrases) > MEMORY_NOTES {
            self.phrases.remove(0);
        }
    }
}

fn bars(phrases: &[Phrase]) -> usize {
    phrases.iter().map(|phrase| phrase.bars.len()).sum()
}

impl Serialize for PlayerMemory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = |Phrase { bars, notes }: &Phrase| StoredPhrase {
            bars: bars.iter().map(|(length, metre)| (length.0, metre.numerator(), metre.denominator())).collect(),
            notes: notes.clone(),
        };
        serializer.collect_seq(self.phrases.iter().map(stored))
    }
}

impl<'de> Deserialize<'de> for PlayerMemory {
    /// A phrase that is damaged is left out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Vec::<serde_json::Value>::deserialize(deserializer)?;
        let phrases = stored.into_iter().filter_map(|phrase| Phrase::read(serde_json::from_value(phrase).ok()?));
        let mut memory = Self::default();
        phrases.for_each(|phrase| memory.learn(phrase));
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Role;

    /// A phrase of so many bars of eight notes from this key on.
    fn phrase(bars: i64, pitch: u8) -> Phrase {
        let bar = |index: i64| Bar { index: 0, start: Tick(960 + 96 * index), length: Tick(96), metre: Metre::COMMON };
        let note =
            |index: i64| Note { onset: Tick(960 + 12 * index), offset: -3, duration: Tick(9), pitch, velocity: 70, role: Role::Keys };
        let (bars, notes): (Vec<Bar>, Vec<Note>) = ((0..bars).map(bar).collect(), (0..8 * bars).map(note).collect());
        Phrase::new(&bars, &notes).unwrap()
    }

    fn memory(phrases: impl IntoIterator<Item = Phrase>) -> PlayerMemory {
        let mut memory = PlayerMemory::default();
        phrases.into_iter().for_each(|phrase| memory.learn(phrase));
        memory
    }

    #[test]
    fn saved_memory_is_read_back_and_its_format_is_pinned() {
        let saved = memory([phrase(1, 60)]);
        let text = serde_json::to_string(&saved).unwrap();
        assert!(text.starts_with(r#"[{"bars":[[96,4,4]],"notes":[0,9,60,70,73,12,9,60,70,73"#), "{text}");
        assert_eq!(serde_json::from_str::<PlayerMemory>(&text).unwrap(), saved);
    }

    #[test]
    fn full_memory_drops_the_oldest_phrases_and_stays_small() {
        let full = memory((0..100).map(|pitch| phrase(8, pitch)));
        assert_eq!((full.bars(), full.phrases().len()), (MEMORY_BARS, MEMORY_BARS / 8));
        assert_eq!(full.phrases()[0].notes()[0].pitch, 92);
        let dense: Vec<Note> = (0..MEMORY_NOTES)
            .map(|index| Note {
                onset: Tick(i64::try_from(index).unwrap()),
                offset: 0,
                duration: Tick(1),
                pitch: 127,
                velocity: 127,
                role: Role::Other,
            })
            .collect();
        let bars: Vec<Bar> =
            (0..11).map(|index| Bar { index: 0, start: Tick(96 * index), length: Tick(96), metre: Metre::COMMON }).collect();
        let dense = memory([phrase(2, 60), Phrase::new(&bars, &dense).unwrap()]);
        assert_eq!(dense.phrases().len(), 1);
        assert!(serde_json::to_string(&dense).unwrap().len() < 100_000);
    }

    #[test]
    fn damaged_phrases_are_left_out_and_the_others_are_kept() {
        let text = serde_json::to_string(&memory([phrase(1, 60), phrase(1, 62), phrase(1, 64)])).unwrap();
        let damaged = text.replacen("[96,4,4]", "[96,4,5]", 1).replacen("[0,9,62", "[900,9,62", 1);
        let read: PlayerMemory = serde_json::from_str(&damaged).unwrap();
        assert_eq!(read.phrases(), [phrase(1, 64)]);
        assert!(serde_json::from_str::<PlayerMemory>("3").is_err());
    }

    #[test]
    fn merged_memory_has_each_phrase_once_the_loaded_ones_first() {
        let mut ours = memory([phrase(1, 60), phrase(1, 62)]);
        ours.merge(memory([phrase(1, 62), phrase(1, 65)]));
        assert_eq!(ours.phrases(), [65, 60, 62].map(|pitch| phrase(1, pitch)));
    }

    #[test]
    fn forgotten_phrases_come_back_unless_something_was_learnt_since() {
        let mut memory = memory([phrase(2, 60)]);
        memory.forget();
        memory.forget();
        assert_eq!(memory.phrases(), [phrase(2, 60)]);
        memory.forget();
        memory.learn(phrase(1, 62));
        assert_eq!(memory.forgotten_bars(), 0);
        memory.forget();
        assert_eq!((memory.bars(), memory.forgotten_bars()), (0, 1));
    }

    #[test]
    fn earlier_state_of_the_project_does_not_bring_forgotten_phrases_back() {
        let earlier = memory([phrase(1, 60), phrase(1, 62)]);
        let mut ours = earlier.clone();
        ours.forget();
        ours.merge(earlier.clone());
        assert_eq!((ours.bars(), ours.forgotten_bars()), (0, 2));
        ours.learn(phrase(1, 62));
        ours.merge(earlier);
        assert_eq!(ours.phrases(), [phrase(1, 62)], "played again");
    }

    #[test]
    fn phrase_of_few_notes_is_not_remembered() {
        let bar = Bar { index: 0, start: Tick(0), length: Tick(96), metre: Metre::COMMON };
        assert_eq!(Phrase::new(&[bar], &phrase(1, 60).notes()[..3]), None);
        assert_eq!(Phrase::new(&[], &[]), None);
    }
}
