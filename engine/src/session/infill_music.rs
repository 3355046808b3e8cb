//! The music around the marked bars of the song, in the order in which it is heard: what a fill is made from.

use crate::codec::CONTEXT_BARS;
use crate::decode::{FAR_SIDE_BARS, Prompt, RoleSet, default_constraints};
use crate::music::{Clip, Metre, MetreMap, Note, Part, Tempo, TempoMap, Tick};
use crate::plan::{Fingerprint, ForeseenBar, HeardBar, InfillRange, SongBars, SongLoop, SongMemory, SongPosition, Source};

/// Bars on either side of the marked ones from which registers and chords are taken.
const RECENT_BARS: u32 = 8;

/// The known bars before the marked ones, the player's notes in those, and the known bars after them.
#[derive(Debug, Clone)]
pub(super) struct InfillMusic {
    clip: Clip,
    /// Bar of the clip at which the marked ones begin.
    first: u32,
    /// Bar of the clip after the marked ones.
    after: u32,
}

/// Where marked bars lie in the song.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marked<'a> {
    /// The bars, in order; at least one.
    pub(super) bars: &'a [ForeseenBar],
    /// All bars that the player has marked.
    pub(super) range: InfillRange,
    /// Loop that the song is in or will reach.
    pub(super) song_loop: Option<SongLoop>,
    /// Line of the open bar, if it counts as heard.
    pub(super) open: Option<SongPosition>,
    /// Bars of the song, which have numbers.
    pub(super) song_bars: &'a SongBars,
}

impl InfillMusic {
    /// The music around marked bars. In a loop each side holds its other bars once, in the order in which they are heard.
    pub(super) fn around(memory: &SongMemory, marked: Marked<'_>, tempo: f64) -> Self {
        let mut before = before(memory, marked);
        before.reverse();
        let given = marked.bars.iter().map(|bar| (bar.bar.metre, given(memory, bar)));
        let count = |bars: usize| u32::try_from(bars).unwrap_or(u32::MAX);
        let (first, after) = (count(before.len()), count(before.len() + marked.bars.len()));
        let whole = |bar: &HeardBar| (bar.metre, bar.notes.iter().map(|heard| heard.note).collect::<Vec<_>>());
        let bars = before.into_iter().map(whole).chain(given).chain(behind(memory, marked).into_iter().map(whole));
        Self { clip: clip(bars, tempo), first, after }
    }

    /// Whether any bar before the marked ones is known.
    pub(super) const fn has_context(&self) -> bool {
        self.first > 0
    }

    /// Whether what follows the marked bars is known.
    pub(super) fn knows_what_follows(&self) -> bool {
        self.clip.metres.bar(self.after).start < self.clip.end
    }

    /// Whether no note is known.
    pub(super) fn is_silent(&self) -> bool {
        self.clip.is_silent()
    }

    /// Hash of what was struck where: equal if the player repeats it, however exactly.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let struck = |note: &Note| Note { offset: 0, duration: Tick::ZERO, ..*note };
        let around = [self.first, self.after].map(|bar| Note { onset: self.clip.metres.bar(bar).start, ..ENDS });
        let end = Note { onset: self.clip.end, ..ENDS };
        self.clip.notes().iter().map(struck).chain(around).chain([end]).fold(Fingerprint::SILENCE, |hash, note| hash.with(&note))
    }

    /// The prompt of the fill. Ticks of the constraints are left open.
    pub(super) fn prompt(&self, roles: RoleSet) -> Prompt {
        let mut prompt = Prompt::infill(&self.clip, self.first, self.after, None);
        let near = self.clip.metres.bar(self.first.saturating_sub(RECENT_BARS)).start..self.clip.metres.bar(self.after + RECENT_BARS).start;
        let recent: Vec<Note> = self.clip.notes().into_iter().filter(|note| near.contains(&note.onset)).collect();
        prompt.constraints = default_constraints(roles, &recent);
        if roles.iter().count() > 1 {
            prompt.constraints.requested.ensemble = roles;
        }
        prompt
    }
}

/// Note of the fingerprint that marks a place.
const ENDS: Note = Note { onset: Tick::ZERO, offset: 0, duration: Tick(-1), pitch: 0, velocity: 0, role: crate::music::Role::Keys };

