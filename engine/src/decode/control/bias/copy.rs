//! Copy bias: bars that are to repeat an earlier one, and bars that are not to close a loop once more.
//!
//! Conditioned on a repeat, the model agrees with the earlier bar at most notes, and a bar of ten notes is the same only if it agrees ten times. So the
//! classes of that bar get a bonus; and after a passage sounded three times in succession, the pitch that would complete a fourth time gets a large cost.

use crate::codec::vocabulary::{Field, next};
use crate::codec::{Place, Recalled};
use crate::decode::control::{repetition::Repetition, row::RowContext};
use crate::model::SamplingInputs;
use crate::music::analysis::NEW_BAR;

/// Subtracted from the pitch that would close a loop. Less than a mask: if no other pitch is allowed it is sampled all the same.
const CLOSING: f32 = 1e6;

/// Subtracted, at full novelty, from a pitch for each nearby bar that has it at this place.
const NOVEL: f32 = 2.5;
/// Values of the repeats column of the bars one, two, four and eight back.
const NEARBY_REPEATS: usize = 4;

const BEATS: usize = Field::Beat.classes();
const SUBS: usize = Field::Sub.classes();
const ROLES: usize = Field::Role.classes();
const TYPES: usize = Field::Type.classes();

/// Adds the bias of a row; `nats` is the bonus of a repeat.
pub(in crate::decode::control) fn add_copy_bias(inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, nats: f32) {
    let recalled = row.recalled_notes();
    match row.repetition() {
        Repetition::Repeat => {
            if let Some(earlier) = row.recall.recalled(row.conditioning.repeats, recalled, row.target) {
                add_repeat(inputs, earlier, nats);
            }
        }
        Repetition::Due => {
            if let Some(pitch) = row.target.and_then(|target| row.recall.loop_closing_pitch(recalled, target)) {
                inputs.pitch[usize::from(pitch)] -= CLOSING;
            }
        }
        Repetition::AfterLoop | Repetition::Free => {}
    }
}

/// Subtracts from the pitches that the bars one, two, four and eight back have at this row, at most [`NOVEL`] for each at 100 percent; bars conditioned on a
/// repeat are left alone.
pub(super) fn add_novelty_bias(inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, percent: u8) {
    if percent == 0 || row.repetition() == Repetition::Repeat {
        return;
    }
    let cost = NOVEL * f32::from(percent.min(100)) / 100.0;
    let recalled = row.recalled_notes();
    for repeats in (NEW_BAR + 1..).take(NEARBY_REPEATS) {
        let earlier = row.recall.recalled(repeats, recalled, row.target);
        if let Some(pitch) = earlier.and_then(|earlier| earlier.pitch) {
            inputs.pitch[usize::from(pitch)] -= cost;
        }
    }
}

