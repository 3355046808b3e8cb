//! Requested voices: raises simultaneous notes until that many sound at once.

use super::cost::OnsetBias;
use crate::codec::NoteClasses;
use crate::codec::vocabulary::duration_ticks;
use crate::decode::control::row::RowContext;
use crate::music::analysis::MOST_VOICES;

/// Cost of each voice too many, and gain of joining in while voices are wanted.
const TOO_MANY: f64 = 2.5;
const WANTED: f64 = 1.5;

/// Bias towards a number of voices.
pub(super) struct Voices {
    wanted: usize,
    /// The target's onset, in ticks from the bar line.
    here: i64,
    /// Start and end of each note but drums, in ticks from the bar line.
    spans: Vec<(i64, i64)>,
    /// Most of them at once.
    most: usize,
}

impl Voices {
    /// Bias of a step, 1 to 8.
    pub(super) fn new(step: u8, row: &RowContext<'_>) -> Self {
        let end = i64::from(row.ticks);
        let span = |note: &NoteClasses| {
            let start = note.tick().0;
            (start, duration_ticks(note.duration).map_or(end, |length| start + length.0))
        };
        let mut spans: Vec<(i64, i64)> = row.pitched_notes().map(span).collect();
        // The target's length is not sampled yet.
        spans.extend(row.pitched_target().map(|target| (target.tick().0, target.tick().0 + 1)));
        let sounding = |tick: i64| spans.iter().filter(|(start, end)| (*start..*end).contains(&tick)).count();
        let most = spans.iter().map(|(start, _)| sounding(*start)).max().unwrap_or(0);
        Self { wanted: step.clamp(1, MOST_VOICES).into(), here: row.onset(), most, spans }
    }
}

impl OnsetBias for Voices {
    fn cost(&self, tick: i64) -> f64 {
        let sounding = self.spans.iter().filter(|(start, end)| (*start..*end).contains(&tick)).count();
        let over = (sounding + 1).saturating_sub(self.wanted) as f64;
        let join = if tick == self.here && self.most < self.wanted { WANTED } else { 0.0 };
        // The highest step means its number or more.
        if self.wanted == usize::from(MOST_VOICES) { -join } else { TOO_MANY * over - join }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestedControls;
    use super::super::tables::{Tables, note};

    #[test]
    fn simultaneous_notes_are_raised_up_to_the_requested_voices() {
        let three = RequestedControls { voices: Some(3), ..RequestedControls::default() };
        let two = Tables::with(three, &[note(0, 60, 23)], Some(0));
        assert!(two.onset(0) > two.onset(24), "a third voice joins");
        let held = [note(0, 60, 40), note(0, 64, 40), note(0, 67, 40)];
        let four = Tables::with(three, &held, Some(1));
        let alone = Tables::with(three, &[], Some(1));
        assert!(four.onset(2) < alone.onset(2), "three are held already");
    }
}