/// Known bars before the marked ones, the last first.
fn before<'a>(memory: &'a SongMemory, marked: Marked<'_>) -> Vec<&'a HeardBar> {
    let Some(first) = marked.bars.first() else { return Vec::new() };
    let mut bars = Vec::new();
    let mut line = first.line;
    while bars.len() < CONTEXT_BARS as usize {
        let returns =
            marked.song_loop.filter(|song_loop| song_loop.start() == line).and_then(|song_loop| memory.bar_before(song_loop.end()));
        let is_heard = |(line, bar): &(SongPosition, &HeardBar)| bar.is_known() || marked.open == Some(*line);
        let is_around = |(line, _): &(SongPosition, &HeardBar)| !marked.bars.iter().any(|bar| bar.line == *line);
        let earlier = returns.filter(is_heard).or_else(|| memory.bar_before(line).filter(is_heard)).filter(is_around);
        let Some((earlier, bar)) = earlier else { break };
        bars.push(bar);
        line = earlier;
    }
    bars
}

/// Known bars after the marked ones.
fn behind<'a>(memory: &'a SongMemory, marked: Marked<'_>) -> Vec<&'a HeardBar> {
    let Some(last) = marked.bars.last() else { return Vec::new() };
    let mut bars = Vec::new();
    let mut line = last.line.after(last.bar.metre.bar_length());
    while bars.len() < FAR_SIDE_BARS as usize {
        line = marked.song_loop.filter(|song_loop| song_loop.end() == line).map_or(line, SongLoop::start);
        let Some(bar) = memory.bar(line).filter(|bar| bar.is_known()) else { break };
        if marked.range.contains(marked.song_bars.number(line)) {
            break;
        }
        bars.push(bar);
        line = line.after(bar.length());
    }
    bars
}

/// The player's notes in a marked bar.
fn given(memory: &SongMemory, marked: &ForeseenBar) -> Vec<Note> {
    let bar = memory.bar(marked.line).filter(|bar| bar.metre == marked.bar.metre);
    bar.map_or(&[][..], |bar| &bar.notes).iter().filter(|heard| heard.source == Source::Player).map(|heard| heard.note).collect()
}

