//! Habits of the last bars: register and chord size of each role, and density of the whole. They limit a continuation unless the requested controls
//! replace them.

use std::collections::BTreeMap;

use super::super::{Note, Role, TICKS_PER_QUARTER, Tick};

/// The keys a role may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Register {
    /// Lowest MIDI key.
    pub low: u8,
    /// Highest MIDI key, inclusive.
    pub high: u8,
}

impl Register {
    /// The whole keyboard.
    pub const WHOLE: Self = Self { low: 0, high: 127 };

    /// Whether a key is in it.
    #[must_use]
    pub const fn contains(self, pitch: u8) -> bool {
        self.low <= pitch && pitch <= self.high
    }

    /// Wider by `semitones` at both ends, as far as the keyboard goes.
    #[must_use]
    pub const fn widened(self, semitones: u8) -> Self {
        let high = self.high.saturating_add(semitones);
        Self { low: self.low.saturating_sub(semitones), high: if high > 127 { 127 } else { high } }
    }
}

/// In ticks.
const WHOLE_NOTE: i64 = 4 * TICKS_PER_QUARTER;

/// What one role has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habit {
    /// From its lowest to its highest note.
    pub register: Register,
    /// Most of its notes that start together, at least 1.
    pub chord: u8,
}

/// What all roles have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Habits {
    /// Every role with notes; a role without notes has no entry.
    pub roles: BTreeMap<Role, Habit>,
    /// Most notes that start within a whole note.
    pub busiest: usize,
}

/// The habits that some notes show.
#[must_use]
pub fn habits(notes: &[Note]) -> Habits {
    let mut onsets: Vec<i64> = notes.iter().map(|note| note.onset.0).collect();
    onsets.sort_unstable();
    let within = |(index, from): (usize, &i64)| onsets.partition_point(|onset| *onset < from + WHOLE_NOTE) - index;
    let busiest = onsets.iter().enumerate().map(within).max().unwrap_or(0);
    Habits { roles: by_role(notes), busiest }
}

fn by_role(notes: &[Note]) -> BTreeMap<Role, Habit> {
    let mut together: BTreeMap<(Role, Tick), u8> = BTreeMap::new();
    let mut habits = BTreeMap::new();
    for note in notes {
        let chord = together.entry((note.role, note.onset)).or_default();
        *chord = chord.saturating_add(1);
        let own = Habit { register: Register { low: note.pitch, high: note.pitch }, chord: 1 };
        let habit = habits.entry(note.role).or_insert(own);
        habit.register.low = habit.register.low.min(note.pitch);
        habit.register.high = habit.register.high.max(note.pitch);
        habit.chord = habit.chord.max(*chord);
    }
    habits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role }
    }

    #[test]
    fn each_role_has_its_own_register_and_chords() {
        let notes = [
            note(0, 43, Role::Bass),
            note(0, 60, Role::Keys),
            note(0, 64, Role::Keys),
            note(0, 67, Role::Keys),
            note(24, 36, Role::Bass),
            note(24, 72, Role::Keys),
        ];
        let Habits { roles: habits, busiest } = habits(&notes);
        assert_eq!(busiest, 6);
        assert_eq!(habits[&Role::Bass], Habit { register: Register { low: 36, high: 43 }, chord: 1 });
        assert_eq!(habits[&Role::Keys], Habit { register: Register { low: 60, high: 72 }, chord: 3 });
        assert_eq!(habits.len(), 2);
    }

    #[test]
    fn busiest_stretch_is_found_wherever_it_begins() {
        let notes: Vec<Note> = [0, 90, 96, 120, 180, 186, 400].into_iter().map(|onset| note(onset, 60, Role::Keys)).collect();
        assert_eq!(habits(&notes).busiest, 4, "from 90 to 180");
        assert_eq!(habits(&[]).busiest, 0);
    }

    #[test]
    fn register_is_widened_as_far_as_the_keyboard_goes() {
        assert_eq!(Register { low: 3, high: 125 }.widened(5), Register::WHOLE);
        assert_eq!(Register { low: 48, high: 60 }.widened(5), Register { low: 43, high: 65 });
        assert!(Register { low: 48, high: 60 }.contains(60) && !Register { low: 48, high: 60 }.contains(61));
    }
}
