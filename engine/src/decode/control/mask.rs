//! Masks: hard constraints, applied before sampling. A masked class cannot be sampled; the others keep their relative probabilities.
//!
//! Some masks always apply, because rows are in canonical order: the onset never decreases, and at one onset role, then pitch, must increase. So a bar always
//! ends. It also ends when no class is allowed any more.

use std::collections::BTreeSet;

use super::constraints::{Constraints, MOST_NOTES};
use super::row::RowContext;
use crate::{
    codec::{
        OPEN, Place,
        vocabulary::{Field, duration_ticks, next},
    },
    model::{MASKED, SamplingInputs},
    music::{Role, TICKS_PER_QUARTER, Tick},
};

/// Pitch classes of a field: keys, then drums.
const PITCHES: usize = Field::Pitch.classes();
const DRUMS: usize = 128;
pub(super) const BEATS: usize = Field::Beat.classes();
pub(super) const SUBS: usize = Field::Sub.classes();
pub(super) const ROLES: usize = Field::Role.classes();
pub(super) const TYPES: usize = Field::Type.classes();

/// Constraints in the form that is independent of the row.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    constraints: Constraints,
    tops: [Option<usize>; ROLES],
    /// The same for notes on a quarter.
    tops_on_beat: [Option<usize>; ROLES],
}

/// Whether a pitch class of the model is allowed for a role.
fn allows(constraints: &Constraints, role: u8, pitch: usize) -> bool {
    if role == Role::Drums.class() {
        return pitch >= DRUMS;
    }
    pitch < DRUMS && constraints.registers[usize::from(role)].contains(pitch_of(pitch)) && constraints.scale >> (pitch % 12) & 1 == 1
}

/// Whether it is also allowed on a quarter of the bar.
fn allows_on_beat(constraints: &Constraints, role: u8, pitch: usize) -> bool {
    allows(constraints, role, pitch) && (pitch >= DRUMS || constraints.on_beat >> (pitch % 12) & 1 == 1)
}

/// Roles with a pitch that is allowed by `allows`, and the highest such pitch of each.
fn tops(constraints: &Constraints, allows: fn(&Constraints, u8, usize) -> bool) -> [Option<usize>; ROLES] {
    let top = |role: Role| (0..PITCHES).rev().find(|&pitch| allows(constraints, role.class(), pitch));
    Role::ALL.map(|role| top(role).filter(|_| constraints.roles.contains(role)))
}

impl Mask {
    pub(super) fn new(constraints: Constraints) -> Self {
        let mut mask = Self { tops: tops(&constraints, allows), tops_on_beat: tops(&constraints, allows_on_beat), constraints };
        mask.constraints.lock = std::mem::take(&mut mask.constraints.lock).feasible(&mask);
        mask
    }

    /// Whether a role may start notes.
    pub(super) fn is_playable(&self, role: u8) -> bool {
        self.tops[usize::from(role)].is_some()
    }

    /// Number of pitches that notes at a place may have.
    pub(super) fn pitches_at(&self, place: Place) -> usize {
        let allows = self.allows_at(place);
        if self.is_playable(place.role) { (0..PITCHES).filter(|&pitch| allows(&self.constraints, place.role, pitch)).count() } else { 0 }
    }

    /// The rule for pitches at a place.
    fn allows_at(&self, place: Place) -> fn(&Constraints, u8, usize) -> bool {
        let on_beat = place.sub == 0 && self.tops_on_beat[usize::from(place.role)].is_some();
        if on_beat { allows_on_beat } else { allows }
    }

    /// Masks onsets before this tick of the sequence.
    pub(super) fn start_at(&mut self, from: Tick) {
        self.constraints.from = from;
    }

    /// Writes the masks of a row.
    pub(super) fn write(&self, inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>) {
        if let Some(target) = row.target {
            self.write_pitch(inputs, target, row);
            let room = self.constraints.until.0.saturating_sub(row.line.0 + target.tick().0);
            allow(inputs.duration, |class| {
                class_of(class) != OPEN && duration_ticks(class_of(class)).is_some_and(|length| length.0 <= room)
            });
        }
        self.write_next(inputs, row);
        let from = Tick(self.constraints.from.0.saturating_sub(row.line.0));
        self.constraints.lock.write(inputs, row, from);
    }

    /// Allowed pitches of the target, and the top one, after which its onset and role are full.
    fn write_pitch(&self, inputs: &mut SamplingInputs<'_>, target: Place, row: &RowContext<'_>) {
        let above = row.before.last().filter(|note| note.place() == target).map_or(0, |note| usize::from(note.pitch) + 1);
        // A known note may violate the constraints: then no note follows it at its onset and role.
        let role = usize::from(target.role);
        let highest = self.tops_on_beat[role].filter(|_| target.sub == 0).or(self.tops[role]).unwrap_or(0);
        let allows = self.allows_at(target);
        let is_allowed = |pitch: usize| pitch >= above && allows(&self.constraints, target.role, pitch);
        let ceiling = self.ceiling(target, row).and_then(|ceiling| (0..ceiling).rev().find(|&pitch| is_allowed(pitch)));
        let top = ceiling.unwrap_or(highest);
        let is_below = |pitch: usize| is_allowed(pitch) && (ceiling.is_none() || pitch <= top);
        // A given note keeps its key while it sounds, unless no other key is left.
        let is_free = |pitch: usize| is_below(pitch) && !sounds_given(row, target, pitch);
        let top_free = if row.given.is_empty() { None } else { (0..PITCHES).rev().find(|&pitch| is_free(pitch)) };
        let top = top_free.unwrap_or(top);
        allow(inputs.pitch, |pitch| if top_free.is_some() { is_free(pitch) } else { is_below(pitch) });
        *inputs.pitch_top = i64::try_from(top).unwrap_or(0);
    }

