//! Notes in a project file: one flat list of small numbers, some fifteen characters a note.
//!
//! Five numbers a note: ticks since the note before, duration (0 while held), pitch, velocity, and role and offset as `role * 8 + offset + 4`.
//! Used as `#[serde(with = "notes")]` for notes in order of their onsets.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::music::{Note, Role, Tick};

/// Numbers of a note.
const NUMBERS: usize = 5;

pub(super) fn serialize<S: Serializer>(notes: &[Note], serializer: S) -> Result<S::Ok, S::Error> {
    let mut numbers = Vec::with_capacity(notes.len() * NUMBERS);
    let mut before = 0;
    for note in notes {
        let duration = if note.duration == Tick::MAX { 0 } else { note.duration.0 };
        let role_and_offset = i64::from(note.role.class()) * 8 + i64::from(note.offset) + 4;
        numbers.extend([note.onset.0 - before, duration, i64::from(note.pitch), i64::from(note.velocity), role_and_offset]);
        before = note.onset.0;
    }
    numbers.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Note>, D::Error> {
    let numbers = Vec::<i64>::deserialize(deserializer)?;
    let mut before = 0i64;
    let mut notes = Vec::with_capacity(numbers.len() / NUMBERS);
    for (index, numbers) in numbers.chunks(NUMBERS).enumerate() {
        let note = read(numbers, before).ok_or_else(|| D::Error::custom(format!("note {index} is damaged: {numbers:?}")))?;
        before = note.onset.0;
        notes.push(note);
    }
    Ok(notes)
}

/// One note, if its numbers are valid.
fn read(numbers: &[i64], before: i64) -> Option<Note> {
    let &[since, duration, pitch, velocity, role_and_offset] = numbers else { return None };
    let onset = before.checked_add(since)?;
    let duration = match duration {
        0 => Tick::MAX,
        // A length with an end has one on the clock.
        1.. if onset.checked_add(duration).is_some() => Tick(duration),
        _ => return None,
    };
    Some(Note {
        onset: Tick(onset),
        offset: i8::try_from(role_and_offset.rem_euclid(8) - 4).ok()?,
        duration,
        pitch: u8::try_from(pitch).ok().filter(|pitch| *pitch < 128)?,
        velocity: u8::try_from(velocity).ok().filter(|velocity| (1..128).contains(velocity))?,
        role: Role::from_class(u8::try_from(role_and_offset.div_euclid(8)).ok()?)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        #[serde(with = "super")]
        notes: Vec<Note>,
    }

    fn note() -> impl Strategy<Value = Note> {
        let duration = prop_oneof![1..2_000i64, Just(i64::MAX)].prop_map(Tick);
        (-500..5_000i64, -4..4i8, duration, 0..128u8, 1..128u8, 0..16u8).prop_map(|(onset, offset, duration, pitch, velocity, role)| Note {
            onset: Tick(onset),
            offset,
            duration,
            pitch,
            velocity,
            role: Role::from_class(role).unwrap(),
        })
    }

    proptest! {
        #[test]
        fn notes_round_trip_through_a_project_file(mut notes in prop::collection::vec(note(), 0..40)) {
            notes.sort_by_key(Note::order);
            let holder = Holder { notes };
            let text = serde_json::to_string(&holder).unwrap();
            prop_assert_eq!(serde_json::from_str::<Holder>(&text).unwrap(), holder);
        }

        #[test]
        fn damaged_numbers_are_refused(numbers in prop::collection::vec(any::<i64>(), 0..12)) {
            let text = format!("{{\"notes\":{}}}", serde_json::to_string(&numbers).unwrap());
            if let Ok(holder) = serde_json::from_str::<Holder>(&text) {
                prop_assert_eq!(holder.notes.len() * NUMBERS, numbers.len());
                prop_assert!(holder.notes.iter().all(|note| note.pitch < 128 && (1..128).contains(&note.velocity) && note.duration >= Tick(1)));
            }
        }
    }

    #[test]
    fn error_names_the_invalid_numbers() {
        let error = serde_json::from_str::<Holder>(r#"{"notes":[0,24,60,80,4, 24,24,60,0,4]}"#).unwrap_err();
        assert!(error.to_string().starts_with("note 1 is damaged: [24, 24, 60, 0, 4]"), "{error}");
        assert!(serde_json::from_str::<Holder>(r#"{"notes":[0,24,60]}"#).is_err());
    }
}
