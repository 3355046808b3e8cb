//! Accompany: the roles that Antiphon plays beside the player, and how busy they may be.

use super::PlannedRoles;
use crate::music::analysis::habits;
use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};

/// In ticks.
const WHOLE_NOTE: i64 = 4 * TICKS_PER_QUARTER;
/// Time in which a fill is measured: two beats.
const FILL: i64 = 2 * TICKS_PER_QUARTER;
/// Whole notes before it that show what the player usually does.
const USUAL: i64 = 8;
/// Notes in a whole note from which playing can be a fill.
const LEAST_FILL: i64 = 8;

/// Roles that accompany a player of this role. Without a first `wanted` role they are bass, or keys for a player of bass or drums. A role that the player plays
/// is left out: its notes could not be distinguished from the player's.
///
/// ```
/// use antiphon_engine::music::Role;
/// use antiphon_engine::plan::accompanying;
///
/// let roles = |player, wanted| accompanying(player, wanted).iter().collect::<Vec<_>>();
/// assert_eq!(roles(Role::Keys, [None; 3]), [Role::Bass]);
/// assert_eq!(roles(Role::Bass, [None, Some(Role::Drums), Some(Role::Bass)]), [Role::Keys, Role::Drums]);
/// ```
#[must_use]
pub fn accompanying(player: Role, wanted: [Option<Role>; 3]) -> PlannedRoles {
    let [first, second, third] = wanted.map(|role| role.filter(|role| *role != player));
    let other = if matches!(player, Role::Bass | Role::Drums) { Role::Keys } else { Role::Bass };
    PlannedRoles::new(first.unwrap_or(other), [second, third])
}

/// Most notes that the accompaniment starts within a whole note, from the notes before `now` of the `player` and its `own`: as many as it has in its busiest
/// whole note, and where the player fills, fewer in the same measure in which the player plays more than usually. `None` while it has played nothing.
#[must_use]
pub fn most_notes(player: &[Note], own: &[Note], now: Tick) -> Option<usize> {
    let busiest = habits(own).busiest;
    if busiest == 0 {
        return None;
    }
    let between = |from: Tick, to: Tick| player.iter().filter(|note| from <= note.onset && note.onset < to).count();
    let count = |from, to| i64::try_from(between(from, to)).unwrap_or(i64::MAX);
    let begin = now - Tick(FILL);
    let lately = count(begin, now).saturating_mul(WHOLE_NOTE / FILL);
    // Only as far back as there is music.
    let first = player.iter().map(|note| note.onset).min().unwrap_or(begin).max(begin - Tick(USUAL * WHOLE_NOTE));
    let usual = count(first, begin).saturating_mul(WHOLE_NOTE) / (begin - first).0.max(WHOLE_NOTE);
    if usual == 0 || lately < LEAST_FILL || lately < 2 * usual {
        return Some(busiest);
    }
    let thinned = i64::try_from(busiest).unwrap_or(i64::MAX).saturating_mul(usual) / lately;
    Some(usize::try_from(thinned).unwrap_or(busiest).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: i64) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(6), pitch: 60, velocity: 80, role: Role::Keys }
    }

    fn every(ticks: usize, from: i64, to: i64) -> Vec<Note> {
        (from..to).step_by(ticks).map(note).collect()
    }

    #[test]
    fn role_of_the_player_is_not_doubled() {
        let roles = |player, wanted| accompanying(player, wanted).iter().collect::<Vec<_>>();
        assert_eq!(roles(Role::Drums, [None; 3]), [Role::Keys]);
        assert_eq!(roles(Role::Keys, [Some(Role::Keys), Some(Role::Drums), None]), [Role::Bass, Role::Drums]);
        assert_eq!(roles(Role::Lead, [Some(Role::Pad), Some(Role::Lead), Some(Role::Drums)]), [Role::Pad, Role::Drums]);
        assert_eq!(roles(Role::Keys, [None, Some(Role::Bass), None]), [Role::Bass]);
    }

    #[test]
    fn accompaniment_is_as_busy_as_before_while_the_player_does_not_fill() {
        let own = every(12, 0, 960);
        assert_eq!(most_notes(&every(24, 0, 960), &[], Tick(960)), None);
        assert_eq!(most_notes(&every(24, 0, 960), &own, Tick(960)), Some(8));
        assert_eq!(most_notes(&[], &own, Tick(960)), Some(8));
        // Half as much again is no fill, nor is the first note after a rest.
        let busier = [every(24, 0, 912), every(16, 912, 960)].concat();
        assert_eq!(most_notes(&busier, &own, Tick(960)), Some(8));
        assert_eq!(most_notes(&[note(0), note(950)], &own, Tick(960)), Some(8));
    }

    #[test]
    fn accompaniment_thins_out_in_the_measure_in_which_the_player_fills() {
        let own = every(12, 0, 960);
        let fill = |ticks| most_notes(&[every(24, 0, 912), every(ticks, 912, 960)].concat(), &own, Tick(960));
        assert_eq!([fill(12), fill(6), fill(3)], [Some(4), Some(2), Some(1)], "twice, four and eight times as many");
        // Once it is what the player does, it is no fill any more.
        assert_eq!(most_notes(&every(6, 0, 960), &own, Tick(960)), Some(8));
        // The first bars, too, have something usual.
        assert_eq!(most_notes(&[every(24, 0, 96), every(6, 96, 144)].concat(), &own, Tick(144)), Some(2));
    }
}
