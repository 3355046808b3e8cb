//! Hard rules, applied as masks before sampling: what they forbid cannot be chosen, and what they allow keeps its odds.
//!
//! Part of them are always on, because rows are in canonical order: the onset never goes back, and at one onset role, then pitch, must rise. So a bar always
//! ends. Where nothing is allowed any more, the bar ends.

use std::collections::BTreeSet;

use super::aims::Aims;
use crate::{
    codec::{
        NoteClasses, OPEN, Place,
        vocabulary::{Field, duration_ticks, next},
    },
    model::{MASKED, SamplingInputs},
    music::{
        Role, TICKS_PER_QUARTER, Tick,
        analysis::{Habits, Register},
    },
};

/// No generated bar has more notes: a bound on time and memory, far above what music needs.
pub const MOST_NOTES: usize = 192;

/// Pitch classes of a field: keys, then drums.
const PITCHES: usize = Field::Pitch.classes();
const DRUMS: usize = 128;
const BEATS: usize = Field::Beat.classes();
const SUBS: usize = Field::Sub.classes();
const ROLES: usize = Field::Role.classes();
const TYPES: usize = Field::Type.classes();

/// A set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleSet(u16);

impl RoleSet {
    /// Every role.
    pub const ALL: Self = Self(u16::MAX);

    /// No role.
    pub const NONE: Self = Self(0);

    /// Whether a role is in it.
    #[must_use]
    pub fn contains(self, role: Role) -> bool {
        self.has(role.class())
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, class: u8) -> bool {
        self.0 >> class & 1 == 1
    }
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |set, role| set | 1 << role.class()))
    }
}

/// The most that some roles do: a role that had not played can be as busy as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busiest {
    /// Notes of these roles that start within a whole note.
    pub notes: usize,
    /// The roles.
    pub roles: RoleSet,
}

/// What may be generated. Register and scale bind every role but drums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraints {
    /// Roles that may play.
    pub roles: RoleSet,
    /// The keys each role may use, by class.
    pub registers: [Register; ROLES],
    /// Most notes of each role, by class, that start together. At least 1 counts.
    pub chords: [u8; ROLES],
    /// Pitch classes that may sound: bit 0 is C, bit 11 is B.
    pub scale: u16,
    /// Most notes of all roles that start together, given ones among them; `None` for no bound. At least 1 counts, and where nothing is given one may always
    /// start.
    pub voices: Option<u8>,
    /// How busy it may get before that is leaned against; `None` for no bound.
    pub busiest: Option<Busiest>,
    /// What is leaned towards, within all of this.
    pub aims: Aims,
    /// No note starts before this tick of the sequence (tick 0 is its first bar line).
    pub from: Tick,
    /// Every note ends at or before this tick of the sequence.
    pub until: Tick,
    /// A bar that begins before this tick of the sequence does not end without a note of its own, if one may be played in it.
    pub rests_from: Tick,
    /// Roles that stay below all other pitches that sound at their onsets, as long as a key is left there.
    pub lowest: RoleSet,
}

impl Default for Constraints {
    /// Everything is allowed.
    fn default() -> Self {
        Self {
            roles: RoleSet::ALL,
            registers: [Register::WHOLE; ROLES],
            chords: [u8::MAX; ROLES],
            scale: 0xfff,
            voices: None,
            busiest: None,
            aims: Aims::default(),
            from: Tick(i64::MIN),
            until: Tick::MAX,
            rests_from: Tick(i64::MIN),
            lowest: RoleSet::NONE,
        }
    }
}

/// How far beyond what a role has played of late it may go: a fourth.
const REACH_SEMITONES: u8 = 5;

impl Constraints {
    /// Lets each role of `habits` play where it has played, a fourth more at both ends, and chords no fuller than before; and leans against getting busier
    /// than it all was. What a model chooses at random then wanders off neither up the keyboard nor into clusters, and does not run away.
    pub fn keep_to(&mut self, habits: &Habits) {
        let roles = habits.roles.keys().copied().collect();
        self.busiest = (habits.busiest > 0).then_some(Busiest { notes: habits.busiest, roles });
        for (role, habit) in &habits.roles {
            let class = usize::from(role.class());
            self.registers[class] = habit.register.widened(REACH_SEMITONES);
            self.chords[class] = habit.chord;
        }
    }

    /// Whether a pitch class of the model is allowed for a role.
    fn allows(&self, role: u8, pitch: usize) -> bool {
        if role == Role::Drums.class() {
            return pitch >= DRUMS;
        }
        pitch < DRUMS && self.registers[usize::from(role)].contains(pitch_of(pitch)) && self.scale >> (pitch % 12) & 1 == 1
    }

    /// The roles that have a pitch to play, and the highest pitch of each.
    fn tops(&self) -> [Option<usize>; ROLES] {
        let top = |role: Role| (0..PITCHES).rev().find(|&pitch| self.allows(role.class(), pitch));
        Role::ALL.map(|role| top(role).filter(|_| self.roles.contains(role)))
    }
}

/// Where a row stands that is about to choose: the content of its target, and what follows that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    /// The bar line in ticks of the sequence.
    pub line: Tick,
    /// Length of the bar.
    pub ticks: u16,
    /// The density it is told; 0 = none.
    pub density: u8,
    /// The row's target: onset and role are settled, the rest is chosen now.
    pub target: Option<Place>,
    /// The bar's notes before the target.
    pub before: &'a [NoteClasses],
    /// What is known of the bar beside its own notes.
    pub given: &'a [NoteClasses],
}

