//! Constraints: a masked class is never sampled, under any constraints, and a bar always ends.

mod common;

use std::sync::{Arc, LazyLock};

use antiphon_engine::{
    cache::SlidingWindow,
    codec::{NoteClasses, OPEN, prefix_rows, vocabulary::duration_ticks},
    decode::{
        BarLock, Constraints, Decoder, DensityLimit, HeardHarmony, MOST_NOTES, RequestedControls, RequestedKey, RoleSet, Sampling, Step,
    },
    model::Model,
    music::{
        Note, Role, Tick,
        analysis::{KeySignature, Register},
    },
};
use common::{music::piece, tiny};
use proptest::prelude::*;

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| Arc::new(tiny()));

/// Harmony of a beat in which these keys sounded.
fn heard(pitches: &[u8], key: Option<KeySignature>) -> HeardHarmony {
    let sound = |&pitch: &u8| Note { onset: Tick(0), offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Lead };
    HeardHarmony::before(Tick(24), &pitches.iter().map(sound).collect::<Vec<_>>()).in_key(key)
}

fn any_constraints() -> impl Strategy<Value = Constraints> {
    let roles =
        prop_oneof![Just(RoleSet::ALL), prop::collection::vec(0_usize..16, 0..4).prop_map(|r| r.iter().map(|&r| Role::ALL[r]).collect())];
    let scale = (prop_oneof![Just(0xfff_u16), 0_u16..0x1000], prop_oneof![Just(0xfff_u16), 0_u16..0x1000]);
    let voices = prop_oneof![Just(None), (0_u8..5).prop_map(Some)];
    let from = prop_oneof![Just(i64::MIN), -50_i64..400];
    let until = prop_oneof![Just(i64::MAX), -50_i64..500];
    let registers = prop::array::uniform16((0_u8..128, 0_u8..128).prop_map(|(low, high)| Register { low, high }));
    let chords = prop::array::uniform16(0_u8..6);
    let step = || prop::option::of(0_u8..10);
    let key = prop::option::of(prop::sample::select(KeySignature::all().collect::<Vec<_>>()).prop_map(RequestedKey::of));
    let sounding = prop::collection::vec(0_u8..128, 0..4);
    let heard = prop::option::of((sounding, key.clone()).prop_map(|(pitches, requested)| heard(&pitches, requested.map(|key| key.key))));
    let requested = (step(), step(), step(), step(), step(), key, heard, 0_u8..=100, prop::bool::ANY).prop_map(
        |(density, register, span, voices, length, key, heard, novelty, is_band)| RequestedControls {
            density,
            register,
            span,
            voices,
            key,
            heard,
            length,
            novelty,
            ensemble: if is_band { RoleSet::ALL } else { RoleSet::NONE },
        },
    );
    let density_limit = prop::option::of((0_usize..40).prop_map(|notes| DensityLimit { notes, roles: RoleSet::ALL }));
    let rests = prop_oneof![Just(i64::MIN), Just(i64::MAX)];
    let lowest = prop_oneof![Just(RoleSet::NONE), Just(RoleSet::ALL), Just([Role::Bass, Role::Keys].into_iter().collect())];
    let rules = (roles, registers, chords, scale, voices, density_limit, requested, from, until, rests, lowest);
    rules.prop_map(|(roles, registers, chords, (scale, on_beat), voices, density_limit, requested, from, until, rests, lowest)| {
        Constraints {
            roles,
            registers,
            chords,
            scale,
            on_beat,
            voices,
            density_limit,
            requested,
            from: Tick(from),
            until: Tick(until),
            rests_from: Tick(rests),
            lowest,
            lock: BarLock::Open,
        }
    })
}

/// Asserts that a chosen note keeps every rule, after the notes before it in its bar.
fn check(rules: &Constraints, line: Tick, ticks: u16, before: &[NoteClasses], note: NoteClasses) {
    let role = Role::from_class(note.role).expect("a role");
    assert!(rules.roles.contains(role));
    if role == Role::Drums {
        assert!(note.pitch >= 128);
    } else {
        assert!(rules.registers[usize::from(note.role)].contains(note.pitch) && rules.scale >> (note.pitch % 12) & 1 == 1, "{note:?}");
    }
    let register = rules.registers[usize::from(note.role)];
    let has = |classes: u16, pitch: u8| classes >> (pitch % 12) & 1 == 1;
    let is_bound = (0..128).any(|pitch| register.contains(pitch) && has(rules.scale & rules.on_beat, pitch));
    assert!(role == Role::Drums || note.sub != 0 || !is_bound || has(rules.on_beat, note.pitch), "{note:?} on a beat");
    assert!(note.tick().0 < i64::from(ticks), "{note:?} in a bar of {ticks}");
    let onset = line + note.tick();
    assert!(onset >= rules.from && onset < rules.until);
    assert_ne!(note.duration, OPEN);
    let end = onset + duration_ticks(note.duration).expect("a length");
    assert!(end <= rules.until, "{note:?} ends at {end:?}");
    if let Some(last) = before.last() {
        assert!((last.tick(), last.role, last.pitch) < (note.tick(), note.role, note.pitch), "{last:?} then {note:?}");
    }
    let chord = before.iter().filter(|other| other.place() == note.place()).count();
    assert!(chord < usize::from(rules.chords[usize::from(note.role)].max(1)), "{note:?} is one too many");
    let together = before.iter().filter(|other| other.tick() == note.tick()).count();
    if let (Some(voices), 1..) = (rules.voices, together) {
        assert!(together < usize::from(voices));
    }
    check_lowest(rules, before, note);
}

