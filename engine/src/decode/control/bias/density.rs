//! Requested density: raises early onsets in a bar behind it, and late ones or the end in a bar ahead of it.

use super::cost::OnsetBias;
use super::note_rate::NoteRate;
use super::step::range;
use crate::decode::control::row::RowContext;
use crate::music::analysis::DENSITY_EDGES;

/// Notes a quarter where the outer steps end.
const ENDS: [f64; 2] = [0.5, 22.0];

/// Bias towards a density.
pub(super) struct Density(NoteRate);

impl Density {
    /// Bias of a step, 1 to 8; up to a quarter's notes ahead or behind cost nothing.
    pub(super) fn new(step: u8, row: &RowContext<'_>) -> Self {
        let [low, high] = range(step, &DENSITY_EDGES, ENDS);
        let density = (low * high).sqrt();
        Self(NoteRate::new(density, density.max(1.0), row.notes().count() + usize::from(row.target.is_some()), row))
    }
}

impl OnsetBias for Density {
    fn cost(&self, tick: i64) -> f64 {
        self.0.cost(self.0.behind(tick).abs())
    }

    fn cost_of_end(&self) -> f64 {
        self.0.cost(self.0.missing())
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestedControls;
    use super::super::tables::{Tables, note};
    use crate::codec::NoteClasses;

    fn density(step: u8) -> RequestedControls {
        RequestedControls { density: Some(step), ..RequestedControls::default() }
    }

    #[test]
    fn bar_behind_the_requested_density_raises_early_onsets_and_one_ahead_the_end() {
        let late = Tables::with(density(6), &[note(0, 60, 23)], Some(48));
        assert!(late.onset(48) > late.onset(60) && late.onset(60) > late.onset(90), "the sooner the better");
        assert!(late.onset(48) > 0.0, "the bar cannot end yet");
        let run: Vec<NoteClasses> = (0..12).map(|index| note(index * 4, 60, 3)).collect();
        let full = Tables::with(density(1), &run, Some(48));
        assert!((48..96).all(|tick| full.onset(tick) < -3.0), "it has had its notes");
    }

    #[test]
    fn chord_on_every_quarter_costs_what_a_run_costs() {
        let chords = Tables::with(density(4), &[note(0, 60, 23), note(0, 64, 23)], Some(0));
        assert_eq!(chords.onset(0), chords.onset(24));
    }
}
