//! The music played to Antiphon: a tune over a bass in any metre, and the positions of its bars.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::report::TICKS_PER_QUARTER;

/// Sample rate in hertz, as set by the scripts.
const SAMPLE_RATE: i64 = 48_000;

/// A note of a track. Times are ticks of 1/1920 quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TrackNote {
    pub(crate) start: i64,
    pub(crate) channel: u8,
    pub(crate) key: u8,
    pub(crate) velocity: u8,
    pub(crate) length: i64,
}

/// A song: four bars of the player, then room for the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Song {
    /// Numerator and denominator.
    pub(crate) metre: (u8, u8),
    /// Quarters per minute. Chosen so that a tick is not a whole number of samples.
    pub(crate) tempo: i64,
    /// Tempo at the end of the plan's bars, if there is a ramp.
    pub(crate) ramp: Option<i64>,
}

impl Song {
    /// Velocities of the player's bass and chord notes. The plan never has them: the model's velocities are even.
    pub(crate) const VELOCITIES: [u8; 2] = [85, 97];
    /// Number of bars the player plays.
    pub(crate) const PLAYED: i64 = 4;
    /// Number of bars of the plan that are checked.
    pub(crate) const PLANNED: i64 = 4;

    pub(crate) const fn new(numerator: u8, denominator: u8) -> Self {
        Self { metre: (numerator, denominator), tempo: 133, ramp: None }
    }

    /// Ticks per bar.
    pub(crate) fn bar(self) -> i64 {
        i64::from(self.metre.0) * self.eighth() * 8 / i64::from(self.metre.1)
    }

    const fn eighth(self) -> i64 {
        TICKS_PER_QUARTER / 2
    }

    /// Tick at which the plan begins, if Play is pressed in the bar before.
    pub(crate) fn plan(self) -> i64 {
        Self::PLAYED * self.bar()
    }

    /// Sample of a tick, up to a tempo ramp.
    pub(crate) fn sample(self, tick: i64) -> i64 {
        tick * SAMPLE_RATE * 60 / (TICKS_PER_QUARTER * self.tempo)
    }

    /// Tick of a sample, rounded down, up to a tempo ramp.
    pub(crate) fn tick(self, sample: i64) -> i64 {
        sample * TICKS_PER_QUARTER * self.tempo / (SAMPLE_RATE * 60)
    }

    /// Sample at which to press Play: two eighths before the plan begins.
    pub(crate) fn press(self) -> i64 {
        self.sample(self.plan() - 2 * self.eighth())
    }

    /// The player's notes in order of time: in each bar a broken chord over its root.
    pub(crate) fn notes(self) -> Vec<TrackNote> {
        const CHORDS: [[u8; 4]; 4] = [[48, 64, 67, 72], [45, 60, 64, 69], [53, 65, 69, 72], [55, 62, 67, 71]];
        let mut notes = Vec::new();
        for (bar, [bass, chord @ ..]) in (0..Self::PLAYED).zip(CHORDS) {
            let line = bar * self.bar();
            let note_on = |start, key, velocity, length| TrackNote { start, channel: 0, key, velocity, length };
            notes.push(note_on(line, bass, Self::VELOCITIES[0], self.bar() - 90));
            for (eighth, &key) in (0..self.bar() / self.eighth()).zip(chord.iter().cycle()) {
                notes.push(note_on(line + eighth * self.eighth(), key, Self::VELOCITIES[1], self.eighth() - 70));
            }
        }
        notes.sort();
        notes
    }

    /// Writes the notes in the format the scripts read.
    pub(crate) fn write(self, path: &Path) {
        let mut text = String::new();
        for note in self.notes() {
            let _ = writeln!(text, "{} {} {} {} {}", note.channel, note.key, note.velocity, note.start, note.length);
        }
        fs::write(path, text).unwrap();
    }
}
