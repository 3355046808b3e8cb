//! Pitch lock: each role of the bar has its pitches in a fixed order; their onsets and durations are sampled. The bar ends when all of them have been placed.

use super::super::mask::{ROLES, allow};
use super::super::row::RowContext;
use super::{end_bar, go_on};
use crate::codec::{NoteClasses, Place};
use crate::model::SamplingInputs;
use crate::music::Tick;

/// Pitches of a role that are still to come after `placed` of them.
fn to_come(notes: &[NoteClasses], placed: usize, role: usize) -> impl Iterator<Item = u8> + Clone {
    notes.iter().filter(move |note| usize::from(note.role) == role).skip(placed).map(|note| note.pitch)
}

/// Number of different onsets that pitches need: at one onset of a role they rise.
fn onsets(mut pitches: impl Iterator<Item = u8>) -> i64 {
    let Some(mut last) = pitches.next() else { return 0 };
    let mut count = 1;
    for pitch in pitches {
        count += i64::from(pitch <= last);
        last = pitch;
    }
    count
}

pub(super) fn write(notes: &[NoteClasses], inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, from: Tick) {
    let target: Option<Place> = row.target.filter(|target| target.tick() >= from);
    let placed = |role: usize| {
        let before = row.before.iter().filter(|note| note.tick() >= from && usize::from(note.role) == role).count();
        before + usize::from(target.is_some_and(|target| usize::from(target.role) == role))
    };
    let own = target.map(|target| usize::from(target.role));
    let pitch = own.and_then(|own| to_come(notes, placed(own) - 1, own).next());
    if let Some(pitch) = pitch {
        allow(inputs.pitch, |class| class == usize::from(pitch));
    }
    let coming = |role: usize| to_come(notes, placed(role), role);
    let is_left = |role: usize| coming(role).next().is_some();
    // Onsets that the others surely fit into after a note of this role: at its own onset the pitches of the role that rise, then those of the roles after it.
    let onsets_after = |role: usize| -> i64 {
        let next = coming(role).next();
        let own = coming(role).skip(1);
        let rises = own.clone().next() > next;
        let others =
            (0..ROLES).filter(|other| *other != role).map(|other| onsets(coming(other)) - i64::from(other > role && is_left(other)));
        onsets(own) - i64::from(rises) + others.sum::<i64>()
    };
    let (here, end) = (target.map_or(from.0.saturating_sub(1), |target| target.tick().0), i64::from(row.ticks));
    let together = |role: usize| {
        let is_higher = || coming(role).next() > pitch;
        let follows = own.is_some_and(|own| is_left(role) && (role > own || role == own && is_higher()));
        follows && onsets_after(role) <= end - 1 - here
    };
    let first = if (0..ROLES).any(together) { here } else { here + 1 }.max(0);
    let Some(needed) = (0..ROLES).filter(|role| is_left(*role)).map(onsets_after).max().filter(|_| first < end) else {
        return end_bar(inputs);
    };
    let last = (end - 1 - needed).clamp(first, end - 1);
    go_on(inputs, |tick| (first..=last).contains(&tick), is_left, together);
}
