//! What was heard in each bar of the host's song, of several passes the latest.

use std::collections::BTreeMap;

use super::{SongBar, SongPosition};
use crate::music::{Clip, Metre, Note, Tick};

/// Most bars kept. Beyond that, those that were heard longest ago are forgotten.
const MOST_BARS: usize = 512;
/// Most notes kept, likewise.
const MOST_NOTES: usize = 16_384;

/// Who played a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The player, or a clip that was handed over.
    Player,
    /// Antiphon.
    Antiphon,
}

/// A note that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardNote {
    /// Its onset counts from the bar line.
    pub note: Note,
    /// Who played it.
    pub source: Source,
}

/// A bar of the song.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardBar {
    /// Metre of the bar, which is whole.
    pub metre: Metre,
    /// Its notes in canonical order.
    pub notes: Vec<HeardNote>,
    /// The furthest tick from the bar line that any pass has reached.
    until: Tick,
    /// Number of the latest stretch that was heard in it.
    latest: u64,
}

impl HeardBar {
    /// Length of the bar.
    #[must_use]
    pub fn length(&self) -> Tick {
        self.metre.bar_length()
    }

    /// Whether the song has passed its end.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.until >= self.length()
    }
}

/// The bars of the song that were heard, by bar line and without overlap.
///
/// ```
/// use antiphon_engine::music::{Metre, Note, Role, Tick};
/// use antiphon_engine::plan::{HeardNote, SongBar, SongMemory, SongPosition, Source};
///
/// let heard = |onset, pitch| {
///     let note = Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
///     HeardNote { note, source: Source::Player }
/// };
/// let bar = SongBar { start: SongPosition(192), metre: Metre::COMMON };
/// let mut memory = SongMemory::default();
/// memory.hear(bar, Tick(0)..Tick(96), [heard(0, 60), heard(48, 62)]);
/// // The loop returns, and half of the bar is played again.
/// memory.hear(bar, Tick(0)..Tick(48), [heard(24, 64)]);
/// assert_eq!(memory.bar(bar.start).expect("it was heard").notes, [heard(24, 64), heard(48, 62)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SongMemory {
    bars: BTreeMap<SongPosition, HeardBar>,
    /// Stretches heard.
    stretches: u64,
}

impl SongMemory {
    /// Replaces what starts in a stretch of a bar, in ticks from its line. A bar of other bar lines that it overlaps is forgotten.
    pub fn hear(&mut self, bar: SongBar, stretch: std::ops::Range<Tick>, notes: impl IntoIterator<Item = HeardNote>) {
        let length = bar.metre.bar_length();
        let stretch = stretch.start.max(Tick::ZERO)..stretch.end.min(length);
        if stretch.is_empty() {
            return;
        }
        self.forget_overlapping(bar);
        self.stretches += 1;
        let heard =
            self.bars.entry(bar.start).or_insert_with(|| HeardBar { metre: bar.metre, notes: Vec::new(), until: Tick::ZERO, latest: 0 });
        (heard.latest, heard.until) = (self.stretches, heard.until.max(stretch.end));
        heard.notes.retain(|note| !stretch.contains(&note.note.onset));
        heard.notes.extend(notes.into_iter().filter(|note| stretch.contains(&note.note.onset)));
        heard.notes.sort_by_key(|note| (note.note.order(), note.source));
        self.make_room();
    }

    /// Hears a whole clip as the player's at this bar line of the song, in its own metres.
    pub fn hear_clip(&mut self, clip: &Clip, at: SongPosition) {
        let notes = clip.notes();
        for bar in clip.metres.bars(clip.end).take(MOST_BARS) {
            let line = bar.start;
            let inside = notes.iter().filter(|note| (line..bar.end()).contains(&note.onset));
            let heard = inside.map(|note| HeardNote { note: Note { onset: note.onset - line, ..*note }, source: Source::Player });
            self.hear(SongBar { start: at.after(line), metre: bar.metre }, Tick::ZERO..bar.length, heard);
        }
    }