/// Constraints, worked out as far as they do not depend on the moment.
#[derive(Debug, Clone)]
pub(super) struct Masks {
    constraints: Constraints,
    tops: [Option<usize>; ROLES],
}

impl Masks {
    pub(super) fn new(constraints: Constraints) -> Self {
        Self { tops: constraints.tops(), constraints }
    }

    /// Lets nothing start before this tick of the sequence.
    pub(super) fn start_at(&mut self, from: Tick) {
        self.constraints.from = from;
    }

    /// Writes all masks for a row at `moment`.
    pub(super) fn write(&self, inputs: &mut SamplingInputs<'_>, moment: &Moment<'_>) {
        if let Some(target) = moment.target {
            self.write_pitch(inputs, target, moment);
            let room = self.constraints.until.0.saturating_sub(moment.line.0 + target.tick().0);
            allow(inputs.duration, |class| {
                class_of(class) != OPEN && duration_ticks(class_of(class)).is_some_and(|length| length.0 <= room)
            });
        }
        self.write_next(inputs, moment);
        self.constraints.aims.lean(inputs, moment, self.constraints.busiest);
    }

    /// Pitches for the target, and the one at which its onset and role are full.
    fn write_pitch(&self, inputs: &mut SamplingInputs<'_>, target: Place, moment: &Moment<'_>) {
        let above = moment.before.last().filter(|note| note.place() == target).map_or(0, |note| usize::from(note.pitch) + 1);
        // A note that was played, not chosen, may lie outside of what is allowed: then nothing follows it at its onset and role.
        let highest = self.tops[usize::from(target.role)].unwrap_or(0);
        let allows = |pitch: usize| pitch >= above && self.constraints.allows(target.role, pitch);
        let ceiling = self.ceiling(target, moment).and_then(|ceiling| (0..ceiling).rev().find(|&pitch| allows(pitch)));
        let top = ceiling.unwrap_or(highest);
        allow(inputs.pitch, |pitch| allows(pitch) && (ceiling.is_none() || pitch <= top));
        *inputs.pitch_top = i64::try_from(top).unwrap_or(0);
    }

    /// The lowest pitch of another role that sounds at the target's onset, if the target's role is to stay below it.
    fn ceiling(&self, target: Place, moment: &Moment<'_>) -> Option<usize> {
        if !self.constraints.lowest.has(target.role) {
            return None;
        }
        let others = moment.given.iter().chain(moment.before);
        let pitched = others.filter(|note| note.role != target.role && note.role != Role::Drums.class());
        let sounding = pitched.filter(|note| {
            let start = note.tick();
            start <= target.tick() && duration_ticks(note.duration).is_none_or(|length| start + length > target.tick())
        });
        sounding.map(|note| usize::from(note.pitch)).min()
    }

    /// What follows the target: whether a note, where, and in which role. The tables have an entry for a pitch below the top and one for the top reached.
    fn write_next(&self, inputs: &mut SamplingInputs<'_>, moment: &Moment<'_>) {
        let playable = |role: usize| self.tops[role].is_some();
        let here = moment.target.map_or(-1, |target| target.tick().0);
        let given_at = |tick: i64| moment.given.iter().filter(|note| note.tick().0 == tick).count();
        let together = 1 + moment.before.iter().rev().take_while(|note| note.tick().0 == here).count() + given_at(here);
        let chord = moment.target.map_or(0, |target| 1 + moment.before.iter().rev().take_while(|note| note.place() == target).count());
        let voices_left = self.constraints.voices.is_none_or(|voices| together < usize::from(voices));
        // Where what is given is as full as all may be nothing starts.
        let full: BTreeSet<i64> = self.constraints.voices.map_or_else(BTreeSet::new, |voices| {
            let onsets = moment.given.iter().map(|note| note.tick().0);
            onsets.filter(|&onset| given_at(onset) >= usize::from(voices.max(1))).collect()
        });
        let must_sound = moment.target.is_none() && moment.line < self.constraints.rests_from;
        let notes_left = moment.before.len() + usize::from(moment.target.is_some()) < MOST_NOTES;
        let from = self.constraints.from.0.saturating_sub(moment.line.0);
        let until = self.constraints.until.0.saturating_sub(moment.line.0).min(i64::from(moment.ticks));
        for reached in 0..2 {
            // At the target's own onset: its role again while pitches are left, then only the roles after it.
            let together_with = |role: usize| {
                moment.target.is_some_and(|target| {
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

fn allow(mask: &mut [f32], allowed: impl Fn(usize) -> bool) {
    for (class, value) in mask.iter_mut().enumerate() {
        *value = if allowed(class) { 0.0 } else { MASKED };
    }
}

/// A class as the vocabulary has it; none is above 255.
fn class_of(class: usize) -> u8 {
    u8::try_from(class).unwrap_or(u8::MAX)
}

/// A pitch class of the model as a MIDI key; none that is asked is above 127.
fn pitch_of(class: usize) -> u8 {
    class_of(class)
}

fn tick_of(beat: usize, sub: usize) -> i64 {
    let part = |value: usize| i64::try_from(value).unwrap_or(i64::MAX / 64);
    part(beat) * TICKS_PER_QUARTER + part(sub)
}