/// Asserts that a note of a role that is to be the lowest lies below what sounds, or that no key below it was allowed.
fn check_lowest(rules: &Constraints, before: &[NoteClasses], note: NoteClasses) {
    let role = Role::from_class(note.role).expect("a role");
    let drums = Role::Drums.class();
    if !rules.lowest.contains(role) || role == Role::Drums {
        return;
    }
    let ends = |other: &NoteClasses| duration_ticks(other.duration).map_or(Tick::MAX, |length| other.tick() + length);
    let others = before.iter().filter(|other| other.role != note.role && other.role != drums && ends(other) > note.tick());
    let own = before.iter().filter(|other| other.place() == note.place()).map(|other| other.pitch + 1).max().unwrap_or(0);
    let register = rules.registers[usize::from(note.role)];
    if let Some(ceiling) = others.map(|other| other.pitch).min() {
        let is_open =
            |key: &u8| register.contains(*key) && (rules.scale & if note.sub == 0 { rules.on_beat } else { 0xfff }) >> (key % 12) & 1 == 1;
        assert!(note.pitch < ceiling || !(own..ceiling).any(|key| is_open(&key)), "{note:?} does not lie below {ceiling}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn masks_are_obeyed(rules in any_constraints(), seed: u64, ticks in 1_u16..=384, heat in 0.5_f32..5.0, known in 0_usize..5) {
        let mut decoder = Decoder::new(Arc::clone(&MODEL), Arc::new(SlidingWindow::DEFAULT), &prefix_rows(0, &[])).unwrap();
        decoder.set_seed(seed);
        decoder.set_sampling(Sampling { temperature: heat, ..Sampling::PLAIN });
        let context = piece(seed, 2, 8);
        for bar in &context {
            decoder.append_bar(bar).unwrap();
        }
        // Constraints that change while a bar is open apply to the notes after the change.
        decoder.begin_bar(ticks, context[0].fields).unwrap();
        for _ in 0..known {
            decoder.sample().unwrap();
        }
        decoder.set_constraints(rules.clone());
        for _ in 0..2 {
            let mut notes = decoder.open().unwrap().bar().notes.clone();
            while let Step::Note(note) = decoder.sample().unwrap() {
                check(&rules, decoder.line(), ticks, &notes, note);
                notes.push(note);
                prop_assert!(notes.len() <= MOST_NOTES);
            }
            prop_assert_eq!(&decoder.end_bar().unwrap().notes, &notes);
            decoder.begin_bar(ticks, context[0].fields).unwrap();
        }
    }
}

#[test]
fn bar_without_an_allowed_role_or_pitch_is_empty() {
    let none = Constraints::default();
    let impossible = [
        Constraints { roles: [].into_iter().collect(), ..none.clone() },
        Constraints { registers: [Register { low: 61, high: 60 }; 16], roles: [Role::Melody].into_iter().collect(), ..none.clone() },
        Constraints { scale: 0, roles: [Role::Bass, Role::Keys].into_iter().collect(), ..none.clone() },
        Constraints { from: Tick(96), ..none.clone() },
        Constraints { until: Tick(0), ..none },
    ];
    for rules in impossible {
        let mut decoder = Decoder::new(Arc::clone(&MODEL), Arc::new(SlidingWindow::DEFAULT), &prefix_rows(0, &[])).unwrap();
        decoder.set_constraints(rules.clone());
        decoder.begin_bar(96, piece(0, 1, 0)[0].fields).unwrap();
        assert_eq!(decoder.sample().unwrap(), Step::BarEnd, "{rules:?}");
        assert!(decoder.hidden().iter().all(|value| value.is_finite()));
        assert!(decoder.end_bar().unwrap().notes.is_empty());
    }
}

#[test]
fn single_allowed_pitch_is_generated() {
    let mut decoder = Decoder::new(Arc::clone(&MODEL), Arc::new(SlidingWindow::DEFAULT), &prefix_rows(0, &[])).unwrap();
    decoder.set_constraints(Constraints {
        registers: [Register { low: 60, high: 60 }; 16],
        roles: [Role::Melody].into_iter().collect(),
        ..Constraints::default()
    });
    decoder.set_sampling(Sampling::PLAIN);
    let mut notes = 0;
    for seed in 0..8 {
        decoder.set_seed(seed);
        decoder.begin_bar(96, piece(0, 1, 0)[0].fields).unwrap();
        while let Step::Note(note) = decoder.sample().unwrap() {
            assert_eq!((note.pitch, note.role), (60, Role::Melody.class()));
            notes += 1;
        }
        decoder.end_bar().unwrap();
    }
    assert!(notes > 8, "only {notes} notes in eight bars");
}
