//! Constraints of a role that is new to the music: it has no earlier notes to measure a range on.

use super::constraints::Constraints;
use crate::music::analysis::{Register, habits};
use crate::music::{Note, Role};

/// Roles that are monophonic unless the music has them otherwise.
pub const MONOPHONIC_ROLES: [Role; 3] = [Role::Melody, Role::Bass, Role::Lead];

/// Roles that play chords, and the most of their notes that start together unless the music has them otherwise: four voices.
const CHORDAL_ROLES: [Role; 6] = [Role::Chords, Role::Pad, Role::Strings, Role::Keys, Role::Guitar, Role::Organ];
const CHORD: u8 = 4;

/// A bass: from the lowest string of a bass guitar to the G below middle C.
const BASS: Register = Register { low: 28, high: 55 };

/// A bass has at least an octave and a third to move in, however low the others lie.
const LEAST_TOP: u8 = 44;

impl Constraints {
    /// Limits `role`, which is new to music in which `others` play: a melodic role is monophonic, a chord has at most four notes, and a bass lies below all notes that sound with it and below
    /// the lowest note of the others.
    pub fn introduce(&mut self, role: Role, others: &[Note]) {
        let class = usize::from(role.class());
        if MONOPHONIC_ROLES.contains(&role) {
            self.chords[class] = 1;
        }
        if CHORDAL_ROLES.contains(&role) {
            self.chords[class] = CHORD;
        }
        if role == Role::Bass {
            let floor = habits(others).roles.iter().filter(|(other, _)| **other != Role::Drums).map(|(_, habit)| habit.register.low).min();
            let top = floor.map_or(BASS.high, |floor| floor.saturating_sub(1).clamp(LEAST_TOP, BASS.high));
            self.registers[class] = Register { high: top, ..BASS };
            self.lowest = self.lowest.with(role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Tick;

    fn notes(pitches: &[u8], role: Role) -> Vec<Note> {
        pitches.iter().map(|&pitch| Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch, velocity: 80, role }).collect()
    }

    fn introduced(role: Role, others: &[Note]) -> Constraints {
        let mut constraints = Constraints::default();
        constraints.introduce(role, others);
        constraints
    }

    #[test]
    fn new_bass_lies_below_the_others_and_is_monophonic() {
        let bass = usize::from(Role::Bass.class());
        let top = |others: &[Note]| {
            let constraints = introduced(Role::Bass, others);
            assert_eq!((constraints.chords[bass], constraints.registers[bass].low), (1, 28));
            assert!(constraints.lowest.contains(Role::Bass) && !constraints.lowest.contains(Role::Keys));
            constraints.registers[bass].high
        };
        assert_eq!(top(&notes(&[72, 60, 52], Role::Chords)), 51);
        assert_eq!(top(&notes(&[72, 79], Role::Melody)), 55, "never above the G below middle C");
        assert_eq!(top(&notes(&[30, 60], Role::Keys)), 44, "there is always room to move");
        assert_eq!(top(&notes(&[35], Role::Drums)), 55, "drums have no register");
    }

    #[test]
    fn new_melodic_roles_are_monophonic_and_new_chords_have_four_notes() {
        let chord = |role: Role| introduced(role, &[]).chords[usize::from(role.class())];
        assert_eq!([Role::Melody, Role::Lead, Role::Keys, Role::Pad, Role::Guitar].map(chord), [1, 1, 4, 4, 4]);
        assert_eq!([Role::Drums, Role::Brass].map(chord), [u8::MAX; 2]);
        assert_eq!(introduced(Role::Brass, &[]), Constraints::default());
    }
}