    /// The bar that begins at this position.
    #[must_use]
    pub fn bar(&self, line: SongPosition) -> Option<&HeardBar> {
        self.bars.get(&line)
    }

    /// The bar that ends at this position, with its bar line.
    #[must_use]
    pub fn bar_before(&self, line: SongPosition) -> Option<(SongPosition, &HeardBar)> {
        let (start, bar) = self.bars.range(..line).next_back()?;
        (start.after(bar.length()) == line).then_some((*start, bar))
    }

    /// Forgets the bars that overlap this one and do not have its line and metre.
    fn forget_overlapping(&mut self, bar: SongBar) {
        let end = bar.start.after(bar.metre.bar_length());
        // No bar is longer than this.
        let from = bar.start.after(Tick(-LONGEST_BAR.0));
        let is_other = |(start, other): &(&SongPosition, &HeardBar)| {
            let is_same = **start == bar.start && other.metre == bar.metre;
            !is_same && start.after(other.length()) > bar.start
        };
        let others: Vec<SongPosition> = self.bars.range(from..end).filter(is_other).map(|(start, _)| *start).collect();
        for start in others {
            self.bars.remove(&start);
        }
    }

    /// Forgets the bars that were heard longest ago until the rest fits.
    fn make_room(&mut self) {
        let mut notes: usize = self.bars.values().map(|bar| bar.notes.len()).sum();
        while self.bars.len() > MOST_BARS || notes > MOST_NOTES {
            let oldest = self.bars.iter().min_by_key(|(_, bar)| bar.latest).map(|(start, _)| *start);
            let Some(forgotten) = oldest.and_then(|start| self.bars.remove(&start)) else { return };
            notes -= forgotten.notes.len();
        }
    }
}

