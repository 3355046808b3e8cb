//! From roles back to parts: who plays the notes that the model wrote.

use std::collections::BTreeMap;

use super::dealing::deal;
use super::{DRUM_CHANNEL, Note, Part, Role, Tick};

/// The notes as parts of this ensemble: each goes to the part of its role, and to a new part after the others where none has it. Where several share a role,
/// those that have notes share the notes that start together, the higher parts the higher notes; a single note goes to the part with the nearest mean pitch.
/// Names, channels and programs are kept, the old notes of the parts are not; all parts stay, also those left without notes.
///
/// A part's role is that of its notes. One without notes has the role that [`roles::of`](super::roles::of) reads off it.
#[must_use]
pub fn distribute(ensemble: &[Part], notes: &[Note]) -> Vec<Part> {
    let by_name = super::roles::of(ensemble);
    let mut slots: Vec<_> = ensemble.iter().zip(by_name).map(|(part, role)| Slot::of(part, role)).collect();
    let mut parts: Vec<_> = ensemble.iter().map(|part| part.with_notes(Vec::new())).collect();
    let mut groups: BTreeMap<(Tick, Role), Vec<Note>> = BTreeMap::new();
    for note in notes {
        groups.entry((note.onset, note.role)).or_default().push(*note);
    }
    for ((_, role), mut group) in groups {
        if slots.iter().all(|slot| slot.role != role) {
            let part = newcomer(role, &parts);
            slots.push(Slot::of(&part, role));
            parts.push(part);
        }
        let sharing = sharing(&slots, role);
        group.sort_by_key(|note| note.pitch);
        let pitches: Vec<u8> = group.iter().map(|note| note.pitch).collect();
        let heights: Vec<f64> = sharing.iter().map(|&slot| slots[slot].height.unwrap_or(0.0)).collect();
        for (note, slot) in group.into_iter().zip(deal(&pitches, &heights)) {
            parts[sharing[slot]].notes.push(note);
        }
    }
    for part in &mut parts {
        part.notes.sort_by_key(Note::order);
    }
    parts
}

/// A place in the ensemble.
struct Slot {
    role: Role,
    /// Mean pitch; `None` without notes.
    height: Option<f64>,
}

/// The slots of a role that have notes, from the lowest to the highest; where none has, the first slot.
fn sharing(slots: &[Slot], role: Role) -> Vec<usize> {
    let of_role = || (0..slots.len()).filter(|&slot| slots[slot].role == role);
    let mut sharing: Vec<usize> = of_role().filter(|&slot| slots[slot].height.is_some()).collect();
    if sharing.is_empty() {
        sharing = of_role().take(1).collect();
    }
    sharing.sort_by(|&one, &other| slots[one].height.unwrap_or(0.0).total_cmp(&slots[other].height.unwrap_or(0.0)));
    sharing
}

impl Slot {
    fn of(part: &Part, role_by_name: Role) -> Self {
        let role = part.notes.first().map_or(role_by_name, |note| note.role);
        Self { role, height: part.mean_pitch() }
    }
}

/// An empty part for a role, on a free channel (the first if all are taken). Read from a file, it has that role again.
fn newcomer(role: Role, others: &[Part]) -> Part {
    let (name, program) = match role {
        Role::Melody => ("Melody", 0),
        Role::Chords => ("Chords", 0),
        Role::Bass => ("Bass", 33),
        Role::Drums => ("Drums", 0),
        Role::Lead => ("Lead", 81),
        Role::Pad => ("Pad", 89),
        Role::Arp => ("Arp", 81),
        Role::Strings => ("Strings", 48),
        Role::LowStrings => ("Low strings", 42),
        Role::Keys => ("Keys", 0),
        Role::LeftHand => ("Left hand", 0),
        Role::Guitar => ("Guitar", 25),
        Role::Organ => ("Organ", 19),
        Role::Winds => ("Winds", 73),
        Role::Brass => ("Brass", 61),
        Role::Other => ("Other", 12),
    };
    let free = (0..16).find(|&channel| channel != DRUM_CHANNEL && others.iter().all(|part| part.channel != channel));
    let channel = if role == Role::Drums { DRUM_CHANNEL } else { free.unwrap_or(0) };
    Part { name: name.to_owned(), channel, program: Some(program), ..Part::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::roles;

    fn note(onset: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(24), pitch, velocity: 80, role }
    }

    fn part(name: &str, channel: u8, notes: Vec<Note>) -> Part {
        Part { name: name.into(), channel, program: Some(0), notes, ..Part::default() }
    }

    #[test]
    fn notes_go_to_the_part_of_their_role() {
        let ensemble =
            [part("Flute", 0, vec![note(0, 80, Role::Winds)]), part("Bassoon", 1, vec![note(0, 45, Role::Winds)]), part("Bass", 2, vec![])];
        let notes = [note(24, 50, Role::Winds), note(0, 48, Role::Winds), note(0, 75, Role::Winds), note(0, 36, Role::Bass)];
        let parts = distribute(&ensemble, &notes);
        assert_eq!(parts.iter().map(|part| (&*part.name, part.channel)).collect::<Vec<_>>(), [("Flute", 0), ("Bassoon", 1), ("Bass", 2)]);
        assert_eq!(parts[0].notes, [notes[2]]);
        assert_eq!(parts[1].notes, [notes[1], notes[0]]);
        assert_eq!(parts[2].notes, [notes[3]]);
    }

    #[test]
    fn parts_that_share_a_role_share_simultaneous_notes() {
        let sing = |pitches: [u8; 2]| pitches.iter().map(|&pitch| note(0, pitch, Role::Strings)).collect();
        let ensemble = [part("II", 0, sing([70, 72])), part("I", 1, sing([71, 74])), part("Tacet", 2, vec![])];
        let notes = [note(0, 76, Role::Strings), note(0, 75, Role::Strings), note(24, 80, Role::Strings)];
        let parts = distribute(&ensemble, &notes);
        assert_eq!(parts.iter().map(|part| part.notes.clone()).collect::<Vec<_>>(), [vec![notes[1]], vec![notes[0], notes[2]], vec![]]);
    }

    #[test]
    fn role_without_a_part_gets_one_on_a_free_channel() {
        let ensemble = [part("Piano", 0, vec![note(0, 60, Role::Keys)])];
        let parts = distribute(&ensemble, &[note(0, 36, Role::Bass), note(0, 38, Role::Drums), note(24, 38, Role::Bass)]);
        assert_eq!(parts.iter().map(|part| (part.channel, part.notes.len())).collect::<Vec<_>>(), [(0, 0), (1, 2), (DRUM_CHANNEL, 1)]);
    }

    #[test]
    fn new_parts_are_read_with_their_role() {
        let notes: Vec<_> = Role::ALL.iter().map(|&role| note(0, if role == Role::LeftHand { 40 } else { 60 }, role)).collect();
        let parts = distribute(&[], &notes);
        let of_notes: Vec<_> = parts.iter().map(|part| part.notes[0].role).collect();
        assert_eq!(roles::of(&parts), of_notes);
        assert_eq!(parts.len(), 16);
    }
}
