//! Listens to the song: what the player and Antiphon play at each of its bars.

use crate::music::{Bar, Clip, Note, TICKS_PER_QUARTER, Tick};
use crate::plan::{Cause, HeardNote, MusicalClock, SongBar, SongMemory, SongPosition, Source};

/// Time after which a note that is still held is no longer revised: two bars of common time.
const REVISED: Tick = Tick(8 * TICKS_PER_QUARTER);

/// Memory of the host's song, and where listening goes on.
pub(super) struct SongListener {
    memory: SongMemory,
    /// Whether the host's transport rolls: only then are there positions in the song.
    rolls: bool,
    /// Time on the clock since which the song has gone on without a jump.
    since: Tick,
    /// Time on the clock before which input was lost: what was played there is unknown.
    deaf_until: Tick,
}

impl SongListener {
    pub(super) fn new() -> Self {
        Self { memory: SongMemory::default(), rolls: false, since: Tick::ZERO, deaf_until: Tick::ZERO }
    }

    /// What was heard.
    pub(super) const fn memory(&self) -> &SongMemory {
        &self.memory
    }

    /// Hears a clip as the player's at this bar line of the song.
    pub(super) fn hear_clip(&mut self, clip: &Clip, at: SongPosition) {
        self.memory.hear_clip(clip, at);
    }

    /// Whether the host's transport rolls.
    pub(super) const fn rolls(&self) -> bool {
        self.rolls
    }

    /// Input was lost up to a time on the clock that may lie ahead.
    pub(super) fn lose_until(&mut self, at: Tick) {
        self.deaf_until = self.deaf_until.max(at);
    }

    /// The song is about to jump, or the transport stops; all that was heard before has been [listened to](Self::listen).
    pub(super) fn change_transport(&mut self, cause: Cause, clock: &MusicalClock) {
        if cause != Cause::Metre {
            self.since = clock.now();
            self.rolls = matches!(cause, Cause::Start | Cause::Locate | Cause::Loop);
        }
    }

    /// Hears what was played up to now, and the lengths of what was held so far. Notes are on the clock, in any order.
    pub(super) fn listen(&mut self, clock: &MusicalClock, player: impl Iterator<Item = Note>, antiphon: impl Iterator<Item = Note>) {
        let now = clock.now();
        let from = self.since.max(self.deaf_until).max(now - REVISED);
        if !self.rolls || from >= now {
            return;
        }
        let (player, antiphon) = (player.map(|note| (Source::Player, note)), antiphon.map(|note| (Source::Antiphon, note)));
        let played: Vec<_> = player.chain(antiphon).filter(|(_, note)| (from..now).contains(&note.onset)).collect();
        for bar in clock.bars().rev().take_while(|bar| bar.end() > from && bar.start >= self.since) {
            let song = self.song_bar(clock, bar);
            let line = bar.start - song.start_offset;
            let inside = played.iter().filter(|(_, note)| (bar.start..bar.end()).contains(&note.onset)).map(|&(source, note)| {
                let duration = note.duration.min((now - note.onset).max(Tick(1)));
                HeardNote { note: Note { onset: note.onset - line, duration, ..note }, source }
            });
            self.memory.hear(song.bar, from.max(bar.start) - line..now.min(bar.end()) - line, inside);
        }
    }

    /// The bar of the song that a bar of the clock is, wholly or in part.
    fn song_bar(&self, clock: &MusicalClock, bar: Bar) -> Place {
        let start = clock.song_at(bar.start);
        // The first bar after a jump may have been entered in its middle: it reaches to the song's bar line.
        let line = if bar.start == self.since { SongPosition(start.0 + (bar.length - bar.metre.bar_length()).0) } else { start };
        Place { bar: SongBar { start: line, metre: bar.metre }, start_offset: start.since(line) }
    }
}

