//! Replay of the take: its notes sound at their song positions, whatever the session does.
//!
//! Runs on the audio thread, so that a note at the first sample after a locate is in time, and an offline render needs no engine.

use std::sync::Arc;

use antiphon_engine::music::{Note, OFFSETS_PER_TICK, Tick};
use antiphon_engine::plan::{SongLoop, Take, TakeNote, whole};
use antiphon_engine::session::TakeReceiver;

use crate::clock::{Clock, Motion, MusicalTime, TransportEvent};
use crate::schedule::Schedule;

/// Rounding error of a time, in eighths of a tick.
const SLACK: f64 = 1e-4;
/// Largest difference, in ticks, between the end of a block and the start of the next one that continues it.
const JOINT: f64 = 0.5;

/// Player of the take.
pub struct Replay {
    takes: TakeReceiver,
    /// End of the last stretch that was scheduled, on the clock, with its shift to the song.
    end: Option<(f64, i64)>,
    /// What was scheduled of the next round of the host's loop: notes that start before their time.
    next_round: Option<Stretch>,
}

/// A stretch of the clock in which the song goes on without a jump.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: f64,
    to: f64,
    /// Song position minus clock time, in ticks.
    shift: i64,
}

impl Replay {
    /// A player of the takes that arrive here.
    #[must_use]
    pub const fn new(takes: TakeReceiver) -> Self {
        Self { takes, end: None, next_round: None }
    }

    /// Sets the take while no audio is processed.
    pub fn set(&mut self, take: Arc<Take>) {
        self.takes.set(take);
    }

    /// Receives takes that have arrived.
    pub fn receive(&mut self) {
        let _ = self.takes.latest();
    }

    /// Nothing is replayed in this block.
    pub const fn pause(&mut self) {
        (self.end, self.next_round) = (None, None);
    }

    /// Schedules the notes that start in this block. `within` is the loop's end, if it lies in the block; `song_loop` is the loop that the song is in.
    pub fn schedule(&mut self, clock: &Clock, within: Option<TransportEvent>, song_loop: Option<SongLoop>, schedule: &mut Schedule) {
        if clock.motion() != Motion::Host {
            self.pause();
            return;
        }
        let span = clock.span();
        let (before, after) = clock.song_shifts();
        let (start, reach) = (span.time(0).0, span.end().0 + schedule.lead(&span));
        let from = within.map_or(start, |event| event.at.0);
        if within.is_some() {
            self.pass(Stretch { from: start, to: from, shift: before }, schedule);
        }
        self.enter_round(after, schedule);
        let wrap = song_loop.and_then(|song_loop| wrap_ahead(song_loop, from, after)).filter(|(line, _)| *line < reach);
        self.pass(Stretch { from, to: wrap.map_or(reach, |(line, _)| line), shift: after }, schedule);
        if let Some((line, shift)) = wrap {
            let done = self.next_round.filter(|round| round.shift == shift).map_or(line, |round| round.to);
            self.next_round = Some(Stretch { from: line, to: reach.max(done), shift });
            self.schedule_notes(Stretch { from: done, to: reach, shift }, schedule);
        }
    }

    /// What was scheduled of this round of the loop before it began counts as scheduled; of another one, which does not come, it is dropped.
    fn enter_round(&mut self, shift: i64, schedule: &mut Schedule) {
        let Some(round) = self.next_round else { return };
        if round.shift == shift {
            self.end = Some((round.to, shift));
            self.next_round = None;
        } else if self.end.is_none_or(|(_, last)| last != shift) {
            // The song went elsewhere.
            schedule.drop_from(MusicalTime(round.from));
            self.next_round = None;
        }
    }

    /// Schedules the notes of a stretch, from the end of the last one on if it continues that.
    fn pass(&mut self, stretch: Stretch, schedule: &mut Schedule) {
        let Stretch { from, to, shift } = stretch;
        // The last stretch reached ahead of its block.
        let joined = self.end.filter(|&(end, last)| last == shift && end > from - JOINT);
        if joined.is_none() && self.end.is_some() {
            schedule.drop_from(MusicalTime(from));
        }
        let from = joined.map_or(from, |(end, _)| end);
        if to <= from {
            return;
        }
        self.end = Some((to, shift));
        self.schedule_notes(Stretch { from, to, shift }, schedule);
    }

    fn schedule_notes(&mut self, Stretch { from, to, shift }: Stretch, schedule: &mut Schedule) {
        let Some(take) = self.takes.latest() else { return };
        for note in take.between(eighth(from, shift), eighth(to, shift)) {
            let (note, cut) = on_clock(note, shift);
            schedule.replay(&note.note, note.channel, cut);
        }
    }
}

/// Where on the clock the song returns to the start of its loop, from a time with this shift on, and the shift after it. `None` outside of the loop.
fn wrap_ahead(song_loop: SongLoop, from: f64, shift: i64) -> Option<(f64, i64)> {
    let (start, end) = (song_loop.start().0, song_loop.end().0);
    let song = from + shift as f64;
    (start as f64 - JOINT..end as f64)
        .contains(&song)
        .then(|| ((end.saturating_sub(shift)) as f64, shift.saturating_sub(end.saturating_sub(start))))
}

/// First eighth of a tick of the song at or after a clock time.
fn eighth(clock: f64, shift: i64) -> i64 {
    whole((clock * OFFSETS_PER_TICK as f64 - SLACK).ceil()).saturating_add(shift.saturating_mul(OFFSETS_PER_TICK))
}

/// A note of the take with its onset on the clock, and the time at which it is cut.
fn on_clock(note: &TakeNote, shift: i64) -> (TakeNote, Option<MusicalTime>) {
    let onset = Tick(note.note.onset.0.saturating_sub(shift));
    let cut = note.cut.map(|cut| MusicalTime(MusicalTime::from(onset).0 + cut as f64 / OFFSETS_PER_TICK as f64));
    (TakeNote { note: Note { onset, ..note.note }, ..*note }, cut)
}