/// Adds the bonus to the earlier bar's classes at this row.
fn add_repeat(inputs: &mut SamplingInputs<'_>, earlier: Recalled, nats: f32) {
    let Recalled { pitch, next: place } = earlier;
    if let Some(pitch) = pitch {
        inputs.pitch[usize::from(pitch)] += nats;
    }
    let kind = if place.is_some() { next::NOTE } else { next::ENDBAR };
    inputs.kind.iter_mut().skip(kind.into()).step_by(TYPES).for_each(|value| *value += nats);
    if let Some(Place { beat, sub, role }) = place {
        let [beat, sub, role] = [beat, sub, role].map(usize::from);
        inputs.beat.iter_mut().skip(beat).step_by(BEATS).for_each(|value| *value += nats);
        inputs.sub.iter_mut().skip(beat * SUBS + sub).step_by(BEATS * SUBS).for_each(|value| *value += nats);
        inputs.role.iter_mut().skip(role).step_by(ROLES).for_each(|value| *value += nats);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Tables, note};
    use super::*;
    use crate::codec::{BarFields, NoteClasses, Recall};
    use crate::music::Tick;

    const PLACE: Place = Place { beat: 2, sub: 6, role: 5 };

    /// Where a table got likelier.
    fn raised(table: &[f32]) -> Vec<usize> {
        (0..table.len()).filter(|&place| table[place] > 0.0).collect()
    }

    /// Bias of the row after the notes `before` with this `target`, in a bar that follows `earlier` bars.
    fn after(earlier: &[&[NoteClasses]], repeats: u8, before: &[NoteClasses], target: Option<Place>) -> Tables {
        with_bars(earlier, repeats, before, target, |inputs, row| add_copy_bias(inputs, row, 1.0))
    }

    /// What `add` adds to that row.
    fn with_bars(
        earlier: &[&[NoteClasses]],
        repeats: u8,
        before: &[NoteClasses],
        target: Option<Place>,
        add: impl FnOnce(&mut SamplingInputs<'_>, &RowContext<'_>),
    ) -> Tables {
        let mut recall = Recall::default();
        let push = |bar: &mut crate::codec::BarRecall, notes: &[NoteClasses]| notes.iter().for_each(|note| bar.push(note));
        for (index, notes) in (0..).zip(earlier) {
            let mut bar = recall.begin(index);
            push(&mut bar, notes);
            recall.finish(bar);
        }
        let mut open = recall.begin(u32::try_from(earlier.len()).unwrap());
        push(&mut open, before);
        let conditioning = BarFields { repeats, ..BarFields::default() };
        let row = RowContext { line: Tick::ZERO, ticks: 96, conditioning, target, before, given: &[], recall: &open };
        Tables::of(|inputs| add(inputs, &row))
    }

    #[test]
    fn requested_repeat_raises_the_classes_of_the_earlier_bar() {
        let earlier = Recalled { pitch: Some(60), next: Some(PLACE) };
        let tables = Tables::of(|inputs| add_repeat(inputs, earlier, 3.0));
        assert_eq!([raised(&tables.pitch), raised(&tables.kind), raised(&tables.beat)], [vec![60], vec![0, TYPES], vec![2, BEATS + 2]]);
        assert_eq!(raised(&tables.sub), [2 * SUBS + 6, (BEATS + 2) * SUBS + 6]);
        assert_eq!(raised(&tables.role), [5, ROLES + 5, 2 * ROLES + 5, 3 * ROLES + 5]);
        assert!(Tables::of(|inputs| add_repeat(inputs, earlier, 0.0)).are_zero());
    }

    #[test]
    fn requested_repeat_raises_the_end_where_the_earlier_bar_ends() {
        let tables = Tables::of(|inputs| add_repeat(inputs, Recalled { pitch: None, next: None }, 3.0));
        assert_eq!([raised(&tables.pitch), raised(&tables.kind), raised(&tables.beat)], [vec![], vec![1, TYPES + 1], vec![]]);
    }

    #[test]
    fn bar_conditioned_on_a_repeat_gets_the_bias_and_a_new_bar_does_not() {
        let earlier: [&[NoteClasses]; 1] = [&[note(0, 60, 23), note(24, 62, 23)]];
        let target = Some(note(24, 0, 0).place());
        let before = [note(0, 60, 23)];
        assert_eq!(raised(&after(&earlier, NEW_BAR + 1, &before, target).pitch), [62]);
        assert!(after(&earlier, NEW_BAR, &before, target).are_zero());
    }

    #[test]
    fn novelty_lowers_the_pitches_of_nearby_bars_at_the_same_place() {
        let earlier: [&[NoteClasses]; 2] = [&[note(0, 60, 23), note(24, 62, 23)], &[note(0, 60, 23), note(24, 65, 23)]];
        let novel = |percent, repeats| {
            with_bars(&earlier, repeats, &[note(0, 60, 23)], Some(note(24, 0, 0).place()), |inputs, row| {
                add_novelty_bias(inputs, row, percent);
            })
        };
        let lowered = |tables: &Tables| (0..128).filter(|&pitch| tables.pitch[pitch] < 0.0).collect::<Vec<_>>();
        assert_eq!(lowered(&novel(100, NEW_BAR)), [62, 65]);
        assert!(novel(100, NEW_BAR).pitch[62] < novel(50, NEW_BAR).pitch[62]);
        assert!(novel(0, NEW_BAR).are_zero() && novel(100, NEW_BAR + 1).are_zero());
    }

    #[test]
    fn loop_after_three_occurrences_is_closed_only_if_no_other_pitch_is_allowed() {
        let bar = [note(0, 60, 23), note(24, 62, 23)];
        let closing = after(&[bar.as_slice(); 3], 0, &bar[..1], Some(bar[1].place()));
        assert!(closing.pitch[62] < -1e5 && closing.pitch[62] > -1e9);
        assert_eq!(closing.pitch.iter().filter(|value| **value != 0.0).count(), 1);
        assert!(after(&[bar.as_slice(); 2], 0, &bar[..1], Some(bar[1].place())).are_zero(), "twice is no loop yet");
    }
}
