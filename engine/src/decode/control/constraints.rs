//! Constraints and requested controls of the bars to be generated, as the callers state them.

use super::bias::{DensityLimit, RequestedControls};
use super::lock::BarLock;
use super::roles::RoleSet;
use crate::codec::vocabulary::Field;
use crate::music::Tick;
use crate::music::analysis::{Habits, Register};

/// Most notes of a generated bar: a bound on time and memory, far above what music needs.
pub const MOST_NOTES: usize = 192;

/// Semitones beyond the recent range of a role that it may use: a fourth.
const REACH_SEMITONES: u8 = 5;

const ROLES: usize = Field::Role.classes();

/// Hard constraints on generated notes, and the requested controls within them. Register, scale and chord bind every role but drums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraints {
    /// Roles that may start notes.
    pub roles: RoleSet,
    /// MIDI keys each role may use, by role class.
    pub registers: [Register; ROLES],
    /// Most notes of each role, by class, that start together. At least 1 counts.
    pub chords: [u8; ROLES],
    /// Pitch classes that may sound: bit 0 is C, bit 11 is B.
    pub scale: u16,
    /// Pitch classes of notes that start on a quarter of the bar, in the same form; a role that has none of them in its register keeps to `scale` there.
    pub on_beat: u16,
    /// Most notes of all roles that start together, given ones among them; `None` for no bound. At least 1 counts, and without given notes one may always
    /// start.
    pub voices: Option<u8>,
    /// Density limit: above this rate of notes a logit bias applies, if no density is requested; `None` for no limit.
    pub density_limit: Option<DensityLimit>,
    /// Requested controls; their logit biases act within the masks.
    pub requested: RequestedControls,
    /// No note starts before this tick of the sequence (tick 0 is its first bar line).
    pub from: Tick,
    /// Every note ends at or before this tick of the sequence.
    pub until: Tick,
    /// A bar that begins before this tick of the sequence does not end without a note of its own, if one is allowed in it.
    pub rests_from: Tick,
    /// Roles that stay below all other pitches that sound at their onsets, as long as a key is left there.
    pub lowest: RoleSet,
    /// What is fixed of the next bar.
    pub lock: BarLock,
}

impl Default for Constraints {
    /// No constraint and no requested control.
    fn default() -> Self {
        Self {
            roles: RoleSet::ALL,
            registers: [Register::WHOLE; ROLES],
            chords: [u8::MAX; ROLES],
            scale: 0xfff,
            on_beat: 0xfff,
            voices: None,
            density_limit: None,
            requested: RequestedControls::default(),
            from: Tick(i64::MIN),
            until: Tick::MAX,
            rests_from: Tick(i64::MIN),
            lowest: RoleSet::NONE,
            lock: BarLock::Open,
        }
    }
}

impl Constraints {
    /// Limits each role of `habits` to its range and a fourth more at both ends, and to the size of its chords; and sets the density limit to the rate of all of
    /// them. So register, chord size and density of generated bars do not drift upwards.
    pub fn keep_to(&mut self, habits: &Habits) {
        let roles = habits.roles.keys().copied().collect();
        self.density_limit = (habits.busiest > 0).then_some(DensityLimit { notes: habits.busiest, roles });
        for (role, habit) in &habits.roles {
            let class = usize::from(role.class());
            self.registers[class] = habit.register.widened(REACH_SEMITONES);
            self.chords[class] = habit.chord;
        }
    }
}
