//! How fast a bar fills.

use super::aims::{reach, so_far};
use super::constraints::{Busiest, Moment};
use crate::music::TICKS_PER_QUARTER;
use crate::music::analysis::DENSITY_EDGES;

/// What each note beyond the slack costs, in nats, if a bar has too many or too few of them; and what its square costs beside.
const ASTRAY: f64 = 0.5;
const FAR_ASTRAY: f64 = 0.1;

/// Quarters in the stretch that a bound is of.
const STRETCH: f64 = 4.0;
/// Notes that a bar may be ahead of its bound at least: a full chord on the bar line is no hurry.
const LEAST_SLACK: f64 = 4.0;

/// How fast a bar fills, and how fast it is to.
pub(super) struct Pace {
    /// Notes it is to have.
    wanted: f64,
    /// Notes it has, its target among them.
    notes: f64,
    /// Notes that it may be ahead or behind.
    slack: f64,
    ticks: f64,
    /// Whether it may fall behind as far as it likes.
    is_bound: bool,
}

impl Pace {
    /// That of a density, a step of the model's column; a quarter's notes ahead or behind are no matter.
    pub(super) fn towards(step: u8, moment: &Moment<'_>) -> Self {
        let [low, high] = reach(step, &DENSITY_EDGES, [0.5, 22.0]);
        let density = (low * high).sqrt();
        Self::new(density, density.max(1.0), so_far(moment).count() + usize::from(moment.target.is_some()), moment)
    }

    /// No faster than `busiest`, given notes apart, nor than the density that the bar is told reaches. `None` while it is not.
    pub(super) fn within(busiest: Busiest, moment: &Moment<'_>) -> Option<Self> {
        let bound = busiest.notes as f64 / STRETCH;
        let density = match moment.density {
            0 => bound,
            told => reach(told, &DENSITY_EDGES, [0.0, bound])[1].min(bound),
        };
        let own = moment.before.iter().map(|note| note.role).chain(moment.target.map(|target| target.role));
        let notes = own.filter(|role| busiest.roles.has(*role)).count();
        let pace = Self { is_bound: true, ..Self::new(density, density.max(LEAST_SLACK), notes, moment) };
        let here = moment.target.map_or(0, |target| target.tick().0);
        (pace.cost(here) > 0.0).then_some(pace)
    }

    fn new(density: f64, slack: f64, notes: usize, moment: &Moment<'_>) -> Self {
        let ticks = f64::from(moment.ticks);
        Self { wanted: density * ticks / TICKS_PER_QUARTER as f64, notes: notes as f64, slack, ticks, is_bound: false }
    }

    /// Of a next note at this tick.
    pub(super) fn cost(&self, tick: i64) -> f64 {
        self.of(self.wanted * tick as f64 / self.ticks - self.notes)
    }

    /// Of no next note.
    pub(super) fn cost_of_end(&self) -> f64 {
        self.of((self.wanted - self.notes).max(0.0))
    }

    /// Of being so many notes behind.
    fn of(&self, behind: f64) -> f64 {
        let astray = if self.is_bound { -behind } else { behind.abs() };
        let too_far = (astray - self.slack).max(0.0);
        ASTRAY * too_far + FAR_ASTRAY * too_far * too_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{NoteClasses, Place};
    use crate::music::{Role, Tick};

    /// What a next note costs after so many sixteenths of strings in so many voices.
    fn cost(busiest: usize, density: u8, voices: u8, sixteenths: u8) -> Option<f64> {
        bound(Role::Strings, busiest, density, voices, sixteenths)
    }

    /// The same, where `of` was as busy as that.
    fn bound(of: Role, busiest: usize, density: u8, voices: u8, sixteenths: u8) -> Option<f64> {
        let role = Role::Strings.class();
        let place = |index: u8| Place { beat: index / 4, sub: index % 4 * 6, role };
        let note = |index: u8| NoteClasses {
            beat: place(index).beat,
            sub: place(index).sub,
            role,
            pitch: 60,
            duration: 5,
            velocity: 20,
            offset: 4,
        };
        let before: Vec<NoteClasses> = (0..sixteenths).flat_map(|index| (0..voices).map(move |_| note(index))).collect();
        let target = Some(place(sixteenths));
        let moment = Moment { line: Tick::ZERO, ticks: 96, density, target, before: &before, given: &[] };
        let busiest = Busiest { notes: busiest, roles: [of].into_iter().collect() };
        Pace::within(busiest, &moment).map(|pace| pace.cost(i64::from(sixteenths) * 6))
    }

    #[test]
    fn a_bar_that_runs_away_is_leaned_against() {
        assert!((0..16).all(|sixteenths| cost(16, 0, 1, sixteenths).is_none()), "as busy as before");
        assert!(cost(16, 0, 4, 1).is_none(), "a chord is no hurry");
        assert!(cost(16, 0, 4, 4).unwrap() > 5.0, "chords of sixteenths are");
        assert!(cost(16, 0, 4, 8).unwrap() > cost(16, 0, 4, 4).unwrap());
        assert!(cost(16, 2, 1, 15).unwrap() > 0.0, "nor is it to be denser than it is told");
        assert!(bound(Role::Bass, 4, 0, 4, 15).is_none(), "strings that had not played are free");
        assert!((0..16).all(|sixteenths| cost(64, 8, 4, sixteenths).is_none()), "the highest step has no end of its own");
    }
}
