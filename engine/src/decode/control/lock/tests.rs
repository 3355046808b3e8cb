//! Bars that are sampled at random within the masks of a lock.

use proptest::prelude::*;

use super::super::bias::tables::Tables;
use super::super::constraints::Constraints;
use super::super::mask::{BEATS, Mask, ROLES, SUBS, TYPES};
use super::super::row::fixtures::with_row;
use super::*;
use crate::codec::vocabulary::duration_class;
use crate::codec::{BarFields, Place};
use crate::model::MASKED;
use crate::music::analysis::Register;

/// Ticks of the bars of the fixture.
const BAR: i64 = 96;

fn note(tick: i64, role: u8, pitch: u8, length: i64) -> NoteClasses {
    let class = |part: i64| u8::try_from(part).unwrap();
    NoteClasses {
        beat: class(tick / 24),
        sub: class(tick % 24),
        role,
        pitch,
        duration: duration_class(Tick(length)),
        velocity: 20,
        offset: 4,
    }
}

/// One of the allowed classes, by a choice from 0 to 1.
fn pick(table: &[f32], choice: f64) -> usize {
    let allowed: Vec<usize> = (0..table.len()).filter(|&class| table[class] > MASKED / 2.0).collect();
    assert!(!allowed.is_empty(), "no class is allowed");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    allowed[((allowed.len() as f64 * choice) as usize).min(allowed.len() - 1)]
}

/// Samples a bar after the notes `known`, its choices in turn.
fn sampled(constraints: &Constraints, known: &[NoteClasses], choices: &[f64]) -> Vec<NoteClasses> {
    let mask = Mask::new(constraints.clone());
    let (mut notes, mut choices) = (known.to_vec(), choices.iter().copied().cycle());
    let mut target: Option<Place> = None;
    loop {
        let class = |class: usize| u8::try_from(class).unwrap();
        // The row of the last known note has that note as its target.
        let (before, place) = match (target, notes.split_last()) {
            (None, Some((last, before))) if notes.len() == known.len() => (before, Some(last.place())),
            _ => (&notes[..], target),
        };
        let tables = with_row(BarFields::default(), before, place, |row| Tables::of(|inputs| mask.write(inputs, row)));
        if let Some(place) = target {
            let (pitch, duration) = (pick(&tables.pitch, choices.next().unwrap()), pick(&tables.duration, choices.next().unwrap()));
            notes.push(NoteClasses {
                beat: place.beat,
                sub: place.sub,
                role: place.role,
                pitch: class(pitch),
                duration: class(duration),
                velocity: 20,
                offset: 4,
            });
        }
        assert_eq!(tables.kind[..TYPES], tables.kind[TYPES..]);
        if pick(&tables.kind[..TYPES], 0.0) != usize::from(next::NOTE) {
            return notes;
        }
        for table in [&tables.beat, &tables.sub, &tables.role] {
            let (below, reached) = table.split_at(table.len() / 2);
            assert_eq!(below, reached, "the height of the pitch matters");
        }
        let beat = pick(&tables.beat[..BEATS], choices.next().unwrap());
        let sub = pick(&tables.sub[beat * SUBS..][..SUBS], choices.next().unwrap());
        let at = Place { beat: class(beat), sub: class(sub), role: 0 };
        let is_same = place.is_some_and(|place| place.tick() == at.tick());
        let role = pick(&tables.role[if is_same { ROLES } else { 0 }..][..ROLES], choices.next().unwrap());
        target = Some(Place { role: class(role), ..at });
    }
}

fn any_bar() -> impl Strategy<Value = Vec<NoteClasses>> {
    prop::collection::btree_set((0..BAR, 0..3u8, 40..60u8), 0..14)
        .prop_map(|notes| notes.into_iter().map(|(tick, role, pitch)| note(tick, role, pitch, 12)).collect())
}

fn order(note: &NoteClasses) -> (Tick, u8, u8) {
    (note.tick(), note.role, note.pitch)
}

proptest! {
    #[test]
    fn rhythm_lock_keeps_onsets_roles_and_durations_whatever_is_sampled(
        notes in any_bar(),
        choices in prop::collection::vec(0.0..1.0f64, 1..60),
    ) {
        let constraints = Constraints { lock: BarLock::Rhythm(notes.clone()), ..Constraints::default() };
        let made = sampled(&constraints, &[], &choices);
        let rhythm = |notes: &[NoteClasses]| notes.iter().map(|note| (note.place(), note.duration)).collect::<Vec<_>>();
        prop_assert_eq!(rhythm(&made), rhythm(&notes));
        prop_assert!(made.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
    }

    #[test]
    fn pitch_lock_keeps_the_pitches_of_each_role_in_order_whatever_is_sampled(
        notes in any_bar(),
        choices in prop::collection::vec(0.0..1.0f64, 1..60),
    ) {
        let constraints = Constraints { lock: BarLock::Pitches(notes.clone()), ..Constraints::default() };
        let made = sampled(&constraints, &[], &choices);
        for role in 0..3 {
            let pitches = |notes: &[NoteClasses]| notes.iter().filter(|note| note.role == role).map(|note| note.pitch).collect::<Vec<_>>();
            prop_assert_eq!(pitches(&made), pitches(&notes));
        }
        prop_assert!(made.windows(2).all(|pair| order(&pair[0]) < order(&pair[1])));
    }
}

#[test]
fn locks_of_a_bar_that_has_begun_count_from_the_first_tick_of_the_plan() {
    let known = [note(0, 0, 60, 24), note(24, 0, 62, 24)];
    let locked = vec![note(48, 0, 64, 24), note(72, 0, 62, 12)];
    for lock in [BarLock::Rhythm(locked.clone()), BarLock::Pitches(locked)] {
        let constraints = Constraints { lock, from: Tick(48), ..Constraints::default() };
        let made = sampled(&constraints, &known, &[0.3, 0.7, 0.1]);
        assert_eq!(made.len(), 4, "{made:?}");
        assert_eq!(made[..2], known);
        assert!(made[2].tick() >= Tick(48));
    }
}

#[test]
fn locked_bar_gets_no_note() {
    let constraints = Constraints { lock: BarLock::Whole, rests_from: Tick::MAX, ..Constraints::default() };
    assert_eq!(sampled(&constraints, &[], &[0.5]), []);
}

#[test]
fn chord_of_a_locked_rhythm_keeps_as_many_notes_as_there_are_pitches() {
    let chord = vec![note(0, 0, 60, 24), note(0, 0, 64, 24), note(0, 0, 67, 24), note(24, 0, 60, 24)];
    let register = Register { low: 60, high: 61 };
    let constraints = Constraints { lock: BarLock::Rhythm(chord), registers: [register; ROLES], ..Constraints::default() };
    for choice in [0.0, 0.99] {
        let made: Vec<_> = sampled(&constraints, &[], &[choice]).iter().map(|note| (note.tick().0, note.pitch)).collect();
        assert_eq!(made[..2], [(0, 60), (0, 61)]);
        assert_eq!((made.len(), made[2].0), (3, 24));
    }
}