    /// The lowest pitch of another role that sounds at the target's onset, if the target's role must stay below it.
    fn ceiling(&self, target: Place, row: &RowContext<'_>) -> Option<usize> {
        if !self.constraints.lowest.has(target.role) {
            return None;
        }
        let pitched = row.pitched_notes().filter(|note| note.role != target.role);
        let sounding = pitched.filter(|note| {
            let start = note.tick();
            start <= target.tick() && duration_ticks(note.duration).is_none_or(|length| start + length > target.tick())
        });
        sounding.map(|note| usize::from(note.pitch)).min()
    }

    /// Allowed continuations after the target: whether a note follows, where, and in which role.
    /// The tables have an entry for a pitch below the top and one for the top reached.
    fn write_next(&self, inputs: &mut SamplingInputs<'_>, row: &RowContext<'_>) {
        let playable = |role: usize| self.tops[role].is_some();
        let here = row.target.map_or(-1, |target| target.tick().0);
        let given_at = |tick: i64| row.given.iter().filter(|note| note.tick().0 == tick).count();
        let together = 1 + row.before.iter().rev().take_while(|note| note.tick().0 == here).count() + given_at(here);
        let chord = row.target.map_or(0, |target| 1 + row.before.iter().rev().take_while(|note| note.place() == target).count());
        let voices_left = self.constraints.voices.is_none_or(|voices| together < usize::from(voices));
        // No note starts where the given notes already reach the bound on simultaneous notes.
        let full: BTreeSet<i64> = self.constraints.voices.map_or_else(BTreeSet::new, |voices| {
            let onsets = row.given.iter().map(|note| note.tick().0);
            onsets.filter(|&onset| given_at(onset) >= usize::from(voices.max(1))).collect()
        });
        let must_sound = row.target.is_none() && row.line < self.constraints.rests_from;
        let notes_left = row.before.len() + usize::from(row.target.is_some()) < MOST_NOTES;
        let from = self.constraints.from.0.saturating_sub(row.line.0);
        let until = self.constraints.until.0.saturating_sub(row.line.0).min(i64::from(row.ticks));
        for reached in 0..2 {
            // At the target's own onset: its role again while pitches are left, then only the roles after it.
            let together_with = |role: usize| {
                row.target.is_some_and(|target| {
                    let own = usize::from(target.role);
                    playable(role) && (role > own || role == own && reached == 0 && chord < usize::from(self.constraints.chords[own]))
                })
            };
            let first = if voices_left && (0..ROLES).any(together_with) { here } else { here + 1 }.max(from);
            let any = (first.max(0)..until).any(|tick| !full.contains(&tick)) && (0..ROLES).any(playable);
            let may_start = |tick: i64| any && (first..until).contains(&tick) && !full.contains(&tick);
            allow(&mut inputs.kind[reached * TYPES..][..TYPES], |kind| match class_of(kind) {
                next::NOTE => any && notes_left,
                class => class == next::ENDBAR && !(must_sound && any),
            });
            let beats = &mut inputs.beat[reached * BEATS..][..BEATS];
            allow(beats, |beat| (0..SUBS).any(|sub| may_start(tick_of(beat, sub))));
            for (beat, subs) in inputs.sub[reached * BEATS * SUBS..][..BEATS * SUBS].chunks_exact_mut(SUBS).enumerate() {
                allow(subs, |sub| may_start(tick_of(beat, sub)));
            }
            let (later, same) = inputs.role[reached * 2 * ROLES..][..2 * ROLES].split_at_mut(ROLES);
            allow(later, playable);
            allow(same, together_with);
        }
    }
}

/// Whether a given note of the target's role sounds on a key at the target's onset.
fn sounds_given(row: &RowContext<'_>, target: Place, pitch: usize) -> bool {
    let given = row.given.iter().filter(|note| note.role == target.role && usize::from(note.pitch) == pitch);
    given.into_iter().any(|note| {
        let start = note.tick();
        start <= target.tick() && duration_ticks(note.duration).is_none_or(|length| start + length > target.tick())
    })
}

/// Masks the classes that are not allowed.
pub(super) fn allow(mask: &mut [f32], allowed: impl Fn(usize) -> bool) {
    for (class, value) in mask.iter_mut().enumerate() {
        *value = if allowed(class) { 0.0 } else { MASKED };
    }
}

/// A class as u8; none is above 255.
fn class_of(class: usize) -> u8 {
    u8::try_from(class).unwrap_or(u8::MAX)
}

/// A pitch class of the model as a MIDI key; at most 127, since drums are not passed.
fn pitch_of(class: usize) -> u8 {
    class_of(class)
}

pub(super) fn tick_of(beat: usize, sub: usize) -> i64 {
    let part = |value: usize| i64::try_from(value).unwrap_or(i64::MAX / 64);
    part(beat) * TICKS_PER_QUARTER + part(sub)
}