/// Bars one after the other as a clip.
fn clip(bars: impl Iterator<Item = (Metre, Vec<Note>)>, tempo: f64) -> Clip {
    let mut line = Tick::ZERO;
    let (mut notes, mut metres) = (Vec::new(), Vec::new());
    for (metre, inside) in bars {
        notes.extend(inside.into_iter().map(|note| Note { onset: note.onset + line, ..note }));
        metres.push((line, metre));
        line += metre.bar_length();
    }
    let tempos = TempoMap::new([(Tick::ZERO, Tempo::from_bpm(tempo).unwrap_or_default())]);
    Clip { parts: vec![Part { notes, ..Part::default() }], metres: MetreMap::new(metres), tempos, end: line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::RoleSet;
    use crate::music::Role;
    use crate::plan::{HeardNote, MusicalClock, SongBar, foreseen_bars, next_marked};

    /// Song in 4/4 whose bars of these numbers were heard, each with a note on the key of its number.
    fn song(numbers: impl IntoIterator<Item = i64>) -> SongMemory {
        let mut memory = SongMemory::default();
        for number in numbers {
            hear(&mut memory, number, 0, Source::Player, 96);
        }
        memory
    }

    fn hear(memory: &mut SongMemory, number: i64, onset: i64, source: Source, until: i64) {
        let pitch = u8::try_from(number).unwrap();
        let note = Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Keys };
        let bar = SongBar { start: SongPosition(96 * (number - 1)), metre: Metre::COMMON };
        memory.hear(bar, Tick(onset)..Tick(until), [HeardNote { note, source }]);
    }

    /// Keys before, in and after the marked bars, from a song that is in bar `now`.
    fn around(memory: &SongMemory, now: i64, (from, bars): (u16, u8), song_loop: Option<(i64, i64)>) -> [Vec<u8>; 3] {
        let start = SongPosition(96 * (now - 1));
        let clock = MusicalClock::new(start, SongBar { start, metre: Metre::COMMON });
        let song_loop = song_loop.and_then(|(from, to)| SongLoop::new(SongPosition(96 * (from - 1)), SongPosition(96 * (to - 1))));
        let foreseen: Vec<_> = foreseen_bars(&clock, song_loop).collect();
        let range = InfillRange { from, bars };
        let bars = next_marked(&foreseen, range, Tick(1));
        let music = InfillMusic::around(memory, Marked { bars, range, song_loop, open: Some(start), song_bars: clock.song_bars() }, 120.0);
        let keys = |from: u32, to: u32| {
            let (from, to) = (music.clip.metres.bar(from).start, music.clip.metres.bar(to).start);
            music.clip.notes().iter().filter(|note| (from..to).contains(&note.onset)).map(|note| note.pitch).collect()
        };
        [keys(0, music.first), keys(music.first, music.after), keys(music.after, 1000)]
    }

    #[test]
    fn song_without_a_loop_has_its_bars_before_and_after() {
        let memory = song((1..=3).chain(6..=8));
        assert_eq!(around(&memory, 3, (4, 2), None), [vec![1, 2, 3], vec![], vec![6, 7, 8]]);
        assert_eq!(around(&memory, 1, (2, 1), None), [vec![1], vec![2], vec![3]], "the player's own notes are given");
        assert_eq!(around(&memory, 5, (6, 1), None), [vec![], vec![6], vec![7, 8]], "bar 5 is not known");
    }

    #[test]
    fn each_side_of_a_loop_has_its_other_bars_once() {
        let memory = song(1..=8);
        assert_eq!(around(&memory, 5, (6, 1), Some((5, 9))), [vec![7, 8, 5], vec![6], vec![7, 8, 5]]);
        assert_eq!(around(&memory, 8, (5, 2), Some((5, 9))), [vec![7, 8], vec![5, 6], vec![7, 8]]);
        assert_eq!(around(&memory, 6, (8, 4), Some((5, 9))), [vec![5, 6, 7], vec![8], vec![5, 6, 7]], "cut at the loop's end");
        assert_eq!(around(&memory, 5, (5, 4), Some((5, 9))), [vec![5], vec![6, 7, 8], vec![]], "nothing but marked bars");
    }

    #[test]
    fn loop_that_was_not_heard_to_its_end_follows_what_came_before_it() {
        let memory = song(3..=5);
        assert_eq!(around(&memory, 4, (5, 1), Some((5, 9))), [vec![3, 4], vec![5], vec![]]);
    }

    #[test]
    fn bar_counts_once_it_was_heard_to_its_end_and_the_open_one_always() {
        let mut memory = song([1, 2]);
        hear(&mut memory, 3, 0, Source::Player, 48);
        hear(&mut memory, 5, 0, Source::Player, 48);
        assert_eq!(around(&memory, 3, (4, 1), None), [vec![1, 2, 3], vec![], vec![]]);
        assert_eq!(around(&memory, 2, (4, 1), None), [Vec::<u8>::new(), vec![], vec![]]);
    }

    #[test]
    fn notes_of_an_earlier_fill_are_not_given() {
        let mut memory = song([1, 3]);
        hear(&mut memory, 2, 0, Source::Antiphon, 96);
        hear(&mut memory, 2, 48, Source::Player, 96);
        assert_eq!(around(&memory, 1, (2, 1), None), [vec![1], vec![2], vec![3]]);
    }

    #[test]
    fn fingerprint_is_that_of_what_was_struck_and_where() {
        let marks = |memory: &SongMemory, range| {
            let clock = MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre: Metre::COMMON });
            let foreseen: Vec<_> = foreseen_bars(&clock, None).collect();
            let bars = next_marked(&foreseen, range, Tick(1));
            InfillMusic::around(memory, Marked { bars, range, song_loop: None, open: None, song_bars: clock.song_bars() }, 120.0)
        };
        let range = InfillRange { from: 2, bars: 1 };
        let memory = song([1, 3, 4]);
        let first = marks(&memory, range).fingerprint();
        let mut played = memory.clone();
        let bar = SongBar { start: SongPosition(0), metre: Metre::COMMON };
        let note = Note { onset: Tick(0), offset: 3, duration: Tick(2), pitch: 1, velocity: 80, role: Role::Keys };
        played.hear(bar, Tick(0)..Tick(96), [HeardNote { note, source: Source::Player }]);
        assert_eq!(marks(&played, range).fingerprint(), first, "a human repeats it");
        played.hear(bar, Tick(0)..Tick(96), [HeardNote { note: Note { onset: Tick(12), ..note }, source: Source::Player }]);
        assert_ne!(marks(&played, range).fingerprint(), first);
        assert_ne!(marks(&memory, InfillRange { bars: 2, ..range }).fingerprint(), first);
    }

    #[test]
    fn prompt_has_the_bars_on_both_sides_and_the_marked_ones_between() {
        let memory = song((1..=4).chain(6..=9));
        let clock = MusicalClock::new(SongPosition(288), SongBar { start: SongPosition(0), metre: Metre::COMMON });
        let foreseen: Vec<_> = foreseen_bars(&clock, None).collect();
        let range = InfillRange { from: 5, bars: 1 };
        let bars = next_marked(&foreseen, range, Tick(1));
        let music = InfillMusic::around(
            &memory,
            Marked { bars, range, song_loop: None, open: Some(SongPosition(288)), song_bars: clock.song_bars() },
            120.0,
        );
        assert!(music.has_context() && music.knows_what_follows() && !music.is_silent());
        let roles: RoleSet = [Role::Keys].into_iter().collect();
        let prompt = music.prompt(roles);
        assert_eq!((prompt.context.len(), prompt.gap.len(), prompt.far_side.len(), prompt.check()), (4, 1, 4, Ok(())));
        assert_eq!(prompt.constraints.roles, roles);
    }
}
