//! Records planned notes that sound into the project's take, and compares the player's input with the one that it was recorded with.

use std::sync::Arc;

use crate::music::{Bar, Note, OFFSETS_PER_TICK, Tick};
use crate::plan::{Cause, Fingerprint, MidiKey, MusicalClock, MusicalTime, SongLoop, SongPosition, TakeMode, TakeNote, whole};

use super::archive::edit_take;
use super::{Archive, TakeSender};

/// A recorded note that may still end early.
#[derive(Debug, Clone, Copy)]
struct Open {
    key: MidiKey,
    /// Start in the song, in eighths of a tick.
    start: i64,
    /// Onset and planned end on the clock.
    onset: Tick,
    end: Tick,
}

/// Writer of a session's take.
pub(super) struct TakeWriter {
    archive: Arc<dyn Archive>,
    takes: TakeSender,
    /// Identity of a take that this session begins.
    id: u64,
    mode: TakeMode,
    /// Whether the host's transport rolls: only then are there positions in the song.
    rolls: bool,
    /// Time on the clock since which the song has gone on without a jump in this mode.
    since: Tick,
    /// Time on the clock up to which the take has been written.
    written: Tick,
    /// Notes that have started since.
    started: Vec<TakeNote>,
    open: Vec<Open>,
}

impl TakeWriter {
    pub(super) const fn new(archive: Arc<dyn Archive>, takes: TakeSender, id: u64) -> Self {
        Self {
            archive,
            takes,
            id,
            mode: TakeMode::Off,
            rolls: false,
            since: Tick::ZERO,
            written: Tick::ZERO,
            started: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Sends the take to the audio thread if it has changed.
    pub(super) fn publish(&mut self) {
        self.takes.send(&self.archive.take());
    }

    /// Bar lines of the bars in which the player's input is not the recorded one.
    pub(super) fn stale_bars(&self) -> Vec<SongPosition> {
        self.archive.take().stale_bars().collect()
    }

    /// Whether the take plays instead of the plans.
    pub(super) const fn replays(&self) -> bool {
        matches!(self.mode, TakeMode::Replay)
    }

    /// Sets the use of the take from now on.
    pub(super) fn set_mode(&mut self, mode: TakeMode, clock: &MusicalClock, player: impl Iterator<Item = Note>) {
        if mode != self.mode {
            self.write(clock, player);
            (self.mode, self.since) = (mode, clock.now());
        }
    }

    /// A planned note has started; `note` as it is played, with an output offset before or after its onset: the song may return to the start of its loop in between.
    pub(super) fn start(&mut self, note: Note, channel: u8, clock: &MusicalClock, song_loop: Option<SongLoop>) {
        if !self.records() {
            return;
        }
        let song = Tick(in_loop(clock.song().0 + (note.onset - clock.now()).0, note.offset, clock.song(), song_loop));
        let recorded = TakeNote { note: Note { onset: song, ..note }, channel, cut: None };
        if let Some(key) = MidiKey::new(channel, note.pitch) {
            self.open.retain(|open| open.key != key && open.end > clock.now());
            self.open.push(Open { key, start: recorded.start(), onset: note.onset, end: note.end() + Tick(1) });
        }
        if eighths(note.onset.0, note.offset) < eighths(self.written.0, 0) {
            // Its place in the song has been written.
            edit_take(&*self.archive, |take| take.add(recorded));
        } else {
            self.started.push(recorded);
        }
    }

    /// A planned note has ended before its planned end.
    pub(super) fn end(&mut self, key: MidiKey, at: MusicalTime) {
        let Some(place) = self.open.iter().position(|open| open.key == key) else { return };
        let Open { start, onset, .. } = self.open.swap_remove(place);
        let cut = whole((at.0 - MusicalTime::from(onset).0) * OFFSETS_PER_TICK as f64).max(1);
        let is_it = |note: &&mut TakeNote| (note.start(), note.channel, note.note.pitch) == (start, key.channel(), key.pitch());
        match self.started.iter_mut().find(is_it) {
            Some(note) => note.cut = Some(cut),
            None => edit_take(&*self.archive, |take| take.cut(start, key.channel(), key.pitch(), cut)),
        }
    }

    /// The song is about to jump, or the transport stops.
    pub(super) fn change_transport(&mut self, cause: Cause, clock: &MusicalClock, player: impl Iterator<Item = Note>) {
        if cause != Cause::Metre {
            self.write(clock, player);
            // Those that have sounded before their time: what comes after a loop's end does not come, the others' next round does.
            let end = clock.song().0 * OFFSETS_PER_TICK;
            let early: Vec<TakeNote> = self.started.extract_if(.., |note| cause != Cause::Loop || note.start() >= end).collect();
            if cause != Cause::Loop && !early.is_empty() {
                edit_take(&*self.archive, |take| early.into_iter().for_each(|note| take.add(note)));
            }
            self.since = clock.now();
            self.rolls = matches!(cause, Cause::Start | Cause::Locate | Cause::Loop);
        }
    }

    /// It is not known what was heard up to now: the take stays there as it is.
    pub(super) const fn pass_over(&mut self, clock: &MusicalClock) {
        self.since = clock.now();
        self.written = clock.now();
    }

    /// Writes what has sounded since the last call, and handles the bars that have ended. `player` are the player's notes, on the clock.
    pub(super) fn write(&mut self, clock: &MusicalClock, player: impl Iterator<Item = Note>) {
        let from = std::mem::replace(&mut self.written, clock.now());
        if !self.records() {
            self.started.clear();
        }
        if !self.rolls || self.mode == TakeMode::Off || clock.now() <= from {
            return;
        }
        let end = clock.song();
        let start = SongPosition(end.0 - (clock.now() - from).0);
        if self.records() {
            let is_written = |note: &mut TakeNote| (start..end).contains(&SongPosition(note.start().div_euclid(OFFSETS_PER_TICK)));
            let written: Vec<TakeNote> = self.started.extract_if(.., is_written).collect();
            edit_take(&*self.archive, |take| take.overwrite(self.id, start, end, written));
        }
        let is_whole = |bar: &Bar| bar.length == bar.metre.bar_length() && bar.start >= self.since;
        let ended: Vec<Bar> = clock.bars().filter(|bar| bar.end() > from && bar.end() <= clock.now()).filter(is_whole).collect();
        if ended.is_empty() {
            return;
        }
        let mut notes: Vec<Note> = player.collect();
        notes.sort_by_key(Note::order);
        for bar in ended {
            let line = clock.song_at(bar.start);
            let input = input(&notes, bar.start, bar.end());
            if self.records() {
                edit_take(&*self.archive, |take| take.record_input(line, input));
            } else if self.archive.take().would_change(line, input) {
                edit_take(&*self.archive, |take| take.compare_input(line, input));
            }
        }
    }

    fn records(&self) -> bool {
        self.rolls && self.mode == TakeMode::Overwrite
    }
}

/// The song position of an onset, with its offset in eighths of a tick, in the round of the loop in which it comes; the song is at `now`.
fn in_loop(onset: i64, offset: i8, now: SongPosition, song_loop: Option<SongLoop>) -> i64 {
    let Some((start, end)) = song_loop.map(|song_loop| (song_loop.start().0, song_loop.end().0)) else { return onset };
    let played = eighths(onset, offset);
    match (start..end).contains(&now.0) {
        true if played >= eighths(end, 0) => onset - (end - start),
        true if played < eighths(start, 0) => onset + (end - start),
        _ => onset,
    }
}

/// Eighths of a tick of an onset in ticks and an offset in eighths.
fn eighths(onset: i64, offset: i8) -> i64 {
    onset.saturating_mul(OFFSETS_PER_TICK).saturating_add(offset.into())
}

/// Fingerprint of the notes that start in a stretch of the clock, relative to its start. Durations are left out: a note may still be held.
fn input(notes: &[Note], from: Tick, to: Tick) -> Fingerprint {
    let inside = notes.iter().filter(|note| (from..to).contains(&note.onset));
    inside.fold(Fingerprint::SILENCE, |input, note| input.with(&Note { onset: note.onset - from, duration: Tick::ZERO, ..*note }))
}