/// Where a bar of the clock lies in the song.
struct Place {
    bar: SongBar,
    /// From the bar line of the song to the start of the clock's bar.
    start_offset: Tick,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Metre, Role};

    fn bar(start: i64) -> SongBar {
        SongBar { start: SongPosition(start), metre: Metre::COMMON }
    }

    fn note(onset: i64, duration: i64, pitch: u8) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role: Role::Keys }
    }

    /// Onset, duration and pitch of the notes of the bar at this line.
    fn heard(listener: &SongListener, line: i64) -> Option<Vec<(i64, i64, u8)>> {
        let bar = listener.memory().bar(SongPosition(line))?;
        Some(bar.notes.iter().map(|heard| (heard.note.onset.0, heard.note.duration.0, heard.note.pitch)).collect())
    }

    /// A listener whose host rolls from this position of the song.
    fn rolling(song: i64) -> (SongListener, MusicalClock) {
        let clock = MusicalClock::new(SongPosition(song), bar(0));
        let mut listener = SongListener::new();
        listener.change_transport(Cause::Start, &clock);
        (listener, clock)
    }

    #[test]
    fn notes_are_kept_at_their_bars_of_the_song_with_their_final_lengths() {
        let (mut listener, mut clock) = rolling(96);
        clock.advance(Tick(24));
        listener.listen(&clock, [note(10, i64::MAX, 60)].into_iter(), std::iter::empty());
        assert_eq!(heard(&listener, 96), Some(vec![(10, 14, 60)]));
        clock.advance(Tick(96));
        listener.listen(&clock, [note(10, 50, 60), note(100, 5, 61)].into_iter(), [note(30, 8, 40)].into_iter());
        assert_eq!(heard(&listener, 96), Some(vec![(10, 50, 60), (30, 8, 40)]));
        assert_eq!(heard(&listener, 192), Some(vec![(4, 5, 61)]));
        let sources: Vec<_> = listener.memory().bar(SongPosition(96)).unwrap().notes.iter().map(|heard| heard.source).collect();
        assert_eq!(sources, [Source::Player, Source::Antiphon]);
    }

    #[test]
    fn second_pass_of_a_loop_replaces_what_it_has_reached() {
        let (mut listener, mut clock) = rolling(0);
        clock.advance(Tick(96));
        let first = [note(0, 10, 60), note(48, 10, 62)];
        listener.listen(&clock, first.into_iter(), std::iter::empty());
        listener.change_transport(Cause::Loop, &clock);
        clock.jump(SongPosition(0), bar(0));
        clock.advance(Tick(30));
        listener.listen(&clock, first.into_iter().chain([note(100, 10, 70)]), std::iter::empty());
        assert_eq!(heard(&listener, 0), Some(vec![(4, 10, 70), (48, 10, 62)]));
    }

    #[test]
    fn bar_entered_in_its_middle_is_that_of_the_song() {
        let (mut listener, mut clock) = rolling(0);
        clock.advance(Tick(50));
        listener.change_transport(Cause::Locate, &clock);
        clock.jump(SongPosition(240), bar(192));
        clock.advance(Tick(60));
        listener.listen(&clock, [note(50, 6, 60), note(98, 6, 61)].into_iter(), std::iter::empty());
        assert_eq!((heard(&listener, 192), heard(&listener, 288)), (Some(vec![(48, 6, 60)]), Some(vec![(0, 6, 61)])));
    }

    #[test]
    fn nothing_is_heard_without_a_song_or_while_input_is_lost() {
        let (mut listener, mut clock) = rolling(0);
        listener.lose_until(Tick(48));
        clock.advance(Tick(24));
        listener.listen(&clock, [note(0, 6, 60)].into_iter(), std::iter::empty());
        assert_eq!(heard(&listener, 0), None);
        clock.advance(Tick(48));
        listener.listen(&clock, [note(0, 6, 60), note(60, 6, 61)].into_iter(), std::iter::empty());
        assert_eq!(heard(&listener, 0), Some(vec![(60, 6, 61)]));
        for cause in [Cause::Stop, Cause::Wake] {
            listener.change_transport(cause, &clock);
            clock.advance(Tick(96));
            listener.listen(&clock, [note(100, 6, 62)].into_iter(), std::iter::empty());
            assert_eq!(heard(&listener, 96), None);
        }
    }
}
