//! Density limit: costs for notes of a bar denser than the recent music, when no density is requested.

use super::cost::OnsetBias;
use super::note_rate::NoteRate;
use super::step::range;
use crate::decode::control::{roles::RoleSet, row::RowContext};
use crate::music::analysis::DENSITY_EDGES;

/// Quarters over which a limit is measured: a whole note.
const STRETCH: f64 = 4.0;
/// Notes that a bar may at least be ahead of the limit: a full chord on the bar line is within the limit.
const LEAST_SLACK: f64 = 4.0;

/// Largest density of some roles; other roles have no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DensityLimit {
    /// Notes of these roles that start within a whole note.
    pub notes: usize,
    /// The roles.
    pub roles: RoleSet,
}

/// The bias of a row that is ahead of the limit.
pub(super) struct OverLimit(NoteRate);

impl OverLimit {
    /// No faster than `limit`, given notes apart, nor than the density that the bar is conditioned on reaches. `None` while it is not.
    pub(super) fn new(limit: DensityLimit, row: &RowContext<'_>) -> Option<Self> {
        let bound = limit.notes as f64 / STRETCH;
        let density = match row.conditioning.density {
            0 => bound,
            step => range(step, &DENSITY_EDGES, [0.0, bound])[1].min(bound),
        };
        let own = row.before.iter().map(|note| note.role).chain(row.target.map(|target| target.role));
        let notes = own.filter(|role| limit.roles.has(*role)).count();
        let over = Self(NoteRate::new(density, density.max(LEAST_SLACK), notes, row));
        (over.cost(row.onset()) > 0.0).then_some(over)
    }
}

impl OnsetBias for OverLimit {
    /// No cost for a bar behind the limit.
    fn cost(&self, tick: i64) -> f64 {
        self.0.cost(-self.0.behind(tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{BarFields, NoteClasses, Place};
    use crate::decode::control::row::fixtures::with_row;
    use crate::music::Role;

    /// Cost of a next note after so many sixteenths of strings in so many voices, where they had so many notes in a whole note.
    fn cost(limit: usize, density: u8, voices: u8, sixteenths: u8) -> Option<f64> {
        cost_under(Role::Strings, limit, density, voices, sixteenths)
    }

    /// The same, where `of` had them.
    fn cost_under(of: Role, limit: usize, density: u8, voices: u8, sixteenths: u8) -> Option<f64> {
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
        let limit = DensityLimit { notes: limit, roles: [of].into_iter().collect() };
        let conditioning = BarFields { density, ..BarFields::default() };
        with_row(conditioning, &before, Some(place(sixteenths)), |row| {
            OverLimit::new(limit, row).map(|over| over.cost(i64::from(sixteenths) * 6))
        })
    }

    #[test]
    fn note_ahead_of_the_density_limit_has_a_cost() {
        assert!((0..16).all(|sixteenths| cost(16, 0, 1, sixteenths).is_none()), "as busy as before");
        assert!(cost(16, 0, 4, 1).is_none(), "a chord is no hurry");
        assert!(cost(16, 0, 4, 4).unwrap() > 5.0, "chords of sixteenths are");
        assert!(cost(16, 0, 4, 8).unwrap() > cost(16, 0, 4, 4).unwrap());
        assert!(cost(16, 2, 1, 15).unwrap() > 0.0, "nor is it to be denser than it is conditioned on");
        assert!(cost_under(Role::Bass, 4, 0, 4, 15).is_none(), "strings that had not played are free");
        assert!((0..16).all(|sixteenths| cost(64, 8, 4, sixteenths).is_none()), "the highest step has no end of its own");
    }
}