/// Length of a bar of 255/1, the longest that a metre can have.
const LONGEST_BAR: Tick = Tick::quarters(4 * 255);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::music::{MetreMap, Part, Role};

    fn bar(start: i64) -> SongBar {
        SongBar { start: SongPosition(start), metre: Metre::COMMON }
    }

    fn heard(onset: i64, pitch: u8) -> HeardNote {
        let note = Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        HeardNote { note, source: Source::Player }
    }

    #[test]
    fn latest_pass_replaces_its_stretch_and_leaves_the_rest_of_the_bar() {
        let mut memory = SongMemory::default();
        memory.hear(bar(0), Tick(0)..Tick(96), [heard(0, 60), heard(40, 61), heard(95, 62)]);
        memory.hear(bar(0), Tick(24)..Tick(72), [heard(30, 70), heard(72, 71)]);
        assert_eq!(memory.bar(SongPosition(0)).unwrap().notes, [heard(0, 60), heard(30, 70), heard(95, 62)]);
        assert!(memory.bar(SongPosition(96)).is_none());
    }

    #[test]
    fn bar_is_known_once_its_end_was_passed() {
        let mut memory = SongMemory::default();
        memory.hear(bar(96), Tick(48)..Tick(72), []);
        assert!(!memory.bar(SongPosition(96)).unwrap().is_known());
        memory.hear(bar(96), Tick(72)..Tick(96), []);
        memory.hear(bar(96), Tick(0)..Tick(24), []);
        assert!(memory.bar(SongPosition(96)).unwrap().is_known(), "an earlier pass has heard its end");
        assert_eq!(memory.bar_before(SongPosition(192)).map(|(line, _)| line), Some(SongPosition(96)));
        assert!(memory.bar_before(SongPosition(191)).is_none());
    }

    #[test]
    fn bars_of_another_metre_take_the_place_of_those_they_overlap() {
        let mut memory = SongMemory::default();
        for start in [0, 96, 192] {
            memory.hear(bar(start), Tick(0)..Tick(96), [heard(0, 60)]);
        }
        let waltz = SongBar { start: SongPosition(96), metre: Metre::new(3, 4).unwrap() };
        memory.hear(waltz, Tick(0)..Tick(72), [heard(0, 61), heard(80, 61)]);
        let lines = |memory: &SongMemory| memory.bars.iter().map(|(line, bar)| (line.0, bar.notes.len())).collect::<Vec<_>>();
        assert_eq!(lines(&memory), [(0, 1), (96, 1), (192, 1)]);
        memory.hear(SongBar { start: SongPosition(168), ..waltz }, Tick(0)..Tick(72), []);
        assert_eq!(lines(&memory), [(0, 1), (96, 1), (168, 0)]);
        memory.hear(bar(0), Tick(0)..Tick(0), [heard(0, 1)]);
        memory.hear(SongBar { metre: waltz.metre, ..bar(0) }, Tick(96)..Tick(200), [heard(100, 1)]);
        assert_eq!(lines(&memory), [(0, 1), (96, 1), (168, 0)], "an empty stretch changes nothing");
    }

    #[test]
    fn clip_is_heard_in_its_own_metres() {
        let metres = MetreMap::new([(Tick(0), Metre::new(3, 4).unwrap()), (Tick(72), Metre::COMMON)]);
        let notes = vec![heard(0, 60).note, heard(71, 61).note, heard(72, 62).note];
        let clip = Clip { parts: vec![Part { notes, ..Part::default() }], metres, end: Tick(168), ..Clip::default() };
        let mut memory = SongMemory::default();
        memory.hear_clip(&clip, SongPosition(96));
        assert_eq!(memory.bar(SongPosition(96)).unwrap().notes, [heard(0, 60), heard(71, 61)]);
        assert_eq!(memory.bar(SongPosition(168)).unwrap().notes, [heard(0, 62)]);
        assert!(memory.bars.values().all(HeardBar::is_known) && memory.bars.len() == 2);
    }

    #[test]
    fn full_memory_forgets_what_was_heard_longest_ago() {
        let mut memory = SongMemory::default();
        let most = i64::try_from(MOST_BARS).unwrap();
        for number in 0..=most {
            memory.hear(bar(96 * number), Tick(0)..Tick(96), [heard(0, 60)]);
            if number == most - 1 {
                memory.hear(bar(0), Tick(0)..Tick(96), [heard(0, 61)]);
            }
        }
        assert_eq!(memory.bars.len(), MOST_BARS);
        assert!(memory.bar(SongPosition(0)).is_some() && memory.bar(SongPosition(96)).is_none());
        let flood: Vec<_> = (0..MOST_NOTES).map(|number| heard(i64::try_from(number % 96).unwrap(), 60)).collect();
        memory.hear(bar(-96), Tick(0)..Tick(96), flood);
        assert!(memory.bars.values().map(|bar| bar.notes.len()).sum::<usize>() <= MOST_NOTES);
        assert!(memory.bar(SongPosition(-96)).is_some());
    }

    proptest! {
        /// Bars never overlap, and each note is that of the last pass of its place while the bar lines stay the same.
        #[test]
        fn memory_under_any_passes_has_no_overlap(
            passes in prop::collection::vec((-3..12i64, prop::sample::select(vec![(4u8, 4u8), (3, 4), (7, 8)]), -10..110i64, 0..110i64), 1..40),
        ) {
            let mut memory = SongMemory::default();
            for (index, (quarter, (numerator, denominator), from, length)) in passes.into_iter().enumerate() {
                let metre = Metre::new(numerator, denominator).unwrap();
                let pitch = u8::try_from(index).unwrap();
                let bar = SongBar { start: SongPosition(24 * quarter), metre };
                memory.hear(bar, Tick(from)..Tick(from + length), (from..from + length).step_by(12).map(|onset| heard(onset, pitch)));
                let lines: Vec<_> = memory.bars.iter().map(|(line, bar)| (*line, line.after(bar.length()))).collect();
                prop_assert!(lines.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{lines:?}");
                for bar in memory.bars.values() {
                    prop_assert!(bar.notes.iter().all(|note| (Tick(0)..bar.length()).contains(&note.note.onset)));
                    prop_assert!(bar.until <= bar.length());
                }
            }
        }
    }
}
