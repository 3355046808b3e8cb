//! Chords that the player has chosen for bars of the song, in what the worker generates.

use crate::music::analysis::Chord;
use crate::music::{Bar, Tick};
use crate::service::Assignment;

use super::super::worker::Worker;
use super::Planner;

impl<W: Worker> Planner<W> {
    /// Fixes the chosen chords of an assignment's bars: as their conditioning, and as the tones that their notes on beats have.
    pub(super) fn choose_chords(&self, assignment: &mut Assignment) {
        let chart = self.archive.chart();
        if chart.is_empty() {
            return;
        }
        let clock = &self.input.clock;
        let lines = assignment.prompt.gap.iter().scan(assignment.line, |next, rows| {
            let line = *next;
            *next += Tick(i64::from(rows.bar.ticks));
            Some(line)
        });
        let chords: Vec<Option<Chord>> = lines.map(|line| chart.at(self.number_ahead(clock.bar_at(line)?))).collect();
        for (place, chord) in chords.iter().enumerate() {
            chord.iter().for_each(|chord| assignment.prompt.choose_chord(place, *chord));
        }
        assignment.locked.chords = chords;
    }

    /// Number in the song that a bar to come will have: at the end of the host's loop the song returns to its beginning.
    fn number_ahead(&self, bar: Bar) -> i64 {
        let number = self.number(bar);
        let open = self.number(self.input.clock.open_bar());
        match self.shown_loop() {
            Some((first, end)) if open < end && first < end && number >= end => first + (number - end).rem_euclid(end - first),
            _ => number,
        }
    }
}
