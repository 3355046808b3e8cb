//! Lines: one note at a time.

use super::{Note, Role};

/// Ends every note of a role at the latest where the next one of that role starts. Notes that start together stay together.
pub fn one_at_a_time(notes: &mut [Note], role: Role) {
    let mut onsets: Vec<_> = notes.iter().filter(|note| note.role == role).map(|note| note.onset).collect();
    onsets.sort_unstable();
    for note in notes.iter_mut().filter(|note| note.role == role) {
        if let Some(next) = onsets.get(onsets.partition_point(|onset| *onset <= note.onset)) {
            note.duration = note.duration.min(*next - note.onset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tick;
    use super::*;

    #[test]
    fn notes_of_the_role_end_where_its_next_one_starts() {
        let note = |onset: i64, duration: i64, role| Note {
            onset: Tick(onset),
            offset: 0,
            duration: Tick(duration),
            pitch: 40,
            velocity: 80,
            role,
        };
        let mut notes = [
            note(0, 40, Role::Bass),
            note(0, 90, Role::Keys),
            note(24, 12, Role::Bass),
            note(48, 90, Role::Bass),
            note(60, 20, Role::Keys),
        ];
        one_at_a_time(&mut notes, Role::Bass);
        assert_eq!(notes.map(|note| note.duration.0), [24, 90, 12, 90, 20]);
    }
}
