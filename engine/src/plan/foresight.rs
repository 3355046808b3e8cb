//! Did the player do what the plan foresaw?

use crate::music::{Note, Tick};

/// How far from its planned place a note may be played and still be the one that was planned: a 32nd note.
pub const TOLERANCE_TICKS: Tick = Tick(3);

/// Whether what was heard from `from` on and before `to` is what the plan shows there: the same pitches, each within [`TOLERANCE_TICKS`] of
/// its place. Velocities and lengths are the player's own affair.
///
/// Both lists hold, in order of time, also what lies around the stretch. A planned note just before `to` may still be played: it is asked
/// for in the next stretch, which begins that much earlier for it.
///
/// ```
/// use antiphon_engine::music::{Note, Role, Tick};
/// use antiphon_engine::plan::as_foreseen;
///
/// let note = |onset, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(6), pitch, velocity: 80, role: Role::Keys };
/// let (from, to) = (Tick(24), Tick(48));
/// assert!(as_foreseen(&[note(36, 60)], &[note(38, 60)], from, to), "a little late");
/// assert!(!as_foreseen(&[note(36, 60)], &[], from, to), "left out");
/// assert!(as_foreseen(&[note(47, 60)], &[], from, to), "it may yet come: the next stretch asks for it");
/// ```
#[must_use]
pub fn as_foreseen(planned: &[Note], played: &[Note], from: Tick, to: Tick) -> bool {
    let mut is_played = vec![false; planned.len()];
    for note in played.iter().filter(|note| note.onset < to) {
        let matching = planned
            .iter()
            .zip(&is_played)
            .position(|(plan, taken)| !taken && plan.pitch == note.pitch && (plan.onset - note.onset).0.abs() <= TOLERANCE_TICKS.0);
        match matching {
            Some(index) => is_played[index] = true,
            None if note.onset >= from => return false,
            // Judged in the stretch before.
            None => {}
        }
    }
    let is_due = |note: &Note| from <= note.onset + TOLERANCE_TICKS && note.onset + TOLERANCE_TICKS < to;
    planned.iter().zip(&is_played).all(|(note, played)| *played || !is_due(note))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::phrase::tests::note;
    use super::*;

    fn kept(planned: &[(i64, u8)], played: &[(i64, u8)]) -> bool {
        let notes = |list: &[(i64, u8)]| list.iter().map(|&(onset, pitch)| note(onset, pitch)).collect::<Vec<_>>();
        as_foreseen(&notes(planned), &notes(played), Tick(24), Tick(48))
    }

    #[test]
    fn small_shifts_are_the_players_own() {
        assert!(kept(&[(24, 60), (36, 64)], &[(26, 60), (33, 64)]));
        assert!(!kept(&[(24, 60)], &[(28, 60)]));
        assert!(kept(&[], &[]));
    }

    #[test]
    fn another_note_a_missing_one_and_one_too_many_are_not_foreseen() {
        assert!(!kept(&[(24, 60)], &[(24, 61)]));
        assert!(!kept(&[(24, 60)], &[]));
        assert!(!kept(&[], &[(24, 60)]));
        assert!(!kept(&[(24, 60)], &[(24, 60), (25, 60)]));
    }

    #[test]
    fn a_note_at_the_edge_may_come_a_little_late_or_early() {
        // PlannedEvent just before the end: it may yet come.
        assert!(kept(&[(46, 60)], &[]));
        assert!(!kept(&[(44, 60)], &[]));
        // It is asked for in the next stretch, and found there.
        assert!(kept(&[(22, 60)], &[(25, 60)]));
        assert!(!kept(&[(22, 60)], &[]));
        // Played early, before the stretch.
        assert!(kept(&[(24, 60)], &[(22, 60)]));
        // Played early, planned after it.
        assert!(kept(&[(49, 60)], &[(47, 60)]));
    }

    #[test]
    fn a_repeated_note_is_matched_one_to_one() {
        assert!(kept(&[(24, 60), (28, 60)], &[(26, 60), (30, 60)]));
        assert!(!kept(&[(24, 60), (28, 60)], &[(26, 60)]));
    }

    proptest! {
        /// Exactly what was planned is foreseen, however the stretches are cut; and a note that was left out is found out in one of them.
        #[test]
        fn what_was_planned_is_foreseen_and_what_is_missing_is_not(
            gaps in prop::collection::vec((7..40i64, 50..60u8), 1..20),
            interval in 8..50i64,
            left_out in any::<prop::sample::Index>(),
        ) {
            let mut onset = 0;
            let planned: Vec<_> = gaps.iter().map(|(gap, pitch)| { onset += gap; note(onset, *pitch) }).collect();
            let every_stretch = |played: &[Note]| {
                (0..=(onset + 8) / interval).all(|k| as_foreseen(&planned, played, Tick(k * interval), Tick((k + 1) * interval)))
            };
            prop_assert!(every_stretch(&planned));
            let mut played = planned.clone();
            played.remove(left_out.index(planned.len()));
            prop_assert!(!every_stretch(&played));
        }
    }
}
