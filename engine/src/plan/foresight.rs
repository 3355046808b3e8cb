//! Comparison of played notes with planned ones.

use crate::music::{Note, Tick};

/// Tolerance in ticks between a planned onset and a played one that matches it: a 32nd note.
pub const TOLERANCE_TICKS: Tick = Tick(3);

/// Whether the notes played in `from..to` match the planned ones there: the same pitches, each within [`TOLERANCE_TICKS`] of its planned
/// onset. Velocities and durations are not compared.
///
/// Both lists hold, in order of time, also what lies around the stretch. A planned note within the tolerance before `to` may
/// still be played: it is checked in the next stretch.
///
/// ```
/// use antiphon_engine::music::{Note, Role, Tick};
/// use antiphon_engine::plan::as_foreseen;
///
/// let note = |onset, pitch| Note { onset: Tick(onset), offset: 0, duration: Tick(6), pitch, velocity: 80, role: Role::Keys };
/// let (from, to) = (Tick(24), Tick(48));
/// assert!(as_foreseen(&[note(36, 60)], &[note(38, 60)], from, to), "a little late");
/// assert!(!as_foreseen(&[note(36, 60)], &[], from, to), "left out");
/// assert!(as_foreseen(&[note(47, 60)], &[], from, to), "it may yet come: the next stretch checks it");
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
            // Checked in the stretch before.
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
    fn notes_within_the_tolerance_match() {
        assert!(kept(&[(24, 60), (36, 64)], &[(26, 60), (33, 64)]));
        assert!(!kept(&[(24, 60)], &[(28, 60)]));
        assert!(kept(&[], &[]));
    }

    #[test]
    fn wrong_missing_and_extra_notes_do_not_match() {
        assert!(!kept(&[(24, 60)], &[(24, 61)]));
        assert!(!kept(&[(24, 60)], &[]));
        assert!(!kept(&[], &[(24, 60)]));
        assert!(!kept(&[(24, 60)], &[(24, 60), (25, 60)]));
    }

    #[test]
    fn notes_at_the_edge_of_a_stretch_match_within_the_tolerance() {
        // Planned just before the end: it may yet come.
        assert!(kept(&[(46, 60)], &[]));
        assert!(!kept(&[(44, 60)], &[]));
        // It is checked in the next stretch, and found there.
        assert!(kept(&[(22, 60)], &[(25, 60)]));
        assert!(!kept(&[(22, 60)], &[]));
        // Played early, before the stretch.
        assert!(kept(&[(24, 60)], &[(22, 60)]));
        // Played early, planned after it.
        assert!(kept(&[(49, 60)], &[(47, 60)]));
    }

    #[test]
    fn repeated_notes_are_matched_one_to_one() {
        assert!(kept(&[(24, 60), (28, 60)], &[(26, 60), (30, 60)]));
        assert!(!kept(&[(24, 60), (28, 60)], &[(26, 60)]));
    }

    proptest! {
        /// The planned notes themselves match in stretches of any length; with one note left out, some stretch does not match.
        #[test]
        fn planned_notes_match_in_any_stretches_unless_one_is_missing(
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
