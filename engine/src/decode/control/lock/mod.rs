//! Locks of a bar: what of its notes is fixed before the rest is sampled. They are masks, written after those of the constraints.

mod pitches;
mod rhythm;
#[cfg(test)]
mod tests;

use super::mask::{BEATS, Mask, ROLES, SUBS, TYPES, allow, tick_of};
use super::row::RowContext;
use crate::codec::{NoteClasses, vocabulary::next};
use crate::model::SamplingInputs;
use crate::music::Tick;

/// What is fixed of a bar from the first tick on at which notes may start. Notes before it do not count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BarLock {
    /// Nothing.
    #[default]
    Open,
    /// Everything: no note is added to the known and given ones.
    Whole,
    /// Onset, role and duration of each note, in canonical order; the pitches are sampled. Of notes that start together in one role only as many are kept as
    /// there are pitches that the constraints allow.
    Rhythm(Vec<NoteClasses>),
    /// The pitches of each role, in order of time; onsets and durations are sampled. Notes of roles that may not start are left out.
    Pitches(Vec<NoteClasses>),
}

impl BarLock {
    /// The lock as far as the masks allow it.
    pub(super) fn feasible(self, mask: &Mask) -> Self {
        match self {
            Self::Rhythm(notes) => Self::Rhythm(rhythm::feasible(notes, mask)),
            Self::Pitches(notes) => Self::Pitches(notes.into_iter().filter(|note| mask.is_playable(note.role)).collect()),
            Self::Open | Self::Whole => self,
        }
    }

    /// Writes the lock over the masks of a row. Notes start in the bar from tick `from` on.
    pub(super) fn write(&self, inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>, from: Tick) {
        match self {
            Self::Open => {}
            Self::Whole => end_bar(inputs),
            Self::Rhythm(notes) => rhythm::write(notes, inputs, row, from),
            Self::Pitches(notes) => pitches::write(notes, inputs, row, from),
        }
    }
}

/// Ends the bar after the target.
fn end_bar(inputs: &mut SamplingInputs<'_>) {
    inputs.kind.chunks_exact_mut(TYPES).for_each(|kinds| allow(kinds, |kind| kind == usize::from(next::ENDBAR)));
}

/// Continues the bar with a note: at a tick of the bar that `may_start` accepts, in a role that `later` accepts, or at the target's onset in one that
/// `together` accepts. Whether the target reaches the highest pitch makes no difference.
fn go_on(
    inputs: &mut SamplingInputs<'_>,
    may_start: impl Fn(i64) -> bool,
    later: impl Fn(usize) -> bool,
    together: impl Fn(usize) -> bool,
) {
    inputs.kind.chunks_exact_mut(TYPES).for_each(|kinds| allow(kinds, |kind| kind == usize::from(next::NOTE)));
    for beats in inputs.beat.chunks_exact_mut(BEATS) {
        allow(beats, |beat| (0..SUBS).any(|sub| may_start(tick_of(beat, sub))));
    }
    for bar in inputs.sub.chunks_exact_mut(BEATS * SUBS) {
        for (beat, subs) in bar.chunks_exact_mut(SUBS).enumerate() {
            allow(subs, |sub| may_start(tick_of(beat, sub)));
        }
    }
    for roles in inputs.role.chunks_exact_mut(2 * ROLES) {
        let (elsewhere, same) = roles.split_at_mut(ROLES);
        allow(elsewhere, &later);
        allow(same, &together);
    }
}

/// Notes of the row's bar that the lock has placed so far, the target included.
fn placed(row: &RowContext<'_>, from: Tick) -> usize {
    let before = row.before.iter().filter(|note| note.tick() >= from).count();
    before + usize::from(row.target.is_some_and(|target| target.tick() >= from))
}
